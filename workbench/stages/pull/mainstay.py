"""The Mainstay side of a pull: contacts with the field catalogue, campaigns, messages, each landed when it is read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workbench.domain.fields import MainstayField, mainstay_column_type
from workbench.logs import get_logger
from workbench.mainstay.client import HIDDEN_TOO, MainstayClient, Page
from workbench.mainstay.lines import Regular, page_lines
from workbench.mainstay.payload import (
    CAMPAIGN_KINDS,
    CONTACT_PLACES,
    CUSTOM_PREFIX,
    MESSAGE_KINDS,
    MESSAGE_PLACES,
    regular_campaign,
    regular_contact,
    regular_message,
)
from workbench.stages.pull.context import Context
from workbench.stages.pull.report import FieldDrift, ObjectReport, field_drift
from workbench.stages.pull.spool import SpoolFile
from workbench.store.database import Statement
from workbench.store.landing import (
    CATALOGUE,
    Column,
    PullKey,
    Target,
    complete_pull,
    drop_known_exports,
    journal_total,
    land_mainstay_fields,
    make_table,
    replace_messages,
    table_columns,
)
from workbench.store.spooled import Places, Prepared, prepare_json

log = get_logger(__name__)

SYSTEM: Final = "mainstay"
_KINDS: Final = {"datetime": "TIMESTAMPTZ", "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}


def _columns(kinds: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, _KINDS.get(kind, "VARCHAR")) for name, kind in kinds.items())


MESSAGES: Final = Target(SYSTEM, "message", "admithub_id", _columns(MESSAGE_KINDS), stamp="created_at")
FIELDS: Final = Target(SYSTEM, "field", "name", ())
CAMPAIGNS: Final = Target(SYSTEM, "campaign", "admithub_id", _columns(CAMPAIGN_KINDS))


@dataclass(frozen=True)
class _List:
    """One list of the API: where it is, what is asked of it, and the form its entries are spooled in."""

    name: str
    label: str
    path: str
    params: Mapping[str, str]
    regular: Regular


@dataclass(frozen=True)
class _Read:
    """A list read to its end."""

    spooled: SpoolFile
    seconds: float

    @property
    def started_at(self) -> datetime:
        return self.spooled.started_at


@dataclass(frozen=True)
class Landed:
    """What came of one list."""

    report: ObjectReport
    drift: tuple[FieldDrift, ...] = ()
    problems: tuple[str, ...] = ()


def contact_columns(fields: Sequence[MainstayField], met: Iterable[str] = ()) -> tuple[tuple[Column, ...], list[str]]:
    """The columns of mainstay.contact: the catalogue's fields, then custom fields only met on contacts.

    Names that differ by case alone would be one column in SQL: the later ones are left out, each with a problem.
    """
    columns = {field.path.lower(): Column(field.path, mainstay_column_type(field)) for field in reversed(fields)}
    ordered = list(dict.fromkeys(columns[field.path.lower()] for field in fields))
    kept = {column.name for column in ordered}
    clashes = [field.path for field in fields if field.path not in kept]
    for path in met:
        if path.lower() not in columns:
            columns[path.lower()] = Column(path)
            ordered.append(columns[path.lower()])
        elif path != columns[path.lower()].name:
            clashes.append(path)
    said = "another custom field has this name in other letters; only that one was fetched."
    return tuple(ordered), [f"{path}: {said}" for path in clashes]


def contact_places(columns: Iterable[Column]) -> Places:
    """Where a contact of the API holds the columns that are not under their own name."""
    custom = [column.name for column in columns if column.name.startswith(CUSTOM_PREFIX)]
    return {**CONTACT_PLACES, **{name: (("custom", name.removeprefix(CUSTOM_PREFIX)),) for name in custom}}


async def pull_contacts(context: Context, client: MainstayClient, pull_id: int) -> Landed:
    """Contacts, hidden ones too (they hold phones and CRM IDs), with the field catalogue, in one transaction."""
    fields = await client.fields()
    columns, problems = contact_columns(fields)
    target = Target(SYSTEM, "contact", "id", columns, stamp="last_modified_at")
    since = context.since(SYSTEM, "contact") if context.has_columns(target) else None
    params = {**HIDDEN_TOO, **({"modified_since": _moment(since)} if since else {})}
    read = await _read(context, client, _List("contact", "contacts", "contacts/", params, regular_contact))
    met = sorted(read.spooled.extra - {column.name for column in columns})
    columns, more = contact_columns(fields, met)
    target = Target(SYSTEM, "contact", "id", columns, stamp="last_modified_at")
    prepared = prepare_json([read.spooled.path], target, pull_id, context.spool.folder, contact_places(columns))
    key = PullKey(SYSTEM, "contact", "incremental" if since else "full")
    field_statements, catalogue = land_mainstay_fields(fields, pull_id)
    drift = _drift(context, fields)
    statements = [*field_statements, *context.landing(pull_id, prepared, key, read.started_at)]
    context.store.write(*statements, tables={CATALOGUE: catalogue, **prepared.tables})
    report = _report(context, pull_id, key, prepared, read)
    return Landed(report, tuple(drift), (*problems, *more, *prepared.notices))


async def pull_fields(context: Context, client: MainstayClient, pull_id: int) -> tuple[FieldDrift, ...]:
    """The field catalogue alone."""
    fields = await client.fields()
    statements, catalogue = land_mainstay_fields(fields, pull_id)
    drift = _drift(context, fields)
    completing = complete_pull(pull_id, PullKey(SYSTEM, FIELDS.table), FIELDS, context.clock(), None)
    context.store.write(*statements, completing, tables={CATALOGUE: catalogue})
    return tuple(drift)


async def pull_campaigns(context: Context, client: MainstayClient, pull_id: int) -> Landed:
    """All campaigns, hidden and test ones too; the list is short and is always read whole."""
    params = {"show_hidden": "true", "show_test": "true"}
    read = await _read(context, client, _List("campaign", "campaigns", "campaigns/", params, regular_campaign))
    prepared = prepare_json([read.spooled.path], CAMPAIGNS, pull_id, context.spool.folder)
    key = PullKey(SYSTEM, "campaign")
    context.store.write(*context.landing(pull_id, prepared, key, read.started_at), tables=prepared.tables)
    return Landed(_report(context, pull_id, key, prepared, read), problems=prepared.notices)


async def pull_messages(context: Context, client: MainstayClient, pull_id: int) -> Landed:
    """Messages, those of test users too; later pulls ask for what was written since."""
    since = context.since(SYSTEM, "message") if context.has_columns(MESSAGES) else None
    params = {"include_test_user": "true", **({"since": _moment(since)} if since else {})}
    read = await _read(context, client, _List("message", "messages", "messages/", params, regular_message))
    prepared = prepare_json([read.spooled.path], MESSAGES, pull_id, context.spool.folder, MESSAGE_PLACES)
    key = PullKey(SYSTEM, "message", "incremental" if since else "full")
    if since:
        statements = context.landing(pull_id, prepared, key, read.started_at)
    else:
        completing = context.completing(pull_id, prepared, key, read.started_at)
        statements = [*_fresh_messages(context), *replace_messages(MESSAGES), completing]
    statements.insert(-1, drop_known_exports(MESSAGES))
    context.store.write(*statements, tables=prepared.tables)
    return Landed(_report(context, pull_id, key, prepared, read), problems=prepared.notices)


def _fresh_messages(context: Context) -> list[Statement]:
    """A message table of another version of this program makes room; its rows come again."""
    known = table_columns(context.store, MESSAGES)
    return [f"DROP TABLE {MESSAGES.name}", make_table(MESSAGES)] if known and not context.has_columns(MESSAGES) else []


async def _read(context: Context, client: MainstayClient, what: _List) -> _Read:
    """Read a list to its end into the spool, going on where an interrupted pull stopped."""
    begun = time.perf_counter()
    plan = {"base": context.settings.mainstay.base_url, "path": what.path, "params": dict(what.params)}
    spooled = context.spool.open(f"{SYSTEM}.{what.name}", plan, context.clock)
    try:
        if not spooled.is_done:
            async for page in client.page_stream(what.path, what.params, start=spooled.next):
                extra = _custom_paths(page) if what.name == "contact" else ()
                spooled.append(page_lines(page.rows, page.texts, what.regular), len(page.rows), page.next_url, extra)
                context.progress(f"Mainstay {what.label}", spooled.rows, page.count)
    finally:
        spooled.close()
    log.info("list read", extra={"list": what.name, "rows": spooled.rows, "is_resumed": spooled.is_resumed})
    return _Read(spooled, time.perf_counter() - begun)


def _custom_paths(page: Page) -> set[str]:
    """The custom fields that the contacts of a page carry."""
    names: set[str] = set()
    for row in page.rows:
        if isinstance(custom := row.get("custom"), dict):
            names.update(custom)
    return {CUSTOM_PREFIX + name for name in names}


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _drift(context: Context, fields: Sequence[MainstayField]) -> list[FieldDrift]:
    found = context.store.rows("SELECT f.name, f.data_type, f.is_custom FROM mainstay.field AS f")
    prefix = {True: CUSTOM_PREFIX, False: ""}
    before = {prefix[bool(row["is_custom"])] + row["name"]: row["data_type"] for row in found}
    return field_drift(SYSTEM, "contact", before, {field.path: field.data_type for field in fields})


def _report(context: Context, pull_id: int, key: PullKey, prepared: Prepared, read: _Read) -> ObjectReport:
    context.spool.landed(f"{SYSTEM}.{key.object}")
    total = journal_total(context.store, pull_id, key)
    is_resumed = read.spooled.is_resumed
    return ObjectReport(SYSTEM, key.object, key.mode, "api", prepared.rows, total, read.seconds, is_resumed)
