WITH told AS (
    SELECT w.seq,
           CASE WHEN w.rule = 'crm_id' THEN 'contacts/' || url_encode(w.record_id) || '/'
                ELSE 'contacts/' || phone_text(w.phone_key) || '/' END AS path,
           concat(concat(
           CASE WHEN w.rule = 'phone' THEN ',"crm_id":' END, CASE WHEN w.rule = 'phone' THEN json_text(record_id) END), slice_0.members) AS members,
           concat(slice_1.members) AS custom,
           concat_ws(',',
           CASE WHEN w.rule = 'phone' THEN '{"field":"crm_id","before":' || json_text(held_crm_id) || ',"after":' || json_text(record_id) || '}' END,
           slice_0.fields,
           slice_1.fields) AS fields,
           concat_ws(chr(31),
           CASE WHEN phone_fate = 'invalid' THEN 'invalid-phone' END,
           CASE WHEN phone_fate = 'reverted' THEN 'contact-out-of-sync' END,
           slice_0.codes,
           slice_1.codes,
           CASE WHEN slice_1.is_too_long THEN 'custom-values-too-long' END) AS codes,
           coalesce(slice_0.clears, false)
    OR coalesce(slice_1.clears, false) AS clears
    FROM work.sending AS w
    LEFT JOIN work.slice_0 AS slice_0 ON slice_0.seq = w.seq
    LEFT JOIN work.slice_1 AS slice_1 ON slice_1.seq = w.seq
    WHERE NOT w.is_new
      AND (w.action <> 'update'
    OR slice_0.fields IS NOT NULL
    OR slice_1.fields IS NOT NULL)
)
SELECT seq,
       path,
       concat('{', ltrim(members, ','),
           CASE WHEN custom <> '' THEN CASE WHEN members <> '' THEN ',' ELSE '' END || '"custom":{' END,
           ltrim(custom, ','), CASE WHEN custom <> '' THEN '}' END, '}') AS body,
       '[' || fields || ']' AS fields,
       nullif(codes, '') AS codes,
       clears
FROM told
