-- rule_count: what each rule finds alone and what it adds after the rules before it.
-- grain: one row per rule of the waterfall, in order
-- reads: work.rule, work.clear_pair, work.tie, work.rule_key, work.taken
-- assumes: `disagrees` counts clear pairs that give a record or a contact to another partner than the waterfall did
WITH clear AS (
    SELECT p.rule,
           count(*) AS clear_pairs,
           count(*) FILTER (WHERE t.contact_id = p.contact_id AND t.rule <> p.rule) AS confirms,
           count(*) FILTER (
               WHERE t.contact_id IS DISTINCT FROM p.contact_id
               AND (t.record_id IS NOT NULL OR o.contact_id IS NOT NULL)
           ) AS disagrees
    FROM work.clear_pair AS p
    LEFT JOIN work.taken AS t ON t.record_id = p.record_id
    LEFT JOIN work.taken AS o ON o.contact_id = p.contact_id
    GROUP BY p.rule
),
taken AS (
    SELECT rule, count(*) AS adds FROM work.taken GROUP BY rule
),
tied AS (
    SELECT rule, count(*) AS tied_records FROM work.tie WHERE side = 'salesforce' GROUP BY rule
),
blank AS (
    SELECT rule, count(*) AS blank_records FROM work.rule_key WHERE side = 'salesforce' AND key IS NULL GROUP BY rule
)
SELECT r.rule AS position,
       r.name AS rule,
       coalesce(c.clear_pairs, 0) AS clear_pairs,
       coalesce(n.adds, 0) AS adds,
       coalesce(c.confirms, 0) AS confirms,
       coalesce(c.disagrees, 0) AS disagrees,
       coalesce(d.tied_records, 0) AS tied_records,
       coalesce(b.blank_records, 0) AS blank_records
FROM work.rule AS r
LEFT JOIN clear AS c ON c.rule = r.rule
LEFT JOIN taken AS n ON n.rule = r.rule
LEFT JOIN tied AS d ON d.rule = r.rule
LEFT JOIN blank AS b ON b.rule = r.rule
ORDER BY r.rule
