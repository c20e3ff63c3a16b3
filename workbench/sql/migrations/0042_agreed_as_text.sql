-- journal.last_agreed.agreed: one text instead of a list, since every preview reads all of them and looks into few.
-- Values stand in the order of the fields, chr(31) between them; chr(30) alone: never seen equal; empty: a common blank.
ALTER TABLE journal.last_agreed ALTER agreed TYPE VARCHAR
    USING array_to_string(list_transform(agreed, lambda value : coalesce(value, chr(30))), chr(31));

-- last_agreed: the value both systems last had, field by field; null is a common blank.
-- grain: one row per linked pair and field that was ever seen equal
CREATE OR REPLACE VIEW view.last_agreed AS
SELECT sobject, salesforce_id, mainstay_id, field, nullif(value, '') AS value, agreed_at
FROM (
    SELECT a.sobject, a.record_id AS salesforce_id, a.contact_id AS mainstay_id, unnest(look.fields) AS field,
           unnest(string_split(a.agreed, chr(31))) AS value, a.agreed_at
    FROM journal.last_agreed AS a JOIN journal.agreed_look AS look ON look.sobject = a.sobject
) AS one_by_one
WHERE value <> chr(30);
