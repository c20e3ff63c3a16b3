"""What the steps of a preview run in: a scratch database, its scope, and the stages that are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from workbench.engine.plans import Slice
from workbench.engine.rules_sql import install_rules
from workbench.errors import ConfigurationError, StepFailed
from workbench.store.quoting import identifier, literal
from workbench.store.steps import step_sql

_ARE_FEW: Final = """
SELECT 4 * (SELECT count(*) FROM work.{wanted}) < (SELECT count(*) FROM store.salesforce.{landed})
"""

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Scope:
    """Which records of the sending side are looked at: one by its id, what moved since a preview, or all.

    `since`: when the pulls of the preview `baseline` began, less an overlap.
    """

    only_record: str | None = None
    since: datetime | None = None
    baseline: int | None = None

    @property
    def is_narrow(self) -> bool:
        return self.only_record is not None or self.since is not None

    def unreached(self, system: str) -> dict[str, str]:
        """What the other system's records are called that no change reaches; a narrow look cannot say more."""
        return {"unreached": "not_looked_at" if self.is_narrow else f"only_in_{system}"}

    @property
    def params(self) -> dict[str, Any]:
        """What the compiled queries bind."""
        return {} if self.only_record is None else {"only": self.only_record}

    @property
    def conditions(self) -> dict[str, bool]:
        """The same as keywords of the functions that compile them."""
        return {"only": self.only_record is not None, "since": self.since is not None}


EVERYTHING: Final = Scope()


@dataclass
class Stages:
    """Wall and CPU seconds per named stage of one preview, told to `progress` as they start."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name, len(self.seconds), None)
        started, started_cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + time.process_time() - started_cpu


@dataclass(frozen=True)
class Run:
    """One computation under way; its connection has the store attached."""

    con: duckdb.DuckDBPyConnection
    scope: Scope
    stages: Stages


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory with the schema `work` and the value rules; what memory cannot hold goes to disk."""
    with TemporaryDirectory(prefix="workbench-") as folder:
        con = duckdb.connect()
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"SET temp_directory = {literal(folder)}")
            # Every step orders by an explicit seq; keeping the order of rows besides would only cost memory.
            con.execute("SET preserve_insertion_order = false")
            # Up to so many keys pick their rows out of a large table exactly, instead of by a Bloom filter alone.
            con.execute("SET dynamic_or_filter_threshold = 4000")
            con.execute("CREATE SCHEMA work")
            install_rules(con)
            yield con
        finally:
            con.close()


def leave_as_it_lies(con: duckdb.DuckDBPyConnection) -> None:
    """Let a checkpoint neither merge nor compress what little this connection writes.

    Either costs more than writing it; the next large write does both.
    """
    con.execute("SET max_vacuum_tasks = 0")
    con.execute("SET disabled_compression_methods = 'dictionary,dict_fsst,fsst,zstd'")


def require_columns(con: duckdb.DuckDBPyConnection, sobject: str, wanted: tuple[Sequence[str], Sequence[str]]) -> None:
    """Every column a plan reads was landed; the mapping may be newer than the pull."""
    missing = missing_columns(con, sobject, wanted)
    if missing:
        raise ConfigurationError(
            f"The mapping names fields that the latest pull did not bring: {', '.join(missing)}. "
            "Run `workbench pull` again."
        )


def missing_columns(
    con: duckdb.DuckDBPyConnection, sobject: str, wanted: tuple[Sequence[str], Sequence[str]]
) -> list[str]:
    """The columns of an SObject and of mainstay.contact that a plan reads and no pull has landed in `store`."""
    records = _columns(con, f"store.salesforce.{identifier(sobject)}")
    contacts = _columns(con, "store.mainstay.contact")
    missing = [f"{sobject}.{name}" for name in wanted[0] if name not in records]
    missing += [f"Mainstay {name}" for name in wanted[1] if name not in contacts]
    return list(dict.fromkeys(missing))


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """The columns of a landed table; none where nothing was landed. Listing a catalogue costs ten times as much."""
    try:
        return {column[0] for column in con.execute(f"FROM {table} LIMIT 0").description or ()}
    except duckdb.CatalogException:
        return set()


def are_few(run: Run, sobject: str, wanted: str) -> bool:
    """Whether what is asked of work.<wanted> is picked out of all landed rows of an SObject (compile.landed_rows)."""
    found = run.con.execute(_ARE_FEW.format(wanted=wanted, landed=identifier(sobject))).fetchone()
    return bool(found and found[0])


def looked_at(con: duckdb.DuckDBPyConnection, slices: Sequence[Slice], table: str) -> tuple[Slice, ...]:
    """The slices in which any row of work.<table> may differ: each other one would cost its statements for nothing."""
    flags = ", ".join(f"bool_or({item.name})" for item in slices)
    found = con.execute(f"SELECT {flags} FROM work.{table}").fetchone() if slices else None  # noqa: S608  our names
    return tuple(item for item, is_needed in zip(slices, found or (), strict=True) if is_needed)


def must_add_up(con: duckdb.DuckDBPyConnection, check: str) -> None:
    """The first law: the buckets add up to the pull."""
    sql = step_sql("checks", check)
    wrong = con.execute(sql).fetchall()
    if wrong:
        system, pulled, named = wrong[0]
        raise StepFailed(check, sql, f"{system} has {pulled} records but {named} in buckets")
