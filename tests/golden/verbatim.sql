SELECT CASE WHEN strlen(s."FirstName") > 64
    OR (s."MobilePhone" IS NOT NULL AND canon_phone(s."MobilePhone") IS NULL)
    OR strlen(s."Account.Parent.Name") > 1000
    OR canon_number(number_text(s."GPA__c")) IS DISTINCT FROM number_text(s."GPA__c")
    OR strlen(json_of(concat(s."FirstName", s."MobilePhone", s."Account.Parent.Name"))) <> strlen(concat(s."FirstName", s."MobilePhone", s."Account.Parent.Name")) + 2 THEN CAST(0 AS UBIGINT) ELSE 1 END
