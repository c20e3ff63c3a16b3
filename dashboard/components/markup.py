"""Small pieces of HTML that Streamlit has no widget for: stacked bars, quiet tables, figures. Pure str -> str.

Every value passes `html.escape`; every class comes from an allow-list. The look is in static/app.css.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from dashboard.components.text import STATUS_COLOURS, STATUS_LABELS, bucket_name, count, html_value, percent
from workbench.domain.error_dictionary import ENTRIES, family

TONES: Final = {
    "none": "sync",
    "in_sync": "sync",
    "success": "sync",
    "sent": "create",
    "pending": "link",
    "differs": "update",
    "update": "update",
    "to_update": "update",
    "link": "link",
    "to_link": "link",
    "create": "create",
    "only_here": "create",
    "excluded": "muted",
    "reached_by_excluded_only": "muted",
    "reached_by_blocked_only": "faint",
    "only_in_salesforce": "faint",
    "only_in_mainstay": "faint",
    "not_looked_at": "faint",
    "conflict": "warn",
    "partial": "warn",
    "blocked": "stop",
    "fail": "stop",
    "failed": "stop",
    "unknown": "muted",
}
# Buckets read from "nothing to do" to "cannot be done", always in the same order.
ORDER: Final = tuple(TONES)


class Html(str):
    """Text that is markup already; everything else in a table cell is escaped."""

    __slots__ = ()


def tone(bucket: str) -> str:
    return TONES.get(bucket, "muted")


def stacked_bar(parts: Mapping[str, int], *, label: str, with_legend: bool = True) -> Html:
    """A bar whose segments are as wide as their counts, with its legend: name, count, share."""
    present = sorted(
        ((name, number) for name, number in parts.items() if number),
        key=lambda part: ORDER.index(part[0]) if part[0] in ORDER else len(ORDER),
    )
    total = sum(number for _, number in present)
    segments = "".join(
        f'<i class="wb-{tone(name)}" style="flex-grow:{number}" '
        f'title="{escape(bucket_name(name))}: {count(number)} ({percent(number / total)})"></i>'
        for name, number in present
    )
    legend = "".join(
        f'<li><i class="wb-{tone(name)}"></i><span>{escape(bucket_name(name))}</span>'
        f"<b>{count(number)}</b><em>{percent(number / total)}</em></li>"
        for name, number in present
    )
    spoken = ", ".join(f"{bucket_name(name)} {count(number)}" for name, number in present)
    bar = f'<div class="wb-bar" role="img" aria-label="{escape(label)}: {escape(spoken)}">{segments}</div>'
    return Html(bar + (f'<ul class="wb-legend">{legend}</ul>' if with_legend else ""))


def pill(text: str, colour: str) -> Html:
    allowed = colour if colour in {"green", "orange", "red", "blue", "violet", "gray"} else "gray"
    return Html(f'<span class="wb-pill wb-{allowed}">{escape(text)}</span>')


def meter(share: float | None) -> Html:
    """A share as a short bar with its figure."""
    if share is None:
        return Html('<span class="wb-faded">–</span>')
    kind = "sync" if share >= 0.95 else "warn" if share >= 0.8 else "stop"
    return Html(
        f'<span class="wb-meter"><i class="wb-{kind}" style="width:{share * 100:.1f}%"></i></span> {percent(share)}'
    )


def code(text: str) -> Html:
    return Html(f"<code>{escape(text)}</code>")


def code_link(text: str, entry: int | None = None) -> Html:
    """A code that opens its entry of the error dictionary; just the code where no entry is published."""
    number = entry or next((one.number for one in ENTRIES if one.code == family(text)), None)
    if number is None:
        return code(text)
    return Html(f'<a class="wb-code" href="errors?entry={number}" target="_self">{code(text)}</a>')


def figures(parts: Iterable[tuple[str, str]]) -> Html:
    """Figures in a row: (name, value)."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in parts)
    return Html(f'<dl class="wb-figures">{items}</dl>')


def tiles(parts: Iterable[tuple[str, str, str, str]]) -> Html:
    """Large figures in boxes of their own: (name, value, what stands below, what it counts)."""
    items = "".join(
        f'<div title="{escape(note)}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd>'
        f"<small>{escape(below)}</small></div>"
        for name, value, below, note in parts
    )
    return Html(f'<dl class="wb-tiles">{items}</dl>')


def facts(parts: Iterable[tuple[str, Any]]) -> Html:
    """Name and value, one pair a line; Html values stay, others are escaped."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{cell(value)}</dd></div>" for name, value in parts)
    return Html(f'<dl class="wb-facts">{items}</dl>')


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, label: str, numbers: Sequence[str] = ()) -> Html:
    """A quiet table; the columns named in `numbers` stand right."""
    right = [' class="wb-num"' if name in numbers else "" for name in columns]
    head = "".join(f"<th scope='col'{side}>{escape(name)}</th>" for name, side in zip(columns, right, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{side}>{cell(value)}</td>" for value, side in zip(row, right, strict=True)) + "</tr>"
        for row in rows
    )
    return Html(
        f'<div class="wb-scroll"><table class="wb-table" aria-label="{escape(label)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell(value: Any) -> str:
    if isinstance(value, Html):
        return value
    if value is None or value == "":
        return '<span class="wb-faded">–</span>'
    return escape(count(value) if isinstance(value, int) and not isinstance(value, bool) else str(value))


def differences(fields: Sequence[Mapping[str, Any]]) -> Html:
    """Field changes: name, before struck out, after."""
    lines = "".join(
        f"<div><dt>{escape(str(field['field']))}</dt><dd><span class='b'>{html_value(field.get('before'))}</span>"
        f"<span class='arrow' aria-label='becomes'>→</span><span class='a'>{html_value(field.get('after'))}</span>"
        "</dd></div>"
        for field in fields
    )
    return Html(f'<dl class="wb-diff">{lines}</dl>')


def verdicts(row: Mapping[str, Any]) -> Html:
    """What was predicted beside what came back. row: predicted_status, predicted_codes, status, codes."""
    return Html(
        f'<div class="wb-pair"><div><span>Predicted</span>{_verdict(row["predicted_status"], row["predicted_codes"])}'
        f"</div><div><span>Actual</span>{_verdict(row['status'], row['codes'])}</div></div>"
    )


def _verdict(status: str | None, codes: Sequence[str] | None) -> str:
    if status is None:
        return '<span class="wb-faded">no prediction</span>'
    listed = "".join(f"<br>{code_link(one)}" for one in codes or ())
    return pill(STATUS_LABELS.get(status, status), STATUS_COLOURS.get(status, "gray")) + listed
