"""Connected components at sizes that would hang if they took a step a record, or looked at every pair."""

from __future__ import annotations

import duckdb

from workbench.engine.sequence import label_groups

MANY = 100_000


def groups(select: str) -> list[tuple[int, int]]:
    """(group_id, records) of the collisions that a SELECT of seq and phone makes."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA work")
    con.execute(f"CREATE TABLE work.collision_outgoing AS {select}")
    label_groups(con)
    found = con.execute("SELECT group_id, count(*) FROM work.group_outgoing GROUP BY ALL ORDER BY ALL").fetchall()
    con.close()
    return found


def test_a_phone_that_a_hundred_thousand_share_is_one_group():
    assert groups(f"SELECT range AS seq, 'shared' AS phone FROM range(1, {MANY + 1})") == [(1, MANY)]


def test_a_long_chain_is_one_group():
    """Each record takes the phone that the next one lets go."""
    chain = f"SELECT range AS seq, CAST(range + step AS VARCHAR) AS phone FROM range(1, {MANY // 10 + 1}), (VALUES (0), (1)) t(step)"
    assert groups(chain) == [(1, MANY // 10)]


def test_pairs_stay_apart():
    pairs = f"SELECT range AS seq, CAST((range - 1) // 2 AS VARCHAR) AS phone FROM range(1, {MANY + 1})"
    found = groups(pairs)
    assert len(found) == MANY // 2
    assert {count for _, count in found} == {2}
