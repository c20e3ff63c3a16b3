"""The results of all SObjects of one preview, side by side: views over what each of them left behind."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from workbench.domain.fields import Direction
from workbench.engine.compile_payload import requests as request_view
from workbench.engine.run import Run
from workbench.engine.three_way import SENDER
from workbench.store.quoting import literal
from workbench.store.steps import make_table, make_view, step_sql

_CHANGE_COLUMNS = (
    "seq, sobject, salesforce_id, mainstay_id, rule, action, group_id, codes, fields, predicted_status, is_open, "
    "reason, guards"
)
# `fields` of a request that makes something new is NULL: all of its body is new, and view.change reads it there.
_EXPORT = {
    "change": """SELECT change.*, CASE WHEN request.seq IS NULL THEN '[]' ELSE request.fields END AS fields
FROM work.change_of_{n} AS change LEFT JOIN work.request_of_{n} AS request ON request.seq = change.seq""",
    # One request sends what the package needs up to three for: the pull says which one will work.
    "request": "SELECT seq, 1 AS ordinal, 'mainstay' AS system, method, path, body FROM work.request_of_{n}",
}
_IMPORT = {
    "change": "SELECT * FROM work.change_of_{n}",
    # Salesforce first, then the write-back of the CRM ID; `$id` is the Id that the first request makes.
    "request": """SELECT seq, 1 AS ordinal, 'salesforce' AS system,
       CASE WHEN salesforce_id IS NULL THEN 'POST' ELSE 'PATCH' END AS method,
       'sobjects/' || {sobject} || coalesce('/' || salesforce_id, '') AS path, body
FROM work.change_of_{n}
WHERE body IS NOT NULL
UNION ALL
SELECT seq, 2 AS ordinal, 'mainstay' AS system, 'PUT' AS method,
       'contacts/' || url_encode(mainstay_id) || '/' AS path,
       '{{"crm_id":"' || coalesce(salesforce_id, '$id') || '"}}' AS body
FROM work.change_of_{n}
WHERE action IN ('link', 'create') OR (action = 'blocked' AND rule <> 'id')""",
}

_CONFLICT = """SELECT {offset} + change.seq AS seq, verdict.* EXCLUDE (record_id, contact_id, place),
       two_way.field, two_way.salesforce_field, two_way.rule
FROM work.verdict_field_of_{n} AS verdict
JOIN work.two_way_field_of_{n} AS two_way ON two_way.place = verdict.place
JOIN work.change_of_{n} AS change
  ON change.salesforce_id = verdict.record_id AND change.mainstay_id = verdict.contact_id
WHERE change.action <> 'excluded' AND verdict.cause <> {ordinary}"""


def keep(con: duckdb.DuckDBPyConnection, tables: Sequence[str], index: int) -> None:
    """Put one SObject's result aside (change_outgoing becomes change_of_0), since the next one makes the same names."""
    for table in tables:
        kept = f"{table.removesuffix('_outgoing').removesuffix('_incoming')}_of_{index}"
        con.execute(f"ALTER TABLE work.{table} RENAME TO {kept}")


def gather(run: Run, direction: Direction, decided: Sequence[str], told: Sequence[str]) -> None:
    """Views over all SObjects: work.all_changes, all_requests, all_conflicts (seq goes on counting), all_buckets.

    `decided`: the objects in order; only those `told` are in the views. A few changes are put down instead: to ask a
    view of many parts, which happens ten times, costs more than the rows do.
    A conflict is a field that differs, save those that only the sending side changed: they simply go their way.
    """
    con = run.con
    views = _EXPORT if direction is Direction.EXPORT else _IMPORT
    changes, requests, buckets, conflicts, offset = [], [], [], [], 0
    for index, sobject in enumerate(decided):
        if sobject not in told:
            continue
        about = {"n": index, "sobject": literal(sobject)}
        changes.append(
            f"SELECT * REPLACE ({offset} + seq AS seq, {offset} + group_id AS group_id), {literal(sobject)} AS sobject "
            f"FROM ({views['change'].format(**about)})"
        )
        if direction is Direction.EXPORT:
            make_view(con, f"request_of_{index}", request_view(f"of_{index}"))
            words = step_sql("outgoing", "change_outgoing")
            make_view(con, f"change_of_{index}", words.replace("work.settled_outgoing", f"work.settled_of_{index}"))
        requests.append(f"SELECT * REPLACE ({offset} + seq AS seq) FROM ({views['request'].format(**about)})")
        buckets.append(
            f"SELECT system, CASE system WHEN 'salesforce' THEN {literal(sobject)} ELSE 'contact' END AS object, "
            f"bucket, row_count FROM work.bucket_of_{index}"
        )
        conflicts.append(
            _CONFLICT.format(**about, offset=offset, ordinary=literal(f"only_{SENDER[direction]}_changed"))
        )
        found = con.execute(f"SELECT coalesce(max(seq), 0) FROM work.change_of_{index}").fetchone()
        offset += int(found[0]) if found else 0
    put = make_table if run.scope.is_narrow else make_view
    put(con, "all_changes", f"SELECT {_CHANGE_COLUMNS} FROM ({_union(changes)})")
    make_view(con, "all_requests", _union(requests))
    make_view(con, "all_conflicts", _union(conflicts))
    make_view(
        con,
        "all_buckets",
        "SELECT system, object, bucket, CAST(sum(row_count) AS BIGINT) AS row_count "
        f"FROM ({_union(buckets)}) GROUP BY ALL",
    )


def _union(parts: Sequence[str]) -> str:
    return "\nUNION ALL BY NAME\n".join(parts)
