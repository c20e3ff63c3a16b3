"""Changes of a preview with their fields, where only some are asked for, or only the names of their fields.

view.change reads the request of whatever is new among what a condition leaves, before it orders and limits: seconds of
a million.
"""

from __future__ import annotations


def whole_changes(few: str) -> str:
    """A SELECT of the columns of view.change, of the rows of preview.change that stand in the CTE `few`.

    `few` names preview_id, change_id and fields; what else it names goes along.
    """
    return f"""SELECT *, view.names_of_fields(fields) AS field_names
    FROM (
        SELECT {few}.* REPLACE (coalesce({few}.fields, view.fields_of_new(new.body)) AS fields)
        FROM {few}
        LEFT JOIN (
            SELECT preview_id, change_id, body FROM preview.request
            WHERE ordinal = 1 AND method = 'POST' AND change_id IN (SELECT change_id FROM {few})
        ) AS new ON new.preview_id = {few}.preview_id AND new.change_id = {few}.change_id
    )"""


def first_changes(preview_id: int, count: int) -> str:
    """A SELECT of the first rows of view.change of one preview."""
    return f"""WITH first AS MATERIALIZED (
        SELECT * FROM preview.change WHERE preview_id = {preview_id} ORDER BY seq LIMIT {count}
    )
    {whole_changes("first")} ORDER BY seq"""


def field_counts(some: str) -> str:
    """A SELECT of field, row_count: how many of the changes in the CTE `some` alter each field.

    `some` names preview_id, change_id and fields. The values of what is new are not told, as view.change would.
    """
    return f"""SELECT field, count(*) AS row_count
    FROM (
        SELECT unnest(view.names_of_fields(fields)) AS field FROM {some} WHERE fields IS NOT NULL
        UNION ALL
        SELECT unnest(list_concat(
            json_keys(body), list_transform(json_keys(body, '$.custom'), lambda name: 'custom.' || name))) AS field
        FROM preview.request AS request
        WHERE ordinal = 1 AND method = 'POST'
          AND (preview_id, change_id) IN (SELECT (preview_id, change_id) FROM {some} WHERE fields IS NULL)
    )
    WHERE field <> 'custom'
    GROUP BY field"""
