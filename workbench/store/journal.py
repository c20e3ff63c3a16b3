"""What the journal of a push says: counts, changes to come, changes whose end is open. `ledger` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from workbench.domain.results import PlannedChange, Request
from workbench.store.database import Store

PLANNED: Final = """
SELECT change.change_id, change.seq, change.direction, change.sobject, change.salesforce_id, change.mainstay_id,
       change.action, change.group_id, change.predicted_status, change.codes,
       list({{'ordinal': request.ordinal, 'system': request.system, 'method': request.method, 'path': request.path,
             'body': request.body}} ORDER BY request.ordinal) AS requests{extra}
FROM {picked} AS picked
JOIN preview.change AS change ON change.preview_id = picked.preview_id AND change.change_id = picked.change_id
JOIN preview.request AS request ON request.preview_id = picked.preview_id AND request.change_id = picked.change_id
GROUP BY ALL
ORDER BY change.seq, change.change_id
"""


PENDING: Final = """
SELECT batch.preview_id, batch_change.change_id, batch_change.seq{extra}
FROM journal.batch_change AS batch_change
JOIN journal.batch AS batch USING (batch_id)
{joined}
WHERE batch_change.batch_id = $batch_id AND batch_change.is_approved
  AND NOT EXISTS (SELECT 1 FROM journal.outcome AS outcome
                  WHERE outcome.batch_id = $batch_id AND outcome.change_id = batch_change.change_id)
"""


@dataclass(frozen=True)
class RowCounts:
    """Counts of a batch's changes: left_out by reason, predicted by status, outcomes by status, and those to come."""

    left_out: Mapping[str, int]
    predicted: Mapping[str, int]
    outcomes: Mapping[str, int]
    pending: int


@dataclass(frozen=True)
class OpenChange:
    """A change whose requests may have left: an intent without an outcome. `written_at` is its latest intent, UTC."""

    change: PlannedChange
    written_at: datetime


def count_rows(store: Store, batch_id: int) -> RowCounts:
    """How a batch stands."""
    rows = store.rows(
        """SELECT coalesce(batch_change.reason, 'left out') AS reason, batch_change.is_approved,
                  coalesce(change.predicted_status, 'unknown') AS predicted, outcome.status, count(*) AS row_count
           FROM journal.batch_change AS batch_change
           JOIN journal.batch AS batch USING (batch_id)
           LEFT JOIN preview.change AS change
                  ON change.preview_id = batch.preview_id AND change.change_id = batch_change.change_id
           LEFT JOIN journal.outcome AS outcome
                  ON outcome.batch_id = batch_change.batch_id AND outcome.change_id = batch_change.change_id
           WHERE batch_change.batch_id = $batch_id
           GROUP BY ALL ORDER BY row_count DESC""",
        {"batch_id": batch_id},
    )
    left_out: dict[str, int] = {}
    predicted: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    pending = 0
    for row in rows:
        count = row["row_count"]
        if not row["is_approved"]:
            left_out[row["reason"]] = left_out.get(row["reason"], 0) + count
            continue
        predicted[row["predicted"]] = predicted.get(row["predicted"], 0) + count
        if row["status"] is None:
            pending += count
        else:
            outcomes[row["status"]] = outcomes.get(row["status"], 0) + count
    return RowCounts(left_out, predicted, outcomes, pending)


def count_open_intents(store: Store, batch_id: int) -> int:
    """Changes of a batch whose end is unknown: an intent was written, no outcome was."""
    rows = store.rows(
        """SELECT count(DISTINCT intent.change_id) AS open_count FROM journal.intent AS intent
           WHERE intent.batch_id = $batch_id AND NOT EXISTS (
               SELECT 1 FROM journal.outcome AS outcome
               WHERE outcome.batch_id = $batch_id AND outcome.change_id = intent.change_id)""",
        {"batch_id": batch_id},
    )
    return int(rows[0]["open_count"])


def has_intents(store: Store, batch_id: int) -> bool:
    """Whether anything of a batch was ever about to be sent."""
    sql = "SELECT 1 AS found FROM journal.intent WHERE batch_id = $batch_id LIMIT 1"
    return bool(store.rows(sql, {"batch_id": batch_id}))


def pending_changes(store: Store, batch_id: int) -> list[PlannedChange]:
    """The approved changes without an outcome, in FIFO order, each with its requests."""
    sql = PLANNED.format(extra="", picked=f"({PENDING.format(extra='', joined='')})")
    return [planned_change(row) for row in store.rows(sql, {"batch_id": batch_id})]


