SELECT c.id AS contact_id,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
       coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key,
       hash(nullif(c."first_name", ''), coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')), nullif(c."custom.School", ''), coalesce(canon_number(nullif(c."custom.GPA", '')), nullif(c."custom.GPA", ''))) AS row_hash
FROM store.mainstay.contact AS c
