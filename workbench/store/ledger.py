"""Writing the journal of a push: intents before anything leaves, attempts and outcomes after it came back.

One transaction per chunk (`record_and_arm`): the answers of the chunk before, and the intents of the one after, while
the one between them is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb
import pyarrow as pa

from workbench.domain.results import Attempt, Outcome, PlannedChange
from workbench.errors import ApprovalRefused
from workbench.store.database import Statement, Store
from workbench.store.journal import PENDING, PLANNED, planned_change

_TIME: Final = pa.timestamp("us", tz="UTC")
_TEXT: Final = pa.string()
_CODES: Final = pa.list_(pa.string())
_ATTEMPT: Final = {
    "change_id": _TEXT, "number": pa.int32(), "system": _TEXT, "method": _TEXT, "url": _TEXT, "request_body": _TEXT,
    "response_status": pa.int32(), "response_body": _TEXT, "codes": _CODES, "ms": pa.float64(), "sent_at": _TIME,
}  # fmt: skip
_OUTCOME: Final = {
    "position": pa.int64(), "change_id": _TEXT, "status": _TEXT, "codes": _CODES, "fail_message": _TEXT,
    "endpoint": _TEXT, "request_body": _TEXT, "response_status": pa.int32(), "record_id": _TEXT, "mainstay_id": _TEXT,
    "origin": _TEXT, "finished_at": _TIME,
}  # fmt: skip


@dataclass(frozen=True)
class SentJob:
    """One bulk job. `change_ids`: row n of the job is entry n; `operation` is create or update, or upsert."""

    system: str
    job_id: str
    operation: str
    change_ids: tuple[str, ...]
    sobject: str | None = None


@dataclass(frozen=True)
class Place:
    """How far a push has armed its batch, in FIFO order."""

    seq: int = -1
    change_id: str = ""


@dataclass(frozen=True)
class Armed:
    """Changes whose intents stand in the journal, and where to go on after them. `at` is when that was, UTC."""

    changes: tuple[PlannedChange, ...]
    after: Place
    at: datetime
    is_pause_asked: bool = False


def record_and_arm(
    store: Store,
    batch_id: int,
    run: str,
    attempts: Sequence[Attempt],
    outcomes: Sequence[Outcome],
    *,
    after: Place,
    size: int,
) -> Armed:
    """Write what came back; write the intents of the next `size` pending changes after a place, and return those.

    One transaction. Raises ApprovalRefused, and arms nothing, when this run no longer holds the batch, or when another
    batch has begun to send one of the changes; the answers are kept then all the same.
    """
    statements, tables = _results(batch_id, run, attempts, outcomes)
    key = {"batch_id": batch_id}
    place = {**key, "seq": after.seq, "change_id": after.change_id}
    sql = PLANNED.format(extra="", picked="armed")
    try:
        found, moment = store.write_and_query(
            [*statements, *_arming(key, run, place, size)],
            (sql, {}),
            ("SELECT now() AS at, EXISTS (FROM journal.pause_request WHERE batch_id = $batch_id) AS is_asked", key),
            tables=tables,
        )
    except duckdb.InvalidInputException as error:
        write_results(store, batch_id, run, attempts, outcomes)
        raise _refused(batch_id, error) from None
    changes = tuple(planned_change(row) for row in found.to_pylist())
    last = Place(changes[-1].seq, changes[-1].change_id) if changes else after
    now = moment.to_pylist()[0]
    return Armed(changes, last, now["at"], now["is_asked"])


def _arming(key: dict[str, Any], run: str, place: dict[str, Any], size: int) -> list[Statement]:
    return [
        (
            """SELECT CASE WHEN count(*) = 1 THEN true ELSE error('the claim is gone') END
               FROM journal.batch WHERE batch_id = $batch_id AND state = 'pushing' AND claim = $run""",
            {**key, "run": run},
        ),
        (
            f"""CREATE OR REPLACE TEMPORARY TABLE armed AS {PENDING.format(extra="", joined="")}
                AND (batch_change.seq > $seq OR (batch_change.seq = $seq AND batch_change.change_id > $change_id))
                ORDER BY batch_change.seq, batch_change.change_id LIMIT {int(size)}""",
            place,
        ),
        (
            """SELECT CASE WHEN count(*) = 0 THEN true ELSE error('sent by another batch') END
               FROM journal.intent AS intent JOIN journal.batch AS other USING (batch_id)
               WHERE other.batch_id <> $batch_id AND intent.change_id IN (SELECT change_id FROM armed)
                 AND other.preview_id = (SELECT preview_id FROM journal.batch WHERE batch_id = $batch_id)""",
            key,
        ),
        (
            """INSERT INTO journal.intent
               SELECT $batch_id, armed.change_id, request.ordinal, $run, request.system, request.method, request.path,
                      request.body, now()
               FROM armed JOIN preview.request AS request
                 ON request.preview_id = armed.preview_id AND request.change_id = armed.change_id""",
            {**key, "run": run},
        ),
        ("UPDATE journal.batch SET changed_at = now() WHERE batch_id = $batch_id", key),
    ]


def _refused(batch_id: int, error: duckdb.Error) -> ApprovalRefused:
    if "sent by another batch" in str(error):
        return ApprovalRefused(
            f"Another batch has begun to send changes of batch {batch_id}; nothing is sent twice. Preview again."
        )
    return ApprovalRefused(
        f"Another push took batch {batch_id} over; this one sends nothing more. Look at the batch, go on there."
    )


def write_results(
    store: Store, batch_id: int, run: str, attempts: Sequence[Attempt], outcomes: Sequence[Outcome]
) -> None:
    """Record what was sent and how changes ended, in one transaction; result numbers are given here.

    A change that already has an outcome in this batch keeps it.
    """
    statements, tables = _results(batch_id, run, attempts, outcomes)
    if statements:
        store.write(*statements, tables=tables)


def take_back(store: Store, batch_id: int, run: str, change_ids: Sequence[str]) -> None:
    """Remove the intents of this run for changes that certainly never left: an intent says that one may have."""
    if change_ids:
        store.write(
            (
                """DELETE FROM journal.intent WHERE batch_id = $batch_id AND run = $run
                   AND change_id IN (SELECT change_id FROM unsent)""",
                {"batch_id": batch_id, "run": run},
            ),
            tables={"unsent": pa.table({"change_id": pa.array(change_ids, _TEXT)})},
        )


def keep_job(store: Store, batch_id: int, run: str, job: SentJob) -> None:
    """Note a bulk job, so that its result can be asked for whatever becomes of this process."""
    store.write(
        (
            """INSERT INTO journal.bulk_job
               SELECT $batch_id, $run, $system, $job_id, $sobject, $operation, CAST($change_ids AS VARCHAR[]), now()""",
            {"batch_id": batch_id, "run": run, **vars(job), "change_ids": list(job.change_ids)},
        )
    )


def jobs_of(store: Store, batch_id: int) -> list[SentJob]:
    """The bulk jobs of a batch that hold a change without an outcome, oldest first."""
    rows = store.rows(
        """SELECT system, job_id, operation, change_ids, sobject FROM journal.bulk_job AS job
           WHERE batch_id = $batch_id AND EXISTS (
               SELECT 1 FROM unnest(job.change_ids) AS named(change_id)
               WHERE NOT EXISTS (SELECT 1 FROM journal.outcome AS outcome
                                 WHERE outcome.batch_id = $batch_id AND outcome.change_id = named.change_id))
           ORDER BY started_at""",
        {"batch_id": batch_id},
    )
    return [SentJob(**{**row, "change_ids": tuple(row["change_ids"])}) for row in rows]


def _results(
    batch_id: int, run: str, attempts: Sequence[Attempt], outcomes: Sequence[Outcome]
) -> tuple[list[Statement], dict[str, pa.Table]]:
    """The statements that record answers, with the tables they read; none where there is nothing to record."""
    key = {"batch_id": batch_id}
    statements: list[Statement] = []
    tables: dict[str, pa.Table] = {}
    if attempts:
        tables["new_attempts"] = _attempt_table(attempts)
        statements.append(
            (
                """INSERT INTO journal.attempt
                   SELECT $batch_id, new.change_id, new.number + coalesce(before.number, 0), $run, new.system,
                          new.method, new.url, new.request_body, new.response_status, new.response_body, new.codes,
                          new.ms, new.sent_at
                   FROM new_attempts AS new
                   LEFT JOIN (SELECT change_id, max(number) AS number FROM journal.attempt
                              WHERE batch_id = $batch_id AND change_id IN (SELECT change_id FROM new_attempts)
                              GROUP BY change_id) AS before USING (change_id)""",
                {**key, "run": run},
            )
        )
    if outcomes:
        tables["new_outcomes"] = _outcome_table(outcomes)
        statements.append((_INSERT_OUTCOMES, key))
        statements.append(
            """UPDATE journal.counter
               SET value = greatest(value, coalesce((SELECT max(result_number) FROM journal.outcome), 0))
               WHERE name = 'sync_result'"""
        )
    return statements, tables


_INSERT_OUTCOMES: Final = """
INSERT INTO journal.outcome
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
           WHERE batch_id = $batch_id AND change_id IN (SELECT change_id FROM new_outcomes)
           GROUP BY change_id) AS made ON made.change_id = new.change_id
WHERE NOT EXISTS (SELECT 1 FROM journal.outcome AS ended
                  WHERE ended.batch_id = $batch_id AND ended.change_id = new.change_id)"""


def _attempt_table(attempts: Sequence[Attempt]) -> pa.Table:
    numbers: dict[str, int] = {}
    numbered = []
    for attempt in attempts:
        numbers[attempt.change_id] = numbers.get(attempt.change_id, 0) + 1
        numbered.append(numbers[attempt.change_id])
    return _table(attempts, _ATTEMPT, number=numbered)


def _outcome_table(outcomes: Sequence[Outcome]) -> pa.Table:
    return _table(outcomes, _OUTCOME, position=range(len(outcomes)))


def _table(items: Sequence[Any], columns: dict[str, pa.DataType], **given: Sequence[int]) -> pa.Table:
    """Dataclasses as one Arrow table, column by column; `given` holds columns they lack."""
    return pa.table(
        {
            name: pa.array(given[name] if name in given else [getattr(item, name) for item in items], kind)
            for name, kind in columns.items()
        }
    )
