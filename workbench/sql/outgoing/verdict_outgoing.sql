-- verdict_outgoing: what would become of each record if it were sent alone, before its fields are compared: what its
--   identity makes of it, less the phones that Mainstay wins or a person is asked about.
-- grain: one row per work.identity_outgoing.record_id
-- reads: work.identity_outgoing, work.left_phone
-- source: design, section 6, "Conflicts"; decision 40
-- assumes: only linked records have a row in work.left_phone (engine/three_way.py)
SELECT identity.seq,
       identity.record_id,
       identity.record_row,
       identity.contact_id,
       identity.contact_row,
       identity.held_crm_id,
       identity.contact_phone,
       identity.rule,
       identity.phone_key,
       CASE WHEN kept.record_id IS NULL THEN identity.phone_fate ELSE CAST('left' AS phone_fate) END AS phone_fate,
       CASE WHEN kept.record_id IS NULL THEN identity.action
            WHEN kept.asks THEN CAST('conflict' AS action)
            ELSE CAST('update' AS action) END AS action,
       CASE WHEN kept.record_id IS NULL THEN identity.complete_code END AS complete_code,
       identity.crm_id_owners,
       identity.is_misled,
       identity.is_status_hidden AND kept.record_id IS NULL AS is_status_hidden,
       coalesce(kept.asks, false) AS asks,
       identity.is_taken AND kept.record_id IS NULL AS is_taken
FROM work.identity_outgoing AS identity
LEFT JOIN work.left_phone AS kept ON kept.record_id = identity.record_id AND kept.contact_id = identity.contact_id
