WITH side_by_side AS (
    SELECT w.*,
           nullif(c.crm_id, '') AS crm_id_now,
           nullif(c.phone, '') AS phone_now,
           nullif(c.messaging_status_sms, '') AS sms_now,
           nullif(c.messaging_status_web_bot, '') AS web_now,
           nullif(c.preferred_name, '') AS preferred_now,
           filled(s."FirstName") AS "first_name",
           coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone")) AS "phone",
           filled(s."Account.Parent.Name") AS "custom.School",
           coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c")) AS "custom.GPA",
           nullif(c."first_name", '') AS "now first_name",
           coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')) AS "now phone",
           nullif(c."custom.School", '') AS "now custom.School",
           coalesce(canon_number(nullif(c."custom.GPA", '')), nullif(c."custom.GPA", '')) AS "now custom.GPA"
    FROM work.sending AS w
    JOIN store.salesforce."Contact" AS s ON s."Id" = w.record_id
    LEFT JOIN store.mainstay.contact AS c ON c.id = w.contact_id
),
changing AS (
    SELECT *,
           (("first_name" IS NOT NULL AND "first_name" IS DISTINCT FROM "now first_name") OR (method = 'PUT' AND "first_name" IS NULL AND "now first_name" IS NOT NULL)) AS "changes first_name",
           (("phone" IS NOT NULL AND "phone" IS DISTINCT FROM "now phone") OR (method = 'PUT' AND "phone" IS NULL AND "now phone" IS NOT NULL)) AS "changes phone",
           (("custom.School" IS NOT NULL AND "custom.School" IS DISTINCT FROM "now custom.School") OR (method = 'PUT' AND "custom.School" IS NULL AND "now custom.School" IS NOT NULL)) AS "changes custom.School",
           (("custom.GPA" IS NOT NULL AND "custom.GPA" IS DISTINCT FROM "now custom.GPA") OR (method = 'PUT' AND "custom.GPA" IS NULL AND "now custom.GPA" IS NOT NULL)) AS "changes custom.GPA"
    FROM side_by_side
),
leaving AS (
    SELECT *,
           ("changes first_name" OR (is_full AND "first_name" IS NOT NULL)) AS "sends first_name",
           ("changes phone" OR (is_full AND "phone" IS NOT NULL)) AS "sends phone",
           ("changes custom.School" OR (is_full AND "custom.School" IS NOT NULL)) AS "sends custom.School",
           ("changes custom.GPA" OR (is_full AND "custom.GPA" IS NOT NULL)) AS "sends custom.GPA"
    FROM changing
)
SELECT record_id,
       '{' || concat_ws(',',
           CASE WHEN sends_crm_id THEN '"crm_id":' || json_text(record_id) END,
           CASE WHEN "sends first_name" THEN '"first_name":' || CASE WHEN "first_name" IS NULL THEN '"UNSET"' ELSE json_text("first_name") END END,
           CASE WHEN "sends phone" THEN '"phone":' || CASE WHEN "phone" IS NULL THEN '"UNSET"' ELSE json_text("phone") END END,
           '"custom":{' || nullif(concat_ws(',',
           CASE WHEN "sends custom.School" THEN '"School":' || CASE WHEN "custom.School" IS NULL THEN '"UNSET"' ELSE json_text("custom.School") END END,
           CASE WHEN "sends custom.GPA" THEN '"GPA":' || CASE WHEN "custom.GPA" IS NULL THEN '"UNSET"' ELSE CASE WHEN canon_number("custom.GPA") IS NOT NULL THEN canon_number("custom.GPA") ELSE json_text("custom.GPA") END END END), '') || '}') || '}' AS body,
       '[' || concat_ws(',',
           CASE WHEN sends_crm_id THEN '{"field":"crm_id","before":' || json_text(crm_id_now) || ',"after":' || json_text(record_id) || '}' END,
           CASE WHEN "changes first_name" THEN '{"field":"first_name","before":' || json_text("now first_name") || ',"after":' || json_text("first_name") || '}' END,
           CASE WHEN "changes phone" THEN '{"field":"phone","before":' || json_text("now phone") || ',"after":' || json_text("phone") || '}' END,
           CASE WHEN "changes custom.School" THEN '{"field":"custom.School","before":' || json_text("now custom.School") || ',"after":' || json_text("custom.School") || '}' END,
           CASE WHEN "changes custom.GPA" THEN '{"field":"custom.GPA","before":' || json_text("now custom.GPA") || ',"after":' || json_text("custom.GPA") || '}' END) || ']' AS fields,
       list_filter([
           CASE WHEN phone_fate = 'invalid' THEN 'invalid-phone' END,
           CASE WHEN phone_fate = 'reverted' THEN 'contact-out-of-sync' END,
           CASE WHEN "sends first_name" AND length("first_name") > 64 THEN 'invalid-attribute-data: first_name' END,
           CASE WHEN "sends custom.GPA" AND "custom.GPA" IS NOT NULL AND NOT (canon_number("custom.GPA") IS NOT NULL) THEN 'invalid-attribute-data: GPA' END,
           CASE WHEN ("sends custom.School" AND length("custom.School") > 1000 AND true) THEN 'custom-values-too-long' END], lambda code : code IS NOT NULL) AS codes
FROM leaving
