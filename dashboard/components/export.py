"""What a filter lets through, as a file: CSV, Parquet or XLSX. No cell can become a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import streamlit as st

from dashboard import privacy, session
from dashboard.components.text import count, csv_safe
from workbench import views_dashboard, views_review
from workbench.views_dashboard import ResultFilter
from workbench.views_review import ChangeFilter

COLUMNS: Final = (
    "name", "finished_at", "direction", "status", "codes", "predicted_codes", "is_as_predicted", "person", "sobject",
    "record_id", "mainstay_id", "attempts", "batch_id",
)  # fmt: skip
CHANGE_COLUMNS: Final = (
    "change_id", "seq", "person", "sobject", "salesforce_id", "mainstay_id", "rule", "action", "predicted_status",
    "codes", "certainty", "field_names", "reason", "guards",
)  # fmt: skip
LIMIT: Final = 50_000
Rows = Sequence[Mapping[str, Any]]


def downloads(read: Callable[[], Rows], columns: Sequence[str], name: str) -> None:
    """A button per kind of file; the rows are read when one is clicked."""
    with st.container(width="content"):  # around the fragment, which would take the whole line
        _button(read, columns, name)


@st.fragment
def _button(read: Callable[[], Rows], columns: Sequence[str], name: str) -> None:
    is_masked = session.is_masked()  # asked here: the file is made on a thread that knows no visitor
    button = st.popover(
        "Download", icon=":material/download:", type="tertiary", width="content", key=f"{name}_files", on_change="rerun"
    )
    if not button.open:
        return
    with button:
        st.caption(f"What the filter lets through, at most {count(LIMIT)} rows.")
        for label, ending, mime, write in KINDS:
            st.download_button(
                label, data=lambda write=write: write(visible(read(), is_masked=is_masked), columns),
                file_name=f"{name}.{ending}", mime=mime,
                icon=":material/download:", type="tertiary", on_click="ignore", key=f"{name}_{ending}",
            )  # fmt: skip


def visible(rows: Rows, *, is_masked: bool) -> Rows:
    """What the screen would show of them: a file hides what the screen hides."""
    shown: Rows = privacy.masked(list(rows)) if is_masked else rows
    return shown


def result_rows(chosen: ResultFilter, sort: str) -> Rows:
    """Sync results behind a filter, in its order."""
    return views_dashboard.page_of_results(session.store(), chosen, sort=sort, size=LIMIT, page=1)


def change_rows(preview_id: int, chosen: ChangeFilter) -> Rows:
    """Changes of a preview behind a filter, in sending order."""
    return views_review.page_of_changes(session.store(), preview_id, chosen, size=LIMIT, page=1)


def to_csv(rows: Rows, columns: Sequence[str]) -> bytes:
    """UTF-8 with a byte order mark, which a spreadsheet needs to see that it is UTF-8."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(columns)
    writer.writerows([csv_safe(value) for value in line] for line in _lines(rows, columns))
    return sheet.getvalue().encode("utf-8-sig")


def to_parquet(rows: Rows, columns: Sequence[str]) -> bytes:
    """The rows with their own types; a column without a single value is text."""
    table = pa.Table.from_pydict({name: [row[name] for row in rows] for name in columns})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def to_xlsx(rows: Rows, columns: Sequence[str]) -> bytes:
    """One sheet with a fixed header; every text is written as text."""
    import xlsxwriter  # noqa: PLC0415 - only this download needs it

    sink = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "remove_timezone": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(sink, options) as book:
        sheet = book.add_worksheet("Workbench")
        sheet.freeze_panes(1, 0)
        bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, columns, bold)
        for number, line in enumerate(_lines(rows, columns), start=1):
            for place, value in enumerate(line):
                if isinstance(value, str):
                    sheet.write_string(number, place, csv_safe(value)[:32_767])
                elif isinstance(value, datetime):
                    sheet.write_datetime(number, place, value, moment)
                elif value is not None:
                    sheet.write(number, place, value)
        sheet.autofit(max_width=320)
    return sink.getvalue()


def _lines(rows: Rows, columns: Sequence[str]) -> Iterator[list[Any]]:
    for row in rows:
        yield [_cell(row[name]) for name in columns]


def _cell(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


KINDS: Final = (
    ("CSV", "csv", "text/csv", to_csv),
    ("Parquet", "parquet", "application/vnd.apache.parquet", to_parquet),
    ("Excel (XLSX)", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", to_xlsx),
)
