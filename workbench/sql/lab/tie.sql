-- tie: records whose key is shared, so that a person has to say who is who.
-- grain: one row per rule and record
-- reads: work.rule_key, work.key_group
SELECT k.rule, k.id AS record_id, g.record_count, g.contact_count
FROM work.rule_key AS k
JOIN work.key_group AS g ON g.rule = k.rule AND g.key = k.key
WHERE k.side = 'salesforce' AND g.contact_count > 0 AND (g.record_count > 1 OR g.contact_count > 1)
