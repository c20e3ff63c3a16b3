SELECT * FROM (
WITH side_by_side AS (
    SELECT w.contact_id,
           w.record_id AS target_id,
           w.is_create,
           w.meets_criteria,
           w.left_fields,
           w.cleared_fields,
           small(nullif(c."email", '')) AS "Email",
           coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')) AS "MobilePhone",
           small(nullif(s."Email", '')) AS "now Email",
           coalesce(canon_phone(nullif(s."MobilePhone", '')), nullif(s."MobilePhone", '')) AS "now MobilePhone"
    FROM work.receiving AS w
    JOIN (
        SELECT *, CAST(rowid AS DOUBLE) AS landed_row FROM store.mainstay.contact
        WHERE rowid IN (SELECT contact_row FROM work.receiving WHERE is_create)
    ) AS c ON c.landed_row = w.contact_row
    LEFT JOIN (SELECT * FROM store.salesforce."Contact" LIMIT 0) AS s ON true
    WHERE is_create
),
changing AS (
    SELECT side_by_side.*,
           ("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email") AS "changes Email",
           (("MobilePhone" IS NOT NULL AND "MobilePhone" IS DISTINCT FROM "now MobilePhone" AND CASE WHEN left_fields IS NULL THEN true ELSE NOT list_contains(left_fields, 'phone') END) OR (CASE WHEN cleared_fields IS NULL THEN false ELSE list_contains(cleared_fields, 'phone') END AND "MobilePhone" IS NULL AND "now MobilePhone" IS NOT NULL AND NOT is_create)) AS "changes MobilePhone"
    FROM side_by_side
)
SELECT contact_id,
       true AS is_eligible,
       false AS is_eligibility_open,
       false AS is_parent_open,
       concat('{', ltrim(concat(
           CASE WHEN "changes Email" THEN ',"Email":' END, CASE WHEN "changes Email" THEN json_text("Email") END,
           CASE WHEN "changes MobilePhone" THEN ',"MobilePhone":' END, CASE WHEN "changes MobilePhone" THEN json_text("MobilePhone") END), ','), '}') AS body,
       '[' || concat_ws(',',
           CASE WHEN "changes Email" THEN '{"field":"Email","before":' || json_text("now Email") || ',"after":' || json_text("Email") || '}' END,
           CASE WHEN "changes MobilePhone" THEN '{"field":"MobilePhone","before":' || json_text("now MobilePhone") || ',"after":' || json_text("MobilePhone") || '}' END) || ']' AS fields,
       CASE WHEN is_create THEN ['REQUIRED_FIELD_MISSING'] ELSE distinct_codes(nullif(concat_ws(chr(31),
           CASE WHEN ("changes Email" AND "Email" IS NOT NULL) THEN CASE WHEN NOT regexp_full_match("Email", '[^\s\x0b\x1c-\x1f\x{85}\p{Z}@<>(),;:\\"\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}') THEN 'INVALID_EMAIL_ADDRESS' WHEN length("Email") > 80 THEN 'STRING_TOO_LONG' END END,
           CASE WHEN ("changes MobilePhone" AND "MobilePhone" IS NOT NULL) THEN CASE WHEN length("MobilePhone") > 40 THEN 'STRING_TOO_LONG' END END), '')) END AS codes,
       CAST([] AS STRUCT(field VARCHAR, claimed VARCHAR, held VARCHAR, holder VARCHAR)[]) AS claims
FROM changing
)
UNION ALL
SELECT * FROM (
WITH side_by_side AS (
    SELECT w.contact_id,
           w.record_id AS target_id,
           w.is_create,
           w.meets_criteria,
           w.left_fields,
           w.cleared_fields,
           small(nullif(c."email", '')) AS "Email",
           coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", '')) AS "MobilePhone",
           small(nullif(s."Email", '')) AS "now Email",
           coalesce(canon_phone(nullif(s."MobilePhone", '')), nullif(s."MobilePhone", '')) AS "now MobilePhone"
    FROM work.receiving AS w
    JOIN (
        SELECT *, CAST(rowid AS DOUBLE) AS landed_row FROM store.mainstay.contact
        WHERE rowid IN (SELECT contact_row FROM work.receiving WHERE NOT is_create)
    ) AS c ON c.landed_row = w.contact_row
    JOIN (
        SELECT *, CAST(rowid AS DOUBLE) AS landed_row FROM store.salesforce."Contact"
        WHERE rowid IN (SELECT record_row FROM work.receiving WHERE NOT is_create)
    ) AS s ON s.landed_row = w.record_row
    WHERE NOT is_create
),
changing AS (
    SELECT side_by_side.*,
           ("Email" IS NOT NULL AND "Email" IS DISTINCT FROM "now Email") AS "changes Email",
           (("MobilePhone" IS NOT NULL AND "MobilePhone" IS DISTINCT FROM "now MobilePhone" AND CASE WHEN left_fields IS NULL THEN true ELSE NOT list_contains(left_fields, 'phone') END) OR (CASE WHEN cleared_fields IS NULL THEN false ELSE list_contains(cleared_fields, 'phone') END AND "MobilePhone" IS NULL AND "now MobilePhone" IS NOT NULL AND NOT is_create)) AS "changes MobilePhone"
    FROM side_by_side
)
SELECT contact_id,
       true AS is_eligible,
       false AS is_eligibility_open,
       false AS is_parent_open,
       concat('{', ltrim(concat(
           CASE WHEN "changes Email" THEN ',"Email":' END, CASE WHEN "changes Email" THEN json_text("Email") END,
           CASE WHEN "changes MobilePhone" THEN ',"MobilePhone":' END, CASE WHEN "changes MobilePhone" THEN json_text("MobilePhone") END), ','), '}') AS body,
       '[' || concat_ws(',',
           CASE WHEN "changes Email" THEN '{"field":"Email","before":' || json_text("now Email") || ',"after":' || json_text("Email") || '}' END,
           CASE WHEN "changes MobilePhone" THEN '{"field":"MobilePhone","before":' || json_text("now MobilePhone") || ',"after":' || json_text("MobilePhone") || '}' END) || ']' AS fields,
       CASE WHEN is_create THEN ['REQUIRED_FIELD_MISSING'] ELSE distinct_codes(nullif(concat_ws(chr(31),
           CASE WHEN ("changes Email" AND "Email" IS NOT NULL) THEN CASE WHEN NOT regexp_full_match("Email", '[^\s\x0b\x1c-\x1f\x{85}\p{Z}@<>(),;:\\"\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}') THEN 'INVALID_EMAIL_ADDRESS' WHEN length("Email") > 80 THEN 'STRING_TOO_LONG' END END,
           CASE WHEN ("changes MobilePhone" AND "MobilePhone" IS NOT NULL) THEN CASE WHEN length("MobilePhone") > 40 THEN 'STRING_TOO_LONG' END END), '')) END AS codes,
       CAST([] AS STRUCT(field VARCHAR, claimed VARCHAR, held VARCHAR, holder VARCHAR)[]) AS claims
FROM changing
)
