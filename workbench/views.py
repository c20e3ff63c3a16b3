"""Read models for the command line, screens and notebooks: rows ready to show, no decisions.

Everything is filtered and paged by the store; nobody needs a whole table. docs/views.md describes the columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import orjson
import pyarrow as pa

from workbench.domain.changes import Status
from workbench.domain.fields import Direction
from workbench.domain.known_names import require_known
from workbench.errors import ConfigurationError, NotFound
from workbench.store import Store
from workbench.store.changes import whole_changes
from workbench.store.codes import unknown_codes_of_preview, unknown_codes_of_results
from workbench.store.previews import require_preview
from workbench.store.typed_sql import require_select

ACTIONS: Final = ("update", "link", "create", "none", "excluded", "conflict", "blocked")
OPEN_STATES: Final = ("draft", "submitted", "approved", "pushing", "paused")

# A code may name a field (`invalid-attribute-data: GPA`); the short form asks for all of them.
_CHANGES: Final = f"""
WITH few AS MATERIALIZED (
    SELECT * FROM preview.change AS c
    WHERE c.preview_id = $preview_id
      AND ($action IS NULL OR c.action = $action)
      AND ($code IS NULL OR list_contains(coalesce(c.codes, []), $code)
           OR list_contains(list_transform(coalesce(c.codes, []), lambda one: split_part(one, ': ', 1)), $code))
      AND {{condition}}
    ORDER BY c.seq, c.change_id LIMIT $limit
)
SELECT c.change_id, c.sobject, c.salesforce_id, c.mainstay_id, c.action, c.reason, c.predicted_status, c.codes,
       c.certainty, c.fields, r.requests
FROM ({whole_changes("few")}) AS c
LEFT JOIN (
    SELECT change_id,
           '[' || string_agg(CAST(json_object('system', system, 'method', method, 'path', path, 'body',
               CASE WHEN body IS NULL THEN NULL ELSE CAST(body AS JSON) END) AS VARCHAR), ',' ORDER BY ordinal) || ']'
               AS requests
    FROM view.request WHERE preview_id = $preview_id AND change_id IN (SELECT change_id FROM few) GROUP BY change_id
) AS r USING (change_id)
ORDER BY c.seq, c.change_id"""
# The condition stands in a query of its own, where only the columns of view.change have a meaning.
_CONDITION: Final = """c.change_id IN (
      SELECT change_id FROM view.change WHERE preview_id = $preview_id AND ({where}
      ))"""

_RESULTS: Final = """
SELECT name, batch_id, change_id, direction, status, codes, fail_message, endpoint, request_body, response_status,
       sobject, record_id, mainstay_id, attempts, predicted_codes, finished_at
FROM view.sync_result
WHERE ($batch_id IS NULL OR batch_id = $batch_id) AND ($status IS NULL OR status = $status)
  AND ($code IS NULL OR list_contains(codes, $code)
       OR list_contains(list_transform(codes, lambda one: split_part(one, ': ', 1)), $code))
  AND ($direction IS NULL OR direction = CASE $direction WHEN 'export' THEN 'SF to Mainstay' ELSE 'Mainstay to SF' END)
  AND ($record IS NULL OR mainstay_id = $record OR left(record_id, 15) = left($record, 15))
ORDER BY result_number DESC LIMIT $limit"""


def latest_preview(store: Store, preview_id: int | None = None) -> dict[str, Any]:
    """One preview, the latest where none is named. Raises NotFound."""
    rows = store.rows(
        """SELECT * FROM view.preview WHERE $preview_id IS NULL OR preview_id = $preview_id
           ORDER BY preview_id DESC LIMIT 1""",
        {"preview_id": preview_id},
    )
    if not rows:
        if preview_id is not None:
            require_preview(store, preview_id)
        raise NotFound("There is none yet: workbench preview export.")
    return rows[0]


def preview_counts(store: Store, preview_id: int) -> dict[str, int]:
    """Rows per action, all seven actions."""
    rows = store.rows(
        "SELECT action, row_count FROM view.preview_count WHERE preview_id = $preview_id ORDER BY position",
        {"preview_id": preview_id},
    )
    return {row["action"]: row["row_count"] for row in rows}


def buckets(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """system, object, bucket, row_count; the buckets of one system and object add up to its pull."""
    return store.rows(
        """SELECT system, object, bucket, row_count FROM view.bucket
           WHERE preview_id = $preview_id ORDER BY system DESC, object, row_count DESC, bucket""",
        {"preview_id": preview_id},
    )


def changes(
    store: Store,
    preview_id: int,
    *,
    action: str | None = None,
    code: str | None = None,
    where: str | None = None,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Changes of a preview in the shape that `workbench changes --json` prints.

    `where` is a SQL condition over the columns of view.change. Raises NotFound, ConfigurationError (the condition, or
    an action or code that does not exist).
    """
    latest_preview(store, preview_id)
    require_known("action", action, ACTIONS)
    if code is not None and (sentence := unknown_codes_of_preview(store, preview_id, [code])):
        raise ConfigurationError(sentence)
    condition = "true" if where is None else _CONDITION.format(where=where)
    params = {"preview_id": preview_id, "action": action, "code": code, "limit": limit}
    table = _ask(store, _CHANGES.format(condition=condition), params, f"The condition {where!r}")
    return (_change(row) for row in _rows(table))


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "change": row["change_id"],
        "sobject": row["sobject"],
        "salesforce_id": row["salesforce_id"],
        "mainstay_id": row["mainstay_id"],
        "action": row["action"],
        "reason": row["reason"],
        "requests": orjson.loads(row["requests"]) if row["requests"] else [],
        "predicted": {
            "status": row["predicted_status"],
            "codes": list(row["codes"] or ()),
            "certainty": row["certainty"],
        },
        "fields": orjson.loads(row["fields"]) if row["fields"] else [],
    }


