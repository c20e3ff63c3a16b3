-- slice_verdict: which named changes of a preview a batch may take, and the reason for each one it may not.
-- grain: one row per named change of preview.change; left_out is null for a change the batch takes
-- reads: preview.change, preview.request, preview.pin, journal.pull, journal.batch, journal.batch_change,
--        journal.intent, journal.outcome
-- binds: $preview_id, $actions, $codes, $guards, $named, $picked, $with_blocked
-- source: design, sections 7 and 8: nothing is sent twice; a collision group is approved in order
-- assumes: a change is named by all filters that are given; a filter that is null does not filter; an undo says itself
--   why it leaves a change as it is; a change id names its preview and is in one batch that sent it; a batch that is judged again has sent nothing yet
WITH change AS (
    SELECT change_id, seq, rule, action, reason, group_id, salesforce_id, mainstay_id,
           len(coalesce(guards, [])) > 0 AND rule NOT IN ('undo', 'resend') AS is_guarded,
           coalesce(guards, []) AS guards,
           action IN ('update', 'link', 'create') AND coalesce(predicted_status IN ('success', 'partial'), false)
               AS is_writer,
           ($actions IS NULL OR action IN (SELECT unnest(CAST($actions AS VARCHAR[]))))
               AND ($codes IS NULL OR list_has_any(
                       list_concat(coalesce(codes, []), list_transform(
                           coalesce(codes, []), lambda code: split_part(code, ': ', 1))),
                       CAST($codes AS VARCHAR[])))
               AND ($guards IS NULL OR list_has_any(coalesce(guards, []), CAST($guards AS VARCHAR[])))
               AND ($named IS NULL OR change_id IN (SELECT unnest(CAST($named AS VARCHAR[])))) AS is_named
    FROM preview.change WHERE preview_id = $preview_id
),
-- Changes of batches that are on their way, and everything that ever left.
waiting AS (
    SELECT batch.preview_id, batch_change.change_id
    FROM journal.batch_change AS batch_change JOIN journal.batch AS batch USING (batch_id)
    WHERE batch_change.is_approved AND batch.state IN ('approved', 'pushing', 'paused')
),
intended AS (
    SELECT DISTINCT batch.preview_id, intent.change_id
    FROM journal.intent AS intent JOIN journal.batch AS batch USING (batch_id)
),
taken AS (
    SELECT change_id FROM waiting
    UNION
    SELECT change_id FROM intended
),
written AS (
    SELECT DISTINCT change_id FROM journal.outcome WHERE status IN ('success', 'partial')
),
pinned AS (
    SELECT min(pull.started_at) AS started_at
    FROM preview.pin AS pin
    JOIN journal.pull AS pull USING (pull_id, system, object)
    WHERE pin.preview_id = $preview_id AND pin.object <> 'field'
),
-- Records that another preview's batch is about to write, may have written, or wrote after this preview's pulls.
touched AS (
    SELECT other.salesforce_id, other.mainstay_id
    FROM waiting JOIN preview.change AS other USING (preview_id, change_id)
    WHERE waiting.preview_id <> $preview_id
    UNION ALL
    SELECT other.salesforce_id, other.mainstay_id
    FROM intended JOIN preview.change AS other USING (preview_id, change_id)
    WHERE intended.preview_id <> $preview_id
      AND NOT EXISTS (SELECT 1 FROM journal.outcome AS outcome WHERE outcome.change_id = intended.change_id)
    UNION ALL
    SELECT outcome.record_id, outcome.mainstay_id
    FROM journal.outcome AS outcome JOIN journal.batch AS batch USING (batch_id)
    WHERE batch.preview_id <> $preview_id AND outcome.status <> 'fail'
      AND outcome.finished_at >= (SELECT started_at FROM pinned)
),
judged AS (
    SELECT change_id, seq, group_id, is_writer, is_named,
           change_id IN (SELECT change_id FROM written) AS is_written,
           CASE
               WHEN rule = 'undo' AND action = 'none' THEN coalesce(reason, 'nothing to send')
               WHEN action IN ('none', 'excluded') THEN 'nothing to send'
               WHEN action = 'conflict' THEN 'a person has to decide first'
               WHEN NOT is_writer AND NOT ($with_blocked OR action IN (SELECT unnest(CAST($actions AS VARCHAR[])))
                        OR change_id IN (SELECT unnest(CAST($picked AS VARCHAR[])))) THEN 'predicted to fail'
               WHEN is_guarded AND NOT ($with_blocked OR $guards IS NOT NULL
                        OR change_id IN (SELECT unnest(CAST($picked AS VARCHAR[]))))
                   THEN 'guarded: ' || list_aggregate(guards, 'string_agg', ', ')
               WHEN change_id NOT IN (SELECT change_id FROM preview.request WHERE preview_id = $preview_id)
                   THEN 'no request can be made'
               WHEN change_id IN (SELECT change_id FROM taken) THEN 'already in another batch'
               WHEN salesforce_id IN (SELECT salesforce_id FROM touched WHERE salesforce_id IS NOT NULL)
                 OR mainstay_id IN (SELECT mainstay_id FROM touched WHERE mainstay_id IS NOT NULL)
                   THEN 'its record is in a batch of another preview'
           END AS left_out
    FROM change
),
first_gap AS (
    SELECT group_id, min(seq) AS seq FROM judged
    WHERE group_id IS NOT NULL AND is_writer AND NOT is_written AND (NOT is_named OR left_out IS NOT NULL)
    GROUP BY group_id
)
SELECT judged.change_id, judged.seq,
       CASE WHEN judged.left_out IS NULL AND first_gap.seq < judged.seq
            THEN 'a collision group is approved in order' ELSE judged.left_out END AS left_out
FROM judged
LEFT JOIN first_gap USING (group_id)
WHERE judged.is_named
ORDER BY judged.seq, judged.change_id
