"""The preview screen and its read models: nothing is lost between pages, and every figure ties to the preview."""

import pyarrow as pa
import pytest

from workbench import views, views_refused, views_review
from workbench.errors import NotFound
from workbench.views_review import ChangeFilter


def test_the_rules_add_up_to_the_preview(small_store):
    rows = views_review.waterfall(small_store, 1)

    assert sum(row["row_count"] for row in rows) == 60
    assert {row["action"]: row["row_count"] for row in rows} == {"none": 10, "update": 50}


def test_causes_count_the_expected_codes(small_store):
    rows = views_review.causes(small_store, 1)

    assert [
        (row["code"], row["entry"], row["failure"], row["row_count"]) for row in rows if row["action"] == "update"
    ] == [("invalid-email", 11, "partial", 9)]
    assert views_review.codes_of(rows) == ["invalid-email"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ChangeFilter(), 60),
        (ChangeFilter(only_open=True), 50),
        (ChangeFilter(action="none"), 10),
        (ChangeFilter(code="invalid-email"), 11),
        (ChangeFilter(code="no-such-code"), 0),
        (ChangeFilter(text="amy7 lee"), 1),
        (ChangeFilter(text="003X7"), 1),
        (ChangeFilter(text="P1-7"), 1),
        (ChangeFilter(guard="consent"), 0),
        (ChangeFilter(reason="Linked by CRM ID"), 60),
    ],
)
def test_filters(small_store, chosen, expected):
    assert views_review.count_changes(small_store, 1, chosen) == expected
    assert len(views_review.page_of_changes(small_store, 1, chosen, size=100)) == expected


def test_pages_hold_every_change_once(small_store):
    pages = [views_review.page_of_changes(small_store, 1, ChangeFilter(), size=25, page=page) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [25, 25, 10]
    assert [row["seq"] for page in pages for row in page] == list(range(1, 61))


def test_a_change_carries_fields_and_person(small_store):
    found = views_review.change(small_store, 1, "P1-12")

    assert found["fields"] == [{"field": "email", "before": None, "after": "<b>12</b>@mail.example.org"}]
    assert found["person"] == "Amy12 Lee"
    with pytest.raises(NotFound, match="no change P1-999"):
        views_review.change(small_store, 1, "P1-999")


def test_the_screen_shows_counts_of_the_preview(app, small_store):
    running = app(small_store, "previews")

    bodies = " ".join(html.proto.body for html in running.get("html"))
    assert not running.error
    for number in views.preview_counts(small_store, 1).values():
        assert f"<dd>{number}</dd>" in bodies


# Phone -> records that carry it; the last two are what a rule would take.
REFUSED_PHONES = {
    "404 555 01": 3,
    "+44 20 7946 0958": 2,
    "4045550": 1,
    "ask me": 1,
    "404-555-0101 x12": 1,
    "404-555-0101 ext. 7": 2,
    "4045550123": 1,
    "": 1,
}


@pytest.fixture
def refusing_store(small_store):
    """One prediction and one request per record with a refused phone, beside the refused addresses."""
    rows = [
        {"change_id": f"X{place}-{n}", "phone": phone}
        for place, (phone, records) in enumerate(REFUSED_PHONES.items())
        for n in range(records)
    ]
    small_store.write(
        "INSERT INTO preview.prediction SELECT 1, change_id, 'invalid-phone', 2, 'partial', 'certain', NULL FROM refused",
        "INSERT INTO preview.request SELECT 1, change_id, 1, 'mainstay', 'PUT', 'contacts/x/', "
        "CAST(json_object('phone', phone) AS VARCHAR) FROM refused",
        tables={"refused": pa.Table.from_pylist(rows)},
    )
    return small_store


def test_refused_values_are_looked_at_once_and_told_by_reason(refusing_store):
    rows = [row for row in views_refused.refused_values(refusing_store, 1) if row["code"] == "invalid-phone"]

    assert {row["reason"]: (row["row_count"], row["distinct_values"]) for row in rows} == {
        "it is too short": (3, 1),
        "it is a number of GB, outside the North American plan": (2, 1),
        "its area code is missing": (1, 1),
        "it is no phone number at all": (1, 1),
        "it is blank": (1, 1),
        "it has an extension": (3, 2),
        views_refused._TAKEN_NOW: (1, 1),
    }
    assert [row["row_count"] for row in rows] == sorted((row["row_count"] for row in rows), reverse=True)
    for row in rows:
        assert not any(phone and phone in str(row) for phone in REFUSED_PHONES)


def test_rare_refused_values_are_counted_without_a_look(refusing_store):
    rows = views_refused.refused_values(refusing_store, 1, most=1)

    beyond = [row for row in rows if row["reason"].startswith("not looked at")]
    assert sum(row["row_count"] for row in rows) >= sum(REFUSED_PHONES.values())
    assert sum(row["distinct_values"] for row in beyond if row["code"] == "invalid-phone") >= len(REFUSED_PHONES) - 1


def test_the_screen_says_what_is_wrong_where_somebody_asks(app, refusing_store):
    running = app(refusing_store, "previews")
    assert not any("Refused values" in html.proto.body for html in running.get("html"))

    running.toggle(key="preview_refused").set_value(True).run()

    assert not running.exception
    (table,) = (html.proto.body for html in running.get("html") if "Refused values" in html.proto.body)
    assert "It is too short" in table
    assert "404 555 01" not in table


def test_an_empty_store_says_what_to_do(app, empty_store):
    running = app(empty_store, "previews")

    assert "workbench preview export" in running.code[0].value


@pytest.fixture
def unsent_store(small_store):
    """The small store before anything was batched or sent, with a request for each change."""
    small_store.write(
        "DELETE FROM journal.batch",
        "DELETE FROM journal.batch_change",
        "DELETE FROM journal.outcome",
        """INSERT INTO preview.request
           SELECT 1, change_id, 1, 'mainstay', 'PUT', 'contacts/' || salesforce_id || '/', '{}' FROM preview.change
           WHERE action = 'update'""",
    )
    return small_store


def test_a_request_for_approval_makes_a_batch(app, unsent_store):
    small_store = unsent_store
    running = app(small_store, "previews")
    button = next(one for one in running.button if one.label.startswith("Request approval"))

    button.click().run()

    assert "waits for approval" in running.success[0].value
    made = views.batches(small_store)[0]
    assert (made["state"], made["batch_id"]) == ("submitted", 1)


def test_a_viewer_requests_nothing(app, small_store, monkeypatch):
    from dashboard import session

    monkeypatch.setattr(session, "person", lambda: session.Person("Vera", "viewer"))
    running = app(small_store, "previews")

    assert next(one for one in running.button if one.label.startswith("Request approval")).disabled
