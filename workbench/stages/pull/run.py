"""One pull from beginning to end: plan, read, land, report. Interrupted, it keeps what has landed and been spooled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar, get_args

import pyarrow as pa

from workbench.errors import ConfigurationError
from workbench.logs import get_logger
from workbench.mainstay.client import MainstayClient
from workbench.salesforce.client import SalesforceClient
from workbench.settings import Settings
from workbench.stages.pull import mainstay, salesforce
from workbench.stages.pull.context import Context
from workbench.stages.pull.plan import Plan, plan_objects
from workbench.stages.pull.report import FieldDrift, ObjectReport, Progress, PullReport, no_progress
from workbench.stages.pull.spool import Spool
from workbench.store.database import Store
from workbench.store.landing import PullKey, interrupt_pull, open_pull, watermarks

log = get_logger(__name__)

Part = Literal["salesforce", "mainstay", "messages", "campaigns", "fields"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
T = TypeVar("T")
_DRIFT: Final = pa.schema(
    [
        ("pull_id", pa.int32()),
        *((name, pa.string()) for name in ("system", "object", "field", "kind", "before", "after")),
        ("found_at", pa.timestamp("us", "UTC")),
    ]
)

_LISTS: Final[Mapping[str, tuple[str, Callable[[Context, MainstayClient, int], Awaitable[mainstay.Landed]]]]] = {
    "mainstay": ("contact", mainstay.pull_contacts),
    "campaigns": ("campaign", mainstay.pull_campaigns),
    "messages": ("message", mainstay.pull_messages),
}


def pull(
    store: Store,
    settings: Settings,
    *,
    wanted: Mapping[str, Sequence[str]],
    only: str | Sequence[str] | None = None,
    full: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PullReport:
    """Read both systems into the landing tables; `wanted` names Salesforce field paths per object.

    Incremental where an earlier pull allows it, else full. `only` names the parts to read (salesforce, mainstay,
    messages, campaigns, or fields for the two catalogues alone); the rest of the store stays as it is. Paths and
    objects that do not exist are reported as problems. Raises ConfigurationError, AuthenticationFailed,
    TransientError, RemoteError, or StoreBusy while another pull runs.
    """
    begun = time.perf_counter()
    parts = _parts(only)
    spool = Spool(store.path)
    with spool.held():
        context = Context(store, settings, spool, clock, progress or no_progress, watermarks(store), full)
        report = _pull(context, wanted, parts)
        spool.remove()
    seconds = time.perf_counter() - begun
    log.info("pull finished", extra={"pull_id": report.pull_id, "rows": report.rows, "seconds": round(seconds, 2)})
    return PullReport(report.pull_id, report.objects, report.drift, report.problems, seconds, report.api_usage)


def _parts(only: str | Sequence[str] | None) -> set[str]:
    if not only:
        return {part for part in PARTS if part != "fields"}
    named = {only} if isinstance(only, str) else {*only}
    unknown = named - {*PARTS}
    if unknown:
        raise ConfigurationError(f"There is no {', '.join(sorted(unknown))} to pull; there are: {', '.join(PARTS)}.")
    return named


def _pull(context: Context, wanted: Mapping[str, Sequence[str]], parts: set[str]) -> PullReport:
    lists = [_LISTS[name] for name in _LISTS if name in parts]
    with SalesforceClient(context.settings.salesforce) as client:
        needs_plan = parts & {"salesforce", "fields"}
        plan = plan_objects(wanted, client.describe) if needs_plan else Plan((), {}, ())
        keys = salesforce.keys_of(context, plan) if "salesforce" in parts else []
        keys += [PullKey(mainstay.SYSTEM, name) for name, _ in lists]
        if "fields" in parts:
            keys += [PullKey(system, "field") for system in (salesforce.SYSTEM, mainstay.SYSTEM)]
        pull_id = open_pull(context.store, keys, context.clock())
        try:
            objects: list[ObjectReport] = []
            drift: list[FieldDrift] = []
            problems = list(plan.problems)
            if "fields" in parts:
                drift += salesforce.land_fields(context, plan, pull_id)
                drift += run_async(_mainstay_fields(context, pull_id))
            if "salesforce" in parts and plan.objects:
                fetched = salesforce.read_objects(context, client, plan, pull_id)
                objects, more = salesforce.land_objects(context, plan, fetched, pull_id)
                drift += more
                problems += [notice for item in fetched for notice in item.prepared.notices]
            landed = run_async(_mainstay(context, [step for _, step in lists], pull_id)) if lists else []
        except BaseException:
            interrupt_pull(context.store, pull_id)
            raise
        usage = client.api_usage
    objects += [item.report for item in landed]
    drift += [change for item in landed for change in item.drift]
    problems += [problem for item in landed for problem in item.problems]
    _note_drift(context, pull_id, drift)
    return PullReport(pull_id, tuple(objects), tuple(drift), tuple(problems), api_usage=usage)


def _note_drift(context: Context, pull_id: int, drift: Sequence[FieldDrift]) -> None:
    """Keep what moved in the catalogues, for whoever looks later than at the end of the pull."""
    if not drift:
        return
    rows = [{"pull_id": pull_id, **asdict(item), "found_at": context.clock()} for item in drift]
    context.store.write(
        """INSERT INTO journal.field_drift
           SELECT pull_id, system, object, field, kind, "before", "after", found_at FROM drift""",
        tables={"drift": pa.Table.from_pylist(rows, _DRIFT)},
    )


async def _mainstay_fields(context: Context, pull_id: int) -> Sequence[FieldDrift]:
    async with MainstayClient(context.settings.mainstay) as client:
        return await mainstay.pull_fields(context, client, pull_id)


async def _mainstay(
    context: Context,
    steps: Sequence[Callable[[Context, MainstayClient, int], Awaitable[mainstay.Landed]]],
    pull_id: int,
) -> list[mainstay.Landed]:
    async with MainstayClient(context.settings.mainstay) as client:
        return [await step(context, client, pull_id) for step in steps]


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where an event loop is already running (notebooks): then in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, work).result()
