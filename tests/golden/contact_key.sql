SELECT c.id AS contact_id,
       c.rowid AS contact_row,
       c.last_modified_at AS modified_at,
       full_id(nullif(c.crm_id, '')) AS crm_id_key,
       coalesce(c.test_user, false) AS is_test,
       lower(small(nullif(c."email", ''))) AS match_key_0,
           lower(coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", ''))) AS match_key_1
FROM store.mainstay.contact AS c
