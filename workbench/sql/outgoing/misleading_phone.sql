-- misleading_phone: phones that a contact carries as its CRM ID: a request named by such a phone reaches that contact.
-- grain: one row per phone
-- reads: store.mainstay.contact
-- source: Mainstay API reference, section 4: a path is a Mainstay ID, else a CRM ID, else a phone
SELECT DISTINCT CAST(crm_id AS UBIGINT) AS phone
FROM store.mainstay.contact
WHERE length(crm_id) = 10 AND regexp_full_match(crm_id, '[0-9]{10}')
