"""`Store(dsn)`: query and write a DuckDB database that several processes share.

File mode: a process that writes locks out all others, and POSIX locks vanish when any descriptor of the file is
closed, so every access takes its turn at two sidecar files first (`.gate` keeps readers from overtaking a waiting
writer). Source: lab notes on storage; tests/unit/test_store.py runs several processes at once.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import duckdb
import pyarrow as pa

from workbench.errors import ConfigurationError, StoreBusy, StoreFull
from workbench.store.migrations import migrate
from workbench.store.opening import READING, WRITING
from workbench.store.quoting import identifier, literal

Statement = str | tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Streamed:
    """Rows that a write reads from files, piece by piece: a table function over them, or a SELECT in brackets."""

    sql: str


Given: TypeAlias = pa.Table | Streamed

# What DuckDB may hold in memory while it lands rows; what is more goes to a temporary folder beside the database.
LEAST_MEGABYTES: Final = 512
MEGABYTES_PER_COLUMN: Final = 8
# How DuckDB repeats the system's own words for a disk, a quota or a file that takes no more.
_FULL = ("no space left on device", "disk quota exceeded", "file too large")


class Store:
    """One database. Nothing stays open between calls, so nobody holds the store while working or waiting.

    Raises StoreBusy when another process keeps the file for longer than `patience_seconds`, StoreFull when a write
    finds no room on the disk (nothing of that transaction is kept, everything before it is).
    """

    def __init__(self, dsn: str, *, patience_seconds: float = 60.0) -> None:
        if dsn.startswith(("quack:", "ducklake:", "md:")):
            kind = dsn.split(":", 1)[0]
            raise ConfigurationError(
                f"WORKBENCH_DATABASE names a {kind}: store, which this version does not open yet. Name a file."
            )
        self.dsn = dsn
        self.path = Path(dsn)
        self.patience_seconds = patience_seconds
        self._make()

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one SELECT and return all its rows."""
        with self._open(write=False) as con:
            return con.execute(sql, dict(params or {})).to_arrow_table()

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of `query` as dicts, for results a person could read."""
        found: list[dict[str, Any]] = self.query(sql, params).to_pylist()
        return found

    def write(self, *statements: Statement, tables: Mapping[str, Given] | None = None) -> None:
        """Run statements in one transaction; `tables` are readable by name."""
        with self._open(write=True) as con:
            _run(con, statements, tables or {})

    def write_and_query(
        self, statements: Iterable[Statement], *queries: Statement, tables: Mapping[str, Given] | None = None
    ) -> list[pa.Table]:
        """As `write`; then, in the same turn, the rows of each query, which may read temporary tables of the writes."""
        with self._open(write=True) as con:
            _run(con, statements, tables or {})
            return [con.execute(sql, dict(params)).to_arrow_table() for sql, params in map(_parts, queries)]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the store open for several questions of this thread in a row: opening it costs more than most of them.

        Writers wait until the end; a write of this thread itself would wait for ever, and raises RuntimeError.
        """
        with self._open(write=False):
            yield

    @contextmanager
    def attached(self, con: duckdb.DuckDBPyConnection, alias: str = "store") -> Iterator[None]:
        """Attach the store read-only to another connection for as long as its rows are being copied out."""
        with self._turn(write=False):
            con.execute(f"ATTACH {literal(str(self.path))} AS {identifier(alias)} (READ_ONLY)")
            try:
                yield
            finally:
                con.execute(f"DETACH {identifier(alias)}")

    @contextmanager
    def filled(self, con: duckdb.DuckDBPyConnection, alias: str = "store") -> Iterator[None]:
        """Attach the store to another connection to be written from its tables, in one transaction."""
        with self._turn(write=True):
            con.execute(f"ATTACH {literal(str(self.path))} AS {identifier(alias)}")
            try:
                con.begin()
                try:
                    yield
                    con.commit()
                except BaseException:
                    with suppress(duckdb.TransactionException):
                        con.rollback()
                    raise
            finally:
                con.execute(f"DETACH {identifier(alias)}")

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            with self._open(write=False) as con:
                waiting = migrate(con, only_count=True)
            if not waiting:
                return
        with self._open(write=True) as con:
            migrate(con)

    @contextmanager
    def _open(self, *, write: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._turn(write=write), ExitStack() as stack:
            try:
                con = stack.enter_context((WRITING if write else READING).of(self.path))
            except duckdb.IOException as error:
                if _is_full(error):
                    raise self._full() from None
                if "lock" in str(error).lower():
                    raise StoreBusy(f"{self.path} is open in another program. Close it and try again.") from None
                raise ConfigurationError(f"{self.path} cannot be opened as a DuckDB database: {error}") from None
            try:
                con.execute("SET TimeZone = 'UTC'")
                yield con
            except duckdb.Error as error:
                if _is_full(error):
                    raise self._full() from None
                raise

    @contextmanager
    def _turn(self, *, write: bool) -> Iterator[None]:
        """Wait for this access's turn among the threads and processes that share the file.

        A thread whose turn it is reads on: behind a waiting writer it would wait for itself.
        """
        read = _read_by_thread()
        if self.path in read:
            if write:
                raise RuntimeError(f"{self.path} is written within a reading of the same thread")
            yield
            return
        deadline = time.monotonic() + self.patience_seconds
        with Path(f"{self.path}.gate").open("a") as gate, Path(f"{self.path}.lock").open("a") as lock:
            self._lock(gate.fileno(), fcntl.LOCK_EX, deadline)
            self._lock(lock.fileno(), fcntl.LOCK_EX if write else fcntl.LOCK_SH, deadline)
            fcntl.flock(gate, fcntl.LOCK_UN)
            _READ_BY_THREAD.paths = read if write else read | {self.path}
            try:
                yield
            finally:
                _READ_BY_THREAD.paths = read

    def _lock(self, descriptor: int, kind: int, deadline: float) -> None:
        wait_seconds = 0.002
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._busy() from None
                time.sleep(wait_seconds)
                wait_seconds = min(wait_seconds * 1.5, 0.05)
            else:
                return

    def _busy(self) -> StoreBusy:
        return StoreBusy(f"{self.path} is in use by another process. Wait for it to finish, then try again.")

    def _full(self) -> StoreFull:
        return StoreFull(
            f"The disk that holds {self.path} is full. Nothing of the last step was kept, everything before it was. "
            "Free some space, then run the same command again."
        )


_READ_BY_THREAD: Final = threading.local()


def _read_by_thread() -> frozenset[Path]:
    """The stores whose turn to be read this thread has."""
    return getattr(_READ_BY_THREAD, "paths", frozenset())


def set_for_landing(con: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Set a connection for landing rows of so many columns, whatever their number: bounded memory, in any order.

    Wider rows need more memory at once. Keeping an order under a limit costs DuckDB three times the work, and no step
    relies on it.
    """
    con.execute(f"SET memory_limit = '{max(LEAST_MEGABYTES, MEGABYTES_PER_COLUMN * columns)}MB'")
    con.execute("SET preserve_insertion_order = false")


def _run(con: duckdb.DuckDBPyConnection, statements: Iterable[Statement], tables: Mapping[str, Given]) -> None:
    widths = []
    for name, table in tables.items():
        if isinstance(table, Streamed):
            con.execute(f"CREATE TEMP VIEW {identifier(name)} AS FROM {table.sql}")
            widths.append(len(con.execute(f"FROM {identifier(name)} LIMIT 0").description))
        else:
            con.register(name, table)
    if widths:
        set_for_landing(con, max(widths))
    con.begin()
    try:
        for sql, params in map(_parts, statements):
            con.execute(sql, dict(params))
        con.commit()
    except BaseException:
        # A failed statement may have ended the transaction itself; its own error is the one to show.
        with suppress(duckdb.TransactionException):
            con.rollback()
        raise


def _parts(statement: Statement) -> tuple[str, Mapping[str, Any]]:
    return (statement, {}) if isinstance(statement, str) else statement


def _is_full(error: duckdb.Error) -> bool:
    return any(words in str(error).lower() for words in _FULL)
