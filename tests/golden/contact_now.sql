SELECT c.id AS contact_id,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
       coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key,
       CASE WHEN nullif(c."first_name", '') IS NOT NULL THEN hash(nullif(c."first_name", '')) END AS "hash of first_name",
           CASE WHEN coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')) IS NOT NULL THEN hash(coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", ''))) END AS "hash of phone",
           CASE WHEN nullif(c."custom.School", '') IS NOT NULL THEN hash(nullif(c."custom.School", '')) END AS "hash of custom.School",
           CASE WHEN coalesce(canon_number(nullif(c."custom.GPA", '')), nullif(c."custom.GPA", '')) IS NOT NULL THEN hash(coalesce(canon_number(nullif(c."custom.GPA", '')), nullif(c."custom.GPA", ''))) END AS "hash of custom.GPA"
FROM store.mainstay.contact AS c
