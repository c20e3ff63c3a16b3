-- written_field: the two-way fields that the successful changes of one batch wrote.
-- grain: one row per change and two-way field
-- reads: store.journal.outcome, store.journal.batch, store.preview.change, store.preview.request, work.two_way_field
-- binds: $batch_id
-- source: design, section 6: the value both sides last had is also what a finished push wrote
WITH ended AS MATERIALIZED (
    SELECT change.preview_id,
           change.change_id,
           change.fields,
           outcome.sobject,
           outcome.record_id,
           outcome.mainstay_id AS contact_id,
           outcome.direction,
           outcome.finished_at,
           change.rule IN ('undo', 'resend') AS is_forgotten
    FROM store.journal.outcome AS outcome
    JOIN store.journal.batch AS batch ON batch.batch_id = outcome.batch_id
    JOIN store.preview.change AS change ON change.preview_id = batch.preview_id AND change.change_id = outcome.change_id
    WHERE outcome.batch_id = $batch_id
      AND outcome.status = 'success'
      AND outcome.record_id IS NOT NULL
      AND outcome.mainstay_id IS NOT NULL
),
-- What made something new has its fields in its request alone.
told AS (
    SELECT ended.*,
           unnest(from_json(coalesce(ended.fields, store.view.fields_of_new(request.body)),
                            '[{"field": "VARCHAR", "after": "VARCHAR"}]'), recursive := true)
    FROM ended
    LEFT JOIN store.preview.request AS request ON request.preview_id = ended.preview_id
                                              AND request.change_id = ended.change_id
                                              AND request.ordinal = 1
)
SELECT ended.sobject,
       ended.record_id,
       ended.contact_id,
       ended.finished_at,
       ended.is_forgotten,
       two_way.place,
       two_way.field,
       ended.after
FROM told AS ended
JOIN work.two_way_field AS two_way ON two_way.sobject = ended.sobject
                                  AND ended.field = (CASE ended.direction WHEN 'export' THEN two_way.field
                                                          ELSE two_way.salesforce_field END)
