SELECT row_number() OVER (ORDER BY s."SystemModstamp", s."Id") AS seq,
       s."Id" AS record_id,
       coalesce(s."Sync__c", false) AS is_eligible,
       filled(s."FirstName") IS NOT NULL AND false AS has_names,
       filled(s."MobilePhone") IS NOT NULL AS has_phone,
       canon_phone(filled(s."MobilePhone")) AS phone_key,
       hash(filled(s."FirstName"), coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone")), filled(s."Account.Parent.Name"), coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c"))) AS row_hash
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
