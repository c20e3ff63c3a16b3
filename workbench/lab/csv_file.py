"""Reading an export as people save it: any usual encoding and delimiter, and a report's title lines at its end."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.errors import ConfigurationError

_ENCODINGS: Final = ("utf-8-sig", "cp1252")
_DELIMITERS: Final = ",;\t|"
# A note in the middle of a file may be long; Python's own limit of 131,072 is for one cell.
csv.field_size_limit(4_000_000)


@dataclass(frozen=True)
class CsvFile:
    """A header and its cells by column; blanks are None. `skipped`: lines that were no record of the table."""

    path: Path
    header: tuple[str, ...]
    columns: tuple[tuple[str | None, ...], ...]
    skipped: int

    def column(self, name: str) -> tuple[str | None, ...]:
        """The cells under a header."""
        return self.columns[self.header.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def read_csv_file(path: Path) -> CsvFile:
    """Read a CSV. Raises ConfigurationError where the file does not exist, is empty, or repeats a header."""
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    text = _decoded(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = tuple(name.strip() for name in next(rows, []))
    if not any(header):
        raise ConfigurationError(f"{path} has no header line. Export it again, with column names.")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{path} has several columns named {', '.join(repeated)}. Rename or remove them.")
    # A Salesforce report ends with its name, a copyright line and a date: lines of fewer cells than the header.
    kept, skipped = [], 0
    for row in rows:
        if len(row) == len(header) and any(cell.strip() for cell in row):
            kept.append([_blank(cell) for cell in row])
        else:
            skipped += bool(row)
    columns = tuple(zip(*kept, strict=True)) if kept else tuple(() for _ in header)
    return CsvFile(path, header, columns, skipped)


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigurationError(f"{path} is neither UTF-8 nor Windows text. Save it as CSV UTF-8.")


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count)


def _blank(cell: str) -> str | None:
    return cell.strip() or None


def filled(cells: Sequence[str | None]) -> list[str]:
    """The cells that hold something."""
    return [cell for cell in cells if cell is not None]
