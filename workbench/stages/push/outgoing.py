"""Export: each change is one prepared Mainstay request, with the package's ladder below it when the state has moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from workbench.domain.error_dictionary import BY_NUMBER
from workbench.domain.results import Outcome, PlannedChange
from workbench.errors import WorkbenchError
from workbench.mainstay.reply import Reply
from workbench.mainstay.upsert import Step, contact_path, upsert
from workbench.stages.bulk_mainstay import BulkRow, arrays, as_row, send_array
from workbench.stages.exchange import Exchange, in_parallel
from workbench.stages.push.chunk import ORIGIN, ChunkResult, in_order, is_refusal
from workbench.stages.readback import confirm_contact
from workbench.store.database import Store

JOBS_AT_ONCE: Final = 4
_OWN_CRM_ID_EXISTS: Final = BY_NUMBER[7].message


async def send_outgoing(
    store: Store, exchange: Exchange, changes: Sequence[PlannedChange], *, by_bulk: bool = False
) -> ChunkResult:
    """Send a chunk: groups strictly in order, everything else side by side, at most `concurrency` at once."""
    result = ChunkResult()
    alone: Sequence[PlannedChange] = changes
    if by_bulk:
        rows = {change.change_id: as_row(change, change.requests[0]) for change in changes}
        left_over = await send_in_bulk(exchange, [row for row in rows.values() if row is not None], result)
        again = {row.change.change_id for row in left_over}
        alone = [change for change in changes if rows[change.change_id] is None or change.change_id in again]
    lines = deque(in_order(alone))

    async def worker() -> None:
        while lines and result.fault is None and not exchange.is_stopping():
            for change in lines.popleft():
                if result.fault is not None:
                    return
                try:
                    result.end(await send_change(store, exchange, change))
                except WorkbenchError as error:
                    result.miss([change], error)
                    break  # those after it in its group stand on what it does

    await in_parallel(worker, min(exchange.settings.mainstay.concurrency, len(lines)))
    await result.settle_refused(exchange)
    return result


async def send_in_bulk(
    exchange: Exchange, rows: Sequence[BulkRow], result: ChunkResult, *, to_the_end: bool = False
) -> list[BulkRow]:
    """Send rows as jobs, a few at a time, with their ends in `result`; those that have to go alone are returned.

    `to_the_end`: also when the push is asked to stop meanwhile.
    """
    waiting, alone = arrays(rows, exchange.settings.mainstay.bulk_rows)
    waiting.reverse()

    async def worker() -> None:
        while waiting and result.fault is None and (to_the_end or not exchange.is_stopping()):
            array = waiting.pop()
            try:
                outcomes, left_over = await send_array(exchange, array, origin=ORIGIN)
            except WorkbenchError as error:
                if is_refusal(error):  # of the array, by something before the API: one by one tells which
                    alone.extend(array)
                    continue
                result.miss([row.change for row in array], error)
                continue
            for outcome in outcomes:
                result.end(outcome)
            alone.extend(left_over)

    await in_parallel(worker, min(JOBS_AT_ONCE, exchange.settings.mainstay.concurrency, len(waiting)))
    return alone


async def send_change(store: Store, exchange: Exchange, change: PlannedChange) -> Outcome:
    """Send what was approved; only not-found, which means that the state moved, leads on down the ladder."""
    request = change.requests[0]
    values: Mapping[str, Any] = request.values
    reply = await exchange.to_mainstay(change.change_id, request.method, request.path, values)
    if request.method == "PUT" and reply.is_not_found and not _is_by_mainstay_id(change):
        reply, values = await _go_on(exchange, change, reply, values)
    if change.change_id in exchange.sent_before and _is_own_echo(reply):
        echo = await confirm_contact(store, exchange, change)
        if echo is not None:
            return echo
    return exchange.mainstay_outcome(change, reply, values, origin=ORIGIN)


def _is_by_mainstay_id(change: PlannedChange) -> bool:
    """A request to one contact by Mainstay's own id (an undo) is about that contact and no other."""
    return change.mainstay_id is not None and change.requests[0].path == contact_path(change.mainstay_id)


async def _go_on(
    exchange: Exchange, change: PlannedChange, reply: Reply, values: Mapping[str, Any]
) -> tuple[Reply, Mapping[str, Any]]:
    """The rest of the package's order. The CRM ID always travels along: without it a PUT by phone has no guard."""
    start: Step = "crm" if change.requests[0].path == contact_path(change.salesforce_id or "") else "phone"
    steps = upsert({**values, "crm_id": change.salesforce_id}, start=start)
    first = next(steps, None)
    if first is None or first.step != start:
        return reply, values
    sent: Mapping[str, Any] = values
    while True:
        try:
            step = steps.send(reply)
        except StopIteration:
            return reply, sent
        sent = step.body
        reply = await exchange.to_mainstay(change.change_id, step.method, step.path, step.body)


def _is_own_echo(reply: Reply) -> bool:
    """A create refused because its CRM ID exists, after an earlier request of the same change may have made it."""
    return reply.method == "POST" and any(item.get("message") == _OWN_CRM_ID_EXISTS for item in reply.errors)
