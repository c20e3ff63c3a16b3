SELECT p.seq,
       p.contact_row,
       hash(filled(s."FirstName"), coalesce(canon_phone(filled(s."MobilePhone")), filled(s."MobilePhone"))) AS slice_0,
           hash(coalesce(canon_number(number_text(s."GPA__c")), number_text(s."GPA__c"))) AS slice_1,
           CASE WHEN filled(s."Account.Parent.Name") IS NOT NULL THEN hash(filled(s."Account.Parent.Name")) END AS "hash of custom.School"
FROM work.pair_outgoing AS p
JOIN store.salesforce."Contact" AS s ON s.rowid = p.record_row
