"""Read models of the screens: filtered, sorted and paged by the store, ready to show. No decisions.

Everything here is a SELECT over `view.*`; names of people come from the landing tables where those exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from workbench.domain.error_dictionary import ENTRIES, entry_of
from workbench.errors import NotFound
from workbench.store import Store

# What a person may sort by. The keys stand in addresses of pages, so they stay as they are.
RESULT_SORTS: Final = {
    "newest": "result_number DESC",
    "oldest": "result_number ASC",
    "status": "status ASC, result_number DESC",
    "status-desc": "status DESC, result_number DESC",
    "direction": "direction ASC, result_number DESC",
    "direction-desc": "direction DESC, result_number DESC",
    "code": "codes[1] ASC NULLS LAST, result_number DESC",
    "code-desc": "codes[1] DESC NULLS LAST, result_number DESC",
    "attempts": "attempts ASC, result_number DESC",
    "attempts-desc": "attempts DESC, result_number DESC",
}
DIRECTION_NAMES: Final = {"export": "SF to Mainstay", "import": "Mainstay to SF"}

_FAMILIES: Final = "list_transform(coalesce(codes, []), lambda c: split_part(c, ': ', 1))"
# Codes that several entries share.
_SHARED: Final = ", ".join(
    sorted({f"'{e.code}'" for e in ENTRIES if sum(other.code == e.code for other in ENTRIES) > 1})
)
_RESULT_WHERE: Final = f"""
    ($status IS NULL OR status = $status)
    AND ($direction IS NULL OR direction = $direction)
    AND ($code IS NULL OR list_contains({_FAMILIES}, $code))
    AND ($batch_id IS NULL OR batch_id = $batch_id)
    AND ($only_misses IS NOT TRUE OR is_as_predicted IS NOT TRUE)
    AND ($number IS NULL OR result_number = $number)"""
_PERSON_NAME: Final = "nullif(concat_ws(' ', {first}, {last}), '')"


@dataclass(frozen=True)
class ResultFilter:
    """What a person asked of the sync results; None and blank mean no filter.

    direction: export | import. code: a code without its field. text: a result number, an id, or part of a name.
    """

    status: str | None = None
    direction: str | None = None
    code: str | None = None
    batch_id: int | None = None
    only_misses: bool = False
    text: str = ""


def moment(store: Store) -> tuple[Any, ...]:
    """Numbers that move whenever anything that a screen shows has changed; cheap, also at a million results."""
    row = store.rows(
        """SELECT (SELECT count(*) FROM view.pull) AS pulls,
                  (SELECT max(finished_at) FROM view.pull) AS pulled_at,
                  (SELECT coalesce(max(preview_id), 0) FROM preview.preview) AS preview_id,
                  (SELECT count(*) FROM journal.outcome) AS results,
                  (SELECT coalesce(max(result_number), 0) FROM journal.outcome) AS result_number,
                  (SELECT count(*) FROM journal.intent) AS intents,
                  (SELECT count(*) FROM journal.batch_event) AS steps,
                  (SELECT coalesce(max(revision), 0) FROM config.mapping_revision) AS revision,
                  (SELECT count(*) FROM journal.app_log) AS faults"""
    )[0]
    return tuple(row.values())


def landed(store: Store) -> dict[str, list[str]]:
    """schema.table -> its columns, for the landing tables that exist by now."""
    rows = store.rows(
        """SELECT table_schema || '.' || table_name AS name, list(column_name ORDER BY ordinal_position) AS columns
           FROM information_schema.columns WHERE table_schema IN ('salesforce', 'mainstay') GROUP BY ALL"""
    )
    return {row["name"]: row["columns"] for row in rows}


def names_of(tables: Mapping[str, list[str]]) -> tuple[str, str]:
    """Two queries, (id, name), for Mainstay contacts and Salesforce records; empty ones where nothing landed."""
    nobody = "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS name WHERE false"
    contacts = records = nobody
    if "mainstay.contact" in tables:
        contacts = (
            f"SELECT id, {_PERSON_NAME.format(first='first_name', last='last_name')} AS name FROM mainstay.contact"
        )
    columns = tables.get("salesforce.Contact", [])
    if {"FirstName", "LastName"} <= set(columns):
        person = _PERSON_NAME.format(first='"FirstName"', last='"LastName"')
        records = f'SELECT "Id" AS id, {person} AS name FROM salesforce."Contact"'
    elif "LastName" in columns:
        records = 'SELECT "Id" AS id, "LastName" AS name FROM salesforce."Contact"'
    return contacts, records


def count_results(store: Store, chosen: ResultFilter) -> int:
    """How many sync results pass a filter."""
    where, params = _result_where(store, chosen)
    sql = f"SELECT count(*) AS row_count FROM view.sync_result WHERE {where}"
    return int(store.rows(sql, params)[0]["row_count"])


def page_of_results(
    store: Store, chosen: ResultFilter, *, sort: str = "newest", size: int = 50, page: int = 1
) -> list[dict[str, Any]]:
    """One page of sync results with the person's name; `sort` is a key of RESULT_SORTS, `page` counts from 1.

    The narrow keys are ordered first and only the visible rows are fetched in full, so the last page of a million
    costs what the first does.
    """
    where, params = _result_where(store, chosen)
    order = RESULT_SORTS.get(sort, RESULT_SORTS["newest"])
    contacts, records = names_of(landed(store))
    sql = f"""WITH page AS MATERIALIZED (
                  SELECT result_number FROM view.sync_result WHERE {where} ORDER BY {order} LIMIT $size OFFSET $skip
              ), shown AS MATERIALIZED (
                  SELECT * FROM view.sync_result
                  WHERE result_number BETWEEN (SELECT min(result_number) FROM page)
                                          AND (SELECT max(result_number) FROM page)
                    AND result_number IN (SELECT result_number FROM page)
              )
              SELECT s.name, s.finished_at, s.status, s.direction, s.codes, s.predicted_codes, s.is_as_predicted,
                     s.sobject, s.record_id, s.mainstay_id, s.attempts, s.batch_id,
                     coalesce(c.name, r.name) AS person
              FROM shown AS s
              LEFT JOIN ({contacts}) AS c ON c.id = s.mainstay_id
              LEFT JOIN ({records}) AS r ON r.id = s.record_id
              ORDER BY {", ".join(f"s.{part.strip()}" for part in order.split(","))}"""
    return store.rows(sql, {**params, "size": size, "skip": (page - 1) * size})


def _result_where(store: Store, chosen: ResultFilter) -> tuple[str, dict[str, Any]]:
    text = chosen.text.strip()
    number = re.fullmatch(r"(?:SR-?)?0*(\d{1,15})", text, re.IGNORECASE)
    params: dict[str, Any] = {
        "status": chosen.status,
        "direction": DIRECTION_NAMES.get(chosen.direction or ""),
        "code": chosen.code,
        "batch_id": chosen.batch_id,
        "only_misses": chosen.only_misses,
        "number": int(number[1]) if number else None,
    }
    if not text or number:
        return _RESULT_WHERE, params
    contacts, records = names_of(landed(store))
    found = f"""(record_id = $text OR mainstay_id = $text OR change_id = $text
                 OR mainstay_id IN (SELECT id FROM ({contacts}) WHERE contains(lower(name), $lowered))
                 OR record_id IN (SELECT id FROM ({records}) WHERE contains(lower(name), $lowered)))"""
    return f"{_RESULT_WHERE} AND {found}", {**params, "text": text, "lowered": text.lower()}


def sync_result(store: Store, name: str) -> dict[str, Any]:
    """One sync result (`SR-0000001`) with its attempts, its change and the person's name. Raises NotFound."""
    number = re.fullmatch(r"(?:SR-?)?0*(\d{1,15})", name.strip(), re.IGNORECASE)
    contacts, records = names_of(landed(store))
    rows = store.rows(
        f"""SELECT s.*, coalesce(c.name, r.name) AS person
            FROM (SELECT * FROM view.sync_result WHERE result_number = $number) AS s
            LEFT JOIN ({contacts}) AS c ON c.id = s.mainstay_id
            LEFT JOIN ({records}) AS r ON r.id = s.record_id""",
        {"number": int(number[1]) if number else -1},
    )
    if not rows:
        raise NotFound(
            f"There is no sync result {name}. It may have been cleared; the results list shows what is kept."
        )
    found = rows[0]
    key = {"batch_id": found["batch_id"], "change_id": found["change_id"]}
    attempts = store.rows(
        """SELECT number, system, method, url, request_body, response_status, response_body, codes, ms, sent_at
           FROM view.attempt WHERE batch_id = $batch_id AND change_id = $change_id ORDER BY number, sent_at""",
        key,
    )
    change = store.rows(
        """SELECT c.preview_id, c.action, c.reason, c.fields, c.certainty FROM view.batch AS b
           JOIN view.change AS c USING (preview_id) WHERE b.batch_id = $batch_id AND c.change_id = $change_id""",
        key,
    )
    return {**found, "attempts_made": attempts, "change": _with_fields(change[0]) if change else None}


