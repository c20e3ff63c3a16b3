"""Spooled files on their way to a landing table: read, typed and hashed in a scratch DuckDB, away from the store.

NDJSON, which takes long to read, becomes one typed Parquet file. CSV is read once to see that it is good and once more
into the store: reading it is cheap beside writing it, even as Parquet. Values that do not fit their type become null,
each column with a notice.
Source: lab notes, "Landing".
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from workbench.errors import RemoteError
from workbench.store.database import Streamed, set_for_landing
from workbench.store.landing import Column, Target
from workbench.store.quoting import identifier, literal

# A Salesforce record holds at most 400,000 characters; both limits also size the readers' buffers.
MAX_OBJECT_BYTES: Final = 16 * 1024 * 1024
MAX_LINE_BYTES: Final = 8 * 1024 * 1024
# Read once, a moment later: quick to write rather than small.
_FORMAT: Final = "FORMAT parquet, COMPRESSION lz4"


# Column -> its places in a JSON entry, each one key or two, one inside the other; the first with a value counts.
Places = Mapping[str, Sequence[tuple[str, ...]]]


@dataclass(frozen=True)
class Prepared:
    """Typed rows waiting in files: how to read them, how many, how many repeated a key, and their latest stamp."""

    target: Target
    source: Streamed
    rows: int
    repeated: int
    latest: datetime | None
    notices: tuple[str, ...] = ()

    @property
    def tables(self) -> dict[str, Streamed]:
        """What `Store.write` needs to read these rows under `target.incoming`."""
        return {self.target.incoming: self.source}


@dataclass(frozen=True)
class _Source:
    sql: Callable[[Sequence[Column]], str]  # a table function over the files, with these column types
    columns: tuple[Column, ...]
    has_files: bool

    @property
    def untyped(self) -> tuple[Column, ...]:
        return tuple(Column(c.name, c.type if c.type.endswith("[]") else "VARCHAR") for c in self.columns)


def prepare_json(
    files: Sequence[Path], target: Target, pull_id: int, folder: Path, places: Places | None = None
) -> Prepared:
    """Type the lines of NDJSON files. Values that do not fit their type become null, each column with a notice.

    `places` says where columns are that an entry does not hold under their own name.
    """
    return _prepare(_json_source(files, target.columns, places or {}), target, pull_id, folder)


def prepare_csv(files: Sequence[Path], target: Target, pull_id: int, folder: Path) -> Prepared:
    """Type the rows of CSV files of one header: all values quoted, empty cells null, any text inside quotes.

    Raises RemoteError where a column of the target is missing in the header.
    """
    source = _csv_source(files, target.columns)
    return _prepare_as_it_is(source, target, pull_id, folder) or _prepare(source, target, pull_id, folder)


def _json_source(files: Sequence[Path], columns: Sequence[Column], places: Places) -> _Source:
    def sql(typed: Sequence[Column]) -> str:
        top: dict[str, str] = {}
        inner: dict[str, dict[str, str]] = {}
        found = []
        for column in typed:
            values = []
            for place in places.get(column.name, ((column.name,),)):
                if len(place) == 1:
                    top[place[0]] = column.type
                    values.append(identifier(place[0]))
                else:
                    inner.setdefault(place[0], {})[place[1]] = column.type
                    values.append(f"struct_extract({identifier(place[0])}, {literal(place[1])})")
            value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
            found.append(f"{value} AS {identifier(column.name)}")
        for name, parts in inner.items():
            top[name] = f"STRUCT({', '.join(f'{identifier(part)} {kind}' for part, kind in parts.items())})"
        in_file = [Column(name, kind) for name, kind in top.items()]
        return (
            f"(SELECT {', '.join(found)} FROM read_json({_file_list(files)}, format='newline_delimited', "
            f"columns={_column_struct(in_file)}, maximum_object_size={MAX_OBJECT_BYTES}))"
        )

    return _Source(sql, tuple(columns), bool(files))


def _csv_source(files: Sequence[Path], columns: Sequence[Column]) -> _Source:
    header = _csv_header(files[0]) if files else [column.name for column in columns]
    missing = [column.name for column in columns if column.name.lower() not in {name.lower() for name in header}]
    if missing:
        raise RemoteError(f"Salesforce left out columns that were asked for: {', '.join(missing)}. Pull again.")

    def sql(typed: Sequence[Column]) -> str:
        wanted = {column.name.lower(): column for column in typed}
        in_file = [wanted.get(name.lower(), Column(name)) for name in header]
        return (
            f"read_csv({_file_list(files)}, header=true, auto_detect=false, delim=',', quote='\"', escape='\"', "
            f"nullstr='', max_line_size={MAX_LINE_BYTES}, buffer_size={4 * MAX_LINE_BYTES}, "
            f"columns={_column_struct(in_file)})"
        )

    return _Source(sql, tuple(columns), bool(files))


def prepare_sql(select: str, target: Target, pull_id: int, folder: Path) -> Prepared:
    """As the others, from a query that gives the target's columns. Raises duckdb.Error where a value does not fit."""
    path = _parquet_path(target, folder)
    with _scratch(folder, target) as con:
        _copy(con, select, target, pull_id, path)
        return _finish(con, target, path, ())


