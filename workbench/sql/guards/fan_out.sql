-- fan_out: records that would be sent to Mainstay again because a change writes a field they show of it.
-- grain: one row per change and object of the records
-- reads: work.all_changes, work.reach
-- source: guide, "Lookup Fields": when a parent's field is updated, all records referencing it are synced
WITH written AS (
    SELECT seq, sobject, salesforce_id, unnest(CAST(json_extract_string(fields, '$[*].field') AS VARCHAR[])) AS field
    FROM work.all_changes
    WHERE action = 'update' AND fields IS NOT NULL AND fields <> '[]'
)
SELECT written.seq,
       reach.child_object,
       count(DISTINCT reach.child_id) AS children
FROM written
JOIN work.reach AS reach ON reach.parent_object = written.sobject
                        AND reach.parent_id = written.salesforce_id
                        AND reach.field = written.field
WHERE NOT (reach.child_object = written.sobject AND reach.child_id = written.salesforce_id)
GROUP BY written.seq, reach.child_object
