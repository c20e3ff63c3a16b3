-- left_phone: linked records whose phone a run leaves to the contact, or asks a person about.
-- grain: one row per record and contact
-- reads: work.left_record (of phones alone)
SELECT record_id, contact_id, asks
FROM work.left_record
WHERE list_contains(left_fields, 'phone')