def results(store: Store, **filters: Any) -> Iterator[dict[str, Any]]:
    """Sync results, newest first, in the shape that `workbench results --json` prints; filters as `results_table`."""
    table = results_table(store, **filters)
    return (_result(row) for row in _rows(table))


def results_table(
    store: Store,
    *,
    batch_id: int | None = None,
    status: str | None = None,
    code: str | None = None,
    direction: str | None = None,
    record: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """The same as a table, with the names and types of view.sync_result.

    `direction`: export or import. `record`: a Salesforce Id (15 or 18 characters) or a Mainstay ID. Raises NotFound for
    an unknown batch, ConfigurationError for a status, code or direction that does not exist.
    """
    require_known("status", status, list(Status))
    require_known("direction", direction, list(Direction))
    if code is not None and (sentence := unknown_codes_of_results(store, [code])):
        raise ConfigurationError(sentence)
    if batch_id is not None:
        batch(store, batch_id)
    params = {"batch_id": batch_id, "status": status, "code": code, "direction": direction, "record": record}
    return store.query(_RESULTS, {**params, "limit": limit})


def _result(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "batch": row["batch_id"],
        "change": row["change_id"],
        "direction": row["direction"],
        "status": row["status"],
        "codes": list(row["codes"] or ()),
        "fail_message": row["fail_message"],
        "endpoint": row["endpoint"],
        "request_body": json_or_text(row["request_body"]),
        "response_status": row["response_status"],
        "sobject": row["sobject"],
        "record_id": row["record_id"],
        "mainstay_id": row["mainstay_id"],
        "attempts": row["attempts"],
        "predicted_codes": list(row["predicted_codes"] or ()),
        "at": row["finished_at"],
    }


def json_or_text(text: str | None) -> Any:
    """A stored body as JSON where it is JSON, else as the text it is."""
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def scores(store: Store, batch_ids: Sequence[int]) -> list[dict[str, Any]]:
    """code, predicted, actual, hits, hit_rate over the named batches together; the frequent codes first."""
    return store.rows(
        """SELECT code, CAST(sum(predicted) AS BIGINT) AS predicted, CAST(sum(actual) AS BIGINT) AS actual,
                  CAST(sum(hits) AS BIGINT) AS hits,
                  sum(hits) / nullif(sum(predicted) + sum(actual) - sum(hits), 0) AS hit_rate
           FROM view.prediction_score WHERE list_contains($batch_ids, batch_id)
           GROUP BY code ORDER BY greatest(sum(predicted), sum(actual)) DESC, code""",
        {"batch_ids": list(batch_ids)},
    )


def package_requests(store: Store, batch_id: int) -> int | None:
    """Requests that the package's own order would have spent on the changes sent: PUT by CRM ID, PUT by phone, POST.

    Found by CRM ID: one. By phone: two. Created: three, or two without a phone. None for an import.
    """
    rows = store.rows(
        """SELECT CAST(sum(CASE c.rule WHEN 'crm_id' THEN 1 WHEN 'phone' THEN 2
                      ELSE CASE WHEN json_extract_string(r.body, '$.phone') IS NULL THEN 2 ELSE 3 END END) AS BIGINT)
                      AS requests
           FROM view.sync_result AS s
           JOIN view.batch AS b USING (batch_id)
           JOIN view.change AS c ON c.preview_id = b.preview_id AND c.change_id = s.change_id
           JOIN view.request AS r ON r.preview_id = b.preview_id AND r.change_id = s.change_id AND r.ordinal = 1
           WHERE s.batch_id = $batch_id AND b.direction = 'export'""",
        {"batch_id": batch_id},
    )
    return None if rows[0]["requests"] is None else int(rows[0]["requests"])


def leftovers(store: Store, preview_id: int, *, limit: int = 20) -> list[dict[str, Any]]:
    """What a preview still finds to do or to decide: kind, why, row_count; the frequent ones first.

    kind: `refused` (the other side would refuse it, wholly or in part), `conflict` (a person decides), `new` (would
    simply succeed).
    """
    return store.rows(
        """SELECT CASE WHEN action = 'conflict' THEN 'conflict' WHEN len(coalesce(codes, [])) = 0 THEN 'new'
                       ELSE 'refused' END AS kind,
                  CASE WHEN action = 'conflict' OR len(coalesce(codes, [])) = 0 THEN reason
                       ELSE split_part(codes[1], ': ', 1) END AS why,
                  count(*) AS row_count
           FROM view.change
           WHERE preview_id = $preview_id AND action NOT IN ('none', 'excluded')
           GROUP BY ALL ORDER BY row_count DESC, kind, why LIMIT $limit""",
        {"preview_id": preview_id, "limit": limit},
    )


def batches(store: Store, *, only_open: bool = False) -> list[dict[str, Any]]:
    """Batches, newest first, with their counts."""
    return store.rows(
        "SELECT * FROM view.batch WHERE NOT $only_open OR list_contains($states, state) ORDER BY batch_id DESC",
        {"only_open": only_open, "states": list(OPEN_STATES)},
    )


def batch(store: Store, batch_id: int) -> dict[str, Any]:
    """One batch with its counts and every step it took. Raises NotFound."""
    rows = store.rows("SELECT * FROM view.batch WHERE batch_id = $batch_id", {"batch_id": batch_id})
    if not rows:
        raise NotFound(f"There is no batch {batch_id}: workbench batch list.")
    events = store.rows(
        """SELECT from_state, to_state, who, reason, happened_at FROM view.batch_event
           WHERE batch_id = $batch_id ORDER BY happened_at""",
        {"batch_id": batch_id},
    )
    return {**rows[0], "events": events}


def latest_pulls(store: Store) -> list[dict[str, Any]]:
    """The latest complete pull of every object with its age in seconds, Salesforce first."""
    now = datetime.now(UTC)
    rows = store.rows(
        """SELECT system, object, pull_id, row_count, mode, finished_at FROM view.pull WHERE state = 'complete'
           QUALIFY row_number() OVER (PARTITION BY system, object ORDER BY finished_at DESC, pull_id DESC) = 1
           ORDER BY system DESC, object"""
    )
    return [{**row, "age_seconds": round((now - row["finished_at"]).total_seconds(), 1)} for row in rows]


def fields(store: Store, system: str, sobject: str | None = None) -> list[dict[str, Any]]:
    """The field catalogue as the latest pull found it: Mainstay's own, or one Salesforce object's.

    Raises ConfigurationError for an object whose fields were not read, where others' were.
    """
    if system == "mainstay":
        return store.rows(
            """SELECT name, data_type, is_custom, is_deprecated, is_writable, coalesce(options, []) AS options
               FROM mainstay.field ORDER BY is_custom, name"""
        )
    found = store.rows(
        """SELECT sobject, name, label, type, length, nillable, createable, updateable, calculated, custom, "unique",
                  external_id, coalesce(reference_to, []) AS reference_to
           FROM salesforce.field WHERE $sobject IS NULL OR sobject = $sobject ORDER BY sobject, name""",
        {"sobject": sobject},
    )
    if not found and (known := store.rows("SELECT DISTINCT sobject FROM salesforce.field ORDER BY sobject")):
        names = ", ".join(row["sobject"] for row in known)
        raise ConfigurationError(
            f"No fields of {sobject} were read. A pull reads those of the objects that the mapping names: {names}. "
            f"Name one of these, or map {sobject} and pull."
        )
    return found


def field_drift(store: Store) -> list[dict[str, Any]]:
    """What moved between the last two readings of each catalogue: system, object, field, kind, types, found_at."""
    return store.rows(
        """WITH latest AS (
               SELECT 'salesforce' AS system, max(_pull_id) AS pull_id FROM salesforce.field
               UNION ALL
               SELECT 'mainstay', max(_pull_id) FROM mainstay.field
           )
           SELECT system, object, field, kind, before_type, after_type, found_at
           FROM journal.field_drift JOIN latest USING (system, pull_id)
           ORDER BY system DESC, object, field"""
    )


def logs(store: Store, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Technical faults, newest first."""
    return store.rows(
        "SELECT happened_at, level, logger, event, detail FROM view.app_log ORDER BY happened_at DESC LIMIT $limit",
        {"limit": limit},
    )


def run_sql(store: Store, sql: str) -> pa.Table:
    """One SELECT of the analyst's own. Raises ConfigurationError for anything else, or with DuckDB's sentence."""
    return _ask(store, sql, {})


def check_sql(sql: str) -> None:
    """Raises ConfigurationError, as `run_sql` would, unless a text is one SELECT; nothing is run."""
    with _told_in_a_sentence():
        require_select(sql)


def _ask(store: Store, sql: str, params: Mapping[str, Any], told: str = "The query") -> pa.Table:
    with _told_in_a_sentence():
        require_select(sql, told)
        return store.query(sql, params)


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).split("\n\nLINE")[0].strip()
        raise ConfigurationError(f"The query does not run: {reason}") from None


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for part in table.to_batches(max_chunksize=10_000):
        yield from part.to_pylist()
