SELECT row_number() OVER (ORDER BY s."SystemModstamp", s."Id") AS seq,
       s."Id" AS record_id,
       coalesce(s."Sync__c", false) AS is_eligible,
       filled(s."FirstName") IS NOT NULL AND false AS has_names,
       filled(s."MobilePhone") IS NOT NULL AS has_phone,
       canon_phone(filled(s."MobilePhone")) AS phone_key,
       CASE WHEN filled(s."FirstName") IS NOT NULL THEN hash(filled(s."FirstName")) END AS "hash of first_name",
           CASE WHEN coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone")) IS NOT NULL THEN hash(coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone"))) END AS "hash of phone",
           CASE WHEN filled(s."Account.Parent.Name") IS NOT NULL THEN hash(filled(s."Account.Parent.Name")) END AS "hash of custom.School",
           CASE WHEN coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c")) IS NOT NULL THEN hash(coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c"))) END AS "hash of custom.GPA"
FROM store.salesforce."Contact" AS s
WHERE NOT coalesce(s."IsDeleted", false)
