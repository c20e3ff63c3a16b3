-- A screen shows fifty changes of a million, a person has one or two: the fields of those alone are read from their
-- requests (store/changes.py), by the same words as view.change reads them all.
CREATE OR REPLACE MACRO view.fields_of_new(body) AS CAST(to_json(list_transform(
    list_concat(
        map_entries(CAST(json_merge_patch(body, '{"custom":null}') AS MAP(VARCHAR, VARCHAR))),
        list_transform(
            map_entries(coalesce(CAST(body -> 'custom' AS MAP(VARCHAR, VARCHAR)), MAP {})),
            lambda entry : {'key': 'custom.' || entry.key, 'value': entry.value})),
    lambda entry : {'field': entry.key, 'before': NULL, 'after': entry.value})) AS VARCHAR);

CREATE OR REPLACE MACRO view.names_of_fields(fields) AS
    CAST(json_extract_string(fields, '$[*].field') AS VARCHAR[]);

CREATE OR REPLACE VIEW view.change AS
WITH told AS (
    SELECT c.preview_id, c.change_id, c.seq, c.direction, c.sobject, c.salesforce_id, c.mainstay_id, c.rule, c.action,
           c.reason, c.guards, c.group_id, c.predicted_status, c.codes, c.certainty,
           coalesce(c.fields, new.fields) AS fields
    FROM preview.change AS c
    LEFT JOIN (
        SELECT preview_id, change_id, any_value(view.fields_of_new(body)) AS fields
        FROM preview.request
        WHERE ordinal = 1 AND method = 'POST'
        GROUP BY preview_id, change_id
    ) AS new ON new.preview_id = c.preview_id AND new.change_id = c.change_id
)
SELECT preview_id, change_id, seq, direction, sobject, salesforce_id, mainstay_id, rule, action, reason, guards,
       group_id, predicted_status, codes, certainty, fields, view.names_of_fields(fields) AS field_names
FROM told;
