WITH told AS (
    SELECT w.seq,
           w.method,
           w.path,
           concat(concat(
           CASE WHEN sends_crm_id THEN ',"crm_id":' END, CASE WHEN sends_crm_id THEN json_text(record_id) END), slice_0.members) AS members,
           concat(slice_1.members) AS custom,
           concat_ws(',',
           CASE WHEN sends_crm_id THEN '{"field":"crm_id","before":' || json_text(contact_crm_id) || ',"after":' || json_text(record_id) || '}' END,
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
       method,
       path,
       concat('{', substr(members, 2),
           CASE WHEN custom <> '' THEN CASE WHEN members <> '' THEN ',' ELSE '' END || '"custom":{' END,
           substr(custom, 2), CASE WHEN custom <> '' THEN '}' END, '}') AS body,
       '[' || fields || ']' AS fields,
       nullif(codes, '') AS codes,
       clears
FROM told
