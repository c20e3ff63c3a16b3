"""Entries of Mainstay's lists in every shape that may come: as the client reads them, spooled, and typed by DuckDB.

The shapes are those that the API reference marks as assumed, and their neighbours.
"""

import json
from datetime import UTC, date, datetime

import duckdb
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.domain.fields import STANDARD_FIELDS, MainstayField
from workbench.errors import RemoteError
from workbench.mainstay.client import read_page
from workbench.mainstay.lines import entry_texts, page_lines
from workbench.mainstay.payload import MESSAGE_PLACES, regular_campaign, regular_contact, regular_message
from workbench.stages.pull.mainstay import CAMPAIGNS, MESSAGES, contact_columns, contact_places
from workbench.store.landing import Target
from workbench.store.spooled import prepare_json

CUSTOM = ("Campus", "GPA", "Year", "First", 'a.b/c"', "None")
FIELDS = [*STANDARD_FIELDS, *(MainstayField(name, "Text", is_custom=True) for name in CUSTOM)]
COLUMNS, _ = contact_columns(FIELDS)
CONTACTS = Target("mainstay", "contact", "id", COLUMNS, stamp="last_modified_at")
LISTS = {
    "contact": (CONTACTS, regular_contact, contact_places(COLUMNS)),
    "message": (MESSAGES, regular_message, MESSAGE_PLACES),
    "campaign": (CAMPAIGNS, regular_campaign, {}),
}
NOON = datetime(2024, 8, 1, 12, tzinfo=UTC)


def landed(what, *entries, folder, spelling=None):
    """The entries as landed rows, and the notices; `spelling` are the separators of the answer's JSON."""
    target, regular, places = LISTS[what]
    body = json.dumps({"count": len(entries), "next": None, "results": entries}, separators=spelling or (",", ":"))
    page = read_page(orjson.loads(body), body.encode())
    assert (page.texts is None) == (spelling is not None and len(entries) > 0)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "page.ndjson"
    file.write_bytes(page_lines(page.rows, page.texts, regular))
    prepared = prepare_json([file], target, 1, folder, places)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute(f"SELECT * EXCLUDE (_pull_id) FROM {prepared.source.sql}").to_arrow_table()
    return found.to_pylist(), prepared.notices


def both_ways(what, *entries, folder):
    """What lands, which does not depend on how the answer was spelled."""
    plain = landed(what, *entries, folder=folder / "plain")
    assert landed(what, *entries, folder=folder / "spaced", spelling=(", ", ": ")) == plain
    return plain


def one(what, entry, column, folder):
    [row], notices = both_ways(what, entry, folder=folder)
    return row[column], bool(notices)


