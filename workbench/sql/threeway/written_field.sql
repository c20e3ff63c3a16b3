-- written_field: the two-way fields that the successful changes of one batch wrote.
-- grain: one row per change and two-way field
-- reads: store.journal.outcome, store.journal.batch, store.view.change, work.two_way_field
-- binds: $batch_id
-- source: design, section 6: the value both sides last had is also what a finished push wrote
WITH ended AS (
    SELECT outcome.sobject,
           outcome.record_id,
           outcome.mainstay_id AS contact_id,
           outcome.direction,
           outcome.finished_at,
           change.rule IN ('undo', 'resend') AS is_forgotten,
           unnest(from_json(change.fields, '[{"field": "VARCHAR", "after": "VARCHAR"}]'), recursive := true)
    FROM store.journal.outcome AS outcome
    JOIN store.journal.batch AS batch ON batch.batch_id = outcome.batch_id
    JOIN store.view.change AS change ON change.preview_id = batch.preview_id AND change.change_id = outcome.change_id
    WHERE outcome.batch_id = $batch_id
      AND outcome.status = 'success'
      AND outcome.record_id IS NOT NULL
      AND outcome.mainstay_id IS NOT NULL
)
SELECT ended.sobject,
       ended.record_id,
       ended.contact_id,
       ended.finished_at,
       ended.is_forgotten,
       two_way.place,
       two_way.field,
       ended.after
FROM ended
JOIN work.two_way_field AS two_way ON two_way.sobject = ended.sobject
                                  AND ended.field = CASE ended.direction WHEN 'export' THEN two_way.field
                                                         ELSE two_way.salesforce_field END
