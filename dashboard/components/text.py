"""Text for the screen: names and messages come from learners and two CRMs, so nothing of theirs may become markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=])")
_FORMULA: Final = re.compile(r"^[\s﻿]*[=+\-@\t\r|%]")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")

BUCKETS: Final = {
    "none": "Already equal",
    "in_sync": "In sync",
    "to_update": "To update",
    "to_link": "To link",
    "only_in_salesforce": "Only in Salesforce",
    "only_in_mainstay": "Only in Mainstay",
    "reached_by_excluded_only": "Reached by excluded records only",
    "reached_by_blocked_only": "Reached by blocked records only",
}
ROUTES: Final = {"export": "Salesforce → Mainstay", "import": "Mainstay → Salesforce"}
SHOWN_DIRECTION: Final = {"export": "SF to Mainstay", "import": "Mainstay to SF"}
STATUS_COLOURS: Final = {"success": "green", "partial": "orange", "fail": "red", "unknown": "gray"}
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
    "draft": "gray",
    "submitted": "blue",
    "approved": "violet",
    "rejected": "red",
    "stale": "orange",
    "pushing": "blue",
    "paused": "orange",
    "done": "green",
    "cancelled": "gray",
}


def markdown_safe(value: object) -> str:
    """A value for markdown, labels, captions and toasts: it shows as written and links to nothing."""
    text = " ".join(str("" if value is None else value).split())
    text = _MARKDOWN.sub(r"\\\1", text)
    # Links and :material/…: are recognised in plain text too, where a backslash does not help: a word joiner does.
    return re.sub(r"(?i)(\\?:)(?=//|material)|(?<=www)(?=\\?\.)|(?=@)", lambda found: found.group(0) + "⁠", text)


def sheet_safe(value: object) -> object:
    """A value for a CSV file: spreadsheets show it and calculate nothing."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value.strip()):
        return "'" + value
    return value


def bucket_name(bucket: str) -> str:
    return BUCKETS.get(bucket, bucket.replace("_", " ").capitalize())


def count(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 record`, `2,000 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float | None) -> str:
    """Never rounded up to 100 %, nor down to 0 %."""
    if share is None:
        return "–"
    if 0.999 <= share < 1:
        return "99.9 %"
    return f"{share * 100:.0f} %" if share in {0, 1} else f"{max(share * 100, 0.1):.1f} %"


def when(moment: datetime | None, *, seconds: bool = False) -> str:
    """A moment in the visitor's own zone: `24 Nov, 12:27`."""
    if moment is None:
        return "never"
    local = moment.astimezone(_zone())
    year = "" if local.year == datetime.now(UTC).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M:%S}" if seconds else f"{local.day} {local:%b}{year}, {local:%H:%M}"


def ago(moment: datetime | None) -> str:
    """`just now`, `4 min ago`, `3 h ago`, `2 days ago`."""
    if moment is None:
        return "never"
    passed = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if passed >= size:
            number = int(passed // size)
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''} ago"
    return "just now"


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError):
        return ZoneInfo("UTC")
