-- bucket_outgoing: every record of both systems in exactly one bucket of the export preview.
-- grain: one row per system and bucket
-- reads: work.change_outgoing, work.contact_now
-- binds: $unreached, only_in_mainstay where everything was looked at
WITH best AS (
    -- A contact that several records reach stands where it matters most.
    SELECT contact_row,
           min(CASE WHEN action = 'update' THEN 1
                    WHEN action = 'link' THEN 2
                    WHEN action = 'none' THEN 3
                    WHEN action = 'conflict' THEN 4
                    WHEN action = 'blocked' THEN 5
                    WHEN action = 'excluded' THEN 6 END) AS place
    FROM work.change_outgoing
    WHERE contact_row IS NOT NULL
    GROUP BY contact_row
),
contact AS (
    SELECT CASE best.place WHEN 1 THEN 'to_update'
                           WHEN 2 THEN 'to_link'
                           WHEN 3 THEN 'in_sync'
                           WHEN 4 THEN 'in_conflict'
                           WHEN 5 THEN 'reached_by_blocked_only'
                           WHEN 6 THEN 'reached_by_excluded_only'
                           ELSE $unreached END AS bucket
    FROM work.contact_now AS contact_now
    LEFT JOIN best ON best.contact_row = contact_now.contact_row
)
SELECT 'salesforce' AS system, action AS bucket, count(*) AS row_count
FROM work.change_outgoing
GROUP BY action
UNION ALL
SELECT 'mainstay' AS system, bucket, count(*) AS row_count
FROM contact
GROUP BY bucket
