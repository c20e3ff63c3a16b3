-- key_group: how many records and contacts share each key of each rule, and who they are where it is one of each.
-- grain: one row per rule and key
-- reads: work.rule_key
-- assumes: keys are canonical text; a blank part makes the whole key null, and null matches nothing
SELECT rule,
       key,
       count(*) FILTER (WHERE side = 'salesforce') AS record_count,
       count(*) FILTER (WHERE side = 'mainstay') AS contact_count,
       min(id) FILTER (WHERE side = 'salesforce') AS record_id,
       min(id) FILTER (WHERE side = 'mainstay') AS contact_id
FROM work.rule_key
WHERE key IS NOT NULL
GROUP BY rule, key
