"""Import: the Salesforce records of a chunk, in Collections or as bulk jobs, then the write-back of their Ids."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from workbench.domain.results import PlannedChange, Request
from workbench.errors import RemoteError, TransientError, WorkbenchError
from workbench.salesforce.ingest import fits_bulk, pieces
from workbench.salesforce.writer import Operation, Record, RecordResult, chunks
from workbench.stages.bulk_mainstay import as_row
from workbench.stages.bulk_salesforce import send_job
from workbench.stages.exchange import Exchange, Target, in_parallel, target_of
from workbench.stages.push.chunk import ORIGIN, ChunkResult, in_waves
from workbench.stages.push.outgoing import send_in_bulk
from workbench.stages.write_back import send_write_back

# A locked record is free again within moments; three more tries, then it is refused.
LOCK_WAIT_SECONDS: Final = (1.0, 3.0, 9.0)


async def send_incoming(exchange: Exchange, changes: Sequence[PlannedChange], *, by_bulk: bool = False) -> ChunkResult:
    """Send a chunk in waves, so that changes of one identity group never share a request or overtake each other."""
    result = ChunkResult()
    held: set[object] = set()
    for wave in in_waves(changes):
        if result.fault is not None or exchange.is_stopping():
            break
        free = [change for change in wave if change.group_id is None or change.group_id not in held]
        await _send_wave(exchange, free, result, by_bulk=by_bulk)
        ended = {outcome.change_id for outcome in result.outcomes}
        held |= {change.group_id for change in wave if change.group_id is not None and change.change_id not in ended}
    await result.settle_refused(exchange)
    return result


async def _send_wave(exchange: Exchange, wave: Sequence[PlannedChange], result: ChunkResult, *, by_bulk: bool) -> None:
    by_id = {change.change_id: change for change in wave}
    written: dict[str, RecordResult] = {}
    for target, records in _by_target([change for change in wave if change.request_to("salesforce") is not None]):
        written |= await _in_bulk(exchange, target, records, by_id, result) if by_bulk else {}
        open_keys = by_id.keys() - written.keys() - result.lost.keys()
        for collection in chunks([record for record in records if record.key in open_keys]):
            if result.fault is not None or exchange.is_stopping():
                break
            try:
                answers = await _send_records(exchange, target, collection)
            except TransientError as error:
                result.miss([by_id[record.key] for record in collection], error)
                continue
            except WorkbenchError as error:
                result.stop(error)  # the session, the day's limit, a permission: no other request would fare better
                break
            written |= {answer.key: answer for answer in answers}
    ready: deque[tuple[PlannedChange, str | None]] = deque()
    for change in wave:
        request, answer = change.request_to("salesforce"), written.get(change.change_id)
        if request is None:
            ready.append((change, change.salesforce_id))
        elif answer is None:
            continue
        elif answer.success and change.request_to("mainstay") is not None:
            ready.append((change, answer.record_id))
        else:
            result.end(await exchange.salesforce_outcome(change, request, answer, origin=ORIGIN))
    await _write_back(exchange, ready, result, by_bulk=by_bulk and exchange.settings.mainstay.bulk)


async def _in_bulk(
    exchange: Exchange,
    target: tuple[Operation, str],
    records: Sequence[Record],
    by_id: Mapping[str, PlannedChange],
    result: ChunkResult,
) -> dict[str, RecordResult]:
    """The records of one kind as bulk jobs, where there are enough; results of those that were settled.

    A job that fails leaves the rest to Collections; locked records too, which are tried again there.
    """
    fitting = [record for record in records if fits_bulk(record.values)]
    threshold = exchange.settings.salesforce.bulk_threshold
    if threshold is None or len(fitting) < threshold:
        return {}
    settled: dict[str, RecordResult] = {}
    for piece in pieces(fitting):
        if result.fault is not None or exchange.is_stopping():
            break
        try:
            found = await send_job(exchange, *target, piece)
        except TransientError as error:
            result.miss([by_id[record.key] for record in piece], error)
            continue
        except WorkbenchError as error:
            result.stop(error)
            break
        settled |= {key: answer for key, answer in found.settled.items() if not answer.is_transient}
        if found.unsettled:
            lost = TransientError("Salesforce's bulk job does not tell what became of a record; it may have happened.")
            result.miss([by_id[key] for key in found.unsettled], lost)
        if not found.is_complete:
            break
    return settled


async def _write_back(
    exchange: Exchange, ready: deque[tuple[PlannedChange, str | None]], result: ChunkResult, *, by_bulk: bool
) -> None:
    if by_bulk:
        made = [(change, _write_back_request(change, record_id), record_id) for change, record_id in ready]
        rows = [row for item in made if (row := as_row(*item)) is not None]
        left_over = await send_in_bulk(exchange, rows, result, to_the_end=True)
        gone = {row.change.change_id for row in rows} - {row.change.change_id for row in left_over}
        ready = deque(item for item in ready if item[0].change_id not in gone)

    async def worker() -> None:  # to the end, also when asked to stop: half a pair is worse than a moment
        while ready and result.fault is None:
            change, record_id = ready.popleft()
            request = _write_back_request(change, record_id)
            try:
                result.end(await send_write_back(exchange, change, request, record_id, origin=ORIGIN))
            except WorkbenchError as error:
                result.miss([change], error)

    await in_parallel(worker, min(exchange.settings.mainstay.concurrency, len(ready)))


def _write_back_request(change: PlannedChange, record_id: str | None) -> Request:
    request = change.request_to("mainstay")
    assert request is not None
    return request if record_id is None else request.with_record_id(record_id)


def _by_target(changes: Sequence[PlannedChange]) -> list[tuple[tuple[Operation, str], list[Record]]]:
    """Records by operation and object."""
    named: list[tuple[Target, Record]] = []
    for change in changes:
        request = change.request_to("salesforce")
        assert request is not None
        target = target_of(request)
        named.append((target, Record(change.change_id, request.values, target.record_id, change.change_id)))

    def kind(item: tuple[Target, Record]) -> tuple[Operation, str]:
        return item[0].operation, item[0].sobject

    return [(key, [record for _, record in group]) for key, group in groupby(sorted(named, key=kind), key=kind)]


async def _send_records(
    exchange: Exchange, target: tuple[Operation, str], records: Sequence[Record]
) -> list[RecordResult]:
    """One Collections request; locked records are tried again, and a body nobody can read is searched for."""
    results = {answer.key: answer for answer in await _send_halves(exchange, target, records)}
    for wait_seconds in LOCK_WAIT_SECONDS:
        locked = [record for record in records if results[record.key].is_transient]
        if not locked:
            break
        await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311  spreads tries, guards nothing
        results |= {answer.key: answer for answer in await _send_halves(exchange, target, locked)}
    return [results[record.key] for record in records]


async def _send_halves(
    exchange: Exchange, target: tuple[Operation, str], records: Sequence[Record]
) -> list[RecordResult]:
    """Send; where Salesforce refuses the request as a whole for what stands in one record, find that one by halves.

    Raises as SalesforceWriter.write.
    """
    operation, sobject = target
    try:
        return await exchange.to_salesforce(operation, sobject, records)
    except RemoteError as error:
        if isinstance(error, TransientError) or error.status != 400:
            raise
        if len(records) == 1:
            item = {"statusCode": error.code or "http-400", "message": str(error), "fields": []}
            return [RecordResult(records[0].key, records[0].record_id, success=False, errors=(item,), status=400)]
    middle = len(records) // 2
    first = await _send_halves(exchange, target, records[:middle])
    return first + await _send_halves(exchange, target, records[middle:])
