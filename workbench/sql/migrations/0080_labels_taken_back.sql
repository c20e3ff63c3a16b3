-- label: what each person last said about each pair, blind to rules and to each other; answers taken back are left out.
-- grain: one row per pair and labeller
CREATE OR REPLACE VIEW view.label AS
SELECT sobject, record_id, contact_id, verdict, labeller, note, labelled_at
FROM (
    SELECT sobject, record_id, contact_id, verdict, labeller, note, labelled_at,
           row_number() OVER (
               PARTITION BY sobject, record_id, contact_id, labeller ORDER BY labelled_at DESC
           ) AS age
    FROM lab.label
) AS answer
WHERE age = 1 AND verdict <> 'withdrawn';
