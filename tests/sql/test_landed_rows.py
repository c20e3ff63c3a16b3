"""Landed rows are picked out whole, however many are wanted and however little memory there is."""

from __future__ import annotations

import duckdb
import pytest

from workbench.engine.compile import landed_rows

ROWS = 300_000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A wide table in a file, and the rows that are wanted of it, as the steps have them."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{tmp_path_factory.mktemp('landed') / 'wide.duckdb'}' AS store")
        con.execute(
            f"""CREATE TABLE store.wide AS
            SELECT range AS number, {", ".join(f"repeat(hash(range + {n})::VARCHAR, 2) AS v{n}" for n in range(8))}
            FROM range({ROWS})"""
        )
        con.execute("SET threads = 2")
        yield con


def picked(con, share):
    """How many rows are wanted and how many came, each with its own values."""
    con.execute(
        f"CREATE OR REPLACE TABLE wanted AS SELECT rowid AS wanted_row, true AS is_there FROM store.wide "
        f"WHERE hash(number) % {share} = 0"
    )
    rows = landed_rows("store.wide", "SELECT wanted_row FROM wanted WHERE is_there")
    query = f"""SELECT count(*), count(*) FILTER (s.v0 = repeat(hash(s.number)::VARCHAR, 2) AND s.number = w.wanted_row)
    FROM wanted AS w JOIN {rows} AS s ON s.landed_row = w.wanted_row"""
    return con.execute("SELECT count(*) FROM wanted").fetchone()[0], con.execute(query).fetchone()


@pytest.mark.parametrize("share", [1, 2, 20, 5000, 10**9])
def test_all_that_are_wanted_come(store, share):
    wanted, found = picked(store, share)
    assert found == (wanted, wanted)


@pytest.mark.parametrize("memory", ["60MB", "40MB"])
def test_so_they_do_where_memory_is_short(store, memory):
    before = store.execute("SELECT current_setting('memory_limit')").fetchone()[0]
    store.execute(f"SET memory_limit = '{memory}'")
    try:
        wanted, found = picked(store, 2)
    finally:
        store.execute(f"SET memory_limit = '{before}'")  # RESET leaves it as small
    assert found == (wanted, wanted)


def test_hardly_any_other_row_is_read(store):
    """What the IN is for; a release of DuckDB that plans it otherwise makes previews slow, not wrong."""
    picked(store, 1000)
    rows = landed_rows("store.wide", "SELECT wanted_row FROM wanted WHERE is_there")
    query = f"SELECT max(s.v1) FROM wanted AS w JOIN {rows} AS s ON s.landed_row = w.wanted_row"
    plan = "".join(text for _, text in store.execute(f"EXPLAIN ANALYZE {query}").fetchall())
    assert "IN BF" in plan