@pytest.mark.parametrize(
    ("entry", "column", "value"),
    [
        ({"id": "ah1"}, "id", "ah1"),
        ({"admithub_id": "ah1"}, "id", "ah1"),
        ({"id": "", "admithub_id": "ah1"}, "id", "ah1"),
        ({"id": None, "admithub_id": "ah1"}, "id", "ah1"),
        ({"id": 17}, "id", "17"),
        ({"id": "ah1"}, "admithub_id", None),
        ({"id": "ah1", "created": "2024-08-01T12:00:00Z"}, "created", NOON),
        ({"id": "ah1", "created_at": "2024-08-01T12:00:00Z"}, "created", NOON),
        ({"id": "ah1", "created": None, "created_at": "2024-08-01T12:00:00Z"}, "created", NOON),
        ({"id": "ah1", "created": "2024-08-01T12:00:00.000000+00:00"}, "created", NOON),
        ({"id": "ah1", "created": "2024-08-01T14:00:00+02:00"}, "created", NOON),
        ({"id": "ah1", "created": "2024-08-01T12:00:00.000+0000"}, "created", NOON),
        ({"id": "ah1", "created": "2024-08-01T12:00:00"}, "created", NOON),
        ({"id": "ah1", "created": "2024-08-01 12:00:00"}, "created", NOON),
        ({"id": "ah1", "archived": True}, "archived", True),
        ({"id": "ah1", "archived": "true"}, "archived", True),
        ({"id": "ah1", "archived": 0}, "archived", False),
        ({"id": "ah1", "archived": None}, "archived", None),
        ({"id": "ah1", "phone": 4045550123}, "phone", "4045550123"),
        ({"id": "ah1", "deliverability_failure_count": "3"}, "deliverability_failure_count", 3),
        ({"id": "ah1", "labels": ["a", "b"]}, "labels", ["a", "b"]),
        ({"id": "ah1", "labels": "a"}, "labels", ["a"]),
        ({"id": "ah1", "labels": None}, "labels", None),
        ({"id": "ah1", "labels": {"name": "a"}}, "labels", ['{"name": "a"}']),
        ({"id": "ah1", "custom": {"Campus": "North"}}, "custom.Campus", "North"),
        ({"id": "ah1", "custom": {"Campus": ""}}, "custom.Campus", ""),
        ({"id": "ah1", "custom": {"Campus": None}}, "custom.Campus", None),
        ({"id": "ah1", "custom": {}}, "custom.Campus", None),
        ({"id": "ah1", "custom": None}, "custom.Campus", None),
        ({"id": "ah1", "custom": []}, "custom.Campus", None),
        ({"id": "ah1", "custom": "none"}, "custom.Campus", None),
        ({"id": "ah1", "custom": {"GPA": 3.50}}, "custom.GPA", "3.5"),
        ({"id": "ah1", "custom": {"GPA": "3.50"}}, "custom.GPA", "3.50"),
        ({"id": "ah1", "custom": {"Year": 2026}}, "custom.Year", "2026"),
        ({"id": "ah1", "custom": {"Year": 2026.0}}, "custom.Year", "2026"),
        ({"id": "ah1", "custom": {"Year": -0.0}}, "custom.Year", "0"),
        ({"id": "ah1", "custom": {"Year": 1e22}}, "custom.Year", "1e+22"),
        ({"id": "ah1", "custom": {"Year": 0.00001}}, "custom.Year", "1e-05"),
        ({"id": "ah1", "custom": {"First": True}}, "custom.First", "true"),
        ({"id": "ah1", "custom": {"First": ["x", 1]}}, "custom.First", '["x", 1]'),
        ({"id": "ah1", "custom": {'a.b/c"': "x"}}, 'custom.a.b/c"', "x"),
        ({"id": "ah1", "custom": {"None": "None", "unlisted": 1}}, "custom.None", "None"),
        ({"id": "ah1", "unknown": {"results": [{"id": "x"}]}}, "id", "ah1"),
        ({"id": "ah1", "first_name": 'Ana "},{"id":"x"}\u2028\n\t' + "\U0001f600"}, "first_name",
         'Ana "},{"id":"x"}\u2028\n\t' + "\U0001f600"),
    ],
)  # fmt: skip
def test_a_contact_lands_in_whatever_shape_it_comes(entry, column, value, tmp_path):
    assert one("contact", entry, column, tmp_path) == (value, False)


@pytest.mark.parametrize("entry", [{"first_name": "Ana"}, {"id": "", "admithub_id": None}])
def test_a_contact_without_any_id_stops_the_pull(entry, tmp_path):
    with pytest.raises(RemoteError, match="without an id"):
        landed("contact", entry, folder=tmp_path)


@pytest.mark.parametrize(
    ("entry", "column"),
    [
        ({"id": "ah1", "created": "yesterday"}, "created"),
        ({"id": "ah1", "created": {"$date": 1}}, "created"),
        ({"id": "ah1", "archived": "maybe"}, "archived"),
        ({"id": "ah1", "deliverability_failure_count": "many"}, "deliverability_failure_count"),
    ],
)
def test_a_value_that_does_not_fit_is_left_blank_with_a_notice(entry, column, tmp_path):
    assert one("contact", entry, column, tmp_path) == (None, True)


