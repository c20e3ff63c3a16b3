-- replaced_value: present values of the receiving side that a preview would replace or clear.
-- grain: one row per change and field
-- reads: work.all_changes
SELECT seq,
       field,
       after IS NULL AS is_cleared
FROM (
    SELECT seq,
           unnest(from_json(fields, '[{"field": "VARCHAR", "before": "VARCHAR", "after": "VARCHAR"}]'), recursive := true)
    FROM work.all_changes
    WHERE action IN ('update', 'link') AND fields IS NOT NULL AND fields <> '[]'
) AS told
WHERE before IS NOT NULL
