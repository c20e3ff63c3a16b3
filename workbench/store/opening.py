"""Opening a database file to read or to write, with DuckDB instances that stay: making one costs more than most uses.

Only the instance stays. The file is attached for a use and detached after it, so that other processes find it free.
It is attached under a name of our own: DuckDB would name it after the file, which may be called like a schema.
Whose turn it is at the file is the Store's business.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from workbench.store.quoting import identifier, literal

CATALOG: Final = "workbench"


@dataclass
class _Attached:
    """A file in the shared instance: the name it goes by there, and how many read it now."""

    name: str
    readers: int = 0


class Reading:
    """One instance for all that this process reads. Safe among threads; a forked process begins anew.

    A file is attached when its first reader comes and detached when its last one leaves.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._files: dict[Path, _Attached] = {}
        self._numbers = itertools.count(1)

    @contextmanager
    def of(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection whose unqualified names mean the tables of this file.

        Raises duckdb.IOException where the file cannot be opened.
        """
        con, name = self._enter(path.absolute())
        try:
            con.execute(f"USE {identifier(name)}")
            yield con
        finally:
            con.close()
            self._leave(path.absolute())

    def _enter(self, path: Path) -> tuple[duckdb.DuckDBPyConnection, str]:
        with self._guard:
            if self._instance is None:
                self._instance = duckdb.connect()
            file = self._files.get(path)
            if file is None:
                file = _Attached(f"{CATALOG}_{next(self._numbers)}")
                self._instance.execute(f"ATTACH {literal(str(path))} AS {identifier(file.name)} (READ_ONLY)")
                self._files[path] = file
            file.readers += 1
            return self._instance.cursor(), file.name

    def _leave(self, path: Path) -> None:
        with self._guard:
            file = self._files[path]
            file.readers -= 1
            if not file.readers:
                del self._files[path]
                assert self._instance is not None
                self._instance.execute(f"DETACH {identifier(file.name)}")


class Writing:
    """An instance per file, since memory and the spill folder are set for an instance; the last one used is kept."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: tuple[Path, duckdb.DuckDBPyConnection] | None = None

    @contextmanager
    def of(self, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that may write; unqualified names mean the tables of this file, which is made where missing.

        Raises duckdb.IOException where the file cannot be opened. An instance that met an error is not used again.
        """
        instance = self._take(path.absolute())
        try:
            memory = instance.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
            instance.execute(f"ATTACH {literal(str(path))} AS {CATALOG}")
            with closing(instance.cursor()) as con:
                con.execute(f"USE {CATALOG}")
                yield con
            is_at_rest = _detached(instance)
            if is_at_rest:
                # RESET would say so, but leave the memory as small as a landing made it (DuckDB 1.5.5).
                instance.execute(f"SET memory_limit = {literal(memory)}")
                instance.execute("RESET preserve_insertion_order")
        except BaseException:
            instance.close()
            raise
        if is_at_rest:
            self._keep(path.absolute(), instance)
        else:
            instance.close()

    def _take(self, path: Path) -> duckdb.DuckDBPyConnection:
        with self._guard:
            kept, self._kept = self._kept, None
        if kept is not None:
            if kept[0] == path:
                return kept[1]
            kept[1].close()
        return duckdb.connect(config={"temp_directory": f"{path}.tmp"})

    def _keep(self, path: Path, instance: duckdb.DuckDBPyConnection) -> None:
        with self._guard:
            replaced, self._kept = self._kept, (path, instance)
        if replaced is not None:
            replaced[1].close()


def _detached(instance: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file was left in order. On a full disk what was committed stays in the log beside it."""
    try:
        instance.execute(f"DETACH {CATALOG}")
    except duckdb.IOException:
        return False
    return True


READING = Reading()
WRITING = Writing()


def _begin_anew() -> None:
    """A forked process has none of the threads that an instance needs."""
    READING.__init__()  # type: ignore[misc]
    WRITING.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_begin_anew)
