-- clear_pair: pairs that a rule finds without doubt: one record, one contact, one key.
-- grain: one row per rule and record
-- reads: work.key_group
SELECT rule, record_id, contact_id
FROM work.key_group
WHERE record_count = 1 AND contact_count = 1
