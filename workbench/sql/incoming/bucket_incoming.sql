-- bucket_incoming: every record of both systems in exactly one bucket of the import preview.
-- grain: one row per system and bucket
-- reads: work.change_incoming, work.record_now
-- binds: $unreached, only_in_salesforce where everything was looked at
WITH best AS (
    SELECT coalesce(salesforce_id, candidate_id) AS record_id,
           min(CASE WHEN action = 'update' THEN 1
                    WHEN action = 'link' THEN 2
                    WHEN action = 'none' THEN 3
                    WHEN action = 'conflict' THEN 4
                    WHEN action = 'blocked' THEN 5
                    WHEN action = 'excluded' THEN 6 END) AS place
    FROM work.change_incoming
    WHERE coalesce(salesforce_id, candidate_id) IS NOT NULL
    GROUP BY coalesce(salesforce_id, candidate_id)
),
record AS (
    SELECT CASE best.place WHEN 1 THEN 'to_update'
                           WHEN 2 THEN 'to_link'
                           WHEN 3 THEN 'in_sync'
                           WHEN 4 THEN 'in_conflict'
                           WHEN 5 THEN 'reached_by_blocked_only'
                           WHEN 6 THEN 'reached_by_excluded_only'
                           ELSE $unreached END AS bucket
    FROM work.record_now AS record_now
    LEFT JOIN best ON best.record_id = record_now.record_id
)
SELECT 'mainstay' AS system, action AS bucket, count(*) AS row_count
FROM work.change_incoming
GROUP BY action
UNION ALL
SELECT 'salesforce' AS system, bucket, count(*) AS row_count
FROM record
GROUP BY bucket
