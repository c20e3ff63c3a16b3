-- receiving: contacts that may change a Salesforce record and need a request body.
-- grain: one row per contact
-- reads: work.verdict_incoming, work.differing, work.left_record
SELECT verdict.contact_id,
       verdict.contact_row,
       verdict.record_id,
       verdict.record_row,
       verdict.meets_criteria,
       verdict.action = 'create' AS is_create,
       kept.left_fields,
       kept.cleared_fields
FROM work.verdict_incoming AS verdict
LEFT JOIN work.differing AS differing ON differing.seq = verdict.seq
LEFT JOIN work.left_record AS kept ON kept.contact_id = verdict.contact_id AND kept.record_id = verdict.record_id
WHERE verdict.action = 'create'
   OR differing.seq IS NOT NULL
