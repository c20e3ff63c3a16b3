"""Guards on literal rows: what is cleared, replaced in bulk, or sent again by a parent's change."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pytest

from workbench.store.steps import run_step

CHANGE = pa.schema(
    [
        ("seq", pa.int64()), ("sobject", pa.string()), ("salesforce_id", pa.string()), ("action", pa.string()),
        ("fields", pa.string()), ("guards", pa.list_(pa.string())),
    ]
)  # fmt: skip
REACH = pa.schema([(name, pa.string()) for name in ("parent_object", "parent_id", "field", "child_object", "child_id")])


def change(seq, *fields, action="update", sobject="Account", guards=()):
    told = [dict(zip(("field", "before", "after"), one, strict=True)) for one in fields]
    return {"seq": seq, "sobject": sobject, "salesforce_id": f"001{seq}", "action": action, "fields": json.dumps(told),
            "guards": list(guards)}  # fmt: skip


@pytest.fixture
def guarded():
    """guarded(changes, reach, cap, share, minimum) -> ({seq: guards}, {(guard, field): row_count}, fan-out rows)."""
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA work")

        def run(changes, reach=(), *, cap=2, share=0.5, minimum=2):
            for name, rows, schema in (("all_changes", changes, CHANGE), ("reach", reach, REACH)):
                con.register("given", pa.Table.from_pylist(list(rows), schema))
                con.execute(f"CREATE OR REPLACE TABLE work.{name} AS SELECT * FROM given")
            run_step(con, "guards", "replaced_value")
            run_step(con, "guards", "mass_field", {"share": share, "minimum": minimum})
            run_step(con, "guards", "fan_out")
            run_step(con, "guards", "guarded", {"cap": cap})
            run_step(con, "guards", "guard_count", {"cap": cap, "share": share})
            found = dict(con.execute("SELECT seq, guards FROM work.guarded").fetchall())
            counts = con.execute("SELECT guard, field, row_count FROM work.guard_count").fetchall()
            spread = con.execute("SELECT seq, child_object, children FROM work.fan_out ORDER BY ALL").fetchall()
            return found, {(guard, field): n for guard, field, n in counts}, spread

        yield run


def children(parent, count, field="Name", child="Contact"):
    return [
        {"parent_object": "Account", "parent_id": parent, "field": field, "child_object": child, "child_id": f"003{n}"}
        for n in range(count)
    ]


def test_cleared_values_are_counted_by_field(guarded):
    _, counts, _ = guarded([change(1, ("email", "a", None), ("phone", "b", None)), change(2, ("email", "c", None)),
                            change(3, ("email", "c", "d")), change(4, ("email", None, "d"))], minimum=99)  # fmt: skip
    assert counts == {("blank-value", "email"): 2, ("blank-value", "phone"): 1}


def test_a_field_that_changes_in_bulk_is_guarded_and_filling_blanks_is_not(guarded):
    equal = [change(n, action="none") for n in (10, 11)]
    rows = [change(n, ("name", "a", "b"), ("email", None, "x")) for n in (1, 2, 3)]
    found, counts, _ = guarded([*rows, *equal])
    assert found == {1: ["mass-change"], 2: ["mass-change"], 3: ["mass-change"]}
    assert counts == {("mass-change", "name"): 3}


@pytest.mark.parametrize(("share", "minimum"), [(0.5, 4), (0.6, 2)])
def test_below_either_limit_nothing_is_guarded(guarded, share, minimum):
    equal = [change(n, action="none") for n in (10, 11)]
    found, counts, _ = guarded(
        [*(change(n, ("name", "a", "b")) for n in (1, 2, 3)), *equal], share=share, minimum=minimum
    )
    assert (found, counts) == ({}, {})


def test_children_of_a_written_field_are_counted_once_and_capped(guarded):
    reach = [*children("0011", 3), *children("0011", 2, field="Phone"), *children("0012", 2), *children("0013", 9)]
    found, counts, spread = guarded(
        [
            change(1, ("Name", "a", "b"), ("Phone", "c", "d")),
            change(2, ("Name", "a", "b")),
            change(3, ("Industry", "a", "b")),
            change(4, ("Name", "a", "b"), action="create"),
        ],
        reach,
        minimum=99,
    )
    assert found == {1: ["fan-out"]}
    assert spread == [(1, "Contact", 3), (2, "Contact", 2)]
    assert counts == {("fan-out", None): 1}


def test_a_record_is_not_its_own_child(guarded):
    reach = [{**row, "child_object": "Account", "child_id": "0011"} for row in children("0011", 1)]
    assert guarded([change(1, ("Name", "a", "b"))], reach)[2] == []


def test_consent_is_counted(guarded):
    _, counts, _ = guarded([change(1, guards=["consent"]), change(2)])
    assert counts == {("consent", None): 1}
