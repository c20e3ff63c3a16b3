"""A page of rows as an HTML table: a row opens, a header sorts, and both are told to Python.

Streamlit's own grid loads 1.3 MB of scripts and draws on a canvas. This one is text, which a screen reader reads, the
mouse marks and the browser finds; it stands as soon as the page does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.markup import Html

Sort = Literal["ascending", "descending", "none"]

_LISTENER: Final = st.components.v2.component(
    "workbench-table", js=Path(__file__).with_suffix(".js").read_text(), isolate_styles=False
)
_MARKS: Final = {"ascending": " ↑", "descending": " ↓", "none": ""}


@dataclass(frozen=True)
class Column:
    """width: share of the table in percent; sort: None when its header does not sort."""

    title: str
    width: int
    sort: Sort | None = None
    is_number: bool = False


def table_place(key: str, *, on_open: Callable[[str], None], on_sort: Callable[[str], None]) -> DeltaGenerator:
    """Where `table_html` is put, by `.html`. Taken before the rows are read: what listens loads meanwhile.

    `on_open` gets the name of the row that was opened, `on_sort` the title of the header that was clicked.
    """

    def told(event: str, act: Callable[[str], None]) -> Callable[[], None]:
        return lambda: act(str(st.session_state[f"{key}_listener"][event]))

    place = st.container(key=f"wb-table-{key}", gap=None)
    with place:
        _LISTENER(
            key=f"{key}_listener", on_opened_change=told("opened", on_open), on_sorted_change=told("sorted", on_sort)
        )
    return place


def table_html(label: str, columns: Sequence[Column], rows: Sequence[Sequence[object]], address: str) -> Html:
    """Rows of one value per column; all but `Html` are escaped. The first value names the row: `address` with it is
    where a click with Ctrl leads.
    """
    heads = "".join(_head(column) for column in columns)
    lines = "".join(_line(columns, row, address, is_first=number == 0) for number, row in enumerate(rows))
    return Html(
        f'<div class="wb-grid-frame"><table class="wb-grid" aria-label="{escape(label)}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _head(column: Column) -> str:
    title, start = escape(column.title), f'<th scope="col"{_class(column)} style="width:{column.width}%"'
    if column.sort is None:
        return f"{start}>{title}</th>"
    mark = _MARKS[column.sort]
    return f'{start} aria-sort="{column.sort}"><button type="button" data-sorts="{title}">{title}{mark}</button></th>'


def _line(columns: Sequence[Column], row: Sequence[object], address: str, *, is_first: bool) -> str:
    name = escape(str(row[0]))
    stop = "0" if is_first else "-1"
    opener = f'<td><a href="{escape(address)}{name}" data-opens="{name}" tabindex="{stop}">{name}</a></td>'
    others = "".join(_cell(column, value) for column, value in zip(columns[1:], row[1:], strict=True))
    return f"<tr>{opener}{others}</tr>"


def _cell(column: Column, value: object) -> str:
    if isinstance(value, Html):
        return f"<td{_class(column)}>{value}</td>"
    text = "" if value is None else escape(str(value))
    return f'<td{_class(column)} title="{text}">{text}</td>'


def _class(column: Column) -> str:
    return ' class="wb-num"' if column.is_number else ""
