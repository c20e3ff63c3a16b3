-- guard_count: why changes of this preview need a second look, counted and told.
-- grain: one row per guard and field; field is null where a guard is about the whole change
-- reads: work.all_changes, work.replaced_value, work.mass_field, work.fan_out, work.guarded
-- binds: $cap, $share
WITH consent AS (
    SELECT count(*) AS row_count FROM work.all_changes WHERE list_contains(guards, 'consent')
),
cleared AS (
    SELECT field, count(*) AS row_count
    FROM work.replaced_value
    WHERE is_cleared
    GROUP BY field
),
spread AS (
    SELECT count(DISTINCT fan_out.seq) AS row_count, sum(fan_out.children) AS children
    FROM work.fan_out AS fan_out
    JOIN work.guarded AS guarded ON guarded.seq = fan_out.seq AND list_contains(guarded.guards, 'fan-out')
)
SELECT 'consent' AS guard,
       NULL AS field,
       row_count,
       CAST(NULL AS DOUBLE) AS share,
       'A messaging status that only the learner may set, or for a channel the contact lacks; Mainstay drops it' AS sentence
FROM consent
WHERE row_count > 0
UNION ALL
SELECT 'blank-value', field, row_count, NULL, row_count || ' values of ' || field || ' would be cleared'
FROM cleared
UNION ALL
SELECT 'fan-out', NULL, row_count, NULL,
       row_count || ' changes would each send more than ' || $cap || ' other records again, ' || children || ' in all'
FROM spread
WHERE row_count > 0
UNION ALL
SELECT 'mass-change', field, row_count, share,
       row_count || ' values of ' || field || ' would be replaced or cleared, ' || CAST(round(100 * share) AS INTEGER)
       || ' % of the records reached; the limit is ' || CAST(round(100 * $share) AS INTEGER) || ' %'
FROM work.mass_field
