"""Settle what a broken push left open, without sending anything that was not on its way already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workbench.domain.changes import BatchState
from workbench.mainstay.client import MainstayClient
from workbench.salesforce.client import SalesforceClient
from workbench.settings import Settings
from workbench.stages.claim import check_free, new_claim
from workbench.stages.exchange import Exchange, run_async, utc_now
from workbench.stages.readback import read_back
from workbench.store.batches import move_batch, read_batch
from workbench.store.database import Store
from workbench.store.journal import OpenChange, count_rows, open_changes
from workbench.store.ledger import write_results


@dataclass(frozen=True)
class ReconcileReport:
    """What could be told. settled: status -> changes; to_send_again: changes the next push may safely send again."""

    batch: int
    state: BatchState
    settled: Mapping[str, int] = field(default_factory=dict)
    to_send_again: int = 0


def reconcile(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> ReconcileReport:
    """Read back every change of a batch that was about to be sent and has no outcome.

    A create that happened becomes an outcome (its Id is written back to Mainstay, as approved); one that did not stays
    for the next push; several candidates become `unknown`, for a person. The batch ends `done` or `paused`.
    Raises ApprovalRefused while a push is at work on it; AuthenticationFailed or TransientError when a system cannot
    be asked.
    """
    batch = read_batch(store, batch_id)
    check_free(batch, clock())
    waiting = open_changes(store, batch_id)
    if not waiting or batch.state not in {BatchState.PUSHING, BatchState.PAUSED}:
        return ReconcileReport(batch_id, batch.state)
    who = (by or "").strip() or "reconcile"
    claim = new_claim()
    move_batch(store, batch, BatchState.PUSHING, who=who, reason="reading back", claim=claim.text)
    held = read_batch(store, batch_id)
    try:
        settled = run_async(_settle(store, settings, batch_id, claim.text, waiting, clock=clock))
    finally:
        after = BatchState.PAUSED if count_rows(store, batch_id).pending else BatchState.DONE
        move_batch(store, held, after, who=who, reason="read back")
    return ReconcileReport(batch_id, after, settled, len(waiting) - sum(settled.values()))


async def _settle(
    store: Store,
    settings: Settings,
    batch_id: int,
    run: str,
    waiting: list[OpenChange],
    *,
    clock: Callable[[], datetime],
) -> dict[str, int]:
    async with MainstayClient(settings.mainstay) as mainstay:
        with SalesforceClient(settings.salesforce) as salesforce:
            exchange = Exchange(settings, mainstay, salesforce, clock=clock)
            try:
                outcomes = await read_back(store, exchange, batch_id, waiting)
            except BaseException:
                write_results(store, batch_id, run, exchange.take_attempts(), [])
                raise
            write_results(store, batch_id, run, exchange.take_attempts(), outcomes)
    return {str(status): count for status, count in Counter(outcome.status for outcome in outcomes).items()}
