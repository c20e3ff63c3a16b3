-- unlinked: contacts without a CRM ID, now or by an object decided before; only these are looked up by their matching fields.
-- grain: one row per contact
-- reads: work.incoming
SELECT COLUMNS('^(seq|match_key_[0-9]+)$')
FROM work.incoming
WHERE crm_id_key IS NULL AND NOT is_test AND NOT is_claimed
