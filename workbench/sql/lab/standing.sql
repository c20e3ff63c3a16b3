-- standing: where every record stands after the last rule.
-- grain: one row per bucket: matched, people decide (tied in some rule), no partner; they add up to the records
-- reads: work.record, work.taken, work.tie
WITH tied AS (
    SELECT DISTINCT id AS record_id FROM work.tie WHERE side = 'salesforce'
)
SELECT CASE WHEN t.record_id IS NOT NULL THEN 'matched'
            WHEN d.record_id IS NOT NULL THEN 'people decide'
            ELSE 'no partner' END AS bucket,
       count(*) AS records
FROM work.record AS r
LEFT JOIN work.taken AS t ON t.record_id = r.id
LEFT JOIN tied AS d ON d.record_id = r.id
GROUP BY bucket
ORDER BY bucket
