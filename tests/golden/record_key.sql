SELECT s."Id" AS record_id,
       s.rowid AS record_row,
       s."SystemModstamp" AS modified_at,
       coalesce(s."Sync__c", false) AS is_eligible,
       filled(s."FirstName") IS NOT NULL AND false AS has_names,
       filled(s."MobilePhone") IS NOT NULL AS has_phone,
       canon_phone(filled(s."MobilePhone")) AS phone_key
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
