-- identity_outgoing: what its identity makes of each record if it were sent alone: whom it reaches, and with which phone.
-- grain: one row per work.match_outgoing.record_id
-- reads: work.match_outgoing, work.taken_phone (phones of objects mapped before), work.misleading_phone
-- source: Mainstay API reference, section 4, "Preview matrix"; numbers are entries of the error dictionary
-- assumes: who is found by phone has that phone, and nobody who is not linked has a previous one (work.match_outgoing)
-- binds: $clears_phone: the phone is mapped and field deletions are included
WITH phone AS (
    SELECT match_outgoing.*,
           taken.phone IS NOT NULL AS is_sent_before,
           misleading.phone IS NOT NULL AND rule <> 'crm_id' AS is_misled,
           CAST(CASE WHEN has_phone AND phone_key IS NULL THEN 'invalid'
                WHEN NOT has_phone AND $clears_phone AND contact_phone IS NOT NULL THEN 'cleared'
                WHEN NOT has_phone THEN 'absent'
                WHEN phone_key IS NOT DISTINCT FROM contact_phone THEN 'same'
                WHEN phone_key = contact_previous_phone THEN 'reverted'
                ELSE 'changes' END AS phone_fate) AS phone_fate
    FROM work.match_outgoing AS match_outgoing
    LEFT JOIN work.taken_phone AS taken ON taken.phone = match_outgoing.phone_key
    LEFT JOIN work.misleading_phone AS misleading ON misleading.phone = match_outgoing.phone_key
),
verdict AS (
    SELECT phone.*, is_sent_before AND (rule <> 'crm_id' OR phone_fate = 'changes') AS is_taken
    FROM phone
)
SELECT seq,
       record_id,
       record_row,
       contact_id,
       contact_row,
       held_crm_id,
       contact_phone,
       rule,
       phone_key,
       phone_fate,
       CAST(CASE WHEN NOT is_eligible THEN 'excluded'
            WHEN crm_id_owners > 1 OR is_misled THEN 'conflict'
            WHEN phone_owners > 1 AND (rule = 'phone' OR phone_fate = 'changes') THEN 'conflict'
            WHEN is_taken THEN 'blocked'
            WHEN phone_fate = 'changes' AND phone_owner_id IS NOT NULL THEN 'blocked'
            WHEN rule = 'crm_id' THEN 'update'
            WHEN held_crm_id IS NOT NULL THEN 'blocked'
            WHEN rule = 'phone' THEN 'link'
            WHEN NOT has_names OR phone_fate = 'invalid' THEN 'blocked'
            ELSE 'create' END AS action) AS action,
       CASE WHEN NOT is_eligible OR crm_id_owners > 1 OR phone_owners > 1 OR is_misled THEN NULL
            WHEN is_taken AND rule <> 'phone' THEN 'duplicate-contact'
            WHEN is_taken THEN 'phone-match-found-but-crmId-mismatch'
            WHEN phone_fate = 'changes' AND phone_owner_id IS NOT NULL THEN 'duplicate-contact'
            WHEN rule = 'phone' AND held_crm_id IS NOT NULL THEN 'phone-match-found-but-crmId-mismatch'
            WHEN rule = 'none' AND NOT has_names THEN 'blank-required-data-in-record'
            WHEN rule = 'none' AND phone_fate = 'invalid' THEN 'invalid-phone' END AS complete_code,
       crm_id_owners,
       is_misled,
       -- What the SMS status was before its phone was cleared comes back with a new one, and no answer shows it.
       coalesce(phone_fate = 'changes' AND contact_phone IS NULL AND contact_previous_phone IS NOT NULL, false)
           AS is_status_hidden,
       is_taken
FROM verdict
