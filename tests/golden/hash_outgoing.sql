SELECT w.seq,
       w.contact_row,
       w.contact_phone,
       hash(filled(s."FirstName"), coalesce(w.phone_key, filled(s."MobilePhone"))) AS slice_0,
           hash(number_text(s."GPA__c")) AS slice_1,
           CASE WHEN filled(s."Account.Parent.Name") IS NOT NULL THEN hash(filled(s."Account.Parent.Name")) END AS "hash of custom.School"
FROM work.pair_outgoing AS w
JOIN store.salesforce."Contact" AS s ON s.rowid = w.record_row
