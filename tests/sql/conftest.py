"""Literal rows in, rows out: each step runs alone on tables that the test spells out."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from workbench.engine.rules_sql import install_rules
from workbench.store.steps import run_step

NOTHING_LEFT = """CREATE TABLE work.left_record (
    record_id VARCHAR, contact_id VARCHAR, left_fields VARCHAR[], asked_fields VARCHAR[], cleared_fields VARCHAR[],
    asks BOOLEAN)"""


PHONES = ("phone", "phone_key", "previous_phone_key", "contact_phone", "contact_previous_phone")


def _typed(field: pa.Field) -> pa.Field:
    """A column of blanks alone is text, a phone a number."""
    if field.name in PHONES:
        return pa.field(field.name, pa.uint64())
    return pa.field(field.name, pa.string()) if field.type == pa.null() else field


@pytest.fixture
def step():
    """step(folder, name, params, table=[rows...]) -> the step's rows as dicts."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA work")
    install_rules(con)
    # Nothing is left to the other side, unless a test says so.
    con.execute(NOTHING_LEFT)
    con.execute("CREATE TABLE work.taken_phone (phone UBIGINT)")
    con.execute("CREATE TABLE work.misleading_phone (phone UBIGINT)")

    def run(folder: str, name: str, params: dict[str, Any] | None = None, **tables: list[dict[str, Any]] | pa.Table):
        for table, rows in tables.items():
            given = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
            con.register("given", given.cast(pa.schema([_typed(field) for field in given.schema])))
            con.execute(f"CREATE OR REPLACE TABLE work.{table} AS SELECT * FROM given")
            con.unregister("given")
        run_step(con, folder, name, params)
        return con.execute(f"SELECT * FROM work.{name}").to_arrow_table().to_pylist()

    yield run
    con.close()
