"""The preview screen and its read models: nothing is lost between pages, and every figure ties to the preview."""

import pytest

from workbench import views, views_review
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