def code_activity(store: Store) -> dict[str, dict[str, Any]]:
    """Code (without its field) -> occurrences, latest, predicted, actual, hits, hit_rate and three example results."""
    seen = store.rows(
        f"""SELECT code, count(*) AS occurrences, max(finished_at) AS latest, max_by(name, result_number, 3) AS examples
            FROM (SELECT name, result_number, finished_at, unnest(list_distinct({_FAMILIES})) AS code
                  FROM view.sync_result WHERE len(codes) > 0)
            GROUP BY code"""
    )
    found = {row["code"]: {**row, **_NO_SCORE} for row in seen}
    for row in all_scores(store):
        entry = found.setdefault(row["code"], {"code": row["code"], "occurrences": 0, "latest": None, "examples": []})
        entry.update(row)
    return found


_NO_SCORE: Final = {"predicted": 0, "actual": 0, "hits": 0, "hit_rate": None}


def entry_activity(store: Store) -> dict[int, dict[str, Any]]:
    """Entry number -> actual results, expected in the latest previews, and up to three example results.

    One code may stand for several entries (duplicate-contact); the message of the answer tells them apart.
    """
    found: dict[int, dict[str, Any]] = {entry.number: {"actual": 0, "expected": 0, "examples": []} for entry in ENTRIES}
    rows = store.rows(
        f"""SELECT split_part(code, ': ', 1) AS code, method, message, count(*) AS row_count,
                   max_by(name, result_number, 3) AS examples
            FROM (SELECT s.name, s.result_number, split_part(s.endpoint, ' ', 1) AS method,
                         coalesce(item ->> '$.code', '') AS code,
                         CASE WHEN item ->> '$.code' IN ({_SHARED}) THEN item ->> '$.message' END AS message
                  FROM (SELECT name, result_number, endpoint,
                               unnest(CAST(json_extract(fail_message, '$[*]') AS JSON[])) AS item
                        FROM view.sync_result
                        WHERE len(codes) > 0 AND json_valid(fail_message)) AS s)
            GROUP BY ALL ORDER BY row_count DESC"""
    )
    for row in rows:
        entry = entry_of(row["code"], method=row["method"], message=row["message"] or "")
        if entry is not None:
            seen = found[entry.number]
            seen["actual"] += row["row_count"]
            seen["examples"] = sorted({*seen["examples"], *row["examples"]}, reverse=True)[:3]
    latest = [preview["preview_id"] for preview in latest_previews(store).values()]
    for row in store.rows(
        """SELECT entry, count(*) AS row_count FROM preview.prediction
           WHERE list_contains($latest, preview_id) AND entry IS NOT NULL GROUP BY entry""",
        {"latest": latest},
    ):
        found[row["entry"]]["expected"] = row["row_count"]
    return found


