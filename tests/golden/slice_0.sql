WITH side_by_side AS (
    SELECT w.seq,
           w.method,
           w.phone_fate,
           w.left_fields,
           nullif(c.phone, '') AS phone_now,
           nullif(c.messaging_status_sms, '') AS sms_now,
           nullif(c.messaging_status_web_bot, '') AS web_now,
           nullif(c.preferred_name, '') AS preferred_now,
           filled(s."FirstName") AS "first_name",
           coalesce(w.phone_key, filled(s."MobilePhone")) AS "phone",
           nullif(c."first_name", '') AS "now first_name",
           w.contact_phone AS "now phone"
    FROM work.sending AS w
    JOIN store.salesforce."Contact" AS s ON s.rowid = w.record_row
    JOIN store.mainstay.contact AS c ON c.rowid = w.contact_row
    WHERE w.slice_0
),
changing AS (
    SELECT *,
           ("first_name" IS DISTINCT FROM "now first_name") AS "changes first_name",
           ("phone" IS DISTINCT FROM "now phone" AND NOT coalesce(list_contains(left_fields, 'phone'), false)) AS "changes phone"
    FROM side_by_side
),
leaving AS (
    SELECT *,
           "changes first_name" AS "sends first_name",
           "changes phone" AS "sends phone"
    FROM changing
)
SELECT seq,
       concat_ws(',',
           CASE WHEN "sends first_name" THEN '"first_name":' || coalesce(json_of("first_name"), '"UNSET"') END,
           CASE WHEN "sends phone" THEN '"phone":' || coalesce(json_of("phone"), '"UNSET"') END) AS members,
       nullif(concat_ws(',',
           CASE WHEN "changes first_name" THEN '{"field":"first_name","before":' || json_text("now first_name") || ',"after":' || json_text("first_name") || '}' END,
           CASE WHEN "changes phone" THEN '{"field":"phone","before":' || json_text("now phone") || ',"after":' || json_text("phone") || '}' END), '') AS fields,
       nullif(concat_ws(chr(31),
           CASE WHEN "sends first_name" AND length("first_name") > 64 THEN 'invalid-attribute-data: first_name' END), '') AS codes,
       false AS is_too_long,
       ("sends first_name" AND "first_name" IS NULL)
    OR ("sends phone" AND "phone" IS NULL) AS clears
FROM leaving
WHERE "sends first_name"
    OR "sends phone"
