-- outgoing: the Salesforce records of this preview in the order they would be sent.
-- grain: one row per work.record_key.record_id
-- reads: work.record_key
-- source: design, section 6, "Sequence": first changed, first sent; equal moments by Id
SELECT row_number() OVER (ORDER BY modified_at, record_id) AS seq,
       record_id,
       record_row,
       is_eligible,
       has_names,
       has_phone,
       phone_key
FROM work.record_key
