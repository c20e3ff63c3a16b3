"""Stacked bars drawn with HTML alone: they stand at once, where a chart's script would take the page a second.

Pure rows -> HTML; every value is escaped. The look is in static/charts.css.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from dashboard.components.markup import Html
from dashboard.components.text import count, plural

Row = Mapping[str, Any]
WIDEST_REM: Final = 4.7  # of a standing bar with its gap, as in the sheet


def columns(
    rows: Sequence[Row], *, x: str, y: str, series: str, key: Mapping[str, tuple[str, str]], height: int
) -> Html:
    """Standing bars, one per value of `x` in the order of the rows. key: series -> (name, colour)."""
    bars = _stacks(rows, x, y, series, key)
    most = max((sum(parts.values()) for parts in bars.values()), default=0) or 1
    drawn = "".join(
        f'<div title="{escape(_told(name, parts, key))}" style="height:{100 * sum(parts.values()) / most:.2f}%">'
        + "".join(
            f'<i style="flex-grow:{parts[part]};background:{key[part][1]}"></i>' for part in reversed(list(key))
            if parts.get(part)
        )
        + "</div>"
        for name, parts in bars.items()
    )  # fmt: skip
    names = list(bars)
    ends = "".join(f"<span>{escape(name)}</span>" for name in dict.fromkeys([*names[:1], *names[-1:]]))
    return Html(
        f'<figure class="wb-columns" role="img" aria-label="{escape(_summary(bars, key))}">'
        f'<small>{count(most)}</small><div class="wb-plot" style="height:{height - 55}px">{drawn}</div>'
        f'<figcaption style="max-width:{WIDEST_REM * len(names)}rem">{ends}</figcaption></figure>'
    )


def lines(rows: Sequence[Row], *, x: str, y: str, series: str, key: Mapping[str, tuple[str, str]]) -> Html:
    """Lying bars, one per value of `x`, its name before it."""
    bars = _stacks(rows, x, y, series, key)
    most = max((sum(parts.values()) for parts in bars.values()), default=0) or 1
    drawn = "".join(
        f'<div title="{escape(_told(name, parts, key))}"><span>{escape(name)}</span><b><u style="width:'
        f'{100 * sum(parts.values()) / most:.2f}%">'
        + "".join(
            f'<i style="flex-grow:{parts[part]};background:{key[part][1]}"></i>' for part in key if parts.get(part)
        )
        + "</u></b></div>"
        for name, parts in bars.items()
    )
    return Html(f'<figure class="wb-lines" role="img" aria-label="{escape(_summary(bars, key))}">{drawn}</figure>')


def legend(key: Mapping[str, tuple[str, str]]) -> Html:
    parts = "".join(f'<li><i style="background:{colour}"></i>{escape(name)}</li>' for name, colour in key.values())
    return Html(f'<ul class="wb-key">{parts}</ul>')


def _stacks(
    rows: Sequence[Row], x: str, y: str, series: str, key: Mapping[str, tuple[str, str]]
) -> dict[str, dict[str, int]]:
    """Bar -> series -> its length; parts without a name are left out, as the chart leaves them."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        parts = found.setdefault(str(row[x]), {})
        if row[series] in key:
            parts[row[series]] = parts.get(row[series], 0) + row[y]
    return found


def _told(name: str, parts: Mapping[str, int], key: Mapping[str, tuple[str, str]]) -> str:
    listed = ", ".join(f"{count(parts[part])} {key[part][0]}" for part in key if parts.get(part))
    return f"{name}: {listed or 0}"


def _summary(bars: Mapping[str, Mapping[str, int]], key: Mapping[str, tuple[str, str]]) -> str:
    totals = {part: sum(parts.get(part, 0) for parts in bars.values()) for part in key}
    listed = ", ".join(f"{key[part][0]} {count(total)}" for part, total in totals.items())
    ends = f" from {next(iter(bars))} to {next(reversed(bars))}" if len(bars) > 1 else ""
    return f"{plural(len(bars), 'bar')}{ends}: {listed}"
