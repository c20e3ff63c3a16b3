"""Reading an export as people save it: any usual encoding and delimiter, Excel's habits, a report's footer lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigurationError

_ENCODINGS: Final = ("utf-8-sig", "cp1252")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .xls, whatever their name says
_DELIMITERS: Final = ",;\t|"
# What Excel leaves around a value to keep it text: ="0042", '+1404...
_WRAPPED: Final = re.compile(r'="([^"]*)"|\'([=+@-].*)', re.DOTALL)
_FLOATED: Final = re.compile(r"\d{7,}\.0+")
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
# A note in the middle of a file may be long; Python's own limit of 131,072 is for one cell.
csv.field_size_limit(4_000_000)


@dataclass(frozen=True)
class CsvFile:
    """A header and its cells by column; blanks are None.

    `skipped`: lines that were no record of the table. `damaged`: columns with numbers such as 4.04555E+09, whose last
    digits a spreadsheet threw away.
    """

    path: Path
    header: tuple[str, ...]
    columns: tuple[tuple[str | None, ...], ...]
    skipped: int
    damaged: tuple[str, ...] = ()

    def column(self, name: str) -> tuple[str | None, ...]:
        """The cells under a header."""
        return self.columns[self.header.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def read_csv_file(path: Path) -> CsvFile:
    """Read a CSV.

    Raises ConfigurationError where the file does not exist, is no text, is empty, repeats a header, or has lines that
    do not fit its header; the line is named.
    """
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    delimiter = _delimiter(first)
    if re.fullmatch(r"sep=.", first.strip(), re.IGNORECASE):  # Excel's own first line
        delimiter, text = first.strip()[-1], rest
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = _header(path, next(rows, []))
        kept, skipped = _records(path, rows, header)
    except csv.Error as error:
        raise ConfigurationError(
            f"{path}, line {rows.line_num}: a quotation mark is not closed, or stands inside a value ({error}). "
            "Export the file again, or correct that line."
        ) from None
    columns = tuple(_unfloated(column) for column in zip(*kept, strict=True)) if kept else tuple(() for _ in header)
    named = [(name, column) for name, column in zip(header, columns, strict=True) if name or any(column)]
    header = tuple(name or f"Column {place}" for place, (name, _) in enumerate(named, start=1))
    columns = tuple(column for _, column in named)
    damaged = tuple(
        name
        for name, column in zip(header, columns, strict=True)
        if any(_SCIENTIFIC.fullmatch(cell) for cell in filled(column))
    )
    return CsvFile(path, header, columns, skipped, damaged)


def _header(path: Path, row: Sequence[str]) -> tuple[str, ...]:
    header = tuple(name.strip() for name in row)
    if not any(header):
        raise ConfigurationError(f"{path} has no header line. Export it again, with column names.")
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{path} has several columns named {', '.join(repeated)}. Rename or remove them.")
    return header


def _records(path: Path, rows: Any, header: Sequence[str]) -> tuple[list[list[str | None]], int]:
    """Lines as wide as the header, and how many lines were none.

    A Salesforce report ends with its name, a copyright line and a date, one cell each. A line that lost its blank cells
    at the end is filled up; a surplus value has no column, and is an error.
    """
    kept, skipped, width = [], 0, len(header)
    for row in rows:
        cells = [_blank(cell) for cell in row]
        if not any(cells) or len(cells) == 1 < width:
            skipped += bool(row)
            continue
        if any(cells[width:]):
            raise ConfigurationError(
                f"{path}, line {rows.line_num}: {len(cells)} values for {width} columns. A value with the delimiter "
                "inside needs quotation marks; export the file again."
            )
        kept.append([*cells[:width], *[None] * (width - len(cells))])
    return kept, skipped


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith(_WORKBOOKS):
        raise ConfigurationError(f"{path} is an Excel workbook. Save it as CSV UTF-8 (in Excel: Save as).")
    if raw.startswith(_UTF_16):
        return raw.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigurationError(f"{path} is neither UTF-8 nor Windows text. Save it as CSV UTF-8.")


def _delimiter(first: str) -> str:
    """The delimiter that stands most often in the header, outside of quoted names."""
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=unquoted.count)


def _blank(cell: str) -> str | None:
    text = cell.strip()
    if wrapped := _WRAPPED.fullmatch(text):
        text = (wrapped[1] if wrapped[1] is not None else wrapped[2]).strip()
    return text or None


def _unfloated(column: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Phones and ids that a spreadsheet took for numbers, 4045550123.0, as they were; grades such as 3.0 stay."""
    if not any(cell and _FLOATED.fullmatch(cell) for cell in column):
        return column
    return tuple(cell.split(".")[0] if cell and _FLOATED.fullmatch(cell) else cell for cell in column)


def filled(cells: Sequence[str | None]) -> list[str]:
    """The cells that hold something."""
    return [cell for cell in cells if cell is not None]