def pinned_counts(store: Store, preview_id: int) -> dict[tuple[str, str], int]:
    """(system, object) -> rows of the pull that a preview stands on."""
    rows = store.rows(
        """SELECT DISTINCT n.system, n.object, p.row_count FROM preview.pin AS n
           JOIN view.pull AS p USING (pull_id, system, object) WHERE n.preview_id = $preview_id""",
        {"preview_id": preview_id},
    )
    return {(row["system"], row["object"]): row["row_count"] for row in rows}


def all_scores(store: Store) -> list[dict[str, Any]]:
    """Predicted against actual per code over every batch, the frequent codes first."""
    return store.rows(SHOWN_SQL["scores"])


def latest_previews(store: Store) -> dict[str, dict[str, Any]]:
    """Direction -> its latest preview over all records (one of a single record says nothing about the whole)."""
    rows = store.rows(
        """SELECT preview_id, direction, sobjects, mapping_revision, created_at, seconds, row_count FROM view.preview
           WHERE only_record IS NULL
           QUALIFY row_number() OVER (PARTITION BY direction ORDER BY preview_id DESC) = 1"""
    )
    return {row["direction"]: row for row in rows}


def latest_syncs(store: Store) -> dict[str, dict[str, Any]]:
    """Direction (export | import) -> its last sync result."""
    names = {label: direction for direction, label in DIRECTION_NAMES.items()}
    # As view.latest_sync, which sorts every result: the latest moment is found first, then the rows at it.
    rows = store.rows(
        """WITH latest AS (SELECT direction, max(finished_at) AS finished_at FROM view.sync_result GROUP BY direction)
           SELECT direction, finished_at, status, name, sobject, record_id, mainstay_id, fail_message
           FROM view.sync_result JOIN latest USING (direction, finished_at)
           QUALIFY row_number() OVER (PARTITION BY direction ORDER BY result_number DESC) = 1"""
    )
    return {names[row["direction"]]: row for row in rows}


