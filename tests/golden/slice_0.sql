WITH side_by_side AS (
    SELECT 'PUT' AS method, w.phone_fate, w.left_fields, side.*
    FROM work.side_0 AS side
    JOIN work.sending AS w ON w.seq = side.seq
    WHERE w.slice_0
),
changing AS (
    SELECT *,
           ("first_name" IS DISTINCT FROM "now first_name") AS "changes first_name",
           ("phone" IS DISTINCT FROM "now phone" AND CASE WHEN left_fields IS NULL THEN true ELSE NOT list_contains(left_fields, 'phone') END) AS "changes phone"
    FROM side_by_side
),
leaving AS (
    SELECT *,
           "changes first_name" AS "sends first_name",
           "changes phone" AS "sends phone"
    FROM changing
),
told AS (
    SELECT seq,
           concat(
           CASE WHEN "sends first_name" THEN ',"first_name":' END, CASE WHEN "sends first_name" THEN coalesce(json_of("first_name"), '"UNSET"') END,
           CASE WHEN "sends phone" THEN ',"phone":' END, CASE WHEN "sends phone" THEN coalesce(json_of("phone"), '"UNSET"') END) AS members,
           concat_ws(',',
           CASE WHEN "changes first_name" THEN '{"field":"first_name","before":' || json_text("now first_name") || ',"after":' || json_text("first_name") || '}' END,
           CASE WHEN "changes phone" THEN '{"field":"phone","before":' || json_text("now phone") || ',"after":' || json_text("phone") || '}' END) AS fields,
           concat_ws(chr(31),
           CASE WHEN "sends first_name" AND length("first_name") > 64 THEN 'invalid-attribute-data: first_name' END) AS codes,
           false AS is_too_long,
           ("sends first_name" AND "first_name" IS NULL)
    OR ("sends phone" AND "phone" IS NULL) AS clears
    FROM leaving
    WHERE "sends first_name"
    OR "sends phone"
)
SELECT seq, members, nullif(fields, '') AS fields, nullif(codes, '') AS codes, is_too_long, clears
FROM told
