"""Push an approved batch: chunk by chunk, intents before requests, outcomes after them, nothing twice."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from workbench.domain.changes import BatchState, Status, check_transition
from workbench.domain.results import Outcome, PlannedChange
from workbench.engine.agreed import keep_pushed
from workbench.errors import (
    AuthenticationFailed,
    ConfigurationError,
    RemoteError,
    StaleBatch,
    TransientError,
    WorkbenchError,
)
from workbench.logs import get_logger
from workbench.mainstay.client import MainstayClient
from workbench.salesforce.client import SalesforceClient
from workbench.settings import Settings
from workbench.stages.claim import check_free, new_claim
from workbench.stages.exchange import Exchange, run_async, utc_now
from workbench.stages.push.chunk import ORIGIN, ChunkResult
from workbench.stages.push.incoming import send_incoming
from workbench.stages.push.outgoing import send_outgoing
from workbench.stages.push.report import PushReport, StopRule
from workbench.stages.readback import read_back
from workbench.store.batches import BatchRow, move_batch, moved_rows, moved_since, read_batch
from workbench.store.database import Store
from workbench.store.journal import (
    code_scores,
    count_rows,
    has_intents,
    open_changes,
    pending_changes,
    take_pause_request,
    write_intents,
    write_results,
)
from workbench.store.mappings import current_mapping

log = get_logger(__name__)

Progress = Callable[[str, int, int | None], None]
OnEvent = Callable[[dict[str, Any]], None]

# Without a canary of the caller's, a push still begins with a small slice, so that the stop rule can speak early.
FIRST_SLICE: Final = 100
# So often a change without an answer is sent in one run: the client repeats a Mainstay PUT by itself, nothing else.
MISSES_OF_REPEATED: Final = 3
MISSES: Final = 8


def push_batch(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str | None = None,
    canary: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    on_event: OnEvent | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> PushReport:
    """Send what is approved and not yet sent; a paused or killed push goes on where it stopped.

    `canary`: how many changes go first. The batch ends `done`, or `paused` by the stop rule or Ctrl-C (which finishes
    the running chunk); `report.reason` says why. `progress(stage, done, total)`; `on_event` receives a dict per chunk.
    Raises NotFound, ApprovalRefused (not approved, or held by another push), StaleBatch; AuthenticationFailed,
    TransientError or RemoteError when a system stops taking requests: the batch is paused then, all answers kept.
    """
    batch = read_batch(store, batch_id)
    check_transition(batch_id, batch.state, BatchState.PUSHING)
    check_free(batch, clock())
    if dry_run:
        _check_stands(store, batch, who="", is_dry=True)
        return _dry(store, batch)
    who = (by or "").strip() or "push"
    _check_stands(store, batch, who=who)
    claim = new_claim()
    move_batch(store, batch, BatchState.PUSHING, who=who, claim=claim.text)
    held = read_batch(store, batch_id)
    push = _Push(store, settings, held, who, claim.text, StopRule(settings.push, canary), clock, progress, on_event)
    with _finish_chunk_on_interrupt() as interrupted:
        push.interrupted = interrupted
        try:
            run_async(push.run())
        except BaseException as error:
            push.pause(f"{type(error).__name__}: {error}" if isinstance(error, WorkbenchError) else "interrupted")
            raise
    return push.report()


@dataclass
class _Push:
    """One run over one batch that it holds."""

    store: Store
    settings: Settings
    batch: BatchRow
    who: str
    run_id: str
    rule: StopRule
    clock: Callable[[], datetime]
    progress: Progress | None
    on_event: OnEvent | None
    interrupted: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.perf_counter)
    total: int = 0
    requests: int = 0
    reason: str = ""
    misses: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Settle what a former run left open, then send chunk after chunk. Raises what stops the push."""
        async with MainstayClient(self.settings.mainstay) as mainstay:
            with SalesforceClient(self.settings.salesforce) as salesforce:
                exchange = Exchange(self.settings, mainstay, salesforce, clock=self.clock)
                try:
                    await self._all_chunks(exchange)
                except (AuthenticationFailed, ConfigurationError, RemoteError) as fault:
                    raise self._stopped(fault) from fault
                finally:
                    self.requests = exchange.request_count
                    self._keep(exchange, [])

    async def _all_chunks(self, exchange: Exchange) -> None:
        self.total = count_rows(self.store, self.batch.batch_id).pending
        take_pause_request(self.store, self.batch.batch_id)  # one meant for a push that is gone
        await self._read_back(exchange)
        size = self.rule.canary or min(FIRST_SLICE, self.settings.push.chunk)
        while not self.reason:
            changes = pending_changes(self.store, self.batch.batch_id, size)
            if not changes:
                self._end(BatchState.DONE, "")
                return
            await self._chunk(exchange, changes)
            size = self.settings.push.chunk
            self.reason = self.rule.reason
            if not self.reason and self.interrupted.is_set():
                self.reason = "stopped by Ctrl-C after the running chunk; push again to go on"
            self.reason = self.reason or take_pause_request(self.store, self.batch.batch_id) or ""
        if count_rows(self.store, self.batch.batch_id).pending:
            self._end(BatchState.PAUSED, self.reason)
        else:
            self._end(BatchState.DONE, self.reason)

    async def _chunk(self, exchange: Exchange, changes: Sequence[PlannedChange]) -> None:
        write_intents(self.store, self.batch.batch_id, self.run_id, changes)
        result = await self._send(exchange, changes)
        self._keep(exchange, result.outcomes, changes)
        if result.fault is not None:
            raise result.fault
        if result.lost:
            await self._settle(exchange, changes, result)
        self._tell()

    async def _send(self, exchange: Exchange, changes: Sequence[PlannedChange]) -> ChunkResult:
        if self.batch.direction == "import":
            return await send_incoming(exchange, changes)
        return await send_outgoing(self.store, exchange, changes)

    async def _read_back(self, exchange: Exchange) -> None:
        waiting = open_changes(self.store, self.batch.batch_id)
        if waiting:
            outcomes = await read_back(self.store, exchange, self.batch.batch_id, waiting)
            self._keep(exchange, outcomes, [item.change for item in waiting])

    async def _settle(self, exchange: Exchange, changes: Sequence[PlannedChange], result: ChunkResult) -> None:
        """Read back what got no answer. What stays open is sent again, so often, and is a person's question then."""
        await self._read_back(exchange)
        by_id = {change.change_id: change for change in changes}
        given_up = []
        for change_id, error in result.lost.items():
            self.misses[change_id] = self.misses.get(change_id, 0) + 1
            if self.misses[change_id] < _patience(by_id[change_id]):
                continue
            if not _may_have_happened(error):
                raise error
            change = by_id[change_id]
            await exchange.check_answering(change)
            given_up.append(
                await exchange.silent_outcome(
                    change,
                    change.requests[0],
                    Status.UNKNOWN,
                    origin=ORIGIN,
                    message=str(error),
                    response_status=error.status,
                )
            )
        self._keep(exchange, given_up, changes)

    def _keep(self, exchange: Exchange, outcomes: Sequence[Outcome], changes: Sequence[PlannedChange] = ()) -> None:
        """Journal what was sent and how it ended, in FIFO order."""
        attempts = exchange.take_attempts()
        if not attempts and not outcomes:
            return
        seq = {change.change_id: change.seq for change in changes}
        ordered = sorted(outcomes, key=lambda outcome: seq.get(outcome.change_id, 0))
        write_results(self.store, self.batch.batch_id, self.run_id, attempts, ordered)
        self.rule.note(ordered, {change.change_id: change.predicted_status for change in changes})

    def _tell(self) -> None:
        seconds = time.perf_counter() - self.started
        if self.progress is not None:
            self.progress("push", self.rule.sent, self.total)
        if self.on_event is not None:
            self.on_event(
                {
                    "event": "chunk",
                    "batch": self.batch.batch_id,
                    "sent": self.rule.sent,
                    "remaining": max(self.total - self.rule.sent, 0),
                    "rate": self.rule.sent / seconds if seconds else 0.0,
                    "seconds": seconds,
                    "predicted": dict(self.rule.predicted),
                    "actual": {str(status): count for status, count in self.rule.actual.items()},
                    "beyond_prediction": self.rule.beyond,
                }
            )

    def _stopped(self, fault: WorkbenchError) -> WorkbenchError:
        """The fault with where it leaves the batch."""
        counts = count_rows(self.store, self.batch.batch_id)
        ended = sum(counts.outcomes.values())
        text = (
            f"{fault} Batch {self.batch.batch_id} is paused after {ended} of {ended + counts.pending} changes; "
            "push it again to go on."
        )
        if isinstance(fault, TransientError):
            return TransientError(text, code=fault.code, status=fault.status)
        if isinstance(fault, RemoteError):
            return RemoteError(text, code=fault.code, status=fault.status)
        kind = next(
            kind for kind in (AuthenticationFailed, ConfigurationError, WorkbenchError) if isinstance(fault, kind)
        )
        return kind(text)

    def pause(self, reason: str) -> None:
        """Let go of the batch after something raised; where even that fails, the next push sees that this one died."""
        try:
            self._end(BatchState.PAUSED, reason)
        except WorkbenchError:
            log.warning("the batch could not be paused", extra={"batch_id": self.batch.batch_id})

    def _end(self, state: BatchState, reason: str) -> None:
        move_batch(self.store, self.batch, state, who=self.who, reason=reason)
        if state is BatchState.DONE and (mapping := current_mapping(self.store)) is not None:
            keep_pushed(self.store, mapping, self.batch.batch_id)
        self.batch = replace(self.batch, state=state, claim=None)
        log.info("push ended", extra={"batch_id": self.batch.batch_id, "state": state, "sent": self.rule.sent})

    def report(self) -> PushReport:
        counts = count_rows(self.store, self.batch.batch_id)
        return PushReport(
            batch=self.batch.batch_id,
            state=self.batch.state,
            counts=_all_statuses(counts.outcomes),
            sent=self.rule.sent,
            requests=self.requests,
            seconds=time.perf_counter() - self.started,
            scores=code_scores(self.store, self.batch.batch_id),
            pending=counts.pending,
            reason=self.reason,
        )


