WITH known AS (
    SELECT c.id AS contact_id,
           c.rowid AS contact_row,
           nullif(c.crm_id, '') AS crm_id_key,
           phone_number(nullif(c.phone, '')) AS phone,
           phone_number(nullif(c.previous_phone, '')) AS previous_phone
    FROM store.mainstay.contact AS c
)
SELECT contact_id,
       contact_row,
       crm_id_key,
       nullif(phone, 0) AS phone_key,
       nullif(previous_phone, 0) AS previous_phone_key
FROM known
