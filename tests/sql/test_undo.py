"""What an undo looks at, on literal rows: which changes were written, what they replaced, and what goes back."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pytest
from tables import make_literal_table as table

from workbench.store.steps import run_step

TEXT, NUMBER, TRUTH = pa.string(), pa.int64(), pa.bool_()


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute(
            "ATTACH ':memory:' AS store; CREATE SCHEMA store.journal; CREATE SCHEMA store.preview; CREATE SCHEMA work"
        )
        yield con


CHANGE = {"preview_id": 7, "change_id": "C1", "seq": 1, "sobject": "Contact", "group_id": None, "action": "update",
          "direction": "export", "salesforce_id": "003A", "mainstay_id": "a1", "fields": "[]"}  # fmt: skip
OUTCOME = {"batch_id": 1, "change_id": "C1", "status": "success", "record_id": "003A", "mainstay_id": "a1",
           "endpoint": "PUT /contacts/003A/", "request_body": "{}", "result_number": 1}  # fmt: skip


def written(con, *pairs):
    """written((outcome, change), ...): the rows of the step, by change."""
    outcomes = [{**OUTCOME, "change_id": f"C{n}", **outcome} for n, (outcome, _) in enumerate(pairs, 1)]
    changes = [{**CHANGE, "change_id": f"C{n}", "seq": n, **change} for n, (_, change) in enumerate(pairs, 1)]
    table(con, "store.journal.outcome", outcomes, batch_id=NUMBER, change_id=TEXT, status=TEXT, record_id=TEXT,
          mainstay_id=TEXT, endpoint=TEXT, request_body=TEXT, result_number=NUMBER)  # fmt: skip
    table(
        con,
        "store.journal.batch",
        [{"batch_id": n, "preview_id": 7} for n in (1, 2)],
        batch_id=NUMBER,
        preview_id=NUMBER,
    )
    table(con, "store.preview.change", changes, preview_id=NUMBER, change_id=TEXT, seq=NUMBER, sobject=TEXT,
          group_id=NUMBER, action=TEXT, direction=TEXT, salesforce_id=TEXT, mainstay_id=TEXT, fields=TEXT)  # fmt: skip
    run_step(con, "undo", "written", {"batch_id": 1})
    rows = con.execute("SELECT * FROM work.written ORDER BY seq").to_arrow_table().to_pylist()
    return {row["change_id"]: row for row in rows}


FATES = {
    "written": ({}, {}, "written"),
    "refused": ({"status": "fail"}, {}, "refused"),
    "nobody knows": ({"status": "unknown"}, {}, "unknown"),
    "partly written": ({"status": "partial"}, {}, "written"),
    "made in Salesforce": ({}, {"action": "create", "direction": "import"}, "created"),
    "made by the fallback": ({"endpoint": "POST /contacts/"}, {}, "created"),
    "an import that posts": ({"endpoint": "POST /composite"}, {"direction": "import"}, "written"),
    "a refused create": ({"status": "fail"}, {"action": "create"}, "refused"),
    "another contact": ({"mainstay_id": "a2"}, {}, "elsewhere"),
    "another record": ({"record_id": "003B"}, {}, "elsewhere"),
}


@pytest.mark.parametrize("case", FATES)
def test_the_fate_of_a_change(con, case):
    outcome, change, fate = FATES[case]
    assert written(con, (outcome, change))["C1"]["fate"] == fate


def test_the_newest_change_is_undone_first_and_other_batches_are_not(con):
    found = written(con, ({}, {}), ({}, {}), ({"batch_id": 2}, {}))
    assert list(found) == ["C2", "C1"]


def test_a_sent_introduction_is_remembered(con):
    found = written(con, ({"request_body": '{"send_intro_campaign":true}'}, {}), ({"request_body": None}, {}))
    assert [found[name]["is_introduced"] for name in ("C1", "C2")] == [True, False]


def test_former_values_are_those_of_written_changes(con):
    fields = json.dumps([{"field": "email", "before": "a", "after": None}])
    written(con, ({}, {"fields": fields}), ({"status": "fail"}, {"fields": fields}), ({}, {}))
    con.execute("INSERT INTO store.preview.change BY NAME SELECT * REPLACE (8 AS preview_id) FROM store.preview.change")
    run_step(con, "undo", "former_value")
    rows = con.execute("SELECT record_id, mainstay_id, field, before, after FROM work.former_value").fetchall()
    assert rows == [("003A", "a1", "email", "a", None)]


def undoing(con, *values):
    written(con, ({}, {}), ({}, {}))
    names = ("field", "before", "after", "now", "is_known", "is_held")
    rows = [{"seq": 2, **dict(zip(names, value, strict=True))} for value in values]
    table(
        con,
        "work.value_now",
        rows,
        seq=NUMBER,
        field=TEXT,
        before=TEXT,
        after=TEXT,
        now=TEXT,
        is_known=TRUTH,
        is_held=TRUTH,
    )
    run_step(con, "undo", "undoing")
    bare, row = con.execute("SELECT * FROM work.undoing ORDER BY seq").to_arrow_table().to_pylist()
    assert (bare["restore"], bare["moved"], bare["held"], bare["unknown"]) == ([], [], [], [])
    return [item["field"] for item in row["restore"]], row["moved"], row["held"], row["unknown"]


VALUES = {
    "as it was sent": (("f", "a", "b", "b", True, False), (["f"], [], [], [])),
    "a clear": (("f", "a", None, None, True, False), (["f"], [], [], [])),
    "a value that was filled": (("f", None, "b", "b", True, False), (["f"], [], [], [])),
    "back already": (("f", "a", "b", "a", True, False), ([], [], [], [])),
    "back already, held": (("f", "a", "b", "a", True, True), ([], [], [], [])),
    "moved by somebody": (("f", "a", "b", "c", True, False), ([], ["f"], [], [])),
    "moved and held": (("f", "a", "b", "c", True, True), ([], ["f"], [], [])),
    "held by another": (("f", "a", "b", "b", True, True), ([], [], ["f"], [])),
    "not pulled": (("f", "a", "b", None, False, False), ([], [], [], ["f"])),
    "not pulled, as it was sent": (("f", "a", None, None, False, False), ([], [], [], ["f"])),
    "not pulled, held": (("f", "a", None, None, False, True), ([], [], [], ["f"])),
    "no change at all": (("f", "a", "a", "a", True, False), ([], [], [], [])),
}


@pytest.mark.parametrize("case", VALUES)
def test_what_goes_back(con, case):
    value, wanted = VALUES[case]
    assert undoing(con, value) == wanted


def test_fields_are_told_by_name(con):
    rows = [(name, "a", "b", "b", True, False) for name in "cab"]
    assert undoing(con, *rows)[0] == ["a", "b", "c"]
