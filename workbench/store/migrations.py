"""Ordered schema changes: sql/migrations/NNNN_name.sql, each in one transaction with its record."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import duckdb

from workbench.errors import ConfigurationError

# Stores from before the change of a number hold the old name beside the new one.
_RENAMED: Final = frozenset({"0090_agreed_as_text"})


@cache
def scripts() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(name, statements) of every migration, in order."""
    folder = resources.files("workbench") / "sql" / "migrations"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return tuple((entry.name.removesuffix(".sql"), statements(entry.read_text())) for entry in files)


def statements(text: str) -> tuple[str, ...]:
    """The statements of a script. Scripts end each statement with `;` at the end of a line."""
    parts = [part.strip() for part in text.split(";\n")]
    return tuple(part for part in parts if part)


def migrate(con: duckdb.DuckDBPyConnection, *, only_count: bool = False) -> int:
    """Apply (or only count) the migrations this database lacks; return how many.

    Raises ConfigurationError, and changes nothing, where a newer version has written the database.
    """
    known = con.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'config' AND table_name = 'migration'"
    ).fetchone()
    done: set[str] = set()
    if known and known[0]:
        done = {name for (name,) in con.execute("SELECT name FROM config.migration").fetchall()}
    if unknown := sorted(done - {name for name, _ in scripts()} - _RENAMED):
        raise ConfigurationError(
            f"This store was written by a newer version of the workbench ({unknown[-1]} is not known to this one), so "
            "it is neither read nor written. Install that version, or name another store (--database)."
        )
    waiting = [script for script in scripts() if script[0] not in done]
    for name, parts in () if only_count else waiting:
        con.begin()
        for part in parts:
            con.execute(part)
        con.execute("INSERT INTO config.migration VALUES ($name, now())", {"name": name})
        con.commit()
    return len(waiting)
