"""Push an approved batch: chunk by chunk, intents before requests, outcomes after them, nothing twice."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from workbench.domain.changes import BatchState, Status, check_transition
from workbench.domain.results import Attempt, Outcome, PlannedChange
from workbench.engine.agreed import keep_pushed
from workbench.errors import (
    AuthenticationFailed,
    ConfigurationError,
    RemoteError,
    StoreBusy,
    TransientError,
    WorkbenchError,
)
from workbench.logs import get_logger
from workbench.mainstay.client import MainstayClient
from workbench.salesforce.client import SalesforceClient
from workbench.settings import Settings
from workbench.stages.claim import check_free, new_claim
from workbench.stages.exchange import Exchange, run_async, utc_now
from workbench.stages.push.begin import check_calls, check_stands, dry_report
from workbench.stages.push.chunk import ORIGIN, ChunkResult
from workbench.stages.push.incoming import send_incoming
from workbench.stages.push.interrupt import stop_on_interrupt
from workbench.stages.push.outgoing import send_outgoing
from workbench.stages.push.report import PushReport, StopRule, all_statuses
from workbench.stages.readback import read_back
from workbench.store.batches import BatchRow, move_batch, read_batch
from workbench.store.database import Store
from workbench.store.journal import (
    OpenChange,
    code_scores,
    count_rows,
    open_changes,
    take_pause_request,
)
from workbench.store.ledger import Place, SentJob, keep_job, record_and_arm, take_back, write_results
from workbench.store.mappings import current_mapping

log = get_logger(__name__)

Progress = Callable[[str, int, int | None], None]
OnEvent = Callable[[dict[str, Any]], None]

# Without a canary of the caller's, a push still begins with a small slice, so that the stop rule can speak early.
FIRST_SLICE: Final = 100
# So often a change without an answer is sent in one run: the client repeats a Mainstay PUT by itself, nothing else.
MISSES_OF_REPEATED: Final = 3
MISSES: Final = 8
MAX_WAIT_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 1.0


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

    `canary`: how many changes go first. The batch ends `done`, or `paused` by the stop rule, by request or by Ctrl-C
    (what is under way is waited for); `report.reason` says why. `progress(stage, done, total)`; `on_event` receives a
    dict per chunk. Raises ConfigurationError (a canary below 1), NotFound, StaleBatch, ApprovalRefused (not approved,
    held by another push, or more calls than Salesforce has left today); StoreFull, with everything answered before
    kept; AuthenticationFailed, TransientError or RemoteError when a system stops taking requests: the batch is paused
    then, all answers kept.
    """
    if canary is not None and canary < 1:
        raise ConfigurationError(f"A canary of {canary} sends nothing first: name 1 or more, or leave it out.")
    batch = read_batch(store, batch_id)
    check_transition(batch_id, batch.state, BatchState.PUSHING)
    check_free(batch, clock())
    if dry_run:
        check_stands(store, batch, who="", is_dry=True)
        return dry_report(store, batch)
    who = (by or "").strip() or "push"
    check_stands(store, batch, who=who)
    asked = check_calls(store, settings, batch)
    claim = new_claim()
    move_batch(store, batch, BatchState.PUSHING, who=who, claim=claim.text)
    held = read_batch(store, batch_id)
    push = _Push(store, settings, held, who, claim.text, StopRule(settings.push, canary), clock, progress, on_event)
    push.requests = asked
    with stop_on_interrupt() as interrupted:
        push.interrupted = interrupted
        try:
            run_async(push.run())
        except BaseException as error:
            push.pause(f"{type(error).__name__}: {error}" if isinstance(error, WorkbenchError) else "interrupted")
            raise
    return push.report()


