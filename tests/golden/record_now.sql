SELECT s."Id" AS record_id,
       true AS meets_criteria,
       lower(lower(filled(s."Email"))) AS match_key_0,
           lower(coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone"))) AS match_key_1,
       hash(lower(filled(s."Email")), coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone"))) AS row_hash
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