@pytest.mark.parametrize(
    ("entry", "column", "value"),
    [
        ({"admithub_id": "m1"}, "admithub_id", "m1"),
        ({"id": "m1"}, "admithub_id", "m1"),
        ({"admithub_id": "m1", "created_at": "2024-08-01T12:00:00Z"}, "created_at", NOON),
        ({"admithub_id": "m1", "created": "2024-08-01T12:00:00Z"}, "created_at", NOON),
        ({"admithub_id": "m1", "user": {"id": "u1", "name": "Kim", "email": "kim@example.edu"}}, "user_name", "Kim"),
        ({"admithub_id": "m1", "user": {"id": 5}}, "user_id", "5"),
        ({"admithub_id": "m1", "user": None}, "user_name", None),
        ({"admithub_id": "m1", "user": "Kim"}, "user_name", "Kim"),
        ({"admithub_id": "m1", "user_name": "Kim"}, "user_name", "Kim"),
        ({"admithub_id": "m1", "body": None}, "body", None),
        ({"admithub_id": "m1", "incoming": "true"}, "incoming", True),
        ({"admithub_id": "m1", "topic": {"id": 1}}, "topic", '{"id":1}'),
        ({"admithub_id": "m1", "error_code": 30003}, "error_code", "30003"),
    ],
)
def test_a_message_lands_in_whatever_shape_it_comes(entry, column, value, tmp_path):
    assert one("message", entry, column, tmp_path) == (value, False)


@pytest.mark.parametrize(
    ("entry", "column", "value"),
    [
        ({"id": "c1"}, "admithub_id", "c1"),
        ({"admithub_id": "c1", "sent_count": 12.0}, "sent_count", 12),
        ({"admithub_id": "c1", "engagement": "0.25"}, "engagement", 0.25),
        ({"admithub_id": "c1", "sent_at": "2024-08-01T12:00:00Z"}, "sent_at", NOON),
        ({"admithub_id": "c1", "recipients": ["Audience: A"]}, "recipients", '["Audience: A"]'),
        ({"admithub_id": "c1", "scheduler": {"id": "u1"}}, "scheduler", '{"id":"u1"}'),
    ],
)
def test_a_campaign_lands_in_whatever_shape_it_comes(entry, column, value, tmp_path):
    assert one("campaign", entry, column, tmp_path) == (value, False)


@pytest.mark.parametrize("what", ["message", "campaign"])
def test_an_entry_without_an_id_gets_the_same_one_each_time(what, tmp_path):
    entry = {"body": "Hi", "created_at": "2024-08-20T09:30:00Z"}
    first, _ = one(what, entry, "admithub_id", tmp_path)
    again, _ = one(what, dict(reversed(entry.items())), "admithub_id", tmp_path)
    assert first == again
    assert first.startswith("made:")


def test_entries_of_different_shapes_land_side_by_side(tmp_path):
    entries = [{"id": "a", "custom": {"Year": 2026.0}}, {"admithub_id": "b", "labels": "x"}, {"id": "c"}, {"id": "d"}]
    rows, _ = both_ways_unspelled(entries, tmp_path)
    assert [(row["id"], row["custom.Year"], row["labels"]) for row in rows] == [
        ("a", "2026", None), ("b", None, ["x"]), ("c", None, None), ("d", None, None)
    ]  # fmt: skip


def both_ways_unspelled(entries, folder):
    """As `both_ways` where entries begin with different keys, so that their texts are never told apart."""
    body = json.dumps({"results": entries}, separators=(",", ":")).encode()
    assert read_page(orjson.loads(body), body).texts is None
    return landed("contact", *entries, folder=folder, spelling=(", ", ": "))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from(['},{"id":"', '"results":[', "},{", "}\n{", "}, {"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.just("id"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ENTRIES = st.lists(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3).map(lambda rest: {"id": "x"} | rest), max_size=4
)
ANSWERS = st.fixed_dictionaries({}, optional={"count": VALUES, "meta": VALUES}).flatmap(
    lambda head: st.tuples(ENTRIES, st.dictionaries(st.text(max_size=3), VALUES, max_size=2)).map(
        lambda rest: {**head, "results": rest[0], **{k: v for k, v in rest[1].items() if k != "results"}}
    )
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANSWERS, st.sampled_from([(",", ":"), (", ", ":"), (",", ": "), (" ,", ":")]))
def test_texts_are_those_of_the_entries_or_none(answer, spelling):
    body = json.dumps(answer, separators=spelling, ensure_ascii=False).encode("utf-8", "replace")
    parsed = orjson.loads(body)
    texts = entry_texts(body, parsed)
    assert texts is None or [orjson.loads(text) for text in texts] == parsed["results"]


def test_dates_are_no_moments_but_are_taken_as_midnight(tmp_path):
    value, noticed = one("contact", {"id": "ah1", "created": "2024-08-01"}, "created", tmp_path)
    assert value.date() == date(2024, 8, 1)
    assert not noticed
