-- change_outgoing: the end of the export preview, one named bucket and one prediction per record.
-- grain: one row per work.verdict_outgoing.record_id
-- reads: work.verdict_outgoing, work.request_outgoing, work.walk_outgoing (collision groups in FIFO order),
--   work.group_outgoing, work.left_record (fields that Mainstay wins, or a person is asked about)
WITH settled AS (
    SELECT verdict.seq,
           verdict.record_id,
           verdict.crm_id_owners,
           verdict.is_taken,
           kept.asked_fields,
           kept.left_fields,
           walk.seq IS NOT NULL AS is_walked,
           grouped.group_id,
           CASE WHEN walk.seq IS NULL THEN verdict.contact_id ELSE walk.contact_id END AS contact_id,
           CASE WHEN walk.seq IS NULL THEN verdict.contact_row ELSE walk.contact_row END AS contact_row,
           coalesce(walk.rule, verdict.rule) AS rule,
           CASE WHEN kept.asks THEN 'conflict'
                WHEN walk.seq IS NOT NULL THEN walk.action
                WHEN verdict.action = 'update' AND request.seq IS NULL THEN 'none'
                ELSE verdict.action END AS action,
           CASE WHEN walk.seq IS NULL AND NOT coalesce(kept.asks, false) AND verdict.complete_code IS NOT NULL THEN verdict.complete_code
                ELSE request.codes END AS codes,
           coalesce(request.clears, false) AS clears
    FROM work.verdict_outgoing AS verdict
    LEFT JOIN work.request_outgoing AS request ON request.seq = verdict.seq
    LEFT JOIN work.walk_outgoing AS walk ON walk.seq = verdict.seq
    LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
    LEFT JOIN work.left_record AS kept ON kept.record_id = verdict.record_id AND kept.contact_id = verdict.contact_id
)
SELECT seq,
       record_id AS salesforce_id,
       contact_id AS mainstay_id,
       contact_row,
       rule,
       action,
       group_id,
       codes_of(codes) AS codes,
       CASE WHEN action = 'blocked' THEN 'fail'
            WHEN action IN ('update', 'link', 'create') THEN CASE WHEN codes IS NULL THEN 'success' ELSE 'partial' END
            END AS predicted_status,
       CASE WHEN action = 'excluded' THEN 'The record sync criteria are false'
            WHEN action = 'conflict' AND crm_id_owners > 1 THEN 'Several Mainstay contacts carry this CRM ID'
            WHEN action = 'conflict' AND len(asked_fields) > 0
                THEN 'Both sides changed ' || list_aggregate(asked_fields, 'string_agg', ', ') || ' since they last agreed'
            WHEN action = 'conflict' THEN 'Several Mainstay contacts hold this phone'
            WHEN action = 'none' AND len(left_fields) > 0 THEN 'Linked by CRM ID; what differs is left to Mainstay'
            WHEN action = 'none' THEN 'Linked by CRM ID and already equal'
            WHEN action = 'update' THEN 'Linked by CRM ID; values differ'
            WHEN action = 'link' THEN 'Same phone; the contact acquires the CRM ID'
            WHEN action = 'create' THEN 'No contact has this CRM ID or phone'
            WHEN is_taken THEN 'A record of an object mapped before this one takes or gives up the same phone'
            WHEN rule = 'crm_id' THEN 'The new phone belongs to another contact'
            WHEN rule = 'phone' THEN 'The contact with this phone carries another CRM ID'
            WHEN has_code(codes, 'invalid-phone') THEN 'A new contact needs a valid phone, or none'
            WHEN has_code(codes, 'blank-required-data-in-record') THEN 'A new contact needs a first and a last name'
            ELSE 'Mainstay will refuse the request' END
       || CASE WHEN is_walked THEN ' (decided in order: other records of this preview share its phone)' ELSE '' END
           AS reason,
       CASE WHEN has_code(codes, 'invalid-messaging-status') AND clears THEN ['consent', 'blank-value']
            WHEN has_code(codes, 'invalid-messaging-status') THEN ['consent']
            WHEN clears THEN ['blank-value']
            ELSE CAST([] AS VARCHAR[]) END AS guards,
       is_taken AND action = 'blocked' AS is_open
FROM settled
