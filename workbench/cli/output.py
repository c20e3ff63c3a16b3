"""What commands print: data on stdout, messages on stderr; JSON for programs, tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

NUMERIC: Final = (int, float)
PIPED_WIDTH: Final = 120
# Legal inside JSON texts, but line ends to many readers of lines.
_LINE_ENDS: Final = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}


def json_bytes(value: Any) -> bytes:
    """Compact JSON; times in UTC with a Z, what JSON lacks as text."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def print_json(value: Any) -> None:
    """One JSON object on one line of stdout."""
    print_lines([value])


def print_lines(rows: Iterable[Any]) -> int:
    """NDJSON: one JSON object a line; how many."""
    count = 0
    out = sys.stdout
    for row in rows:
        out.write(json_bytes(row).decode().translate(_LINE_ENDS))
        out.write("\n")
        count += 1
    out.flush()
    return count


def out() -> Console:
    """The console for data; wide where no terminal sets its width."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=PIPED_WIDTH)


def say(message: str, *, style: str | None = None) -> None:
    """A message for the person at the terminal, on stderr; never part of the data."""
    Console(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(message, style=style, markup=False)


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | Mapping[str, str], *, title: str = ""
) -> None:
    """Rows as a table; `columns` are keys, or keys with their headings."""
    out().print(make_table(rows, columns, title=title))


def make_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | Mapping[str, str], *, title: str = ""
) -> Table:
    """A table with numbers to the right, and one heading per column."""
    headings = dict(columns) if isinstance(columns, Mapping) else {name: name.replace("_", " ") for name in columns}
    table = Table(
        title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    for name, heading in headings.items():
        is_number = any(isinstance(row.get(name), NUMERIC) and not isinstance(row.get(name), bool) for row in rows)
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in headings))
    return table


def cell(value: Any) -> str:
    """One value for a table cell; markup characters stay what they are."""
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, float):
        text = f"{value:,.2f}"
    elif isinstance(value, datetime):
        text = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, list | tuple):
        text = ", ".join(str(item) for item in value)
    else:
        text = str(value)
    return text.replace("[", "\\[")


def age(seconds: float) -> str:
    """How long ago, in words: `3 min ago`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
