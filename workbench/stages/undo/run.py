"""Make the compensating preview of a batch: an ordinary one, that stands on the latest pulls and is sent by nobody yet.

Source: DESIGN section 8, "Undo". The before-images are the field changes of the batch's own preview. A value goes back
only where it still stands as the batch left it; Mainstay's rules (domain/ladder.py) say what it would not take back.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import duckdb
import orjson
import pyarrow as pa

from workbench.domain import ladder
from workbench.domain.catalogue import mainstay_fields, salesforce_fields
from workbench.domain.changes import BatchState
from workbench.engine.rules_sql import install_rules
from workbench.engine.sequence import Directory
from workbench.errors import ApprovalRefused
from workbench.logs import get_logger
from workbench.settings import Settings
from workbench.stages.undo import words
from workbench.stages.undo.changes import ContactRules, Undone, undo_record
from workbench.stages.undo.values import contact_values_now, record_values_now
from workbench.store.batches import BatchRow, read_batch
from workbench.store.database import Store
from workbench.store.steps import run_step, step_sql

log = get_logger(__name__)

_ENDED: Final = (BatchState.DONE, BatchState.CANCELLED, BatchState.STALE)
_NUMBER: Final = "(SELECT coalesce(max(preview_id), 0) + 1 FROM preview.preview)"
_EXAMPLES: Final = 3
_NEEDLESS: Final = (words.ALREADY, words.REFUSED)
_CHANGE: Final = pa.schema(
    [
        ("seq", pa.int64()),
        ("sobject", pa.string()),
        ("salesforce_id", pa.string()),
        ("mainstay_id", pa.string()),
        ("action", pa.string()),
        ("reason", pa.string()),
        ("guards", pa.list_(pa.string())),
        ("group_id", pa.int64()),
        ("predicted_status", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("fields", pa.string()),
    ]
)
_REQUEST: Final = pa.schema(
    [
        ("seq", pa.int64()),
        ("system", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("body", pa.string()),
    ]
)


@dataclass(frozen=True)
class UndoReport:
    """A compensating preview.

    changes: ended changes of the batch; restored: those that would be put back; partly: those that keep something.
    cannot: rows of why, changes (how many), fields, examples (change ids of the batch); the frequent first.
    needless: rows of why, changes: those that are left out because there is nothing to put back.
    asked: the batch that was requested of the preview, if one was.
    """

    batch: int
    preview: int
    direction: str
    changes: int
    restored: int
    partly: int
    cannot: Sequence[Mapping[str, Any]]
    seconds: float
    asked: int | None = None
    needless: Sequence[Mapping[str, Any]] = ()


_KEPT: Final = """
WITH latest AS (
    SELECT system, object, max(pull_id) AS pull_id FROM journal.pull WHERE state = 'complete' GROUP BY system, object
)
SELECT undo.*, preview.direction, asked.batch_id AS asked, asked.state AS asked_state,
       NOT EXISTS (SELECT 1 FROM preview.pin AS pin JOIN latest USING (system, object)
                   WHERE pin.preview_id = undo.preview_id AND pin.pull_id < latest.pull_id) AS is_current
FROM preview.undo AS undo
JOIN preview.preview AS preview USING (preview_id)
LEFT JOIN journal.batch AS asked
  ON asked.preview_id = undo.preview_id AND asked.state NOT IN ('rejected', 'cancelled', 'stale')
