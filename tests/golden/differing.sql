WITH compared AS (
    SELECT h.seq,
           h.slice_0 IS DISTINCT FROM hash(nullif(c."first_name", ''), coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", ''))) AS slice_0,
           h.slice_1 IS DISTINCT FROM hash(coalesce(canon_number(nullif(c."custom.GPA", '')), nullif(c."custom.GPA", '')))
    OR (h."hash of custom.School" IS NOT NULL AND h."hash of custom.School" IS DISTINCT FROM CASE WHEN nullif(c."custom.School", '') IS NOT NULL THEN hash(nullif(c."custom.School", '')) END) AS slice_1
    FROM work.hash_outgoing AS h
    JOIN store.mainstay.contact AS c ON c.rowid = h.contact_row
)
SELECT * FROM compared
WHERE slice_0
    OR slice_1
