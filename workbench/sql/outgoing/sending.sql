-- sending: records that need a request body: what differs, what is new, and whatever has to be walked in order.
-- grain: one row per record
-- reads: work.verdict_outgoing, work.collision_outgoing, work.differing
-- binds: $include_all_fields
WITH walked AS (
    SELECT DISTINCT record_id
    FROM work.collision_outgoing
)
SELECT verdict.record_id,
       verdict.contact_id,
       verdict.phone_fate,
       CASE WHEN verdict.rule = 'none' THEN 'POST' ELSE 'PUT' END AS method,
       verdict.rule <> 'crm_id' AS sends_crm_id,
       $include_all_fields OR verdict.rule = 'none' OR walked.record_id IS NOT NULL AS is_full,
       walked.record_id IS NOT NULL AS is_walked
FROM work.verdict_outgoing AS verdict
LEFT JOIN walked ON walked.record_id = verdict.record_id
LEFT JOIN work.differing AS differing ON differing.record_id = verdict.record_id
WHERE verdict.action IN ('link', 'create', 'blocked')
   OR differing.record_id IS NOT NULL
   OR walked.record_id IS NOT NULL
