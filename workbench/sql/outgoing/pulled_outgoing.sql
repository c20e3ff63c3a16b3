-- pulled_outgoing: how many records of each system this preview looks at.
-- grain: one row per system
-- reads: work.record_key, work.contact_now
SELECT 'salesforce' AS system, count(*) AS row_count FROM work.record_key
UNION ALL
SELECT 'mainstay' AS system, count(*) AS row_count FROM work.contact_now
