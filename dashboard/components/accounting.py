"""The accounting of a preview: every record of a system in exactly one bucket, as one bar with its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

# bucket -> (label, tone, place); a bucket without an entry is still shown, under its own name.
BUCKETS: Final = {
    "none": ("In sync", "still", 0),
    "in_sync": ("In sync", "still", 0),
    "update": ("To update", "update", 1),
    "to_update": ("To update", "update", 1),
    "link": ("To link", "link", 2),
    "to_link": ("To link", "link", 2),
    "create": ("To create", "create", 3),
    "conflict": ("Conflict", "conflict", 4),
    "blocked": ("Blocked", "blocked", 5),
    "reached_by_conflict_only": ("Reached by a conflict only", "conflict", 6),
    "reached_by_blocked_only": ("Reached by a blocked record only", "blocked", 7),
    "reached_by_excluded_only": ("Reached by an excluded record only", "quiet", 8),
    "excluded": ("Excluded", "quiet", 9),
    "only_in_mainstay": ("Only in Mainstay", "alone", 10),
    "only_in_salesforce": ("Only in Salesforce", "alone", 10),
}


def label_of(bucket: str) -> str:
    return BUCKETS[bucket][0] if bucket in BUCKETS else bucket.replace("_", " ").capitalize()


def accounting_html(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """One system and object of a preview as HTML. rows: bucket, row_count."""
    ordered = sorted(rows, key=lambda row: (BUCKETS.get(row["bucket"], ("", "", 99))[2], row["bucket"]))
    total = sum(row["row_count"] for row in ordered)
    parts = "".join(
        f'<span class="wb-part wb-t-{_tone(row["bucket"])}" style="flex-grow:{int(row["row_count"])}"'
        f' title="{escape(label_of(row["bucket"]), quote=True)}: {row["row_count"]:,}"></span>'
        for row in ordered
        if row["row_count"]
    )
    legend = "".join(
        f'<li><span class="wb-dot wb-t-{_tone(row["bucket"])}"></span>{escape(label_of(row["bucket"]))}'
        f"<b>{row['row_count']:,}</b></li>"
        for row in ordered
        if row["row_count"]
    )
    return (
        f'<div class="wb-account"><div class="wb-account-head"><span>{escape(title)}</span><b>{total:,}</b></div>'
        f'<div class="wb-bar" role="img" aria-label="{escape(title, quote=True)}, {total:,} records">{parts}</div>'
        f'<ul class="wb-legend">{legend}</ul></div>'
    )


def _tone(bucket: str) -> str:
    return BUCKETS[bucket][1] if bucket in BUCKETS else "quiet"
