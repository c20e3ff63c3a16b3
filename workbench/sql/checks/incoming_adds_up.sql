-- incoming_adds_up: the difference between records pulled and records in a bucket, per system; zero rows when right.
-- grain: one row per system that does not add up
-- reads: work.bucket_incoming, work.incoming, work.record_now
WITH pulled AS (
    SELECT 'mainstay' AS system, count(*) AS row_count FROM work.incoming WHERE is_looked_at
    UNION ALL
    SELECT 'salesforce' AS system, count(*) AS row_count FROM work.record_now
),
named AS (
    SELECT system, sum(row_count) AS row_count
    FROM work.bucket_incoming
    GROUP BY system
)
SELECT pulled.system, pulled.row_count AS pulled, coalesce(named.row_count, 0) AS in_buckets
FROM pulled
LEFT JOIN named ON named.system = pulled.system
WHERE pulled.row_count <> coalesce(named.row_count, 0)
