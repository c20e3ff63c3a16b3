"""The Salesforce side of a pull: read each planned object by REST or bulk, then land them all in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from workbench.errors import RemoteError, TransientError
from workbench.logs import get_logger
from workbench.salesforce.client import SalesforceClient, fits_in_url
from workbench.stages.pull.context import Context
from workbench.stages.pull.plan import ObjectPlan, Plan
from workbench.stages.pull.report import FieldDrift, ObjectReport, field_drift
from workbench.stages.pull.spool import SpoolFile
from workbench.store.database import Statement
from workbench.store.landing import CATALOGUE, PullKey, Target, complete_pull, journal_total, land_salesforce_fields
from workbench.store.spooled import Prepared, prepare_csv, prepare_json

log = get_logger(__name__)

SYSTEM: Final = "salesforce"
FIELDS: Final = Target(SYSTEM, "field", "name", ())
# Refusals that say this org has no bulk door for us; the same rows come by REST pages then.
NO_BULK = ("NOT_FOUND", "API_DISABLED_FOR_ORG", "FEATURENOTENABLED", "INSUFFICIENT_ACCESS", "METHOD_NOT_ALLOWED")
# From here on a bulk query is cheaper: pages of 50,000 rows instead of 2,000.
BULK_FROM: Final = 50_000
PAGE_ROWS: Final = 2_000
# The place of an object that is read by a bulk query, which knows the places in it by itself.
BY_BULK: Final = "bulk"
# The place in a query is forgotten after two days, or when too many queries are open.
LOST_PLACE: Final = frozenset({"INVALID_QUERY_LOCATOR", "INVALID_QUERY_CURSOR"})


@dataclass(frozen=True)
class Fetched:
    """One object on disk, not yet in the store."""

    prepared: Prepared
    key: PullKey
    way: str
    started_at: datetime
    seconds: float
    is_resumed: bool


def read_objects(context: Context, client: SalesforceClient, plan: Plan, pull_id: int) -> list[Fetched]:
    """Fetch and type every planned object; nothing reaches the store yet."""
    return [_read_object(context, client, item, pull_id) for item in plan.objects]


def keys_of(context: Context, plan: Plan) -> list[PullKey]:
    """The rows of journal.pull this plan is going to fill."""
    return [PullKey(SYSTEM, item.sobject, _mode(context, item)) for item in plan.objects]


def land_objects(
    context: Context, plan: Plan, fetched: Sequence[Fetched], pull_id: int
) -> tuple[list[ObjectReport], list[FieldDrift]]:
    """Make all objects and their field catalogue visible in one transaction."""
    landings, tables, drift = _catalogue(context, plan, pull_id)
    for item in fetched:
        landings += context.landing(pull_id, item.prepared, item.key, item.started_at)
        tables |= item.prepared.tables
    context.store.write(*landings, tables=tables)
    for item in fetched:
        context.spool.landed(f"{SYSTEM}.{item.key.object}")
    return [_report(context, item, pull_id) for item in fetched], drift


def land_fields(context: Context, plan: Plan, pull_id: int) -> list[FieldDrift]:
    """Make the field catalogue alone visible."""
    landings, tables, drift = _catalogue(context, plan, pull_id)
    completing = complete_pull(pull_id, PullKey(SYSTEM, FIELDS.table), FIELDS, context.clock(), None)
    context.store.write(*landings, completing, tables=tables)
    return drift


def _catalogue(context: Context, plan: Plan, pull_id: int) -> tuple[list[Statement], dict[str, Any], list[FieldDrift]]:
    fields = {name: sobject.fields for name, sobject in plan.described.items()}
    formulas = {(name, key): text for name, item in plan.described.items() for key, text in item.formulas.items()}
    statements, catalogue = land_salesforce_fields(fields, formulas, pull_id)
    return statements, {CATALOGUE: catalogue}, _drift(context, plan)


def _mode(context: Context, plan: ObjectPlan) -> str:
    can_merge = plan.target.stamp is not None and not plan.is_by_clock and fits_in_url(plan.soql())
    can_merge = can_merge and context.has_columns(plan.target)
    return "incremental" if can_merge and context.since(SYSTEM, plan.sobject) is not None else "full"


def _read_object(context: Context, client: SalesforceClient, plan: ObjectPlan, pull_id: int) -> Fetched:
    begun = time.perf_counter()
    mode = _mode(context, plan)
    soql = plan.soql(context.since(SYSTEM, plan.sobject) if mode == "incremental" else None)
    spooled = context.spool.open(f"{SYSTEM}.{plan.sobject}", {"soql": soql, "mode": mode}, context.clock)
    reading = _Reading(context, client, plan, soql, mode == "incremental", spooled)
    try:
        read = reading.changes() if mode == "incremental" else reading.everything()
    finally:
        spooled.close()
    prepare = prepare_csv if read.way == "bulk" else prepare_json
    prepared = prepare(read.files, plan.target, pull_id, context.spool.folder)
    if read.rows not in {None, prepared.rows + prepared.repeated}:
        spooled.restart()
        found = prepared.rows + prepared.repeated
        raise TransientError(f"Salesforce told of {read.rows:,} {plan.sobject} records and sent {found:,}. Pull again.")
    seconds = time.perf_counter() - begun
    key = PullKey(SYSTEM, plan.sobject, mode)
    log.info("object read", extra={"sobject": plan.sobject, "rows": prepared.rows, "mode": mode, "way": read.way})
    return Fetched(prepared, key, read.way, spooled.started_at, seconds, spooled.is_resumed)


@dataclass(frozen=True)
class _Read:
    """An object on disk as it came: rest | bulk, its files, and how many rows they hold where that is known."""

    way: str
    files: list[Path]
    rows: int | None


@dataclass(frozen=True)
class _Reading:
    """One object being read into its spool file."""

    context: Context
    client: SalesforceClient
    plan: ObjectPlan
    soql: str
    with_deleted: bool
    spooled: SpoolFile

    def changes(self) -> _Read:
        """What changed, deleted records too: always by REST, which can ask for those."""
        self._pages(None)
        return _Read("rest", [self.spooled.path], self.spooled.rows)

    def everything(self) -> _Read:
        """All records: by REST up to 50,000 of them, else (or where the query is too long for a GET) by bulk."""
        if self.spooled.next == BY_BULK:
            return self._bulk(None)
        total = None
        if not self.spooled.is_resumed:
            total = self.client.query_count(self.plan.count_soql)
            if total >= BULK_FROM or not fits_in_url(self.soql):
                self.spooled.mark(BY_BULK)  # from here on an interrupted pull goes on with the same query
                try:
                    return self._bulk(total)
                except RemoteError as error:
                    if error.code not in NO_BULK or not fits_in_url(self.soql):
                        raise
                    log.warning(
                        "no bulk door, reading by pages", extra={"sobject": self.plan.sobject, "code": error.code}
                    )
                    self.spooled.restart()
            self._check_budget(total)
        self._pages(total)
        return _Read("rest", [self.spooled.path], self.spooled.rows)

    def _check_budget(self, total: int) -> None:
        """Begin no reading by pages that the org's requests of the day cannot pay for."""
        usage = self.client.api_usage
        needed = -(-total // PAGE_ROWS)
        if usage is not None and needed > usage[1] - usage[0]:
            raise RemoteError(
                f"Reading {total:,} {self.plan.sobject} records takes {needed:,} API requests; the org has used "
                f"{usage[0]:,} of its {usage[1]:,} in the last 24 hours. Pull later.",
                code="REQUEST_LIMIT_EXCEEDED",
            )

    def _bulk(self, total: int | None) -> _Read:
        """All records by a bulk query."""

        def progress(rows: int) -> None:
            self.context.progress(self._stage, rows, total)

        progress(0)
        found = self.client.bulk_download(self.plan.sobject, self.soql, self.spooled.folder, progress=progress)
        return _Read("bulk", found.files, found.rows)

    @property
    def _stage(self) -> str:
        return f"Salesforce {self.plan.sobject}"

    def _pages(self, total: int | None) -> None:
        if self.spooled.is_done:
            return
        try:
            self._spool(total)
        except RemoteError as error:
            if not self.spooled.is_resumed or error.code not in LOST_PLACE:
                raise
            self.spooled.restart()  # Salesforce has forgotten the place: once more from the start
            self._spool(total)

    def _spool(self, total: int | None) -> None:
        pages = self.client.query_pages(self.soql, include_deleted=self.with_deleted, start=self.spooled.next)
        for page in pages:
            lines = b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in page.rows])
            self.spooled.append(lines, len(page.rows), page.next_path)
            self.context.progress(self._stage, self.spooled.rows, page.total if total is None else total)


def _drift(context: Context, plan: Plan) -> list[FieldDrift]:
    found = context.store.rows("SELECT f.sobject, f.name, f.type FROM salesforce.field AS f")
    before: dict[str, dict[str, str]] = {}
    for row in found:
        before.setdefault(row["sobject"], {})[row["name"]] = row["type"]
    return [
        change
        for name, sobject in plan.described.items()
        for change in field_drift(SYSTEM, name, before.get(name, {}), {item.name: item.type for item in sobject.fields})
    ]


def _report(context: Context, item: Fetched, pull_id: int) -> ObjectReport:
    total = journal_total(context.store, pull_id, item.key)
    return ObjectReport(
        SYSTEM, item.key.object, item.key.mode, item.way, item.prepared.rows, total, item.seconds, item.is_resumed
    )
