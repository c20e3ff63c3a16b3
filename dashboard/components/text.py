"""Untrusted text on its way into a page. Names, messages and faults come from students and two CRMs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st

from workbench.domain.changes import BatchState

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=])")
# Autolinks and :material/...: act on text nodes, so a backslash does not stop them; a word joiner does.
_AUTOLINK: Final = re.compile(r"(\\?:)(?=//|material)|(?<=www)(?=\\?\.)|(?=@)", re.IGNORECASE)
_FORMULA: Final = re.compile(r"^[\s\ufeff]*[=+\-@\t\r|%]")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")

STATUS_LABELS: Final = {"success": "Success", "partial": "Partial", "fail": "Fail", "unknown": "Unknown"}
STATUS_COLOURS: Final = {"success": "green", "partial": "orange", "fail": "red", "unknown": "gray"}
ACTION_LABELS: Final = {
    "update": "Update",
    "link": "Link",
    "create": "Create",
    "none": "In sync",
    "excluded": "Excluded",
    "conflict": "Conflict",
    "blocked": "Blocked",
}
ACTION_COLOURS: Final = {
    "update": "blue",
    "link": "violet",
    "create": "green",
    "none": "gray",
    "excluded": "gray",
    "conflict": "orange",
    "blocked": "red",
}
STATE_COLOURS: Final = {
    BatchState.DRAFT: "gray",
    BatchState.SUBMITTED: "orange",
    BatchState.APPROVED: "blue",
    BatchState.PUSHING: "violet",
    BatchState.PAUSED: "orange",
    BatchState.DONE: "green",
    BatchState.REJECTED: "red",
    BatchState.STALE: "red",
    BatchState.CANCELLED: "gray",
}
BUCKET_LABELS: Final = {
    "none": "In sync",
    "in_sync": "In sync",
    "update": "To update",
    "to_update": "To update",
    "link": "To link",
    "to_link": "To link",
    "create": "To create",
    "only_in_salesforce": "Only in Salesforce",
    "only_in_mainstay": "Only in Mainstay",
    "not_looked_at": "Not looked at",
    "reached_by_excluded_only": "Reached by excluded only",
    "reached_by_blocked_only": "Reached by blocked only",
    "reached_by_conflict_only": "Reached by conflicts only",
}
CAUSE_LABELS: Final = {
    "ask": "Both moved; the mapping asks",
    "newest": "Both moved; the newer record counts",
    "rule": "Both moved; the mapping's rule",
    "decided": "A person decided",
    "only_salesforce_changed": "Only Salesforce moved",
    "only_mainstay_changed": "Only Mainstay moved",
    "no_baseline": "Never seen equal; the direction decides",
}
DIRECTION_LABELS: Final = {"export": "Salesforce → Mainstay", "import": "Mainstay → Salesforce"}
SYSTEM_LABELS: Final = {"salesforce": "Salesforce", "mainstay": "Mainstay"}


def md(value: object) -> str:
    r"""Escape for markdown, labels, captions, buttons, toasts and st.table, all of which render Markdown.

    >>> md("![x](http://evil)")
    '\\!\\[x\\]\\(http\\:\u2060//evil\\)'
    """
    text = " ".join(("" if value is None else str(value)).split())
    return _AUTOLINK.sub(lambda match: match[0] + "\u2060", _MARKDOWN.sub(r"\\\1", text))


def csv_safe(value: Any) -> Any:
    """Neutralise what a spreadsheet would run as a formula; numbers and phones stay as they are.

    >>> csv_safe("=HYPERLINK(1)"), csv_safe("+14045550101"), csv_safe(7)
    ("'=HYPERLINK(1)", '+14045550101', 7)
    """
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value.strip()):
        return "'" + value
    return value


def when(moment: datetime | None, *, seconds: bool = False) -> str:
    """A moment in the visitor's own zone, the year only where it is not this one: `24 Nov, 12:27`."""
    if moment is None:
        return "never"
    shown = local(moment)
    year = "" if shown.year == datetime.now(UTC).year else f" {shown.year}"
    return (
        f"{shown.day} {shown:%b}{year}, {shown:%H:%M:%S}" if seconds else f"{shown.day} {shown:%b}{year}, {shown:%H:%M}"
    )


def local(moment: datetime) -> datetime:
    """A moment in the visitor's own zone."""
    return moment.astimezone(_zone())


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, TypeError):
        return ZoneInfo("UTC")


def ago(moment: datetime | None) -> str:
    """How long ago, in the largest fitting unit."""
    if moment is None:
        return "never"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def percent(share: float | None) -> str:
    """A share as text; nearly all is never shown as all, nor a little as nothing.

    >>> percent(1.0), percent(0.99996), percent(0.00001), percent(0), percent(None)
    ('100%', '99.9%', '0.1%', '0%', '–')
    """
    if share is None:
        return "–"
    return f"{share:.0%}" if share in {0, 1} else f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def count(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def bucket_name(bucket: str) -> str:
    return BUCKET_LABELS.get(bucket, bucket.replace("_", " ").capitalize())


def plural(number: int, noun: str) -> str:
    """
    >>> plural(1, "record"), plural(2000, "record"), plural(2, "batch")
    ('1 record', '2,000 records', '2 batches')
    """
    ending = "" if number == 1 else "es" if noun.endswith(("ch", "s")) else "s"
    return f"{number:,} {noun}{ending}"


def html_value(value: object) -> str:
    """One field value inside HTML; the empties stay apart."""
    if value is None:
        return '<span class="wb-empty">blank</span>'
    if value == "":
        return '<span class="wb-empty">empty text</span>'
    if value == "UNSET":
        return '<span class="wb-empty">cleared (UNSET)</span>'
    return escape(str(value))
