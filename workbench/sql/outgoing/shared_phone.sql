-- shared_phone: phones that several Mainstay contacts hold. There are none, unless a server breaks its own rule.
-- grain: one row per phone
-- reads: work.contact_now
SELECT phone_key AS phone
FROM work.contact_now
WHERE phone_key IS NOT NULL
GROUP BY phone_key
HAVING count(*) > 1
