"""Filters and pages of the list endpoints. Source: Mainstay API reference, sections 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import polars as pl
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from workbench.domain import rules
from workbench.simulators.mainstay.history import as_lines
from workbench.simulators.mainstay.institution import MainstayInstitution
from workbench.simulators.mainstay.shape import can_text as can_be_texted
from workbench.simulators.mainstay.shape import shown
from workbench.simulators.spool import rows_at

_TRUE: Final = ("true", "1")
_FALSE: Final = ("false", "0")


class BadFilter(ValueError):
    """A query value that cannot be read; the text says which."""


class NoSuchPage(ValueError):
    """A page before the first or after the last."""


def flag(params: QueryParams, name: str) -> bool | None:
    """`True, true, 1, False, false, 0`, or None where the parameter is absent."""
    text = params.get(name, "").lower()
    if not text:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadFilter(f"{name} is neither true nor false")


def moment(params: QueryParams, name: str) -> datetime | None:
    """An ISO 8601 moment; one without zone is UTC."""
    text = params.get(name)
    if not text:
        return None
    for spelling in (text, text.replace(" ", "+")):  # a `+` that was not percent-encoded arrives as a blank
        try:
            found = rules.parse_time(spelling)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    raise BadFilter(f"{name} is no ISO 8601 moment")


def envelope(request: Request, count: int, page_size: int, lines_of: Callable[[int, int], Sequence[bytes]]) -> Response:
    """One page of a list: `count`, `next`, `previous`, `results`; `lines_of(start, stop)` gives its JSON texts."""
    number = request.query_params.get("page", "1")
    if not number.isdecimal() or int(number) < 1 or (int(number) > 1 and (int(number) - 1) * page_size >= count):
        raise NoSuchPage(number)
    page = int(number)
    stop = min(page * page_size, count)
    lines = lines_of((page - 1) * page_size, stop)
    head = {
        "count": count,
        "next": _page_url(request, page + 1) if stop < count else None,
        "previous": _page_url(request, page - 1) if page > 1 else None,
    }
    text = b"".join((orjson.dumps(head)[:-1], b',"results":[', b",".join(lines), b"]}"))
    return Response(text, media_type="application/json")


def _page_url(request: Request, page: int) -> str:
    return str(request.url.include_query_params(page=page))


class ContactList:
    """GET contacts/: filters as masks over the frame, with the last selections kept for the pages that follow."""

    def __init__(self, institution: MainstayInstitution) -> None:
        self._institution = institution
        self._selections: dict[tuple[int, str], Any] = {}

    def page(self, request: Request) -> Response:
        book = self._institution.book
        positions = self._positions(request.query_params)
        return envelope(
            request,
            len(positions),
            self._institution.page_size,
            lambda start, stop: book.shown_lines(positions[start:stop]),
        )

    def _positions(self, params: QueryParams) -> Any:
        book = self._institution.book
        wanted = [(name, value) for name, value in sorted(params.multi_items()) if name != "page"]
        key = (book.version, repr(wanted))
        if key not in self._selections:
            mask, tests = contact_filters(params)
            positions = (
                book.select(mask, lambda contact: all(test(contact) for test in tests)) if tests else range(len(book))
            )
            if len(self._selections) > 8:
                self._selections.clear()
            self._selections[key] = positions
        return self._selections[key]


def contact_filters(params: QueryParams) -> tuple[pl.Expr, list[Callable[[dict[str, Any]], bool]]]:
    """The same conditions twice: as one mask over the contact frame, and as tests of a single contact object."""
    mask = pl.lit(value=True)
    tests: list[Callable[[dict[str, Any]], bool]] = []
    if not flag(params, "include_test_contacts"):
        mask &= ~pl.col("test_user")
        tests.append(lambda contact: not contact["test_user"])
    if not flag(params, "include_nonpermitted_contacts"):
        mask &= pl.col("permitted_user_status")
        tests.append(lambda contact: bool(contact["permitted_user_status"]))
    if status := params.get("texting_status"):
        wanted = "paused" if status == "temp-pause" else status
        mask &= pl.col("messaging_status_sms") == wanted
        tests.append(lambda contact: contact["messaging_status_sms"] == wanted)
    if (can_text := flag(params, "can_text")) is not None:
        mask &= can_be_texted() == can_text
        tests.append(lambda contact: _can_text(contact) == can_text)
    if since := moment(params, "modified_since"):
        mask &= pl.col("last_modified_at") >= since
        tests.append(lambda contact: rules.parse_time(contact["last_modified_at"]) >= since)
    if before := moment(params, "modified_before"):
        mask &= pl.col("last_modified_at") < before
        tests.append(lambda contact: rules.parse_time(contact["last_modified_at"]) < before)
    for text in params.getlist("custom"):
        name, bar, value = text.partition("|")
        if not bar:
            raise BadFilter("custom takes the form Field Name|value")
        texts = _custom_texts(value)
        mask &= pl.col(f"custom.{name}").is_in(texts)
        tests.append(lambda contact, name=name, texts=texts: _stored(contact, name) in texts)  # type: ignore[misc]
    return mask, tests


def _can_text(contact: dict[str, Any]) -> bool:
    return bool(shown(contact)["can_text"])


def _custom_texts(value: str) -> list[str]:
    """A filter value as it may be stored: as text, or as a number or truth value."""
    return [orjson.dumps(value).decode(), value.lower() if value in ("True", "False") else value]


def _stored(contact: dict[str, Any], name: str) -> str:
    return orjson.dumps(contact["custom"].get(name)).decode()


class MessageList:
    """GET messages/: newest first; the last selections are kept for the pages that follow."""

    def __init__(self, institution: MainstayInstitution) -> None:
        self._institution = institution
        self._selections: dict[tuple[int, int, str], Any] = {}

    def page(self, request: Request) -> Response:
        messages = self._institution.history.messages
        positions = self._positions(request.query_params, messages)
        return envelope(
            request,
            len(positions),
            self._institution.page_size,
            lambda start, stop: as_lines(self._shown(messages, positions[start:stop])),
        )

    def _positions(self, params: QueryParams, messages: pl.DataFrame) -> Any:
        wanted = [(name, value) for name, value in sorted(params.multi_items()) if name != "page"]
        # A CRM ID may pass to another contact: the book's version counts where it is asked for.
        version = self._institution.book.version if "contact_crm_id" in params else 0
        key = (messages.height, version, repr(wanted))
        if key not in self._selections:
            mask = message_mask(self._institution, params)
            found = range(messages.height) if mask is None else messages.select(mask.alias("m"))["m"].arg_true()
            if len(self._selections) > 8:
                self._selections.clear()
            self._selections[key] = found if isinstance(found, range) else found.to_numpy()
        return self._selections[key]

    def _shown(self, messages: pl.DataFrame, positions: Any) -> pl.DataFrame:
        """The messages at these positions, with their contacts' CRM IDs as they are now."""
        if isinstance(positions, range):
            rows = messages.slice(positions.start, len(positions))
        else:
            rows = rows_at(messages, positions)
        crm_ids = self._institution.book.crm_ids(rows["admithub_contact_id"])
        return rows.with_columns(crm_ids.alias("contact_crm_id"))


