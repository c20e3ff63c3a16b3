-- contradiction: pairs of a later rule that give a matched record or contact to somebody else.
-- grain: one row per rule, record and contact of the contradicting pair
-- reads: work.clear_pair, work.taken, work.rule
SELECT r.name AS rule,
       p.record_id,
       p.contact_id,
       t.contact_id AS linked_contact_id,
       o.record_id AS linked_record_id
FROM work.clear_pair AS p
JOIN work.rule AS r ON r.rule = p.rule
LEFT JOIN work.taken AS t ON t.record_id = p.record_id
LEFT JOIN work.taken AS o ON o.contact_id = p.contact_id
WHERE t.contact_id IS DISTINCT FROM p.contact_id AND (t.record_id IS NOT NULL OR o.contact_id IS NOT NULL)
