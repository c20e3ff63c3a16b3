-- change_outgoing: the end of the export preview, one named bucket and one prediction per record.
-- grain: one row per work.verdict_outgoing.record_id
-- reads: work.verdict_outgoing, work.payload, work.walk_outgoing (collision groups in FIFO order), work.group_outgoing
WITH alone AS (
    SELECT verdict.seq,
           verdict.record_id,
           verdict.contact_id,
           verdict.rule,
           verdict.phone_key,
           verdict.crm_id_owners,
           CASE WHEN verdict.action = 'update' AND coalesce(payload.fields, '[]') = '[]' THEN 'none'
                ELSE verdict.action END AS action,
           verdict.complete_code,
           payload.codes AS partial_codes,
           payload.body,
           payload.fields
    FROM work.verdict_outgoing AS verdict
    LEFT JOIN work.payload AS payload ON payload.record_id = verdict.record_id
),
settled AS (
    SELECT alone.seq,
           alone.record_id,
           alone.crm_id_owners,
           walk.record_id IS NOT NULL AS is_walked,
           grouped.group_id,
           CASE WHEN walk.record_id IS NULL THEN alone.contact_id ELSE walk.contact_id END AS contact_id,
           coalesce(walk.rule, alone.rule) AS rule,
           coalesce(walk.action, alone.action) AS action,
           coalesce(walk.phone, alone.phone_key) AS phone,
           CASE WHEN walk.record_id IS NOT NULL THEN walk.codes
                WHEN alone.action IN ('excluded', 'conflict', 'none') THEN CAST([] AS VARCHAR[])
                WHEN alone.complete_code IS NOT NULL THEN [alone.complete_code]
                ELSE coalesce(alone.partial_codes, CAST([] AS VARCHAR[])) END AS codes,
           CASE WHEN alone.action IN ('excluded', 'conflict', 'none') THEN NULL
                ELSE coalesce(walk.body, alone.body) END AS body,
           CASE WHEN alone.action IN ('excluded', 'conflict', 'none') THEN '[]'
                ELSE coalesce(walk.fields, alone.fields, '[]') END AS fields
    FROM alone
    LEFT JOIN work.walk_outgoing AS walk ON walk.record_id = alone.record_id
    LEFT JOIN work.group_outgoing AS grouped ON grouped.record_id = alone.record_id
)
SELECT seq,
       record_id AS salesforce_id,
       contact_id AS mainstay_id,
       rule,
       action,
       group_id,
       codes,
       body,
       fields,
       CASE WHEN action = 'blocked' THEN 'fail'
            WHEN action IN ('update', 'link', 'create') THEN CASE WHEN len(codes) = 0 THEN 'success' ELSE 'partial' END
            END AS predicted_status,
       CASE WHEN body IS NULL THEN NULL
            WHEN rule = 'none' THEN 'POST'
            ELSE 'PUT' END AS method,
       CASE WHEN body IS NULL THEN NULL
            WHEN rule = 'crm_id' THEN 'contacts/' || url_encode(record_id) || '/'
            WHEN rule = 'phone' THEN 'contacts/' || phone || '/'
            ELSE 'contacts/' END AS path,
       CASE WHEN action = 'excluded' THEN 'The record sync criteria are false'
            WHEN action = 'conflict' AND crm_id_owners > 1 THEN 'Several Mainstay contacts carry this CRM ID'
            WHEN action = 'conflict' THEN 'Several Mainstay contacts hold this phone'
            WHEN action = 'none' THEN 'Linked by CRM ID and already equal'
            WHEN action = 'update' THEN 'Linked by CRM ID; values differ'
            WHEN action = 'link' THEN 'Same phone; the contact acquires the CRM ID'
            WHEN action = 'create' THEN 'No contact has this CRM ID or phone'
            WHEN rule = 'crm_id' THEN 'The new phone belongs to another contact'
            WHEN rule = 'phone' THEN 'The contact with this phone carries another CRM ID'
            WHEN list_contains(codes, 'invalid-phone') THEN 'A new contact needs a valid phone, or none'
            WHEN list_contains(codes, 'blank-required-data-in-record')
                THEN 'A new contact needs a first and a last name'
            ELSE 'Mainstay will refuse the request' END
       || CASE WHEN is_walked THEN ' (decided in order: other records of this preview share its phone)' ELSE '' END
           AS reason,
       list_filter([
           CASE WHEN list_contains(codes, 'invalid-messaging-status') THEN 'consent' END,
           CASE WHEN contains(body, '"UNSET"') THEN 'blank-value' END
       ], lambda guard : guard IS NOT NULL) AS guards
FROM settled
