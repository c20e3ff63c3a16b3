-- phone_owner: which Mainstay contact holds a phone, hidden and archived contacts too.
-- grain: one row per phone found in Mainstay
-- reads: work.contact_now
-- assumes: phones are unique in Mainstay; where a server breaks that, owner_count says so, the keys are of no single
--   contact, and a person decides
SELECT phone_key AS phone,
       min(contact_id) AS contact_id,
       min(contact_row) AS contact_row,
       any_value(crm_id_key) AS crm_id_key,
       count(*) AS owner_count
FROM work.contact_now
WHERE phone_key IS NOT NULL
GROUP BY phone_key
