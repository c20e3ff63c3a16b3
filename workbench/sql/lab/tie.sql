-- tie: records and contacts whose key is shared, so that a person has to say who is who.
-- grain: one row per rule, side and id
-- reads: work.rule_key, work.key_group
SELECT k.rule, k.side, k.id, g.record_count, g.contact_count
FROM work.rule_key AS k
JOIN work.key_group AS g ON g.rule = k.rule AND g.key = k.key
WHERE g.record_count > 0 AND g.contact_count > 0 AND g.record_count + g.contact_count > 2
