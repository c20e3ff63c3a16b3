-- record_link: which contact already carries a record's Id as its CRM ID.
-- grain: one row per linked Salesforce record
-- reads: work.incoming, work.record_now
-- assumes: CRM IDs are unique in Mainstay; where a server breaks that, contact_count says so and a person decides
SELECT record_now.record_id,
       min(incoming.contact_id) AS contact_id,
       count(*) AS contact_count
FROM work.record_now AS record_now
JOIN work.incoming AS incoming ON incoming.crm_id_key = record_now.record_id
GROUP BY record_now.record_id