def workload(store: Store) -> dict[str, dict[str, int]]:
    """Direction -> changes waiting for approval, approved but unsent, and batches at work."""
    rows = store.rows(
        """SELECT direction,
                  coalesce(sum(approved_count) FILTER (WHERE state = 'submitted'), 0)::BIGINT AS awaiting,
                  count(*) FILTER (WHERE state = 'submitted') AS awaiting_batches,
                  coalesce(sum(approved_count - sent_count)
                      FILTER (WHERE state IN ('approved', 'pushing', 'paused')), 0)::BIGINT AS backlog,
                  count(*) FILTER (WHERE state IN ('pushing', 'paused')) AS at_work
           FROM view.batch GROUP BY direction"""
    )
    return {row["direction"]: {k: int(v) for k, v in row.items() if k != "direction"} for row in rows}


def result_totals(store: Store) -> dict[str, int]:
    """Status -> sync results, all four statuses, and `as_predicted` among them."""
    return store.rows(
        """SELECT count(*) AS total, count(*) FILTER (WHERE status = 'success') AS success,
                  count(*) FILTER (WHERE status = 'partial') AS partial,
                  count(*) FILTER (WHERE status = 'fail') AS fail,
                  count(*) FILTER (WHERE status = 'unknown') AS unknown,
                  count(*) FILTER (WHERE is_as_predicted) AS as_predicted
           FROM view.sync_result"""
    )[0]


def _with_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "fields": orjson.loads(row["fields"]) if row["fields"] else []}


# What "Show SQL" opens: the same question, ready for a notebook cell or `workbench sql`.
SHOWN_SQL: Final = {
    "buckets": """SELECT preview_id, direction, system, object, bucket, row_count, share
FROM view.bucket
WHERE preview_id IN ({preview_ids})
ORDER BY preview_id, system DESC, object, row_count DESC""",
    "pulls": """SELECT system, object, pull_id, mode, row_count, finished_at
FROM view.pull
WHERE state = 'complete'
QUALIFY row_number() OVER (PARTITION BY system, object ORDER BY finished_at DESC, pull_id DESC) = 1
ORDER BY system DESC, object""",
    "scores": """SELECT code, CAST(sum(predicted) AS BIGINT) AS predicted, CAST(sum(actual) AS BIGINT) AS actual,
       CAST(sum(hits) AS BIGINT) AS hits,
       sum(hits) / nullif(sum(predicted) + sum(actual) - sum(hits), 0) AS hit_rate
FROM view.prediction_score
GROUP BY code
ORDER BY greatest(sum(predicted), sum(actual)) DESC, code""",
}
