SELECT row_number() OVER (ORDER BY c.last_modified_at, c.id) AS seq,
       c.id AS contact_id,
       c.rowid AS contact_row,
       full_id(nullif(c.crm_id, '')) AS crm_id_key,
       coalesce(c.test_user, false) AS is_test,
       false AS is_claimed,
       true AS is_looked_at,
       lower(small(nullif(c."email", ''))) AS match_key_0,
           lower(coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", ''))) AS match_key_1
FROM store.mainstay.contact AS c
