"""What became of a request whose answer never came: look at both systems before anything is sent again.

A Mainstay PUT sets a state and a Salesforce update too, so those may simply be sent again. A create is looked for:
in Mainstay by its CRM ID; in Salesforce among the records created since, by the fields written.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from workbench.domain import ladder
from workbench.domain.catalogue import mainstay_fields
from workbench.domain.changes import Status
from workbench.domain.results import Outcome, PlannedChange, Request
from workbench.domain.rules import UNSET, number_text
from workbench.errors import RemoteError
from workbench.stages.exchange import NOT_AS_SENT, Exchange, in_parallel, target_of
from workbench.stages.recall import ORIGIN, recall_jobs
from workbench.stages.write_back import finish_created
from workbench.store.database import Store
from workbench.store.journal import OpenChange, created_record_ids, record_ids_since

# The intent carries this machine's time, CreatedDate Salesforce's: allow for clocks that differ.
CLOCK_SKEW: Final = timedelta(minutes=10)
# A create may still be at work inside Salesforce when its answer is lost; look again before believing it never came.
YOUNG: Final = timedelta(seconds=90)
LOOK_AGAIN_SECONDS: Final = (0.5, 2.0)
# Stands for a field that a body leaves to Salesforce: blank, or a checkbox that is not ticked.
UNSAID: Final = object()
_FIELD_NAME: Final = re.compile(r"^\w+$")


@dataclass
class _Found:
    """Created records by change, changes to send again, and changes only a person can judge (with the reason)."""

    record_ids: dict[str, str] = field(default_factory=dict)
    missing: list[OpenChange] = field(default_factory=list)
    doubtful: dict[str, str] = field(default_factory=dict)


async def read_back(store: Store, exchange: Exchange, batch_id: int, waiting: Sequence[OpenChange]) -> list[Outcome]:
    """The outcomes that can be told of changes whose end is unknown; every other one of them may be sent again.

    Raises AuthenticationFailed or TransientError when a system cannot be asked.
    """
    exchange.sent_before |= {item.change.change_id for item in waiting}
    told, waiting = await recall_jobs(store, exchange, batch_id, waiting)
    posted = [item for item in waiting if _create_request(item.change, "mainstay") is not None]
    made = [item for item in waiting if _create_request(item.change, "salesforce") is not None]
    outcomes = await _read_contacts(store, exchange, posted) if posted else []
    if made:
        outcomes += await _read_records(store, exchange, batch_id, made)
    return told + outcomes


async def confirm_contact(store: Store, exchange: Exchange, change: PlannedChange) -> Outcome | None:
    """The outcome of a create that Mainstay holds already, compared with what was sent; None where it does not."""
    request = _create_request(change, "mainstay")
    if request is None or change.salesforce_id is None:
        return None
    contact = await exchange.find_contact(change.change_id, change.salesforce_id)
    if contact is None:
        return None
    status, codes, message = judge_contact(request.values, contact, _institution(store, exchange))
    return await exchange.silent_outcome(
        change,
        request,
        status,
        origin=ORIGIN,
        codes=codes,
        message=message,
        mainstay_id=contact.get("id") or contact.get("admithub_id"),
    )


def judge_contact(
    sent: Mapping[str, Any], contact: Mapping[str, Any], institution: ladder.Institution
) -> tuple[Status, tuple[str, ...], str | None]:
    """(status, codes, message) of a create known only by the contact it left.

    The codes are those the published rules give for this body; a field that stands otherwise is named.
    """
    answer = ladder.post(sent, _Nobody(), institution)
    expected = answer.contact or {}
    differing = [
        name
        for name, value in _pairs(sent)
        if value not in {"", UNSET} and not _is_equal(_value(expected, name), _value(contact, name))
    ]
    codes = tuple(answer.codes)
    if differing:
        message = f"Read back after a lost answer: not on the contact as sent: {', '.join(differing)}."
        return Status.PARTIAL, (*codes, NOT_AS_SENT), message
    if codes:
        return Status.PARTIAL, codes, orjson.dumps(list(answer.errors)).decode()
    return Status.SUCCESS, (), None


async def _read_contacts(store: Store, exchange: Exchange, waiting: Sequence[OpenChange]) -> list[Outcome]:
    queue = list(reversed(waiting))
    outcomes: list[Outcome] = []

    async def worker() -> None:
        while queue:
            outcome = await confirm_contact(store, exchange, queue.pop().change)
            if outcome is not None:
                outcomes.append(outcome)

    await in_parallel(worker, min(exchange.settings.mainstay.concurrency, len(waiting)))
    return outcomes


async def _read_records(
    store: Store, exchange: Exchange, batch_id: int, waiting: Sequence[OpenChange]
) -> list[Outcome]:
    known = created_record_ids(store, batch_id)
    found = _Found(
        {item.change.change_id: known[item.change.change_id] for item in waiting if item.change.change_id in known}
    )
    unknown = [item for item in waiting if item.change.change_id not in known]
    if unknown:
        await _look_for_records(store, exchange, unknown, found)
    outcomes = []
    for item in waiting:
        change = item.change
        request = _create_request(change, "salesforce")
        assert request is not None
        if change.change_id in found.doubtful:
            outcomes.append(
                await exchange.silent_outcome(
                    change, request, Status.UNKNOWN, origin=ORIGIN, message=found.doubtful[change.change_id]
                )
            )
        elif record_id := found.record_ids.get(change.change_id):
            outcomes.append(await finish_created(exchange, change, request, record_id, origin=ORIGIN))
    return outcomes


async def _look_for_records(store: Store, exchange: Exchange, unknown: Sequence[OpenChange], found: _Found) -> None:
    by_object: dict[str, list[OpenChange]] = defaultdict(list)
    for item in unknown:
        request = _create_request(item.change, "salesforce")
        assert request is not None
        by_object[target_of(request).sobject].append(item)
    for sobject, items in by_object.items():
        for wait_seconds in (*LOOK_AGAIN_SECONDS, None):
            here = _Found()
            await _look_once(store, exchange, items, sobject=sobject, found=here, known=set(found.record_ids.values()))
            is_young = any(exchange.clock() - item.written_at < YOUNG for item in here.missing)
            if wait_seconds is None or not is_young:
                break
            await asyncio.sleep(wait_seconds)
        found.record_ids |= here.record_ids
        found.missing += here.missing
        found.doubtful |= here.doubtful


async def _look_once(
    store: Store, exchange: Exchange, items: Sequence[OpenChange], *, sobject: str, found: _Found, known: set[str]
) -> None:
    """Match the records created since with the creates whose end is unknown: equal bodies share their candidates."""
    since = min(item.written_at for item in items) - CLOCK_SKEW
    fields = sorted({name for item in items for name, _ in _pairs(_body(item.change))})
    if not all(_FIELD_NAME.match(name) for name in fields):
        raise RemoteError(f"A prepared create of {sobject} names a field that cannot be read back; preview again.")
    claimed = record_ids_since(store, since) | known
    rows = [row for row in await exchange.created_since(sobject, fields, since) if row["Id"] not in claimed]
    by_body: dict[str, list[OpenChange]] = defaultdict(list)
    for item in items:
        by_body[orjson.dumps(_body(item.change), option=orjson.OPT_SORT_KEYS).decode()].append(item)
    taken: set[str] = set()
    # The fullest bodies choose first, and a value that a body does not have rules a record out: a create of fewer
    # fields must not take the record of one with more.
    for equal in sorted(by_body.values(), key=lambda items: -len(_body(items[0].change))):
        body = {**dict.fromkeys(fields, UNSAID), **_body(equal[0].change)}
        matching = [row["Id"] for row in rows if row["Id"] not in taken and _has_values(row, body)]
        if len(matching) > len(equal):
            reason = f"Several records could be this create: {', '.join(matching[:5])}. Keep one by hand."
            found.doubtful |= {item.change.change_id: reason for item in equal}
            taken |= set(matching)
            continue
        for item, record_id in zip(equal, matching, strict=False):
            found.record_ids[item.change.change_id] = record_id
            taken.add(record_id)
        found.missing += equal[len(matching) :]
    _doubt_namesakes([row for row in rows if row["Id"] not in taken], found)


def _doubt_namesakes(rows: Sequence[Mapping[str, Any]], found: _Found) -> None:
    """A record of the same name made since, other values changed on the way in: sending again could double it."""
    for item in list(found.missing):
        name = {key: value for key, value in _body(item.change).items() if key in {"FirstName", "LastName", "Name"}}
        if not (name.get("LastName") or name.get("Name")):
            continue  # a first name alone is nobody's name
        alike = [row["Id"] for row in rows if _has_values(row, name)]
        if alike:
            found.missing.remove(item)
            found.doubtful[item.change.change_id] = (
                f"A record of this name was made at the same time with other values: {', '.join(alike[:5])}. "
                "Check whether it is this one."
            )


def _has_values(row: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    return all(
        _comparable(row.get(name)) in {None, "false"} if value is UNSAID else _is_equal(row.get(name), value)
        for name, value in body.items()
    )


def _create_request(change: PlannedChange, system: str) -> Request | None:
    request = change.request_to(system)
    return request if request is not None and request.method == "POST" else None


def _body(change: PlannedChange) -> dict[str, Any]:
    request = _create_request(change, "salesforce")
    return request.values if request is not None else {}


def _pairs(body: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """(name, value) of a body, custom fields as `custom.<name>`."""
    for name, value in body.items():
        if name == "custom" and isinstance(value, Mapping):
            yield from ((f"custom.{own}", item) for own, item in value.items())
        else:
            yield name, value


def _value(contact: Mapping[str, Any], name: str) -> Any:
    if name.startswith("custom."):
        return (contact.get("custom") or {}).get(name.removeprefix("custom."))
    return contact.get(name)


def _is_equal(one: Any, other: Any) -> bool:
    return bool(_comparable(one) == _comparable(other))


def _comparable(value: Any) -> Any:
    """Values as both sides could have written them: blanks alike, text without case, numbers and moments as such."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number_text(value)
    text = str(value).strip()
    if re.match(r"^\d{4}-\d{2}-\d{2}T", text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text.casefold()
    return text.casefold() or None


class _Nobody:
    """No contact at all: what a create met when it was sent."""

    def by_id(self, contact_id: str) -> None: ...
    def by_crm_id(self, crm_id: str) -> None: ...
    def by_phone(self, phone: str) -> None: ...


def _institution(store: Store, exchange: Exchange) -> ladder.Institution:
    fields = mainstay_fields(store.rows("SELECT * FROM mainstay.field"))
    section = exchange.settings.mainstay
    return ladder.Institution(
        {item.name: item for item in fields.values() if item.is_custom}, section.has_sms, section.has_web_bot
    )
