-- shared_crm_id: CRM IDs that several Mainstay contacts carry. There are none, unless a server breaks its own rule.
-- grain: one row per CRM ID
-- reads: work.contact_now
SELECT crm_id_key AS crm_id
FROM work.contact_now
WHERE crm_id_key IS NOT NULL
GROUP BY crm_id_key
HAVING count(*) > 1
