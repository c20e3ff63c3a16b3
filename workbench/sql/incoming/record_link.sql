-- record_link: how many contacts carry a record's Id as their CRM ID.
-- grain: one row per linked Salesforce record
-- reads: work.contact_link
-- assumes: CRM IDs are unique in Mainstay; where a server breaks that, contact_count says so and a person decides
SELECT record_row,
       count(*) AS contact_count
FROM work.contact_link
GROUP BY record_row
