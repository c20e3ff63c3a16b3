-- contact_link: which record each contact carries the Id of, as its CRM ID.
-- grain: one row per contact whose CRM ID is the Id of a record that was pulled
-- reads: work.incoming, work.record_now
SELECT incoming.seq,
       record_now.record_row
FROM work.incoming AS incoming
JOIN work.record_now AS record_now ON incoming.crm_id_key = record_now.record_id
