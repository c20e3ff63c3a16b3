-- receiving: contacts that may change a Salesforce record and need a request body.
-- grain: one row per contact
-- reads: work.verdict_incoming
SELECT contact_id,
       record_id,
       meets_criteria,
       action = 'create' AS is_create
FROM work.verdict_incoming
WHERE action IN ('link', 'create')
   OR (action = 'update' AND may_differ)
