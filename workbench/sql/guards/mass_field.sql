-- mass_field: fields of which a preview would replace or clear more values than one expects.
-- grain: one row per field over the limit
-- reads: work.replaced_value, work.all_changes
-- binds: $share, $minimum
-- assumes: the whole is the records that reach one of the other side, equal ones included; the share is a lower bound
--   where many of them are blank
WITH reached AS (
    SELECT count(*) AS row_count
    FROM work.all_changes
    WHERE action IN ('update', 'link', 'none')
)
SELECT replaced.field,
       count(*) AS row_count,
       count(*) / any_value(reached.row_count) AS share
FROM work.replaced_value AS replaced
CROSS JOIN reached
GROUP BY replaced.field
HAVING count(*) >= $minimum AND count(*) > $share * any_value(reached.row_count)
