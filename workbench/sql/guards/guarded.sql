-- guarded: the guards that look at a preview as a whole, beside those a change carries by itself.
-- grain: one row per change with such a guard
-- reads: work.fan_out, work.replaced_value, work.mass_field
-- binds: $cap
WITH found AS (
    SELECT seq, 'fan-out' AS guard
    FROM work.fan_out
    GROUP BY seq
    HAVING sum(children) > $cap
    UNION
    SELECT replaced.seq, 'mass-change' AS guard
    FROM work.replaced_value AS replaced
    JOIN work.mass_field AS mass ON mass.field = replaced.field
)
SELECT seq, list(guard ORDER BY guard) AS guards
FROM found
GROUP BY seq
