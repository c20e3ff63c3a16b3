-- phone_taken: phones that one object's changes take or give up: a phone has one contact, so they are not a later object's.
-- grain: one row per phone that was not taken before
-- reads: work.verdict_outgoing, work.change_outgoing, work.taken_phone
-- source: decision 15
WITH sent AS (
    SELECT verdict.phone_key, verdict.contact_phone, verdict.phone_fate, change.action
    FROM work.verdict_outgoing AS verdict
    JOIN work.change_outgoing AS change ON change.seq = verdict.seq
    WHERE change.action IN ('create', 'link', 'update')
)
SELECT phone
FROM (
    SELECT phone_key AS phone FROM sent WHERE action <> 'update' OR phone_fate = 'changes'
    UNION
    SELECT contact_phone FROM sent WHERE action = 'update' AND phone_fate IN ('changes', 'cleared')
)
WHERE phone IS NOT NULL
  AND phone NOT IN (SELECT phone FROM work.taken_phone)
