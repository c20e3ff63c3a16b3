-- change_incoming: the end of the import preview, one named bucket and one prediction per contact.
-- grain: one row per work.verdict_incoming.contact_id
-- reads: work.verdict_incoming, work.payload_incoming
WITH settled AS (
    SELECT verdict.seq,
           verdict.contact_id,
           verdict.record_id,
           verdict.candidate_id,
           verdict.rule,
           verdict.cause,
           coalesce(payload.is_eligibility_open, false) AS is_open,
           payload.body,
           payload.fields,
           CASE WHEN verdict.action IN ('excluded', 'conflict') THEN verdict.action
                WHEN NOT coalesce(payload.is_eligible, verdict.meets_criteria) THEN 'excluded'
                WHEN verdict.action = 'update' AND coalesce(payload.fields, '[]') = '[]' THEN 'none'
                WHEN len(payload.codes) > 0 THEN 'blocked'
                ELSE verdict.action END AS action,
           verdict.action IN ('update', 'link', 'create')
               AND NOT coalesce(payload.is_eligible, verdict.meets_criteria) AS is_rejected,
           payload.codes
    FROM work.verdict_incoming AS verdict
    LEFT JOIN work.payload_incoming AS payload ON payload.contact_id = verdict.contact_id
)
SELECT seq,
       record_id AS salesforce_id,
       contact_id AS mainstay_id,
       candidate_id,
       rule,
       action,
       CAST(NULL AS BIGINT) AS group_id,
       CASE WHEN action = 'blocked' THEN codes ELSE CAST([] AS VARCHAR[]) END AS codes,
       CASE WHEN action IN ('update', 'link', 'create', 'blocked') THEN nullif(body, '{}') END AS body,
       CASE WHEN action IN ('update', 'link', 'create', 'blocked') THEN fields ELSE '[]' END AS fields,
       CASE WHEN action = 'blocked' THEN 'fail'
            WHEN action IN ('update', 'link', 'create') THEN 'success' END AS predicted_status,
       is_open,
       CASE WHEN is_rejected THEN 'The record sync criteria would be false after the change'
            WHEN cause = 'test_contact' THEN 'Test contacts are never written to Salesforce'
            WHEN cause = 'other_object' THEN 'The CRM ID belongs to another kind of Salesforce record'
            WHEN cause = 'unmatched_ignored' THEN 'No record matches, and creating unmatched records is off'
            WHEN cause = 'crm_id_twice' THEN 'Several Mainstay contacts carry this CRM ID'
            WHEN cause = 'dangling_crm_id' THEN 'The CRM ID is on no Salesforce record that was pulled'
            WHEN cause = 'several_records' THEN 'Several Salesforce records match this contact'
            WHEN cause = 'several_contacts' THEN 'Several Mainstay contacts match the same values'
            WHEN cause = 'record_taken' THEN 'The matching record is already linked to another contact'
            WHEN action = 'blocked' THEN 'Salesforce will refuse the values'
            WHEN action = 'none' THEN 'Linked by CRM ID and already equal'
            WHEN action = 'update' THEN 'Linked by CRM ID; values differ'
            WHEN action = 'link' THEN 'The matching fields agree; the contact acquires the CRM ID'
            ELSE 'No record matches; a new one is created and the contact acquires its Id' END AS reason,
       CAST([] AS VARCHAR[]) AS guards
FROM settled