def message_mask(institution: MainstayInstitution, params: QueryParams) -> pl.Expr | None:
    """Which messages are asked for, None for all; test users' only with include_test_user or test_user."""
    if not set(params) - {"page"} - {"include_test_user"} and flag(params, "include_test_user"):
        return None
    mask = pl.lit(value=True)
    if (only_test := flag(params, "test_user")) is not None:
        mask &= pl.col("test_user") == only_test
    elif not flag(params, "include_test_user"):
        mask &= ~pl.col("test_user")
    if message_id := params.get("admithub_id"):
        mask &= pl.col("admithub_id") == message_id
    if contact_id := params.get("admithub_contact_id"):
        mask &= pl.col("admithub_contact_id") == contact_id
    if crm_id := params.get("contact_crm_id"):
        owner = institution.book.by_crm_id(crm_id)
        mask &= pl.col("admithub_contact_id") == ("" if owner is None else owner["id"])
    return mask & _period(params, pl.col("created_at"))


def campaign_page(institution: MainstayInstitution, request: Request) -> Response:
    """GET campaigns/: newest first; hidden and test ones only when asked for."""
    params = request.query_params
    found = institution.history.campaigns
    contact_id = params.get("admithub_contact_id")
    if crm_id := params.get("crm_id"):
        owner = institution.book.by_crm_id(crm_id)
        contact_id = "" if owner is None else owner["id"]
    if contact_id is not None:
        found = institution.history.campaigns_of(contact_id)
    mask = _period(params, pl.coalesce("sent_at", "scheduled_at"))
    for name, column in (("script", "script_id"), ("status", "status"), ("scheduler", "scheduler")):
        if value := params.get(name):
            mask &= pl.col(column) == value
    for name, column in (("show_hidden", "hidden"), ("show_test", "test")):
        if not flag(params, name):
            mask &= ~pl.col(column)
    found = found.filter(mask)
    return envelope(
        request, found.height, institution.page_size,
        lambda start, stop: as_lines(found.slice(start, stop - start)),
    )  # fmt: skip


def _period(params: QueryParams, when: pl.Expr) -> pl.Expr:
    """`since` inclusive, `before` exclusive."""
    mask = pl.lit(value=True)
    if since := moment(params, "since"):
        mask &= when >= since
    if before := moment(params, "before"):
        mask &= when < before
    return mask
