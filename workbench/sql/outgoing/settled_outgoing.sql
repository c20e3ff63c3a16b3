-- settled_outgoing: the end of the export preview: what becomes of each record, and what its request will meet.
-- grain: one row per work.verdict_outgoing.record_id
-- reads: work.verdict_outgoing, work.request_outgoing, work.walk_outgoing (collision groups in FIFO order),
--   work.group_outgoing, work.opting_back, work.left_record (fields that Mainstay wins, or a person is asked about)
SELECT verdict.seq,
       verdict.record_id,
       verdict.crm_id_owners,
       verdict.is_misled,
       verdict.is_taken,
       kept.asked_fields,
       kept.left_fields,
       walk.seq IS NOT NULL AS is_walked,
       grouped.group_id,
       CASE WHEN walk.seq IS NULL THEN verdict.contact_id ELSE walk.contact_id END AS contact_id,
       CASE WHEN walk.seq IS NULL THEN verdict.contact_row ELSE walk.contact_row END AS contact_row,
       coalesce(walk.rule, verdict.rule) AS rule,
       CASE WHEN kept.asks THEN CAST('conflict' AS action)
            WHEN walk.seq IS NOT NULL THEN walk.action
            WHEN verdict.action = 'update' AND request.seq IS NULL THEN CAST('none' AS action)
            ELSE verdict.action END AS action,
       CASE WHEN walk.seq IS NULL AND NOT coalesce(kept.asks, false) AND verdict.complete_code IS NOT NULL THEN verdict.complete_code
            ELSE request.codes END AS codes,
       coalesce(request.clears, false) AS clears,
       opting.seq IS NOT NULL AS may_opt_back_in
FROM work.verdict_outgoing AS verdict
LEFT JOIN work.request_outgoing AS request ON request.seq = verdict.seq
LEFT JOIN work.opting_back AS opting ON opting.seq = verdict.seq
LEFT JOIN work.walk_outgoing AS walk ON walk.seq = verdict.seq
LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
LEFT JOIN work.left_record AS kept ON kept.record_id = verdict.record_id AND kept.contact_id = verdict.contact_id
