SELECT s."Id" AS record_id,
       true AS meets_criteria,
       lower(lower(nullif(CAST(s."Email" AS VARCHAR), ''))) AS match_key_0,
           lower(coalesce(canon_phone(nullif(CAST(s."MobilePhone" AS VARCHAR), '')), nullif(CAST(s."MobilePhone" AS VARCHAR), ''))) AS match_key_1,
       hash(lower(nullif(CAST(s."Email" AS VARCHAR), '')), coalesce(canon_phone(nullif(CAST(s."MobilePhone" AS VARCHAR), '')), nullif(CAST(s."MobilePhone" AS VARCHAR), ''))) AS row_hash
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
