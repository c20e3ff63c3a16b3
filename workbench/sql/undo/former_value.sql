-- former_value: the values that the written changes of a batch replaced, and those they put there.
-- grain: one row per written change and field, names of the receiving system; NULL is blank
-- reads: work.written, store.preview.change
WITH listed AS (
    SELECT written.seq, written.sobject, written.record_id, written.mainstay_id,
           unnest(from_json(change.fields, '[{"field": "VARCHAR", "before": "VARCHAR", "after": "VARCHAR"}]')) AS item
    FROM work.written AS written
    JOIN store.preview.change AS change
      ON change.preview_id = written.preview_id AND change.change_id = written.change_id
    WHERE written.fate = 'written'
)
SELECT seq, sobject, record_id, mainstay_id, item.field AS field, item.before AS before, item.after AS after
FROM listed
