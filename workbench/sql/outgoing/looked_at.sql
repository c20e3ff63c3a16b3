-- looked_at: records whose values are fetched, and the contact whose values stand beside them.
-- grain: one row per record that reaches a contact and may differ from it, or that a person may be asked about
-- reads: work.verdict_outgoing, work.differing (slice_N: which values), work.group_outgoing
SELECT verdict.seq,
       verdict.record_row,
       verdict.contact_row,
       verdict.phone_key,
       verdict.contact_phone,
       coalesce(COLUMNS(differing.* EXCLUDE (seq)), true)
FROM work.verdict_outgoing AS verdict
LEFT JOIN work.differing AS differing ON differing.seq = verdict.seq
LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
WHERE differing.seq IS NOT NULL
   OR (verdict.rule = 'crm_id' AND verdict.crm_id_owners = 1 AND verdict.action <> 'excluded'
       AND (verdict.asks OR grouped.seq IS NOT NULL))
