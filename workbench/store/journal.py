"""The journal of a push, append-only: intents before anything leaves, attempts and outcomes after it came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb
import pyarrow as pa

from workbench.domain.results import Attempt, Outcome, PlannedChange, Request
from workbench.errors import ApprovalRefused
from workbench.store.database import Store

_TIME: Final = pa.timestamp("us", tz="UTC")
_INTENT: Final = pa.schema(
    [
        ("change_id", pa.string()),
        ("ordinal", pa.int32()),
        ("system", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("body", pa.string()),
    ]
)
_ATTEMPT: Final = pa.schema(
    [
        ("change_id", pa.string()),
        ("number", pa.int32()),
        ("system", pa.string()),
        ("method", pa.string()),
        ("url", pa.string()),
        ("request_body", pa.string()),
        ("response_status", pa.int32()),
        ("response_body", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("ms", pa.float64()),
        ("sent_at", _TIME),
    ]
)
_OUTCOME: Final = pa.schema(
    [
        ("position", pa.int64()),
        ("change_id", pa.string()),
        ("status", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("fail_message", pa.string()),
        ("endpoint", pa.string()),
        ("request_body", pa.string()),
        ("response_status", pa.int32()),
        ("record_id", pa.string()),
        ("mainstay_id", pa.string()),
        ("origin", pa.string()),
        ("finished_at", _TIME),
    ]
)
_PLANNED: Final = """
SELECT change.change_id, change.seq, change.direction, change.sobject, change.salesforce_id, change.mainstay_id,
       change.action, change.group_id, change.predicted_status, change.codes,
       list({{'ordinal': request.ordinal, 'system': request.system, 'method': request.method, 'path': request.path,
             'body': request.body}} ORDER BY request.ordinal) AS requests{extra}
FROM (
    SELECT batch.preview_id, batch_change.change_id, batch_change.seq{picked_extra}
    FROM journal.batch_change AS batch_change
    JOIN journal.batch AS batch USING (batch_id)
    {joined}
    WHERE batch_change.batch_id = $batch_id AND batch_change.is_approved
      AND NOT EXISTS (SELECT 1 FROM journal.outcome AS outcome
                      WHERE outcome.batch_id = $batch_id AND outcome.change_id = batch_change.change_id)
    {limit}
) AS picked
JOIN preview.change AS change ON change.preview_id = picked.preview_id AND change.change_id = picked.change_id
JOIN preview.request AS request ON request.preview_id = picked.preview_id AND request.change_id = picked.change_id
GROUP BY ALL
ORDER BY change.seq, change.change_id
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


def pending_changes(store: Store, batch_id: int, limit: int | None = None) -> list[PlannedChange]:
    """The next approved changes without an outcome, in FIFO order, each with its requests."""
    text = "" if limit is None else f"ORDER BY batch_change.seq, batch_change.change_id LIMIT {int(limit)}"
    sql = _PLANNED.format(extra="", picked_extra="", joined="", limit=text)
    return [_planned(row) for row in store.rows(sql, {"batch_id": batch_id})]


def open_changes(store: Store, batch_id: int) -> list[OpenChange]:
    """Changes that may have been sent and have no outcome, in FIFO order."""
    sql = _PLANNED.format(
        extra=", picked.written_at",
        picked_extra=", sent.written_at",
        joined="""JOIN (SELECT change_id, min(written_at) AS written_at FROM journal.intent
                        WHERE batch_id = $batch_id GROUP BY change_id) AS sent USING (change_id)""",
        limit="",
    )
    return [OpenChange(_planned(row), row["written_at"]) for row in store.rows(sql, {"batch_id": batch_id})]


