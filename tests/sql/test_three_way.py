"""Who counts when linked records differ: every verdict of the three values, on literal rows."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from workbench.store.steps import run_step

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
ROW = pa.schema(
    [
        *((name, pa.string()) for name in ("sobject", "record_id", "contact_id", "field", "rule")),
        ("place", pa.int32()),
        *((name, pa.string()) for name in ("salesforce_value", "mainstay_value", "baseline")),
        ("has_baseline", pa.bool_()),
        ("salesforce_modified_at", TIME),
        ("mainstay_modified_at", TIME),
    ]
)
DECISION = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("sobject", "record_id", "contact_id", "field", "winner", "salesforce_value")
        ),
        *((name, pa.string()) for name in ("mainstay_value", "decided_by", "note")),
        ("decided_at", TIME),
    ]
)
FIELDS = ("email", "phone", "first_name", "custom.Notes")


def row(salesforce, mainstay, baseline="old", *, field="email", rule="ask", seen=True, times=(EARLY, LATE)):
    return {
        "sobject": "Contact", "record_id": "003A", "contact_id": "ah1", "place": FIELDS.index(field), "field": field,
        "rule": rule, "salesforce_value": salesforce, "mainstay_value": mainstay, "baseline": baseline,
        "has_baseline": seen, "salesforce_modified_at": times[0], "mainstay_modified_at": times[1],
    }  # fmt: skip


def decision(winner, salesforce, mainstay, *, by="Ana", at=EARLY, field="email"):
    return {
        "sobject": "Contact", "record_id": "003A", "contact_id": "ah1", "field": field, "winner": winner,
        "salesforce_value": salesforce, "mainstay_value": mainstay, "decided_by": by, "note": "", "decided_at": at,
    }  # fmt: skip


def run(rows, decisions=(), *, direction="export"):
    """The verdicts, and what the run leaves."""
    sender = {"export": "salesforce", "import": "mainstay"}[direction]
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA work; ATTACH ':memory:' AS store; CREATE SCHEMA store.journal")
        con.register("given", pa.Table.from_pylist(list(rows), ROW))
        con.register("said", pa.Table.from_pylist(list(decisions), DECISION))
        con.register("mapped", pa.Table.from_pylist([{"place": n, "field": name} for n, name in enumerate(FIELDS)]))
        con.execute("CREATE TABLE work.disagreement AS SELECT * FROM given")
        con.execute("CREATE TABLE work.two_way_field AS SELECT * FROM mapped")
        con.execute("CREATE TABLE store.journal.conflict_decision AS SELECT * FROM said")
        run_step(con, "threeway", "verdict_field", {"direction": direction})
        run_step(con, "threeway", "left_record", {"sender": sender})
        verdicts = con.execute("SELECT * FROM work.verdict_field").to_arrow_table().to_pylist()
        return verdicts, con.execute("SELECT * FROM work.left_record").to_arrow_table().to_pylist()


@pytest.mark.parametrize(
    ("given", "cause", "winner"),
    [
        (row("new", "old"), "only_salesforce_changed", "salesforce"),
        (row("old", "new"), "only_mainstay_changed", "mainstay"),
        (row(None, "old"), "only_salesforce_changed", "salesforce"),
        (row("old", None), "only_mainstay_changed", "mainstay"),
        (row("a", None, None), "only_salesforce_changed", "salesforce"),
        (row("a", "b", None), "ask", None),
        (row("a", "b"), "ask", None),
        (row("a", "b", rule="salesforce"), "rule", "salesforce"),
        (row("a", "b", rule="mainstay"), "rule", "mainstay"),
        (row("a", "b", rule="newest"), "newest", "mainstay"),
        (row("a", "b", rule="newest", times=(LATE, EARLY)), "newest", "salesforce"),
        (row("a", "b", rule="newest", times=(LATE, LATE)), "ask", None),
        (row("a", "b", rule="newest", times=(LATE, None)), "ask", None),
        (row("a", "old", rule="mainstay"), "only_salesforce_changed", "salesforce"),
    ],
)
@pytest.mark.parametrize("direction", ["export", "import"])
def test_the_three_values_decide_in_both_directions(given, cause, winner, direction):
    (found,), _ = run([given], direction=direction)
    assert (found["cause"], found["winner"]) == (cause, winner)


@pytest.mark.parametrize(("direction", "winner"), [("export", "salesforce"), ("import", "mainstay")])
def test_without_a_baseline_the_direction_of_the_run_decides(direction, winner):
    (found,), left = run([row("a", "b", None, seen=False)], direction=direction)
    assert (found["cause"], found["winner"], left) == ("no_baseline", winner, [])


def test_a_decision_holds_for_the_two_values_it_was_taken_on():
    said = [decision("mainstay", "a", "b"), decision("salesforce", "a", "b", by="Bo", at=LATE)]
    (found,), left = run([row("a", "b")], said)
    assert (found["cause"], found["winner"], found["decided_by"], left) == ("decided", "salesforce", "Bo", [])
    (later,), left = run([row("a2", "b")], said)
    assert (later["cause"], later["winner"], left[0]["asks"]) == ("ask", None, True)
    (blank,), _ = run([row("a", None)], [decision("mainstay", "a", None)])
    assert blank["cause"] == "decided"
    (other,), _ = run([row("a", "b", field="phone")], said)
    assert other["cause"] == "ask"


def test_what_the_other_side_wins_is_left_and_what_nobody_wins_is_asked():
    rows = [
        row("a", "b", field="email"),
        row("old", "new", field="phone"),
        row("new", "old", field="first_name"),
        row("old", None, field="custom.Notes"),
    ]
    _, (left,) = run(rows)
    assert left["left_fields"] == ["custom.Notes", "email", "phone"]
    assert (left["asked_fields"], left["asks"]) == (["email"], True)
    _, (left,) = run(rows, direction="import")
    assert (left["left_fields"], left["cleared_fields"]) == (["email", "first_name"], ["custom.Notes"])


def test_a_blank_that_was_never_seen_equal_clears_nothing():
    _, left = run([row("a", None, None, seen=False)], direction="import")
    assert left == []
    beside = row("new", "old", field="phone")
    _, (left,) = run([row("a", None, None, seen=False), beside], direction="import")
    assert (left["left_fields"], left["cleared_fields"]) == (["phone"], None)


def test_what_is_not_cleared():
    """A blank in Salesforce that an export fills, and a value that Mainstay changed, are no clears."""
    assert run([row("new", None, None)])[1] == []
    assert run([row("old", "new")], direction="import")[1] == []


@pytest.mark.parametrize("about", [{"sobject": "Lead"}, {"record_id": "003B"}, {"contact_id": "ah2"}])
def test_a_decision_holds_for_its_record_and_contact_alone(about):
    said = [decision("mainstay", "a", "b") | about]
    (found,), _ = run([row("a", "b")], said)
    assert found["cause"] == "ask"


def test_only_a_left_phone_is_told(step):
    rows = step(
        "threeway",
        "left_phone",
        left_record=[
            {"record_id": "003A", "contact_id": "a1", "left_fields": ["phone"], "asks": True},
            {"record_id": "003B", "contact_id": "b1", "left_fields": ["email"], "asks": True},
            {"record_id": "003C", "contact_id": "c1", "left_fields": None, "asks": False},
        ],
    )
    assert rows == [{"record_id": "003A", "contact_id": "a1", "asks": True}]
