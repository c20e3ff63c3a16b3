WITH compared AS (
    SELECT w.seq,
           w.slice_0 IS DISTINCT FROM hash(nullif(c."first_name", ''), w.contact_phone) AS slice_0,
           w.slice_1 IS DISTINCT FROM hash(nullif(c."custom.GPA", ''))
    OR (w."hash of custom.School" IS NOT NULL AND w."hash of custom.School" IS DISTINCT FROM CASE WHEN nullif(c."custom.School", '') IS NOT NULL THEN hash(nullif(c."custom.School", '')) END) AS slice_1
    FROM work.hash_outgoing AS w
    JOIN store.mainstay.contact AS c ON c.rowid = w.contact_row
)
SELECT * FROM compared
WHERE slice_0
    OR slice_1
