"""A few changes, or the names of their fields, are told in the same words as view.change tells them all."""

from __future__ import annotations

import json

import pytest

from workbench import views_review
from workbench.store import Store
from workbench.store.changes import field_counts, whole_changes

BODIES = {
    "P1-1": {"crm_id": "003A", "first_name": "Zoë", "custom": {'Odd "name"; drop table x': "é", "GPA": 3.5, "custom": True}},
    "P1-2": {"crm_id": "003B", "first_name": 'a "quote"'},
    "P2-1": {"crm_id": "003C", "email": "of another preview"},
}  # fmt: skip
UPDATE = [{"field": "email", "before": None, "after": "x"}, {"field": "custom.GPA", "before": "3", "after": "3.5"}]


@pytest.fixture
def store(tmp_path):
    store = Store(str(tmp_path / "store.duckdb"))
    change = """INSERT INTO preview.change
        SELECT $preview, $id, $seq, 'export', 'Contact', $id, NULL, NULL, $action, NULL, [], NULL, NULL, [], NULL, $fields"""
    request = "INSERT INTO preview.request SELECT $preview, $id, $ordinal, 'mainstay', $method, 'contacts/', $body"
    for seq, (name, body) in enumerate(BODIES.items()):
        about = {"id": name, "preview": int(name[1])}
        store.write(
            (change, {**about, "seq": seq, "action": "create", "fields": None}),
            (request, {**about, "ordinal": 1, "method": "POST", "body": json.dumps(body)}),
            (request, {**about, "ordinal": 2, "method": "PUT", "body": '{"crm_id":"written back"}'}),
        )
    store.write(
        (change, {"id": "P1-3", "preview": 1, "seq": 3, "action": "update", "fields": json.dumps(UPDATE)}),
        (request, {"id": "P1-3", "preview": 1, "ordinal": 1, "method": "PUT", "body": '{"email":"x"}'}),
        (change, {"id": "P1-4", "preview": 1, "seq": 4, "action": "none", "fields": "[]"}),
    )
    return store


@pytest.mark.parametrize("where", ["true", "change_id = 'P1-1'", "preview_id = 1 AND action <> 'create'", "false"])
def test_a_few_are_told_as_the_view_tells_them(store, where):
    told = store.rows(
        f"WITH few AS (SELECT * FROM preview.change WHERE {where}) {whole_changes('few')} ORDER BY change_id"
    )
    assert told == store.rows(f"SELECT * FROM view.change WHERE {where} ORDER BY change_id")


def test_what_is_new_has_its_fields_from_its_first_request(store):
    few = "WITH few AS (SELECT * FROM preview.change WHERE change_id = 'P1-1')"
    (told,) = store.rows(f"{few} {whole_changes('few')}")
    values = {field["field"]: (field["before"], field["after"]) for field in json.loads(told["fields"])}
    assert values == {
        "crm_id": (None, "003A"), "first_name": (None, "Zoë"), 'custom.Odd "name"; drop table x': (None, "é"),
        "custom.GPA": (None, "3.5"), "custom.custom": (None, "true"),
    }  # fmt: skip
    assert told["field_names"] == list(values)


@pytest.mark.parametrize("where", ["true", "preview_id = 1", "action = 'update'"])
def test_fields_are_counted_as_the_view_names_them(store, where):
    chosen = f"WITH chosen AS (SELECT * FROM preview.change WHERE {where})"
    counted = store.rows(f"{chosen} {field_counts('chosen')} ORDER BY field")
    assert counted == store.rows(
        f"""SELECT field, count(*) AS row_count FROM (SELECT unnest(field_names) AS field FROM view.change WHERE {where})
            GROUP BY field ORDER BY field"""
    )


def test_a_preview_counts_the_fields_of_its_open_changes(store):
    counts = {row["field"]: row["row_count"] for row in views_review.changed_fields(store, 1)}
    assert counts == {"crm_id": 2, "first_name": 2, "custom.GPA": 2, "email": 1,
                      'custom.Odd "name"; drop table x': 1, "custom.custom": 1}  # fmt: skip
