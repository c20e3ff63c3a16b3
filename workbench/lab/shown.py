"""Results that a notebook shows as a table and a terminal prints; rows of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.lab.measures import Share

if TYPE_CHECKING:
    import polars as pl

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A titled table with notes under it: `.rows`, `.pl()`, `str()`, and HTML in Jupyter."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())

    def pl(self) -> pl.DataFrame:
        """The rows as a polars frame; shares as their text."""
        import polars as pl  # noqa: PLC0415  loaded when asked for

        plain = [
            {name: str(value) if isinstance(value, Share) else value for name, value in row.items()}
            for row in self.rows
        ]
        return pl.DataFrame(plain, infer_schema_length=None)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        if not self.rows:
            return "\n".join([self.title, "no rows", *self.notes])
        lines = [list(self.rows[0]), *([text(row.get(name)) for name in self.rows[0]] for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        table = ["  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([self.title, *(line.rstrip() for line in table), *self.notes])

    def markdown(self) -> str:
        """The table for a page of documentation."""
        names = list(self.rows[0])
        head = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        return "\n".join([*head, *("| " + " | ".join(text(row[name]) for name in names) + " |" for row in self.rows)])

    def _repr_html_(self) -> str:
        names = list(self.rows[0]) if self.rows else []
        head = "".join(f"<th{_side(self.rows[0][name])}>{escape(name.replace('_', ' '))}</th>" for name in names)
        body = "".join("<tr>" + "".join(_html_cell(row.get(name)) for name in names) + "</tr>" for row in self.rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else "<p>No rows.</p>"
        )
        return f"<p><b>{escape(self.title)}</b></p>{table}{notes}"


def text(value: Any) -> str:
    """One value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return str(value)


def _html_cell(value: Any) -> str:
    return f"<td{_side(value)}>{escape(text(value))}</td>"


def _side(value: Any) -> str:
    is_number = isinstance(value, int | float | Share) and not isinstance(value, bool)
    return f' style="text-align:{"right" if is_number else "left"}"'
