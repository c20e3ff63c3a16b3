"""Sync results as files, the clearing of old ones, and what follows from one of them: resend and undo."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.domain.access import Person, allowed
from workbench.errors import ConfigurationError
from workbench.settings import Settings
from workbench.stages import push, undo
from workbench.stages.push import Resend, Simulated, simulate_resend
from workbench.stages.undo import UndoReport
from workbench.store import Store, retention
from workbench.store.retention import Archive, count_clearable

__all__ = [
    "Archive",
    "Resend",
    "Simulated",
    "UndoReport",
    "clear_results",
    "count_clearable",
    "latest_undo",
    "moment_before",
    "read_edits",
    "resend",
    "safe_cell",
    "simulate_resend",
    "undo_batch",
    "write_csv",
    "write_parquet",
]

# A spreadsheet takes a text that begins so for a formula; blanks before it do not stop all of them.
_FORMULA: Final = re.compile(r"^[\s\x00]*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def resend(
    store: Store, settings: Settings, result: str | int, *, by: str | Person, edits: Mapping[str, Any] | None = None
) -> Resend:
    """Make a batch that sends a result's requests again; see `stages.push`. Raises NotAllowed below analyst."""
    return push.resend(store, settings, result, by=allowed(by, "request"), edits=edits)


def undo_batch(store: Store, settings: Settings, batch_id: int, *, by: str | Person = "") -> UndoReport:
    """Preview the way back from a batch; see `stages.undo`. Raises NotAllowed below analyst."""
    allowed(by, "request")
    return undo.undo_batch(store, settings, batch_id)


def latest_undo(store: Store, batch_id: int) -> UndoReport | None:
    """What the last undo of a batch said, while it holds; see `stages.undo`."""
    return undo.latest_undo(store, batch_id)


def clear_results(store: Store, before: datetime, now: datetime, *, by: str | Person = "") -> Archive:
    """Archive old results, then purge them; see `store.retention`. Raises NotAllowed below admin."""
    allowed(by, "clear")
    return retention.clear_results(store, before, now)


def write_csv(rows: Iterable[Mapping[str, Any]], file: Path) -> int:
    """Write rows as UTF-8 CSV with one header line; lists joined by commas, objects as JSON; how many rows.

    No cell can become a formula in a spreadsheet. Raises ConfigurationError when the file cannot be written.
    """
    count = 0
    try:
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            for row in rows:
                if not count:
                    writer.writerow(row)
                writer.writerow([safe_cell(value) for value in row.values()])
                count += 1
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}.") from None
    return count


def write_parquet(table: pa.Table, file: Path) -> int:
    """Write a table as Parquet; how many rows. Raises ConfigurationError when the file cannot be written."""
    try:
        pq.write_table(table, file, compression="zstd")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}.") from None
    return int(table.num_rows)


def safe_cell(value: Any) -> Any:
    r"""One CSV cell; a text that a spreadsheet would calculate gets an apostrophe in front.

    >>> safe_cell('=HYPERLINK("http://x")'), safe_cell(-3), safe_cell(["a", "b"]), safe_cell("Ana")
    ('\'=HYPERLINK("http://x")', -3, 'a, b', 'Ana')
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        text = orjson.dumps(value).decode()
    elif isinstance(value, list | tuple):
        text = ", ".join(str(item) for item in value)
    else:
        text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def moment_before(age: str, now: datetime) -> datetime:
    """The moment that lies `90d`, `12w` or `36h` back. Raises ConfigurationError for any other text."""
    found = re.fullmatch(r"([0-9]{1,5})([hdw])", age.strip().lower())
    if found is None:
        raise ConfigurationError(f"{age!r} is no age like 90d, 12w or 36h.")
    return now - int(found[1]) * _UNITS[found[2]]


def read_edits(settings: Iterable[str]) -> dict[str, str | None]:
    """`field=value` texts as edits; an empty value takes the field out. Raises ConfigurationError, naming all wrong.

    >>> read_edits(["email=a=b@example.edu", "custom.GPA="])
    {'email': 'a=b@example.edu', 'custom.GPA': None}
    """
    pairs = [text.partition("=") for text in settings]
    wrong = [f"{name!r} is no field=value" for name, sign, _ in pairs if not sign or not name.strip()]
    if wrong:
        raise ConfigurationError("These edits cannot be read:", wrong)
    return {name.strip(): value or None for name, _, value in pairs}