def open_changes(store: Store, batch_id: int) -> list[OpenChange]:
    """Changes that may have been sent and have no outcome, in FIFO order."""
    pending = PENDING.format(
        extra=", sent.written_at",
        joined="""JOIN (SELECT change_id, min(written_at) AS written_at FROM journal.intent
                        WHERE batch_id = $batch_id GROUP BY change_id) AS sent USING (change_id)""",
    )
    sql = PLANNED.format(extra=", picked.written_at", picked=f"({pending})")
    return [OpenChange(planned_change(row), row["written_at"]) for row in store.rows(sql, {"batch_id": batch_id})]


def pending_writes(store: Store, batch_id: int) -> list[dict[str, Any]]:
    """What is still to be sent to Salesforce: rows of method, sobject, row_count."""
    return store.rows(
        f"""SELECT request.method, split_part(request.path, '/', 2) AS sobject, count(*) AS row_count
            FROM ({PENDING.format(extra="", joined="")}) AS pending
            JOIN preview.request AS request
              ON request.preview_id = pending.preview_id AND request.change_id = pending.change_id
            WHERE request.system = 'salesforce' GROUP BY ALL ORDER BY ALL""",
        {"batch_id": batch_id},
    )


def ask_to_pause(store: Store, batch_id: int, who: str, reason: str) -> None:
    """Leave a wish for the push that holds a batch."""
    store.write(
        (
            "INSERT INTO journal.pause_request VALUES ($batch_id, $who, $reason, now())",
            {"batch_id": batch_id, "who": who, "reason": reason},
        )
    )


def take_pause_request(store: Store, batch_id: int) -> str | None:
    """Who asked a push of this batch to pause, and why, in a sentence; asking counts once."""
    key = {"batch_id": batch_id}
    rows = store.rows(
        "SELECT who, reason FROM journal.pause_request WHERE batch_id = $batch_id ORDER BY asked_at LIMIT 1", key
    )
    if not rows:
        return None
    store.write(("DELETE FROM journal.pause_request WHERE batch_id = $batch_id", key))
    because = f": {rows[0]['reason']}" if rows[0]["reason"] else ""
    return f"{rows[0]['who']} paused it{because}; push again to go on"


def record_ids_since(store: Store, since: datetime) -> set[str]:
    """Salesforce Ids that outcomes of any batch since a moment already stand for."""
    table = store.query(
        """SELECT DISTINCT record_id FROM journal.outcome
           WHERE record_id IS NOT NULL AND direction = 'import' AND finished_at >= $since""",
        {"since": since},
    )
    return set(table["record_id"].to_pylist())


def created_record_ids(store: Store, batch_id: int) -> dict[str, str]:
    """The Id per change that Salesforce answered to a create of this batch."""
    rows = store.rows(
        """SELECT change_id, max(json_extract_string(response_body, '$.id')) AS record_id
           FROM journal.attempt
           WHERE batch_id = $batch_id AND system = 'salesforce' AND method = 'POST' AND len(codes) = 0
             AND json_extract_string(response_body, '$.success') = 'true'
           GROUP BY change_id""",
        {"batch_id": batch_id},
    )
    return {row["change_id"]: row["record_id"] for row in rows}


def code_scores(store: Store, batch_id: int) -> list[dict[str, Any]]:
    """Predicted against actual per code: rows of code, predicted, actual, hit; counts of changes with an outcome."""
    return store.rows(
        """WITH ended AS (
               SELECT change_id, coalesce(predicted_codes, []) AS predicted, coalesce(codes, []) AS actual
               FROM journal.outcome WHERE batch_id = $batch_id AND status <> 'unknown'
           ), code AS (
               SELECT change_id, unnest(list_distinct(list_concat(predicted, actual))) AS code, predicted, actual
               FROM ended
           )
           SELECT code, count(*) FILTER (list_contains(predicted, code)) AS predicted,
                  count(*) FILTER (list_contains(actual, code)) AS actual,
                  count(*) FILTER (list_contains(predicted, code) AND list_contains(actual, code)) AS hit
           FROM code GROUP BY code ORDER BY actual DESC, code""",
        {"batch_id": batch_id},
    )


def planned_change(row: Mapping[str, Any]) -> PlannedChange:
    return PlannedChange(
        change_id=row["change_id"],
        seq=row["seq"],
        direction=row["direction"],
        sobject=row["sobject"],
        salesforce_id=row["salesforce_id"],
        mainstay_id=row["mainstay_id"],
        action=row["action"],
        group_id=row["group_id"],
        predicted_status=row["predicted_status"],
        predicted_codes=tuple(row["codes"] or ()),
        requests=tuple(Request(**request) for request in row["requests"]),
    )
