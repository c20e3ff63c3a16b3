-- pair_outgoing: records and the contacts their values would go to; these are compared.
-- grain: one row per record that reaches a contact and is decided alone
-- reads: work.verdict_outgoing, work.group_outgoing
SELECT verdict.seq,
       verdict.record_id,
       verdict.contact_id,
       verdict.record_row,
       verdict.contact_row,
       verdict.phone_key,
       verdict.contact_phone,
       verdict.phone_fate
FROM work.verdict_outgoing AS verdict
ANTI JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
WHERE verdict.rule <> 'none'
  AND verdict.action IN ('update', 'link', 'blocked')