def write_intents(store: Store, batch_id: int, run: str, changes: Sequence[PlannedChange]) -> None:
    """Record every request that is about to leave, in one transaction.

    Raises ApprovalRefused, and records nothing, when this run no longer holds the batch, or when another batch has
    begun to send one of the changes.
    """
    rows = [
        {
            "change_id": change.change_id,
            "ordinal": request.ordinal,
            "system": request.system,
            "method": request.method,
            "path": request.path,
            "body": request.body,
        }
        for change in changes
        for request in change.requests
    ]
    key = {"batch_id": batch_id, "run": run}
    try:
        store.write(
            (
                """SELECT CASE WHEN count(*) = 1 THEN true ELSE error('the claim is gone') END
                   FROM journal.batch WHERE batch_id = $batch_id AND state = 'pushing' AND claim = $run""",
                key,
            ),
            (
                """SELECT CASE WHEN count(*) = 0 THEN true ELSE error('sent by another batch') END
                   FROM journal.intent AS intent JOIN journal.batch AS other USING (batch_id)
                   WHERE other.batch_id <> $batch_id AND intent.change_id IN (SELECT change_id FROM new_intents)
                     AND other.preview_id = (SELECT preview_id FROM journal.batch WHERE batch_id = $batch_id)""",
                {"batch_id": batch_id},
            ),
            (
                """INSERT INTO journal.intent
                   SELECT $batch_id, change_id, ordinal, $run, system, method, path, body, now() FROM new_intents""",
                key,
            ),
            ("UPDATE journal.batch SET changed_at = now() WHERE batch_id = $batch_id", {"batch_id": batch_id}),
            tables={"new_intents": pa.Table.from_pylist(rows, _INTENT)},
        )
    except duckdb.InvalidInputException as error:
        if "sent by another batch" in str(error):
            raise ApprovalRefused(
                f"Another batch has begun to send changes of batch {batch_id}; nothing is sent twice. Preview again."
            ) from None
        raise ApprovalRefused(
            f"Another push took batch {batch_id} over; this one sends nothing more. Look at the batch, go on there."
        ) from None


def write_results(
    store: Store, batch_id: int, run: str, attempts: Sequence[Attempt], outcomes: Sequence[Outcome]
) -> None:
    """Record what was sent and how changes ended, in one transaction; result numbers are given here.

    A change that already has an outcome in this batch keeps it.
    """
    key = {"batch_id": batch_id}
    store.write(
        (
            """INSERT INTO journal.attempt
               SELECT $batch_id, new.change_id, new.number + coalesce(before.number, 0), $run, new.system, new.method,
                      new.url, new.request_body, new.response_status, new.response_body, new.codes, new.ms,
                      new.sent_at
               FROM new_attempts AS new
               LEFT JOIN (SELECT change_id, max(number) AS number FROM journal.attempt
                          WHERE batch_id = $batch_id GROUP BY change_id) AS before USING (change_id)""",
            {**key, "run": run},
        ),
        (
            """INSERT INTO journal.outcome
               SELECT counter.value + row_number() OVER (ORDER BY new.position), $batch_id, new.change_id,
                      change.direction, new.status, new.codes, new.fail_message, new.endpoint, new.request_body,
                      new.response_status, change.sobject, coalesce(new.record_id, change.salesforce_id),
                      coalesce(new.mainstay_id, change.mainstay_id), coalesce(made.attempts, 0),
                      change.predicted_status, change.codes, new.origin, new.finished_at
               FROM new_outcomes AS new
               JOIN journal.batch AS batch ON batch.batch_id = $batch_id
               JOIN preview.change AS change
                 ON change.preview_id = batch.preview_id AND change.change_id = new.change_id
               JOIN journal.counter AS counter ON counter.name = 'sync_result'
               LEFT JOIN (SELECT change_id, count(*) AS attempts FROM journal.attempt
                          WHERE batch_id = $batch_id GROUP BY change_id) AS made ON made.change_id = new.change_id
               WHERE NOT EXISTS (SELECT 1 FROM journal.outcome AS ended
                                 WHERE ended.batch_id = $batch_id AND ended.change_id = new.change_id)""",
            key,
        ),
        """UPDATE journal.counter
           SET value = greatest(value, coalesce((SELECT max(result_number) FROM journal.outcome), 0))
           WHERE name = 'sync_result'""",
        tables={"new_attempts": _attempt_table(attempts), "new_outcomes": _outcome_table(outcomes)},
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


def _planned(row: Mapping[str, Any]) -> PlannedChange:
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


def _attempt_table(attempts: Sequence[Attempt]) -> pa.Table:
    numbers: dict[str, int] = {}
    rows = []
    for attempt in attempts:
        number = numbers[attempt.change_id] = numbers.get(attempt.change_id, 0) + 1
        rows.append({**vars(attempt), "number": number, "codes": list(attempt.codes)})
    return pa.Table.from_pylist(rows, _ATTEMPT)


def _outcome_table(outcomes: Sequence[Outcome]) -> pa.Table:
    rows = [
        {**vars(outcome), "position": position, "status": str(outcome.status), "codes": list(outcome.codes)}
        for position, outcome in enumerate(outcomes)
    ]
    return pa.Table.from_pylist(rows, _OUTCOME)
