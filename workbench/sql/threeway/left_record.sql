-- left_record: what a run leaves alone on each linked record, what an import clears, and what a person is asked.
-- grain: one row per record and contact with such a field
-- reads: work.verdict_field, work.two_way_field
-- binds: $sender ('salesforce' for exports, 'mainstay' for imports)
SELECT record_id,
       contact_id,
       list(field ORDER BY field) FILTER (WHERE winner IS DISTINCT FROM $sender) AS left_fields,
       list(field ORDER BY field) FILTER (WHERE winner IS NULL) AS asked_fields,
       list(field ORDER BY field) FILTER (WHERE winner = $sender) AS cleared_fields,
       bool_or(winner IS NULL) AS asks
FROM work.verdict_field AS verdict
JOIN work.two_way_field AS two_way ON two_way.place = verdict.place
WHERE winner IS DISTINCT FROM $sender
   OR ($sender = 'mainstay' AND mainstay_value IS NULL AND cause <> 'no_baseline')
GROUP BY record_id, contact_id
