-- phone_owner: which Mainstay contact holds a phone, hidden and archived contacts too.
-- grain: one row per phone found in Mainstay
-- reads: work.contact_now, work.shared_phone
-- assumes: phones are unique in Mainstay; where a server breaks that, owner_count says so, the keys are of no single
--   contact, and a person decides
SELECT phone_key AS phone,
       contact_id,
       contact_row,
       crm_id_key,
       CAST(1 AS BIGINT) AS owner_count
FROM work.contact_now AS sole
ANTI JOIN work.shared_phone AS shared ON shared.phone = sole.phone_key
WHERE phone_key IS NOT NULL
UNION ALL
SELECT phone,
       min(contact_id) AS contact_id,
       min(contact_row) AS contact_row,
       any_value(crm_id_key) AS crm_id_key,
       count(*) AS owner_count
FROM work.contact_now AS several
JOIN work.shared_phone AS shared ON shared.phone = several.phone_key
GROUP BY phone
