-- written: every change of a batch that has ended, and whether its writing can be looked at again.
-- grain: one row per outcome of the batch
-- reads: store.journal.outcome, store.journal.batch, store.preview.change
-- binds: $batch_id
-- source: design, section 8, "Undo"
-- assumes: the newest change is undone first, so that what a later one freed is free again; seq counts in that order
SELECT row_number() OVER (ORDER BY change.seq DESC, change.change_id) AS seq,
       change.preview_id,
       change.change_id,
       change.sobject,
       change.group_id,
       change.action,
       outcome.result_number,
       outcome.record_id,
       outcome.mainstay_id,
       CASE WHEN outcome.status = 'fail' THEN 'refused'
            WHEN outcome.status = 'unknown' THEN 'unknown'
            WHEN change.action = 'create' OR (change.direction = 'export' AND starts_with(outcome.endpoint, 'POST '))
                THEN 'created'
            WHEN outcome.mainstay_id IS DISTINCT FROM change.mainstay_id
              OR outcome.record_id IS DISTINCT FROM change.salesforce_id THEN 'elsewhere'
            ELSE 'written' END AS fate,
       coalesce(json_extract_string(outcome.request_body, '$.send_intro_campaign') = 'true', false) AS is_introduced
FROM store.journal.outcome AS outcome
JOIN store.journal.batch AS batch ON batch.batch_id = outcome.batch_id
JOIN store.preview.change AS change ON change.preview_id = batch.preview_id AND change.change_id = outcome.change_id
WHERE outcome.batch_id = $batch_id
