"""Static SQL steps: one SELECT a file, the file name is the table it makes in schema `work`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import duckdb

from workbench.errors import StepFailed
from workbench.store.quoting import identifier


@cache
def step_sql(folder: str, name: str) -> str:
    """The SELECT of sql/<folder>/<name>.sql."""
    return (resources.files("workbench") / "sql" / folder / f"{name}.sql").read_text().strip().rstrip(";")


def run_step(con: duckdb.DuckDBPyConnection, folder: str, name: str, params: Mapping[str, Any] | None = None) -> None:
    """Make table work.<name> from its file. Raises StepFailed with the step's name and SQL."""
    make_table(con, name, step_sql(folder, name), params)


def view_step(con: duckdb.DuckDBPyConnection, folder: str, name: str) -> None:
    """The same as view work.<name>, for a step that is read once: its rows are never put down. Binds nothing."""
    make_view(con, name, step_sql(folder, name))


def make_view(con: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """CREATE OR REPLACE VIEW work.<name> AS <select>, which binds nothing."""
    con.execute(f"CREATE OR REPLACE VIEW work.{identifier(name)} AS\n{select}")


def make_table(con: duckdb.DuckDBPyConnection, name: str, select: str, params: Mapping[str, Any] | None = None) -> None:
    """CREATE OR REPLACE TABLE work.<name> AS <select>. Raises StepFailed with the step's name and SQL."""
    try:
        con.execute(f"CREATE OR REPLACE TABLE work.{identifier(name)} AS\n{select}", dict(params or {}))
    except duckdb.Error as error:
        # DuckDB quotes the value it stumbled on: only the kind of error is safe to show.
        raise StepFailed(f"work.{name}", select, type(error).__name__) from error
