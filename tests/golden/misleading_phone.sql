WITH carried AS (
    SELECT CASE WHEN length(c.crm_id) = 10 AND regexp_full_match(c.crm_id, '[0-9]{10}')
         THEN CAST(c.crm_id AS UBIGINT) ELSE CAST(0 AS UBIGINT) END AS phone
    FROM store.mainstay.contact AS c
)
SELECT DISTINCT phone FROM carried WHERE phone <> 0
