WITH side_by_side AS (
    SELECT 'PUT' AS method, w.phone_fate, w.left_fields, side.*
    FROM work.side_1 AS side
    JOIN work.sending AS w ON w.seq = side.seq
    WHERE w.slice_1
),
changing AS (
    SELECT *,
           ("custom.School" IS DISTINCT FROM "now custom.School") AS "changes custom.School",
           ("custom.GPA" IS DISTINCT FROM "now custom.GPA") AS "changes custom.GPA"
    FROM side_by_side
),
leaving AS (
    SELECT *,
           "changes custom.School" AS "sends custom.School",
           "changes custom.GPA" AS "sends custom.GPA"
    FROM changing
),
told AS (
    SELECT seq,
           concat(
           CASE WHEN "sends custom.School" THEN ',"School":' END, CASE WHEN "sends custom.School" THEN coalesce(json_of("custom.School"), '"UNSET"') END,
           CASE WHEN "sends custom.GPA" THEN ',"GPA":' END, CASE WHEN "sends custom.GPA" THEN coalesce(coalesce(canon_number("custom.GPA"), json_of("custom.GPA")), '"UNSET"') END) AS members,
           concat_ws(',',
           CASE WHEN "changes custom.School" THEN '{"field":"custom.School","before":' || json_text("now custom.School") || ',"after":' || json_text("custom.School") || '}' END,
           CASE WHEN "changes custom.GPA" THEN '{"field":"custom.GPA","before":' || json_text("now custom.GPA") || ',"after":' || json_text("custom.GPA") || '}' END) AS fields,
           concat_ws(chr(31),
           CASE WHEN "sends custom.GPA" AND "custom.GPA" IS NOT NULL AND NOT (canon_number("custom.GPA") IS NOT NULL) THEN 'invalid-attribute-data: GPA' END) AS codes,
           ("sends custom.School" AND strlen("custom.School") > 1000 AND length("custom.School") > 1000 AND true) AS is_too_long,
           ("sends custom.School" AND "custom.School" IS NULL)
    OR ("sends custom.GPA" AND "custom.GPA" IS NULL) AS clears
    FROM leaving
    WHERE "sends custom.School"
    OR "sends custom.GPA"
)
SELECT seq, members, nullif(fields, '') AS fields, nullif(codes, '') AS codes, is_too_long, clears
FROM told