@dataclass
class _Push:
    """One run over one batch that it holds.

    While a chunk is under way, a thread writes the answers of the one before it and the intents of the one after it.
    """

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
    by_bulk: bool = False
    pause_asked: str = ""
    misses: dict[str, int] = field(default_factory=dict)
    # Answers that are not in the journal yet, and changes whose intents are, and which may not have left.
    attempts: list[Attempt] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    armed: dict[str, OpenChange] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    async def run(self) -> None:
        """Settle what a former run left open, then send chunk after chunk. Raises what stops the push."""
        async with MainstayClient(self.settings.mainstay) as mainstay:
            with SalesforceClient(self.settings.salesforce) as salesforce:
                exchange = Exchange(
                    self.settings, mainstay, salesforce, clock=self.clock, keep_job=self._keep_job,
                    is_stopping=self._is_stopping,
                )  # fmt: skip
                watch = asyncio.create_task(self._watch_for_pause())
                try:
                    await self._all_chunks(exchange)
                except (AuthenticationFailed, ConfigurationError, RemoteError) as fault:
                    raise self._stopped(fault) from fault
                finally:
                    watch.cancel()
                    self.requests += exchange.request_count
                    self._let_go(exchange)

    async def _all_chunks(self, exchange: Exchange) -> None:
        self.total = count_rows(self.store, self.batch.batch_id).pending
        self.by_bulk = self._is_large()
        take_pause_request(self.store, self.batch.batch_id)  # one meant for a push that is gone
        await self._read_back(exchange)
        chunk = await self._arm(self.rule.canary or min(FIRST_SLICE, self.settings.push.chunk))
        is_first = True
        while chunk and not self._why_stop():
            # The first slice is judged before anything stands ready behind it.
            ahead = None if is_first else asyncio.create_task(self._arm(self._size))
            try:
                result = await self._send(exchange, chunk, by_bulk=self.by_bulk and not is_first)
            finally:
                following = await ahead if ahead is not None else None
            again = await self._ended(exchange, chunk, result)
            if self._why_stop():
                break
            chunk = again + (await self._arm(self._size) if following is None else following)
            is_first = False
        self._let_go(exchange)
        if count_rows(self.store, self.batch.batch_id).pending:
            self._end(BatchState.PAUSED, self.reason)
        else:
            self.reason = self.rule.reason  # whoever asked it to stop asked too late
            self._end(BatchState.DONE, self.reason)

    @property
    def _size(self) -> int:
        return self.settings.push.bulk_chunk if self.by_bulk else self.settings.push.chunk

    def _is_large(self) -> bool:
        """Whether the batch is one for the bulk ways, as far as they are switched on."""
        mainstay, salesforce = self.settings.mainstay, self.settings.salesforce
        if self.batch.direction == "export":
            return mainstay.bulk and self.total >= mainstay.bulk_threshold
        return salesforce.bulk_threshold is not None and self.total >= salesforce.bulk_threshold

    async def _arm(self, size: int) -> list[PlannedChange]:
        """The next changes, with their intents in the journal; what was answered so far is written along."""
        attempts, outcomes = self.attempts, self.outcomes
        self.attempts, self.outcomes = [], []
        try:
            found = await asyncio.to_thread(
                record_and_arm, self.store, self.batch.batch_id, self.run_id, attempts, outcomes,
                after=self.place, size=size,
            )  # fmt: skip
        except StoreBusy:
            self.attempts, self.outcomes = attempts + self.attempts, outcomes + self.outcomes
            raise
        self.place = found.after
        if found.is_pause_asked:
            self.pause_asked = take_pause_request(self.store, self.batch.batch_id) or self.pause_asked
        self.armed |= {change.change_id: OpenChange(change, found.at) for change in found.changes}
        return list(found.changes)

    async def _ended(
        self, exchange: Exchange, changes: Sequence[PlannedChange], result: ChunkResult
    ) -> list[PlannedChange]:
        """Settle a chunk; the changes of it that are to be sent once more, or have not left yet, in order."""
        self._note(exchange, result.outcomes)
        if result.fault is not None:
            raise result.fault
        if result.lost:
            await self._settle(exchange, result)
        self._tell()
        return [change for change in changes if change.change_id in self.armed]

    async def _send(self, exchange: Exchange, changes: Sequence[PlannedChange], *, by_bulk: bool) -> ChunkResult:
        if self.batch.direction == "import":
            return await send_incoming(exchange, changes, by_bulk=by_bulk)
        return await send_outgoing(self.store, exchange, changes, by_bulk=by_bulk)

    async def _read_back(self, exchange: Exchange) -> None:
        """What a former run of this batch may have sent."""
        waiting = open_changes(self.store, self.batch.batch_id)
        if waiting:
            self.armed |= {item.change.change_id: item for item in waiting}
            self._note(exchange, await read_back(self.store, exchange, self.batch.batch_id, waiting))
            self._write(exchange)
            self.armed.clear()  # those still open are armed anew, in their order

    async def _settle(self, exchange: Exchange, result: ChunkResult) -> None:
        """Read back what got no answer. What stays open is sent again, so often, and is a person's question then."""
        self._write(exchange)  # what was made is spoken for before others are looked for
        lost = [self.armed[name] for name in result.lost if name in self.armed]
        self._note(exchange, await read_back(self.store, exchange, self.batch.batch_id, lost))
        tries = 0
        for item in lost:
            change, error = item.change, result.lost[item.change.change_id]
            if change.change_id not in self.armed:
                continue
            self.misses[change.change_id] = self.misses.get(change.change_id, 0) + 1
            tries = max(tries, self.misses[change.change_id])
            if self.misses[change.change_id] < _patience(change):
                continue
            if not _may_have_happened(error):
                raise error
            await exchange.check_answering(change)
            outcome = await exchange.silent_outcome(
                change, change.requests[0], Status.UNKNOWN, origin=ORIGIN, message=str(error),
                response_status=error.status,
            )  # fmt: skip
            self._note(exchange, [outcome])
        if tries:
            await asyncio.sleep(min(MAX_WAIT_SECONDS, 0.1 * 2**tries) * random.uniform(0.5, 1.5))  # noqa: S311  spreads tries, guards nothing

    def _note(self, exchange: Exchange, outcomes: Sequence[Outcome]) -> None:
        """Keep answers for the journal, outcomes in FIFO order."""
        ordered = sorted(outcomes, key=lambda outcome: self.armed[outcome.change_id].change.seq)
        self.attempts += exchange.take_attempts()
        self.outcomes += ordered
        self.rule.note(
            ordered, {item.change_id: self.armed[item.change_id].change.predicted_status for item in ordered}
        )
        for outcome in ordered:
            del self.armed[outcome.change_id]

    def _write(self, exchange: Exchange) -> None:
        """Journal what was answered so far."""
        self.attempts += exchange.take_attempts()
        attempts, outcomes = self.attempts, self.outcomes
        write_results(self.store, self.batch.batch_id, self.run_id, attempts, outcomes)
        self.attempts, self.outcomes = [], []

    def _keep_job(self, job: SentJob) -> None:
        keep_job(self.store, self.batch.batch_id, self.run_id, job)

    async def _watch_for_pause(self) -> None:
        """Look now and then whether somebody asks for a pause: nothing new leaves from then on."""
        while not self.pause_asked:
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(StoreBusy):
                asked = await asyncio.to_thread(take_pause_request, self.store, self.batch.batch_id)
                self.pause_asked = asked or self.pause_asked  # another taker may have been faster

    def _let_go(self, exchange: Exchange) -> None:
        """Journal the last answers, and take the intents back of what certainly never left."""
        self._write(exchange)
        unsent = [name for name in self.armed if name not in exchange.left]
        take_back(self.store, self.batch.batch_id, self.run_id, unsent)
        for name in unsent:
            del self.armed[name]

    def _is_stopping(self) -> bool:
        return bool(self.pause_asked) or self.interrupted.is_set()

    def _why_stop(self) -> str:
        """Why the push halts here, in a sentence; "" while it goes on."""
        by_hand = "stopped by Ctrl-C; push again to go on" if self.interrupted.is_set() else self.pause_asked
        self.reason = self.reason or self.rule.reason or by_hand
        return self.reason

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
        self.batch = replace(self.batch, state=state, claim=None)
        if state is BatchState.DONE:
            self._keep_agreed()
        log.info("push ended", extra={"batch_id": self.batch.batch_id, "state": state, "sent": self.rule.sent})

    def _keep_agreed(self) -> None:
        """Remember what both sides hold now. A finished push stays finished where that cannot be kept."""
        try:
            if (mapping := current_mapping(self.store)) is not None:
                keep_pushed(self.store, mapping, self.batch.batch_id)
        except WorkbenchError as error:
            log.warning("what both sides agree on was not kept", extra={"why": type(error).__name__})

    def report(self) -> PushReport:
        counts = count_rows(self.store, self.batch.batch_id)
        return PushReport(
            batch=self.batch.batch_id,
            state=self.batch.state,
            counts=all_statuses(counts.outcomes),
            sent=self.rule.sent,
            requests=self.requests,
            seconds=time.perf_counter() - self.started,
            scores=code_scores(self.store, self.batch.batch_id),
            pending=counts.pending,
            reason=self.reason,
        )


def _patience(change: PlannedChange) -> int:
    is_repeated = all(request.system == "mainstay" and request.method == "PUT" for request in change.requests)
    return MISSES_OF_REPEATED if is_repeated else MISSES


def _may_have_happened(error: RemoteError) -> bool:
    """Whether a lost answer leaves open if the request was carried out; a request never taken does not."""
    return type(error) is not TransientError
