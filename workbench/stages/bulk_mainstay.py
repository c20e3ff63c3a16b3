"""Changes as rows of Mainstay's bulk endpoint: sent as a job, polled, each row's end matched back to its change.

Only rows that find the same contact however often they are sent travel so: the job behind a lost answer may still run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from workbench.domain.changes import Status
from workbench.domain.results import Attempt, Outcome, PlannedChange, Request, codes_of
from workbench.errors import RemoteError, TransientError
from workbench.mainstay.bulk import PATH, BulkJob, bulk_row, job_id_of, job_path, read_job, row_phone, settle
from workbench.mainstay.client import OutcomeUnknown
from workbench.salesforce.writer import MAX_HEADER_BYTES
from workbench.stages.exchange import NO_ANSWER, Exchange, as_text
from workbench.store.ledger import SentJob

JOB_FAILED: Final = "bulk-job-failed"
PATIENCE_SECONDS: Final = 900.0


@dataclass(frozen=True)
class BulkRow:
    """One change in an array. `record_id`: its Salesforce record, where that was made on the way."""

    change: PlannedChange
    request: Request
    values: dict[str, Any]
    record_id: str | None = None


def as_row(change: PlannedChange, request: Request, record_id: str | None = None) -> BulkRow | None:
    """A change as a row; None where it has to go alone: it has an order to keep, or a row could miss its contact."""
    if change.group_id is not None:
        return None
    values = bulk_row(
        request.method, request.path, request.values, crm_id=change.salesforce_id, contact_id=change.mainstay_id
    )
    return None if values is None else BulkRow(change, request, values, record_id)


def arrays(rows: Sequence[BulkRow], size: int) -> tuple[list[list[BulkRow]], list[BulkRow]]:
    """(arrays of at most `size` rows, rows to send alone): a phone stands in one row only, the first that has it."""
    seen: set[str] = set()
    unique: list[BulkRow] = []
    repeated: list[BulkRow] = []
    for row in rows:
        phone = row_phone(row.values)
        (repeated if phone in seen else unique).append(row)
        if phone is not None:
            seen.add(phone)
    size = min(size, MAX_HEADER_BYTES // (1 + max((len(row.change.change_id) for row in unique), default=1)))
    return [unique[at : at + size] for at in range(0, len(unique), size)], repeated


async def send_array(
    exchange: Exchange, rows: Sequence[BulkRow], *, origin: str
) -> tuple[list[Outcome], list[BulkRow]]:
    """(outcomes, rows to send alone now). Raises as MainstayClient.send; TransientError where the job goes on."""
    ids = [row.change.change_id for row in rows]
    exchange.left |= set(ids)
    sent_at = exchange.clock()
    try:
        reply = await exchange.mainstay.send("POST", PATH, [row.values for row in rows], ",".join(ids))
    except RemoteError as error:
        exchange.request_count += 1
        _note(exchange, rows, None, status=error.status, codes=(error.code or NO_ANSWER,), sent_at=sent_at)
        raise
    exchange.request_count += reply.attempts
    job_id = job_id_of(reply)
    if job_id is None and reply.status >= 400:
        codes = codes_of(reply.status, reply.errors)
        _note(exchange, rows, reply.body, status=reply.status, codes=codes, ms=reply.ms, sent_at=sent_at)
        return [], list(rows)  # refused as a whole, for what stands in one of them
    if job_id is None:
        raise OutcomeUnknown("Mainstay accepted a bulk job without naming it; it may have happened.")
    await asyncio.to_thread(exchange.keep_job, SentJob("mainstay", job_id, "upsert", tuple(ids)))
    return await ask_for(exchange, job_id, rows, origin=origin)


async def ask_for(
    exchange: Exchange, job_id: str, rows: Sequence[BulkRow], *, origin: str
) -> tuple[list[Outcome], list[BulkRow]]:
    """Poll a job to its end: (outcomes, rows whose end it does not tell). Raises TransientError while it works."""
    sent_at, started = exchange.clock(), time.perf_counter()
    job = await _ended(exchange, job_id)
    ms = (time.perf_counter() - started) * 1000
    ends = settle([row.values for row in rows], [row.request.method for row in rows], job)
    if ends is None:
        exchange.sent_before |= {row.change.change_id for row in rows}
        told = {"job_id": job_id, "status": job.status or None}
        _note(exchange, rows, told, status=202, codes=(JOB_FAILED,), ms=ms, sent_at=sent_at)
        return [], list(rows)
    outcomes = []
    for number, (row, (status, errors)) in enumerate(zip(rows, ends, strict=True), 1):
        codes = codes_of(200, errors)
        answer = {"job_id": job_id, "row": number, "errors": list(errors)}
        _note(exchange, [row], answer, status=202, codes=codes, ms=ms, sent_at=sent_at)
        outcomes.append(_outcome(exchange, row, status, errors, origin))
    return outcomes, []


async def _ended(exchange: Exchange, job_id: str) -> BulkJob:
    deadline, wait_seconds = time.monotonic() + PATIENCE_SECONDS, 0.05
    while True:
        await asyncio.sleep(wait_seconds * random.uniform(0.8, 1.2))  # noqa: S311  spreads polls, guards nothing
        wait_seconds = min(wait_seconds * 1.6, 5.0)
        exchange.request_count += 1
        try:
            job = read_job(await exchange.mainstay.get(job_path(job_id)))
        except RemoteError as error:
            if error.status == 404:
                return read_job(None)  # forgotten: its rows are read back
            raise
        if job.is_ended:
            return job
        if time.monotonic() > deadline:
            raise TransientError("Mainstay still works on a bulk job. Push again later; its result is asked for then.")


def _outcome(
    exchange: Exchange,
    row: BulkRow,
    status: Status,
    errors: Sequence[dict[str, Any]],
    origin: str,
) -> Outcome:
    change = row.change
    if status is Status.FAIL and change.request_to("salesforce") is not None:
        status = Status.PARTIAL  # its Salesforce record was written
    return Outcome(
        change_id=change.change_id,
        status=status,
        codes=codes_of(200, errors),
        fail_message=None if status is Status.SUCCESS else as_text(list(errors)),
        endpoint=f"POST {exchange.mainstay_base}{PATH}",
        request_body=as_text(row.values),
        response_status=202,
        record_id=row.record_id or change.salesforce_id,
        mainstay_id=change.mainstay_id,
        origin=origin,
        finished_at=exchange.clock(),
    )


def _note(
    exchange: Exchange,
    rows: Sequence[BulkRow],
    answer: Any,
    *,
    status: int | None,
    codes: tuple[str, ...],
    sent_at: Any,
    ms: float = 0.0,
) -> None:
    """One attempt per row: each change keeps its own part of the array."""
    attempt = Attempt(
        "", "mainstay", "POST", exchange.mainstay_base + PATH, None, status,
        None if answer is None else as_text(answer), codes, ms, sent_at,
    )  # fmt: skip
    for row in rows:
        exchange.note(replace(attempt, change_id=row.change.change_id, request_body=as_text(row.values)))
