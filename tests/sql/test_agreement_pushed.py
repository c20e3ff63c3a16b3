"""What a finished push leaves both sides agreeing on, on literal rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest
from tables import make_literal_table as table

from workbench.engine.rules_sql import install_rules
from workbench.store.migrations import scripts
from workbench.store.steps import run_step

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")
TEXT = pa.string()
FIELDS_OF_NEW = dict(scripts())["0093_fields_of_a_page"][0].replace(" view.", " store.view.")


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            "ATTACH ':memory:' AS store; CREATE SCHEMA store.journal; CREATE SCHEMA store.preview; "
            "CREATE SCHEMA store.view; CREATE SCHEMA work"
        )
        con.execute(FIELDS_OF_NEW)
        install_rules(con)
        fields = [("first_name", "FirstName"), ("email", "Email"), ("phone", "MobilePhone")]
        table(con, "work.two_way_field",
              [{"sobject": "Contact", "place": n, "field": f, "salesforce_field": s} for n, (f, s) in enumerate(fields, 1)]
              + [{"sobject": "Lead", "place": 1, "field": "email", "salesforce_field": "Email"}],
              sobject=TEXT, place=pa.int64(), field=TEXT, salesforce_field=TEXT)  # fmt: skip
        yield con


def outcome(change, *, status="success", record="003A", contact="a1", batch=1, direction="export", at=EARLY):
    return {"batch_id": batch, "change_id": change, "sobject": "Contact", "record_id": record, "mainstay_id": contact,
            "direction": direction, "finished_at": at, "status": status}  # fmt: skip


def change(name, *fields, rule="crm_id", preview=7):
    told = [{"field": field, "before": "was", "after": after} for field, after in fields]
    return {"preview_id": preview, "change_id": name, "rule": rule, "fields": json.dumps(told)}


def written(con, outcomes, changes, requests=()):
    table(con, "store.journal.outcome", outcomes, batch_id=pa.int64(), change_id=TEXT, sobject=TEXT, record_id=TEXT,
          mainstay_id=TEXT, direction=TEXT, finished_at=TIME, status=TEXT)  # fmt: skip
    table(con, "store.journal.batch", [{"batch_id": 1, "preview_id": 7}, {"batch_id": 2, "preview_id": 7}],
          batch_id=pa.int64(), preview_id=pa.int64())  # fmt: skip
    table(con, "store.preview.change", changes, preview_id=pa.int64(), change_id=TEXT, rule=TEXT, fields=TEXT)
    table(con, "store.preview.request", list(requests), preview_id=pa.int64(), change_id=TEXT, ordinal=pa.int64(),
          method=TEXT, body=TEXT)  # fmt: skip
    run_step(con, "threeway", "written_field", {"batch_id": 1})
    rows = con.execute("SELECT * FROM work.written_field ORDER BY ALL").to_arrow_table().to_pylist()
    return [(row["record_id"], row["place"], row["after"], row["is_forgotten"]) for row in rows]


def test_only_what_a_successful_change_of_the_batch_wrote_counts(con):
    outcomes = [
        outcome("C1"),
        outcome("C2", status="partial"),
        outcome("C3", record=None),
        outcome("C4", contact=None),
        outcome("C5", batch=2),
    ]
    changes = [change(f"C{n}", ("email", "x")) for n in range(1, 6)] + [change("C1", ("email", "y"), preview=8)]
    assert written(con, outcomes, changes) == [("003A", 2, "x", False)]


def test_an_import_names_its_fields_as_salesforce_does(con):
    changes = [change("C1", ("Email", "x"), ("email", "no"), ("custom.Notes", "one way"))]
    assert written(con, [outcome("C1", direction="import")], changes) == [("003A", 2, "x", False)]
    assert written(con, [outcome("C1")], changes) == [("003A", 2, "no", False)]


def request(body, *, change="C1", preview=7, ordinal=1, method="POST"):
    return {"preview_id": preview, "change_id": change, "ordinal": ordinal, "method": method, "body": json.dumps(body)}


def test_what_made_somebody_new_is_told_by_its_first_request(con):
    made = {**change("C1"), "fields": None}
    others = [
        request({"email": "of another preview"}, preview=8),
        request({"email": "written back"}, ordinal=2),
        request({"email": "of another change"}, change="C2"),
    ]
    own = request({"first_name": "Ana", "email": "a@x.edu", "custom": {"email": "no"}})
    assert written(con, [outcome("C1")], [made, {**made, "change_id": "C2"}], [own, *others]) == [
        ("003A", 1, "Ana", False),
        ("003A", 2, "a@x.edu", False),
    ]
    put = request({"email": "x"}, method="PUT")
    assert written(con, [outcome("C1")], [change("C1", ("phone", "2025550100"))], [put]) == [
        ("003A", 3, "2025550100", False)
    ]


@pytest.mark.parametrize("rule", ["undo", "resend"])
def test_what_nobody_said_of_both_sides_is_forgotten(con, rule):
    assert written(con, [outcome("C1")], [change("C1", ("email", "x"), rule=rule)]) == [("003A", 2, "x", True)]


def agreed(con, rows, before=()):
    columns = {"sobject": TEXT, "record_id": TEXT, "contact_id": TEXT, "place": pa.int64(), "after": TEXT,
               "is_forgotten": pa.bool_(), "finished_at": TIME}  # fmt: skip
    table(con, "work.written_value", rows, **columns)
    table(con, "store.journal.last_agreed", list(before), sobject=TEXT, record_id=TEXT, contact_id=TEXT, agreed=TEXT)
    run_step(con, "threeway", "agreement_pushed")
    rows = con.execute("SELECT * FROM work.agreement_pushed ORDER BY ALL").to_arrow_table().to_pylist()
    return [(row["record_id"], row["contact_id"], row["agreed"].split("\x1f"), row["agreed_at"]) for row in rows]


def value(place, after, *, record="003A", contact="a1", sobject="Contact", at=EARLY, forgotten=False):
    return {"sobject": sobject, "record_id": record, "contact_id": contact, "place": place, "after": after,
            "is_forgotten": forgotten, "finished_at": at}  # fmt: skip


def kept(*values, sobject="Contact", record="003A", contact="a1"):
    return {"sobject": sobject, "record_id": record, "contact_id": contact, "agreed": "\x1f".join(values)}


def test_written_values_take_their_places_and_the_others_stay(con):
    others = [
        kept("No", "no", "no", sobject="Lead"),
        kept("No", "no", "no", record="003B"),
        kept("No", "no", "no", contact="a2"),
    ]
    found = agreed(con, [value(2, "b@x.edu")], [*others, kept("Ana", "a@x.edu", "")])
    assert found == [("003A", "a1", ["Ana", "b@x.edu", ""], EARLY)]


def test_without_a_value_before_the_other_places_are_open(con):
    assert agreed(con, [value(2, "b@x.edu")]) == [("003A", "a1", ["\x1e", "b@x.edu", "\x1e"], EARLY)]
    assert agreed(con, [value(1, "x", sobject="Lead")]) == [("003A", "a1", ["x"], EARLY)]


def test_a_clear_is_a_common_blank_and_what_is_forgotten_is_open(con):
    found = agreed(con, [value(1, None), value(2, "x", forgotten=True)], [kept("Ana", "a@x.edu", "1")])
    assert found == [("003A", "a1", ["", "\x1e", "1"], EARLY)]


def test_the_later_of_two_writes_counts_and_the_sign_between_values_is_a_space(con):
    rows = [
        value(2, "late", at=LATE), value(2, "early"), value(1, "a\x1fb"), value(1, "B", record="003B"),
        value(1, "C", contact="a2"),
    ]  # fmt: skip
    assert agreed(con, rows) == [
        ("003A", "a1", ["a b", "late", "\x1e"], LATE),
        ("003A", "a2", ["C", "\x1e", "\x1e"], EARLY),
        ("003B", "a1", ["B", "\x1e", "\x1e"], EARLY),
    ]
