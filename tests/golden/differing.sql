WITH wanted AS (
    SELECT w.seq, w.record_row, w.contact_row, w.phone_key, w.contact_phone,
           w.phone_fate NOT IN ('same', 'absent') OR (w.phone_fate = 'absent' AND w.contact_phone IS NOT NULL) AS phone_differs,
           hash(filled(s."FirstName")) AS slice_0,
           hash(number_text(s."GPA__c")) AS slice_1,
           CASE WHEN filled(s."Account.Parent.Name") IS NOT NULL THEN hash(filled(s."Account.Parent.Name")) ELSE 0 END AS "hash of custom.School"
    FROM work.pair_outgoing AS w
    JOIN (SELECT *, rowid AS landed_row FROM store.salesforce."Contact") AS s ON s.landed_row = w.record_row
),
compared AS (
    SELECT w.seq, w.record_row, w.contact_row, w.phone_key, w.contact_phone,
           w.slice_0 <> hash(nullif(c."first_name", ''))
    OR w.phone_differs AS slice_0,
           w.slice_1 <> hash(nullif(c."custom.GPA", ''))
    OR (w."hash of custom.School" <> 0 AND w."hash of custom.School" <> CASE WHEN nullif(c."custom.School", '') IS NOT NULL THEN hash(nullif(c."custom.School", '')) ELSE 0 END) AS slice_1
    FROM wanted AS w
    JOIN (SELECT *, rowid AS landed_row FROM store.mainstay.contact) AS c ON c.landed_row = w.contact_row
)
SELECT * FROM compared
WHERE slice_0
    OR slice_1
