-- pair_outgoing: records and the contacts their values would go to; these are compared.
-- grain: one row per record that reaches a contact and may be sent, or that a person is asked about
-- reads: work.verdict_outgoing, work.group_outgoing
-- assumes: what is walked without being linked is compared in its turn, and no three-way comparison asks about it
SELECT verdict.seq,
       verdict.record_id,
       verdict.contact_id,
       verdict.record_row,
       verdict.contact_row,
       verdict.phone_key,
       verdict.contact_phone,
       verdict.rule,
       verdict.phone_fate
FROM work.verdict_outgoing AS verdict
LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
WHERE verdict.rule <> 'none'
  AND (verdict.rule = 'crm_id' OR grouped.seq IS NULL)
  AND (verdict.action IN ('update', 'link', 'blocked') OR verdict.asks)