def _check_stands(store: Store, batch: BatchRow, *, who: str, is_dry: bool = False) -> None:
    """Raise StaleBatch, and mark the batch, when what it pinned has moved; once sending has begun, its rows alone."""
    has_begun = has_intents(store, batch.batch_id)
    moved = moved_rows(store, batch) if has_begun else moved_since(store, batch)
    if not moved:
        return
    what = "; ".join(moved)
    if not is_dry:
        move_batch(store, batch, BatchState.STALE, who=who, reason=what)
    nothing = "Nothing more" if has_begun else "Nothing"
    raise StaleBatch(
        f"Batch {batch.batch_id} is stale: {what}. {nothing} of it is sent. Preview again and make a new batch."
    )


def _dry(store: Store, batch: BatchRow) -> PushReport:
    counts = count_rows(store, batch.batch_id)
    planned = [
        {
            "change": change.change_id,
            "system": request.system,
            "method": request.method,
            "path": request.path,
            "body": request.values,
        }
        for change in pending_changes(store, batch.batch_id)
        for request in change.requests
    ]
    return PushReport(
        batch.batch_id, batch.state, _all_statuses(counts.outcomes), pending=counts.pending, planned=planned
    )


def _all_statuses(counts: Any) -> dict[str, int]:
    return {str(status): counts.get(str(status), 0) for status in Status}


def _patience(change: PlannedChange) -> int:
    is_repeated = all(request.system == "mainstay" and request.method == "PUT" for request in change.requests)
    return MISSES_OF_REPEATED if is_repeated else MISSES


def _may_have_happened(error: RemoteError) -> bool:
    """Whether a lost answer leaves open if the request was carried out; a request never taken does not."""
    return type(error) is not TransientError


@contextmanager
def _finish_chunk_on_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C asks for a stop after the running chunk; a second one interrupts at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
