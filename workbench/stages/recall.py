"""Bulk jobs of an earlier run: their numbers stand in the journal, so their ends are asked for, not guessed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from workbench.domain.results import Outcome, PlannedChange
from workbench.salesforce.writer import Record, RecordResult
from workbench.stages import bulk_mainstay, bulk_salesforce
from workbench.stages.exchange import Exchange, in_parallel, target_of
from workbench.stages.write_back import finish_created
from workbench.store.database import Store
from workbench.store.journal import OpenChange, created_record_ids
from workbench.store.ledger import SentJob, jobs_of

ORIGIN: Final = "reconcile"


async def recall_jobs(
    store: Store, exchange: Exchange, batch_id: int, waiting: Sequence[OpenChange]
) -> tuple[list[Outcome], list[OpenChange]]:
    """(outcomes told by bulk jobs, changes to be settled in another way).

    Raises AuthenticationFailed or TransientError when a system cannot be asked, or a job is still at work.
    """
    outcomes: list[Outcome] = []
    jobs = jobs_of(store, batch_id)
    known = set(created_record_ids(store, batch_id)) if jobs else set()
    open_changes = {item.change.change_id: item.change for item in waiting}
    for job in jobs:
        here = [open_changes[name] for name in job.change_ids if name in open_changes and name not in known]
        if not here:
            continue
        told = await _recall(exchange, job, here, is_whole=len(here) == len(job.change_ids))
        outcomes += told
        for outcome in told:
            del open_changes[outcome.change_id]
    return outcomes, [item for item in waiting if item.change.change_id in open_changes]


async def _recall(
    exchange: Exchange, job: SentJob, changes: Sequence[PlannedChange], *, is_whole: bool
) -> list[Outcome]:
    if job.system == "mainstay":
        rows = [bulk_mainstay.as_row(change, change.requests[0]) for change in changes]
        if len(changes) != len(job.change_ids) or None in rows or changes[0].direction != "export":
            return []  # rows are numbered over the whole array; a write-back is simply sent again
        found = [row for row in rows if row is not None]
        return (await bulk_mainstay.ask_for(exchange, job.job_id, found, origin=ORIGIN))[0]
    if job.operation == "create" and not is_whole:
        return []  # creates are told apart by content: with some of them missing, a twin could be taken
    by_id = {change.change_id: change for change in changes}
    result = await bulk_salesforce.recall(exchange, job, [_record(change) for change in changes])
    settled = result.settled if result is not None else {}
    return await _finished(exchange, by_id, settled)


async def _finished(
    exchange: Exchange, by_id: Mapping[str, PlannedChange], settled: Mapping[str, RecordResult]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    ended = deque(answer for answer in settled.values() if not answer.is_transient)

    async def worker() -> None:
        while ended:
            answer = ended.popleft()
            change = by_id[answer.key]
            request = change.request_to("salesforce")
            assert request is not None
            if answer.success and answer.record_id is not None and request.method == "POST":
                outcomes.append(await finish_created(exchange, change, request, answer.record_id, origin=ORIGIN))
            elif not answer.success or change.request_to("mainstay") is None:
                outcomes.append(await exchange.salesforce_outcome(change, request, answer, origin=ORIGIN))

    await in_parallel(worker, min(exchange.settings.mainstay.concurrency, len(ended)))
    return outcomes


def _record(change: PlannedChange) -> Record:
    request = change.request_to("salesforce")
    assert request is not None
    return Record(change.change_id, request.values, target_of(request).record_id, change.change_id)
