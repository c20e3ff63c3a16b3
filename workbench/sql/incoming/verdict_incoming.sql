-- verdict_incoming: which Salesforce record each contact reaches, before its fields are compared.
-- grain: one row per work.incoming.contact_id that is looked at
-- reads: work.incoming, work.record_now, work.record_prefix, work.contact_link, work.record_link, work.match_incoming
-- source: guide, "Initial sync": CRM ID first, then the matching fields; a match acquires the CRM ID
-- binds: $create_unmatched
WITH found AS (
    SELECT incoming.seq,
           incoming.contact_id,
           incoming.contact_row,
           incoming.crm_id_key,
           incoming.is_test,
           incoming.is_claimed,
           own.record_row AS linked_row,
           coalesce(sharing.contact_count, 0) AS link_count,
           matched.record_row AS matched_row,
           coalesce(matched.match_count, 0) AS match_count,
           coalesce(matched.rival_count, 0) AS rival_count,
           other.record_row IS NOT NULL AS is_taken,
           prefix.key_prefix
    FROM work.incoming AS incoming
    CROSS JOIN work.record_prefix AS prefix
    LEFT JOIN work.contact_link AS own ON own.seq = incoming.seq
    LEFT JOIN work.record_link AS sharing ON sharing.record_row = own.record_row
    LEFT JOIN work.match_incoming AS matched ON matched.seq = incoming.seq
    LEFT JOIN work.record_link AS other ON other.record_row = matched.record_row
    WHERE incoming.is_looked_at
),
decided AS (
    SELECT found.*,
           CAST(CASE WHEN is_test THEN 'test_contact'
                WHEN link_count > 1 THEN 'crm_id_twice'
                WHEN linked_row IS NOT NULL THEN 'linked'
                WHEN crm_id_key[1:3] <> key_prefix THEN 'other_object'
                WHEN is_claimed THEN 'claimed'
                WHEN crm_id_key IS NOT NULL THEN 'dangling_crm_id'
                WHEN match_count > 1 THEN 'several_records'
                WHEN rival_count > 1 THEN 'several_contacts'
                WHEN is_taken THEN 'record_taken'
                WHEN matched_row IS NOT NULL THEN 'matched'
                WHEN $create_unmatched THEN 'unmatched'
                ELSE 'unmatched_ignored' END AS import_cause) AS cause
    FROM found
)
SELECT decided.seq,
       decided.contact_id,
       decided.contact_row,
       CASE WHEN cause IN ('linked', 'matched') THEN record_now.record_id END AS record_id,
       CASE WHEN cause IN ('linked', 'matched') THEN record_now.record_row END AS record_row,
       record_now.record_id AS candidate_id,
       CAST(CASE WHEN cause = 'linked' THEN 'id'
            WHEN cause = 'matched' THEN 'matching'
            ELSE 'none' END AS match_rule) AS rule,
       CAST(CASE WHEN cause IN ('test_contact', 'other_object', 'claimed', 'unmatched_ignored') THEN 'excluded'
            WHEN cause = 'linked' THEN 'update'
            WHEN cause = 'matched' THEN 'link'
            WHEN cause = 'unmatched' THEN 'create'
            ELSE 'conflict' END AS action) AS action,
       cause,
       record_now.meets_criteria
FROM decided
LEFT JOIN work.record_now AS record_now ON record_now.record_row = coalesce(decided.linked_row, decided.matched_row)
