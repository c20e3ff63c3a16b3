-- change_outgoing: one named bucket and one prediction per record, in words.
-- grain: one row per work.settled_outgoing.record_id
-- reads: work.settled_outgoing
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
            WHEN action = 'conflict' AND is_misled
                THEN 'Another contact carries this phone as its CRM ID: a request would reach that one'
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
       CASE WHEN (may_opt_back_in OR has_code(codes, 'invalid-messaging-status')) AND clears
            THEN ['consent', 'blank-value']
            WHEN may_opt_back_in OR has_code(codes, 'invalid-messaging-status') THEN ['consent']
            WHEN clears THEN ['blank-value']
            ELSE CAST([] AS VARCHAR[]) END AS guards,
       (is_taken AND action = 'blocked') OR may_opt_back_in AS is_open
FROM work.settled_outgoing