WHERE undo.batch_id = $batch_id
ORDER BY undo.preview_id DESC, asked.batch_id DESC
LIMIT 1"""


def latest_undo(store: Store, batch_id: int) -> UndoReport | None:
    """What the last undo of a batch said, while it holds: no pull has moved since, or its own batch is still open."""
    found = store.rows(_KEPT, {"batch_id": batch_id})
    if not found or not (found[0]["is_current"] or found[0]["asked_state"] not in {None, *_ENDED}):
        return None
    row = found[0]
    return UndoReport(
        batch=batch_id,
        preview=row["preview_id"],
        direction=row["direction"],
        changes=row["changes"],
        restored=row["restored"],
        partly=row["partly"],
        cannot=orjson.loads(row["cannot"]),
        seconds=row["seconds"],
        asked=row["asked"],
        needless=_needless(store, row["preview_id"]),
    )


def undo_batch(store: Store, settings: Settings, batch_id: int) -> UndoReport:
    """Preview what would put back what a batch wrote. Nothing is sent; the preview goes through batch and approval.

    Raises NotFound; ApprovalRefused while the batch is not at its end, or when the last pull is older than its push:
    what stands now is then unknown.
    """
    started = time.perf_counter()
    batch = read_batch(store, batch_id)
    _check_ended(batch)
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        with store.attached(con):
            run_step(con, "undo", "written", {"batch_id": batch_id})
            _check_pulled(con, batch)
            run_step(con, "undo", "former_value")
            made = list(_undone(con, settings, batch))
    finally:
        con.close()
    report = UndoReport(
        batch=batch_id,
        preview=0,
        direction=batch.direction,
        changes=len(made),
        restored=sum(item.request is not None for item in made),
        partly=sum(item.request is not None and bool(item.kept) for item in made),
        cannot=_told(made),
        seconds=time.perf_counter() - started,
    )
    preview_id = _freeze(store, batch, made, report)
    log.info("undo previewed", extra={"batch_id": batch_id, "preview_id": preview_id, "rows": len(made)})
    return replace(report, preview=preview_id, needless=_needless(store, preview_id))


def _check_ended(batch: BatchRow) -> None:
    if batch.state not in _ENDED:
        raise ApprovalRefused(
            f"Batch {batch.batch_id} is {batch.state}. Push it to its end or cancel it, then undo what it wrote."
        )


def _check_pulled(con: duckdb.DuckDBPyConnection, batch: BatchRow) -> None:
    """What stands now is what was pulled after the last answer."""
    sobjects = con.execute("SELECT DISTINCT sobject FROM work.written").fetchall()
    if not sobjects:
        raise ApprovalRefused(f"Batch {batch.batch_id} has sent nothing; there is nothing to undo.")
    found = con.execute(
        """WITH latest AS (
               SELECT system, object, max_by(started_at, pull_id) AS started_at FROM store.journal.pull
               WHERE state = 'complete' GROUP BY system, object
           ), needed AS (
               SELECT 'salesforce' AS system, sobject AS object FROM work.written
               UNION
               SELECT 'mainstay', 'contact'
           )
           SELECT bool_and(coalesce(latest.started_at > (
               SELECT max(finished_at) FROM store.journal.outcome WHERE batch_id = $batch_id), false))
           FROM needed LEFT JOIN latest ON latest.system = needed.system AND latest.object = needed.object""",
        {"batch_id": batch.batch_id},
    ).fetchone()
    if found is None or not found[0]:
        raise ApprovalRefused(
            f"Batch {batch.batch_id} was sent after the last pull. Run workbench pull, so that undo sees what stands "
            "now and leaves alone what others changed since."
        )


def _undone(con: duckdb.DuckDBPyConnection, settings: Settings, batch: BatchRow) -> Iterator[Undone]:
    with_catalogue = con.execute("SELECT * FROM store.mainstay.field").to_arrow_table().to_pylist()
    if batch.direction == "export":
        known = mainstay_fields(with_catalogue)
        contact_values_now(con, known)
        section = settings.mainstay
        institution = ladder.Institution(
            {item.name: item for item in known.values() if item.is_custom}, section.has_sms, section.has_web_bot
        )
        undo: Callable[[Mapping[str, Any]], Undone] = ContactRules(_directory(con), institution, known).undo
    else:
        catalogue = salesforce_fields(con.execute("SELECT * FROM store.salesforce.field").to_arrow_table().to_pylist())
        record_values_now(con, catalogue)

        def undo(row: Mapping[str, Any]) -> Undone:
            return undo_record(row, catalogue.get(row["sobject"], {}))

    table = con.execute(step_sql("undo", "undoing")).to_arrow_table()
    for part in table.to_batches(max_chunksize=10_000):
        yield from map(undo, part.to_pylist())


def _directory(con: duckdb.DuckDBPyConnection) -> Directory:
    """The contacts that the batch wrote to, and those that hold a phone which would go back."""
    rows = con.execute(
        """WITH reached AS (
               SELECT mainstay_id AS id FROM work.written WHERE fate = 'written'
               UNION
               SELECT c.id FROM store.mainstay.contact AS c
               JOIN work.value_now AS v ON v.field = 'phone' AND v.before = coalesce(canon_phone(c.phone), c.phone)
           )
           SELECT c.id, nullif(c.crm_id, '') AS crm_id, coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone,
                  coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone,
                  nullif(c.messaging_status_sms, '') AS messaging_status_sms,
                  nullif(c.messaging_status_web_bot, '') AS messaging_status_web_bot,
                  nullif(c.preferred_name, '') AS preferred_name
           FROM store.mainstay.contact AS c SEMI JOIN reached ON reached.id = c.id"""
    ).to_arrow_table()
    directory = Directory()
    for part in rows.to_batches(max_chunksize=10_000):
        for contact in part.to_pylist():
            directory.save({**contact, "custom": {}})
    return directory


def _freeze(store: Store, batch: BatchRow, made: Sequence[Undone], report: UndoReport) -> int:
    """Write the preview and what it says in one transaction; its number."""
    run = uuid4().hex
    sobjects = sorted({str(item.row["sobject"]) for item in made})
    about = {
        "direction": batch.direction,
        "sobjects": sobjects,
        "only": f"undo of batch {batch.batch_id}",
        "run": run,
        "seconds": report.seconds,
    }
    said = {"cannot": orjson.dumps(report.cannot).decode()} | {
        name: getattr(report, name) for name in ("batch", "changes", "restored", "partly", "seconds")
    }
    change_id = f"'P' || {_NUMBER} || '-' || seq"
    store.write(
        (
            f"""INSERT INTO preview.change
                SELECT {_NUMBER}, {change_id}, seq, $direction, sobject, salesforce_id, mainstay_id, 'undo', action,
                       reason, guards, group_id, predicted_status, codes,
                       CASE WHEN predicted_status IS NOT NULL THEN 'certain' END, fields
                FROM undone""",  # noqa: S608  constants
            {"direction": batch.direction},
        ),
        f"""INSERT INTO preview.request
            SELECT {_NUMBER}, {change_id}, 1, system, method, path, body FROM undoing_request""",  # noqa: S608  constants
        f"""INSERT INTO preview.prediction
            SELECT {_NUMBER}, {change_id}, unnest(codes), NULL, NULL, 'certain', NULL FROM undone""",  # noqa: S608  constants
        (
            f"""INSERT INTO preview.pin
                SELECT {_NUMBER}, system, object, max(pull_id) FROM journal.pull
                WHERE state = 'complete' AND ((system = 'salesforce' AND list_contains($sobjects, object))
                      OR (system = 'mainstay' AND object = 'contact'))
                GROUP BY system, object""",  # noqa: S608  constants
            {"sobjects": sobjects},
        ),
        (
            f"""INSERT INTO preview.undo
                SELECT {_NUMBER}, $batch, $changes, $restored, $partly, $cannot, $seconds""",
            said,
        ),
        (
            f"""INSERT INTO preview.preview
                SELECT {_NUMBER}, $direction, $sobjects, latest.revision, latest.digest, $only, $run, now(), $seconds
                FROM (SELECT max(revision) AS revision, max_by(digest, revision) AS digest
                      FROM config.mapping_revision) AS latest""",  # noqa: S608  constants
            about,
        ),
        tables={
            "undone": pa.Table.from_pylist([_change_row(item) for item in made], _CHANGE),
            "undoing_request": pa.Table.from_pylist(list(_request_rows(made)), _REQUEST),
        },
    )
    found = store.rows("SELECT preview_id FROM preview.preview WHERE run = $run", {"run": run})
    return int(found[0]["preview_id"])


def _change_row(item: Undone) -> dict[str, Any]:
    row = item.row
    return {
        "seq": row["seq"],
        "sobject": row["sobject"],
        "salesforce_id": row["record_id"],
        "mainstay_id": row["mainstay_id"],
        "action": item.action,
        "reason": item.reason,
        "guards": ["blank-value"] if any(change["after"] is None for change in item.fields) else [],
        "group_id": row["group_id"],
        "predicted_status": item.status,
        "codes": list(item.codes),
        "fields": orjson.dumps(item.fields).decode(),
    }


def _request_rows(made: Iterable[Undone]) -> Iterator[dict[str, Any]]:
    for item in made:
        if item.request is not None:
            system, method, path, body = item.request
            yield {
                "seq": item.row["seq"],
                "system": system,
                "method": method,
                "path": path,
                "body": orjson.dumps(body).decode(),
            }


def _needless(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """What needs no undoing, counted; the frequent reason first."""
    return store.rows(
        """SELECT reason AS why, count(*) AS changes FROM preview.change
           WHERE preview_id = $preview_id AND list_contains($needless, reason)
           GROUP BY reason ORDER BY changes DESC, why""",
        {"preview_id": preview_id, "needless": list(_NEEDLESS)},
    )


def _told(made: Sequence[Undone]) -> list[dict[str, Any]]:
    """What stays as it is though the batch wrote it, why, and where."""
    counts: Counter[str] = Counter()
    fields: dict[str, dict[str, None]] = {}
    examples: dict[str, list[str]] = {}
    for item in made:
        for why in dict.fromkeys(why for why, _ in item.kept):
            if why in _NEEDLESS:
                continue
            counts[why] += 1
            names = (name for kept, name in item.kept if kept == why and name is not None)
            fields.setdefault(why, {}).update(dict.fromkeys(names))
            if len(examples.setdefault(why, [])) < _EXAMPLES:
                examples[why].append(str(item.row["change_id"]))
    return [
        {"why": why, "changes": count, "fields": sorted(fields[why]), "examples": examples[why]}
        for why, count in counts.most_common()
    ]
