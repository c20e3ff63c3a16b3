-- sending: records that need a request body: what is new, what differs, and whatever has to be walked in order.
-- grain: one row per record; slice_N: which values differ and decide, null where none differs. What is walked is sent
--   as its turn finds it, whatever differs now.
-- reads: work.verdict_outgoing, work.group_outgoing, work.differing, work.left_record
SELECT verdict.seq,
       verdict.record_id,
       verdict.record_row,
       verdict.held_crm_id,
       verdict.phone_key,
       verdict.rule,
       verdict.action,
       verdict.phone_fate,
       verdict.rule = 'none' OR grouped.seq IS NOT NULL AS is_new,
       grouped.seq IS NOT NULL AS is_walked,
       kept.left_fields,
       grouped.seq IS NULL AND COLUMNS('^slice_')
FROM work.verdict_outgoing AS verdict
LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
LEFT JOIN work.differing AS differing ON differing.seq = verdict.seq
LEFT JOIN work.left_record AS kept ON kept.record_id = verdict.record_id AND kept.contact_id = verdict.contact_id
WHERE NOT coalesce(kept.asks, false)
  AND (verdict.action IN ('link', 'create', 'blocked')
       OR differing.seq IS NOT NULL
       OR grouped.seq IS NOT NULL)
