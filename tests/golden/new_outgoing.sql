WITH value AS (
    SELECT w.seq,
           false AS is_verbatim,
           w.record_id,
           'POST' AS method,
           w.phone_fate,
           w.is_walked,
           w.left_fields,
           CAST(NULL AS VARCHAR) AS phone_now,
           CAST(NULL AS VARCHAR) AS sms_now,
           CAST(NULL AS VARCHAR) AS web_now,
           CAST(NULL AS VARCHAR) AS preferred_now,
           filled(s."FirstName") AS "first_name",
           coalesce(phone_text(w.phone_key), filled(s."MobilePhone")) AS "phone",
           filled(s."Account.Parent.Name") AS "custom.School",
           CASE WHEN is_verbatim THEN number_text(s."GPA__c") ELSE coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c")) END AS "custom.GPA"
    FROM work.sending AS w
    JOIN (
        SELECT *, CAST(rowid AS DOUBLE) AS landed_row FROM store.salesforce."Contact"
        WHERE rowid IN (SELECT record_row FROM work.sending WHERE is_new)
    ) AS s ON s.landed_row = w.record_row
    WHERE w.is_new
),
leaving AS (
    SELECT *,
           "first_name" IS NOT NULL AS "sends first_name",
           "phone" IS NOT NULL AS "sends phone",
           "custom.School" IS NOT NULL AS "sends custom.School",
           "custom.GPA" IS NOT NULL AS "sends custom.GPA"
    FROM value
),
told AS (
    SELECT seq,
           is_walked,
           left_fields,
           concat(',"crm_id":', json_text(record_id), CASE WHEN is_verbatim THEN concat(
           CASE WHEN "sends first_name" THEN ',"first_name":"' END, "first_name", CASE WHEN "sends first_name" THEN '"' END,
           CASE WHEN "sends phone" THEN ',"phone":"' END, "phone", CASE WHEN "sends phone" THEN '"' END)
           ELSE concat(
           CASE WHEN "sends first_name" THEN ',"first_name":' END, json_of("first_name"),
           CASE WHEN "sends phone" THEN ',"phone":' END, json_of("phone")) END) AS members,
           CASE WHEN is_verbatim THEN concat(
           CASE WHEN "sends custom.School" THEN ',"School":"' END, "custom.School", CASE WHEN "sends custom.School" THEN '"' END,
           CASE WHEN "sends custom.GPA" THEN ',"GPA":' END, "custom.GPA")
           ELSE concat(
           CASE WHEN "sends custom.School" THEN ',"School":' END, json_of("custom.School"),
           CASE WHEN "sends custom.GPA" THEN ',"GPA":' END, coalesce(canon_number("custom.GPA"), json_of("custom.GPA"))) END AS custom,
           CASE WHEN is_verbatim THEN '' ELSE concat_ws(chr(31),
           CASE WHEN phone_fate = 'invalid' THEN 'invalid-phone' END,
           CASE WHEN phone_fate = 'reverted' THEN 'contact-out-of-sync' END,
           CASE WHEN "sends first_name" AND length("first_name") > 64 THEN 'invalid-attribute-data: first_name' END,
           CASE WHEN "sends custom.GPA" AND "custom.GPA" IS NOT NULL AND NOT (canon_number("custom.GPA") IS NOT NULL) THEN 'invalid-attribute-data: GPA' END,
           CASE WHEN ("sends custom.School" AND strlen("custom.School") > 1000 AND length("custom.School") > 1000 AND true) THEN 'custom-values-too-long' END) END AS codes
    FROM leaving
)
SELECT seq,
       is_walked,
       left_fields,
       concat('{', ltrim(members, ','),
           CASE WHEN custom <> '' THEN CASE WHEN members <> '' THEN ',' ELSE '' END || '"custom":{' END,
           ltrim(custom, ','), CASE WHEN custom <> '' THEN '}' END, '}') AS body,
       nullif(codes, '') AS codes
FROM told
