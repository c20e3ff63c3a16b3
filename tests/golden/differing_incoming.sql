WITH compared AS (
    SELECT w.seq,
           hash(small(nullif(c."email", '')), coalesce(canon_phone(nullif(c."phone", '')), nullif(c."phone", ''))) <> hash(small(nullif(s."Email", '')), coalesce(canon_phone(nullif(s."MobilePhone", '')), nullif(s."MobilePhone", ''))) AS slice_0
    FROM work.verdict_incoming AS w
    JOIN (SELECT *, rowid AS landed_row FROM store.mainstay.contact) AS c ON c.landed_row = w.contact_row
    JOIN (SELECT *, rowid AS landed_row FROM store.salesforce."Contact") AS s ON s.landed_row = w.record_row
    WHERE w.action IN ('update', 'link')
)
SELECT * FROM compared
WHERE slice_0
