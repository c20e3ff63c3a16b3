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


def test_what_is_guarded_for_its_mass_is_not_counted_as_fan_out(guarded):
    found, counts, spread = guarded(
        [change(n, ("Name", "a", "b")) for n in (1, 2)], [*children("0011", 3), *children("0012", 1)], share=0.1
    )
    assert found == {1: ["fan-out", "mass-change"], 2: ["mass-change"]}
    assert spread == [(1, "Contact", 3), (2, "Contact", 1)]
    assert counts["fan-out", None] == 1


def test_a_record_is_not_its_own_child(guarded):
    reach = [{**row, "child_object": "Account", "child_id": "0011"} for row in children("0011", 1)]
    assert guarded([change(1, ("Name", "a", "b"))], reach)[2] == []


def test_consent_is_counted(guarded):
    _, counts, _ = guarded([change(1, guards=["consent"]), change(2)])
    assert counts == {("consent", None): 1}


def test_only_values_that_a_change_replaces_count(guarded):
    """A create fills, a blocked change writes nothing; what tells no fields has none."""
    told = ("name", "a", "b")
    rows = [
        change(1, told),
        change(2, told, action="link"),
        change(3, told, action="create"),
        change(4, told, action="blocked"),
        {**change(5), "fields": None},
        {**change(6), "fields": "[]"},
    ]
    _, counts, _ = guarded(rows, minimum=2, share=0.1)
    assert counts == {("mass-change", "name"): 2}


def test_the_share_is_of_the_records_reached(guarded):
    """Two of four reached ones: what is new, blocked or left out is not reached."""
    rows = [change(n, ("name", "a", "b")) for n in (1, 2)] + [change(3, action="none"), change(4, action="link")]
    beside = [change(n, action=action) for n, action in enumerate(("create", "blocked", "excluded", "conflict"), 5)]
    assert guarded([*rows, *beside], share=0.49)[1] == {("mass-change", "name"): 2}
    assert guarded([*rows, *beside], share=0.5)[1] == {}


def test_only_updates_fan_out_to_their_own_children(guarded):
    reach = [
        *children("0011", 3),
        *children("0012", 3),
        *children("0013", 3),
        {**children("0011", 1)[0], "parent_object": "Lead"},
    ]
    blocked = change(2, ("Name", "a", "b"), action="blocked")
    spread = guarded([change(1, ("Name", "a", "b")), blocked, {**change(3), "fields": None}], reach, minimum=99)[2]
    assert spread == [(1, "Contact", 3)]


def test_another_object_may_have_the_same_id(guarded):
    """A child is itself only where both its object and its id are the parent's."""
    reach = [{**row, "child_id": "0011"} for row in children("0011", 1)]
    reach += [{**row, "child_object": "Account", "child_id": "0019"} for row in children("0011", 1)]
    spread = guarded([change(1, ("Name", "a", "b"))], reach, minimum=99)[2]
    assert spread == [(1, "Account", 1), (1, "Contact", 1)]


def test_below_the_cap_nothing_is_told_of_the_children(guarded):
    """One over the cap, one under it: only the first is counted."""
    reach = [*children("0011", 3), *children("0012", 2)]
    found, counts, _ = guarded([change(1, ("Name", "a", "b")), change(2, ("Name", "a", "b"))], reach, minimum=99)
    assert (found, counts) == ({1: ["fan-out"]}, {("fan-out", None): 1})


def test_a_change_may_be_guarded_twice_and_nothing_is_told_of_nothing(guarded):
    rows = [change(n, ("Name", "a", "b")) for n in (1, 2)]
    found, _, _ = guarded(rows, children("0011", 3))
    assert found == {1: ["fan-out", "mass-change"], 2: ["mass-change"]}
    assert guarded([change(1)]) == ({}, {}, [])
