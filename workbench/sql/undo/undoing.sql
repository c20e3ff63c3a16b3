-- undoing: per ended change, the fields to put back and those to leave alone.
-- grain: one row per work.written.seq; restore holds {field, before, now} in the order of names
-- reads: work.written, work.value_now
-- assumes: a value that is neither the one before nor the one sent was changed by somebody since, and stays theirs
SELECT written.seq,
       written.change_id,
       written.sobject,
       written.group_id,
       written.action,
       written.result_number,
       written.record_id,
       written.mainstay_id,
       written.fate,
       written.is_introduced,
       coalesce(list({'field': value.field, 'before': value.before, 'now': value.now} ORDER BY value.field)
           FILTER (value.is_known AND NOT value.is_held AND value.now IS DISTINCT FROM value.before
                   AND value.now IS NOT DISTINCT FROM value.after), []) AS restore,
       coalesce(list(value.field ORDER BY value.field)
           FILTER (value.is_known AND value.now IS DISTINCT FROM value.before
                   AND value.now IS DISTINCT FROM value.after), []) AS moved,
       coalesce(list(value.field ORDER BY value.field)
           FILTER (value.is_known AND value.is_held AND value.now IS NOT DISTINCT FROM value.after), []) AS held,
       coalesce(list(value.field ORDER BY value.field) FILTER (NOT value.is_known), []) AS unknown
FROM work.written AS written
LEFT JOIN work.value_now AS value ON value.seq = written.seq
GROUP BY ALL
ORDER BY written.seq
