WITH living AS (
    SELECT s."Id" AS record_id,
           s.rowid AS record_row,
           s."SystemModstamp" AS modified_at,
           coalesce(s."Sync__c", false) AS is_eligible,
           filled(s."FirstName") IS NOT NULL AND false AS has_names,
           phone_number(filled(s."MobilePhone")) AS phone
    FROM store.salesforce."Contact" AS s
    WHERE NOT coalesce(s."IsDeleted", false)
)
SELECT * EXCLUDE (phone),
       phone <> 0 AS has_phone,
       fitting_phone(phone) AS phone_key
FROM living