def _prepare_as_it_is(source: _Source, target: Target, pull_id: int, folder: Path) -> Prepared | None:
    """The files themselves, where every value fits its type and every key is there once."""
    found = _from(source, source.columns)
    stamped = f"({_stamped(f'SELECT {_names(target)} FROM {found}', target, pull_id)})"
    typed = [column.name for column in target.columns if column.type != "VARCHAR"]  # any text is a text
    with _scratch(folder, target) as con:
        try:
            rows, repeated, latest = _measure(con, target, found, typed)
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            return None
    return None if repeated else Prepared(target, Streamed(stamped), rows, 0, latest)


def _prepare(source: _Source, target: Target, pull_id: int, folder: Path) -> Prepared:
    path = _parquet_path(target, folder)
    names = _names(target)
    notices: list[str] = []
    with _scratch(folder, target) as con:
        try:
            _copy(con, f"SELECT {names} FROM {_from(source, source.columns)}", target, pull_id, path)
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            untyped = _from(source, source.untyped)
            casts = ", ".join(
                f"TRY_CAST({identifier(column.name)} AS {column.type}) AS {identifier(column.name)}"
                for column in target.columns
            )
            notices = _lost_values(con, untyped, target)
            _copy(con, f"SELECT {casts} FROM {untyped}", target, pull_id, path)
        return _finish(con, target, path, notices)


def _parquet_path(target: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{target.schema}.{target.table}.parquet"


@contextmanager
def _scratch(folder: Path, target: Target) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        set_for_landing(con, len(target.columns))
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET temp_directory = {literal(str(folder / 'tmp'))}")
        yield con


def _names(target: Target) -> str:
    return ", ".join(identifier(column.name) for column in target.columns)


def _finish(con: duckdb.DuckDBPyConnection, target: Target, path: Path, notices: Sequence[str]) -> Prepared:
    source = Streamed(f"read_parquet({literal(str(path))})")
    rows, repeated, latest = _measure(con, target, source.sql)
    if repeated:
        _keep_latest(con, target, path)
    return Prepared(target, source, rows - repeated, repeated, latest, tuple(notices))


def _from(source: _Source, columns: Sequence[Column]) -> str:
    if source.has_files:
        return source.sql(columns)
    empty = ", ".join(f"NULL::{column.type} AS {identifier(column.name)}" for column in columns)
    return f"(SELECT {empty} WHERE false) AS nothing"


def _copy(con: duckdb.DuckDBPyConnection, select: str, target: Target, pull_id: int, path: Path) -> None:
    con.execute(f"COPY ({_stamped(select, target, pull_id)}) TO {literal(str(path))} ({_FORMAT})")


def _stamped(select: str, target: Target, pull_id: int) -> str:
    """The rows of a query with their system columns."""
    names = _names(target)
    return f"SELECT {names}, {int(pull_id)}::INTEGER AS _pull_id, hash({names}) AS _row_hash FROM ({select}) AS found"


def _measure(
    con: duckdb.DuckDBPyConnection, target: Target, source: str, read_too: Sequence[str] = ()
) -> tuple[int, int, datetime | None]:
    """Rows, repeated keys, latest stamp. Columns in `read_too` are read as what they are to be."""
    key = identifier(target.key)
    latest = f"max({identifier(target.stamp)})" if target.stamp else "NULL"
    read = "".join(f", count({identifier(name)})" for name in read_too)
    found = con.execute(f"SELECT count(*), count(*) - count(DISTINCT {key}), {latest}{read} FROM {source}").fetchone()
    assert found is not None
    rows, repeated, stamp, *_ = found
    return rows, repeated, stamp


def _keep_latest(con: duckdb.DuckDBPyConnection, target: Target, path: Path) -> None:
    """A list that moved while its pages were read can name a record twice: the latest counts."""
    order = f"{identifier(target.stamp)} DESC NULLS LAST" if target.stamp else "_row_hash"
    whole = path.with_suffix(".all.parquet")
    path.rename(whole)
    con.execute(
        f"COPY (SELECT * FROM read_parquet({literal(str(whole))}) "
        f"QUALIFY row_number() OVER (PARTITION BY {identifier(target.key)} ORDER BY {order}) = 1) "
        f"TO {literal(str(path))} ({_FORMAT})"
    )
    whole.unlink()


def _lost_values(con: duckdb.DuckDBPyConnection, untyped: str, target: Target) -> list[str]:
    typed = [column for column in target.columns if column.type not in {"VARCHAR", "VARCHAR[]"}]
    counts = ", ".join(
        f"count({identifier(column.name)}) - count(TRY_CAST({identifier(column.name)} AS {column.type}))"
        for column in typed
    )
    found = con.execute(f"SELECT {counts} FROM {untyped}").fetchone() or ()
    return [
        f"{target.schema} {target.table}: {lost} values of {column.name} are no {column.type} and were left blank"
        for column, lost in zip(typed, found, strict=True)
        if lost
    ]


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [name.strip() for name in next(csv.reader(lines), [])]


def _file_list(files: Sequence[Path]) -> str:
    return "[" + ", ".join(literal(str(path)) for path in files) + "]"


def _column_struct(columns: Sequence[Column]) -> str:
    return "{" + ", ".join(f"{literal(column.name)}: {literal(column.type)}" for column in columns) + "}"
