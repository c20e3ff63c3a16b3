-- A condition on view.change narrows the requests whose fields are read: no grouping stands between them any more. There
-- is one first request a change.
CREATE OR REPLACE VIEW view.change AS
WITH told AS (
    SELECT c.preview_id, c.change_id, c.seq, c.direction, c.sobject, c.salesforce_id, c.mainstay_id, c.rule, c.action,
           c.reason, c.guards, c.group_id, c.predicted_status, c.codes, c.certainty,
           coalesce(c.fields, view.fields_of_new(new.body)) AS fields
    FROM preview.change AS c
    LEFT JOIN (
        SELECT preview_id, change_id, body FROM preview.request WHERE ordinal = 1 AND method = 'POST'
    ) AS new ON new.preview_id = c.preview_id AND new.change_id = c.change_id
)
SELECT preview_id, change_id, seq, direction, sobject, salesforce_id, mainstay_id, rule, action, reason, guards,
       group_id, predicted_status, codes, certainty, fields, view.names_of_fields(fields) AS field_names
FROM told;
