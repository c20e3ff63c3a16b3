SELECT c.id AS contact_id,
       c.rowid AS contact_row,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
       coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key
FROM store.mainstay.contact AS c
