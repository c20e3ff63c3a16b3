WITH side_by_side AS (
    SELECT w.contact_id,
           w.record_id AS target_id,
           w.is_create,
           w.meets_criteria,
           lower(nullif(c."email", '')) AS "Email",
           coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')) AS "MobilePhone",
           lower(filled(s."Email")) AS "now Email",
           coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone")) AS "now MobilePhone"
    FROM work.receiving AS w
    JOIN store.mainstay.contact AS c ON c.id = w.contact_id
    LEFT JOIN store.salesforce."Contact" AS s ON s."Id" = w.record_id
)
SELECT contact_id,
       true AS is_eligible,
       false AND is_create AS is_eligibility_open,
       '{' || concat_ws(',',
           CASE WHEN ("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email" AND true) THEN '"Email":' || json_text("Email") END,
           CASE WHEN ("MobilePhone" IS NOT NULL AND "MobilePhone" IS DISTINCT FROM "now MobilePhone" AND true) THEN '"MobilePhone":' || json_text("MobilePhone") END) || '}' AS body,
       '[' || concat_ws(',',
           CASE WHEN ("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email" AND true) THEN '{"field":"Email","before":' || json_text("now Email") || ',"after":' || json_text("Email") || '}' END,
           CASE WHEN ("MobilePhone" IS NOT NULL AND "MobilePhone" IS DISTINCT FROM "now MobilePhone" AND true) THEN '{"field":"MobilePhone","before":' || json_text("now MobilePhone") || ',"after":' || json_text("MobilePhone") || '}' END) || ']' AS fields,
       list_filter([CASE WHEN is_create AND (true) THEN 'REQUIRED_FIELD_MISSING' END, CASE WHEN (("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email" AND true) AND length("Email") > 80) OR (("MobilePhone" IS NOT NULL AND "MobilePhone" IS DISTINCT FROM "now MobilePhone" AND true) AND length("MobilePhone") > 40) THEN 'STRING_TOO_LONG' END, CASE WHEN (("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email" AND true) AND canon_email("Email") IS NULL) THEN 'INVALID_EMAIL_ADDRESS' END], lambda code : code IS NOT NULL) AS codes
FROM side_by_side

