-- crm_id_owner: which Mainstay contact carries a CRM ID.
-- grain: one row per CRM ID found in Mainstay
-- reads: work.contact_now, work.shared_crm_id
-- assumes: CRM IDs are unique in Mainstay; where a server breaks that, owner_count says so, the keys are of no single
--   contact, and a person decides
SELECT crm_id_key AS crm_id,
       contact_id,
       contact_row,
       phone_key,
       previous_phone_key,
       CAST(1 AS BIGINT) AS owner_count
FROM work.contact_now AS sole
ANTI JOIN work.shared_crm_id AS shared ON shared.crm_id = sole.crm_id_key
WHERE crm_id_key IS NOT NULL
UNION ALL
SELECT crm_id,
       min(contact_id) AS contact_id,
       min(contact_row) AS contact_row,
       any_value(phone_key) AS phone_key,
       any_value(previous_phone_key) AS previous_phone_key,
       count(*) AS owner_count
FROM work.contact_now AS several
JOIN work.shared_crm_id AS shared ON shared.crm_id = several.crm_id_key
GROUP BY crm_id
