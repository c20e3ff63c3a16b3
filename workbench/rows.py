"""Questions to the store that render as tables in Jupyter, and the HTML they render with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final

from workbench import views
from workbench.store import Store
from workbench.store.quoting import identifier

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

SHOWN_ROWS: Final = 20
SHOWN_CHARACTERS: Final = 90


@dataclass(frozen=True)
class Rows:
    """A question to the store, asked when looked at: `.pl()`, `.df()`, `.arrow()`, `.sql`, `len()`, `for`.

    >>> rows = sql("SELECT action, row_count FROM view.preview_count WHERE row_count > 0")
    >>> rows.where("action = 'conflict'").select("row_count").pl().columns
    ['row_count']
    """

    store: Store = field(repr=False)
    sql: str
    first: str | None = field(default=None, repr=False)  # a query of the rows that are shown, where that is quicker

    def arrow(self) -> pa.Table:
        """The rows as a pyarrow table."""
        return views.run_sql(self.store, self.sql)

    def pl(self) -> pl.DataFrame:
        """The rows as a polars frame."""
        import polars as pl  # noqa: PLC0415  loaded when asked for

        frame = pl.from_arrow(self.arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def df(self) -> pd.DataFrame:
        """The rows as a pandas frame."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def where(self, condition: str) -> Rows:
        """The rows for which a SQL condition holds."""
        return self._over("SELECT *", f"WHERE {condition}")

    def select(self, *columns: str) -> Rows:
        """Only these columns, in this order."""
        return self._over(f"SELECT {', '.join(identifier(name) for name in columns)}")

    def count_by(self, *columns: str) -> Rows:
        """How many rows there are per combination of these columns, the frequent ones first."""
        names = ", ".join(identifier(name) for name in columns)
        return self._over(
            f"SELECT {names}, count(*) AS row_count", f"GROUP BY {names} ORDER BY row_count DESC, {names}"
        )

    def __len__(self) -> int:
        return int(self._over("SELECT count(*) AS n").arrow()["n"][0].as_py())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for part in self.arrow().to_batches(max_chunksize=10_000):
            yield from part.to_pylist()

    def _over(self, select: str, rest: str = "") -> Rows:
        return Rows(self.store, f"{select} FROM ({self.sql}\n) AS found {rest}")

    def _repr_html_(self) -> str:
        first = Rows(self.store, self.first) if self.first else self._over("SELECT *", f"LIMIT {SHOWN_ROWS}")
        shown = first.arrow()
        count = shown.num_rows if shown.num_rows < SHOWN_ROWS else len(self)
        told = f"{SHOWN_ROWS} of {count:,} rows" if count > shown.num_rows else f"{count:,} row{'s' * (count != 1)}"
        return html_table(shown.to_pylist(), shown.column_names) + f"<p>{told}</p>"


class Counts(dict[str, int]):
    """Names and their counts; in Jupyter a table with bars."""

    def _repr_html_(self) -> str:
        largest = max([*self.values(), 1])
        rows = [{"": name, "records": count, " ": Bar(count / largest)} for name, count in self.items()]
        return html_table(rows, ["", "records", " "])


@dataclass(frozen=True)
class Bar:
    """A bar in a table cell; `share` from 0 to 1."""

    share: float

    def html(self) -> str:
        width = round(160 * min(max(self.share, 0.0), 1.0))
        return f'<div style="background:#4c78a8;height:0.8em;width:{width}px"></div>'


def html_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """An HTML table; every value is escaped, numbers stand to the right, long texts are cut with the whole as hint."""
    numeric = {name for name in columns if any(_is_number(row.get(name)) for row in rows)}
    head = "".join(f"<th{_side(name in numeric)}>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(_html_cell(row.get(name), is_number=name in numeric) for name in columns)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _html_cell(value: Any, *, is_number: bool) -> str:
    if isinstance(value, Bar):
        return f"<td>{value.html()}</td>"
    text = cell(value)
    if len(text) <= SHOWN_CHARACTERS:
        return f"<td{_side(is_number)}>{escape(text)}</td>"
    cut = f"{text[: SHOWN_CHARACTERS - 1]}…"
    return f'<td{_side(is_number)} title="{escape(text)}">{escape(cut)}</td>'


def _side(is_number: bool) -> str:
    return "" if is_number else ' style="text-align:left"'


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell(value: Any) -> str:  # noqa: PLR0911  one return per type of value
    """One value as people read it: UTC times, thousands, yes and no."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return str(value)
