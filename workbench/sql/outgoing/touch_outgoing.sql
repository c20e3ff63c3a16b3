-- touch_outgoing: the phones a record looks up, takes or gives up when it is sent.
-- grain: one row per record and phone
-- reads: work.verdict_outgoing
-- source: identity errors depend on order: a phone may be taken or freed by an earlier record of the same batch
SELECT seq, phone_key AS phone
FROM work.verdict_outgoing
WHERE phone_key IS NOT NULL
  AND action NOT IN ('excluded', 'conflict')
  AND NOT is_taken
  AND (rule <> 'crm_id' OR phone_fate = 'changes')
UNION ALL
SELECT seq, contact_phone AS phone
FROM work.verdict_outgoing
WHERE contact_phone IS NOT NULL
  AND action NOT IN ('excluded', 'conflict')
  AND NOT is_taken
  AND rule = 'crm_id'
  AND phone_fate IN ('changes', 'cleared')
