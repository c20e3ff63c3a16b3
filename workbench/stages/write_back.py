"""The second half of an import: Mainstay learns the Salesforce Id of the record that was made for its contact."""

from __future__ import annotations

from dataclasses import replace

from workbench.domain.changes import Status
from workbench.domain.results import Outcome, PlannedChange, Request
from workbench.stages.exchange import Exchange


async def finish_created(
    exchange: Exchange, change: PlannedChange, request: Request, record_id: str, *, origin: str
) -> Outcome:
    """Go on after a create that happened: the write-back of its Id, where the change has one."""
    write_back = change.request_to("mainstay")
    if write_back is None:
        return await exchange.silent_outcome(change, request, Status.SUCCESS, origin=origin, record_id=record_id)
    return await send_write_back(exchange, change, write_back.with_record_id(record_id), record_id, origin=origin)


async def send_write_back(
    exchange: Exchange, change: PlannedChange, request: Request, record_id: str | None, *, origin: str
) -> Outcome:
    """Tell Mainstay the Salesforce Id. Where the record was just written, a refusal leaves the change partial."""
    reply = await exchange.to_mainstay(change.change_id, request.method, request.path, request.values)
    outcome = exchange.mainstay_outcome(change, reply, request.values, origin=origin, record_id=record_id)
    if outcome.status is Status.FAIL and change.request_to("salesforce") is not None:
        return replace(outcome, status=Status.PARTIAL)
    return outcome
