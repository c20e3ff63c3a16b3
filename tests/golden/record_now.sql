SELECT s."Id" AS record_id,
       s.rowid AS record_row,
       true AS meets_criteria,
       lower(small(nullif(s."Email", ''))) AS match_key_0,
           lower(coalesce(canon_phone(nullif(s."MobilePhone", '')), nullif(s."MobilePhone", ''))) AS match_key_1
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
