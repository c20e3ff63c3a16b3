"""Approvals: the rows of a batch, decisions by the person who is signed in, four eyes, staleness in words."""

import pytest

from workbench import operations, views, views_review


@pytest.fixture
def waiting_store(small_store):
    """A batch of Dana's that waits: 50 changes minus the predicted failures, none of them sent before."""
    small_store.write(
        "DELETE FROM journal.batch",
        "DELETE FROM journal.batch_change",
        "DELETE FROM journal.batch_event",
        "DELETE FROM journal.outcome",
        """UPDATE preview.preview SET mapping_revision = 1,
           mapping_digest = (SELECT digest FROM config.mapping_revision WHERE revision = 1)""",
        """INSERT INTO preview.request
           SELECT 1, change_id, 1, 'mainstay', 'PUT', 'contacts/' || salesforce_id || '/', '{}' FROM preview.change
           WHERE action = 'update'""",
    )
    operations.create_batch(small_store, 1, by="Dana")
    return small_store


def button(running, label):
    return next(one for one in running.button if one.label.startswith(label))


@pytest.fixture
def signed_in(monkeypatch):
    def as_person(name, role="approver"):
        from dashboard import session

        monkeypatch.setattr(session, "person", lambda: session.Person(name, role))

    return as_person


def test_the_summary_of_a_batch_adds_up(waiting_store):
    batch = views.batch(waiting_store, 1)
    found = views_review.batch_summary(waiting_store, 1)

    assert sum(found["status"].values()) == sum(found["action"].values()) == batch["approved_count"]
    assert (
        sum(row["row_count"] for row in views_review.requests_per_system(waiting_store, 1)) == batch["approved_count"]
    )


def test_pages_of_a_batch_hold_every_row_once(waiting_store):
    total = views.batch(waiting_store, 1)["row_count"]
    pages = [views_review.page_of_batch(waiting_store, 1, size=20, page=page) for page in (1, 2, 3)]

    ids = [row["change_id"] for page in pages for row in page]
    assert len(ids) == len(set(ids)) == total == pages[0][0]["total"]


def test_the_screen_names_requester_and_state(app, waiting_store, signed_in):
    signed_in("Sam")
    running = app(waiting_store, "approvals")

    bodies = " ".join(html.proto.body for html in running.get("html"))
    assert "Batch 1" in bodies
    assert "Dana" in bodies
    assert "submitted" in bodies
    assert not button(running, "Approve").disabled
    assert button(running, "Reject").disabled


def test_nobody_approves_their_own_batch(app, waiting_store, signed_in):
    signed_in("dana")
    running = app(waiting_store, "approvals")

    assert button(running, "Approve").disabled
    assert "somebody else decides" in running.info[0].value


def test_a_viewer_decides_nothing(app, waiting_store, signed_in):
    signed_in("Vera", "viewer")
    running = app(waiting_store, "approvals")

    assert button(running, "Approve").disabled
    assert "takes the role approver" in running.info[0].value


def test_rejecting_takes_a_reason_and_keeps_it(app, waiting_store, signed_in):
    signed_in("Sam")
    running = app(waiting_store, "approvals")
    running.text_input(key="reason_1").set_value("phones look wrong").run()

    button(running, "Reject").click().run()

    batch = views.batch(waiting_store, 1)
    assert batch["state"] == "rejected"
    assert (batch["events"][-1]["who"], batch["events"][-1]["reason"]) == ("Sam", "phones look wrong")


def test_a_moved_batch_says_what_moved(app, waiting_store, signed_in):
    signed_in("Sam")
    waiting_store.write(
        """INSERT INTO journal.pull SELECT 2, system, object, mode, state, row_count, started_at, finished_at, watermark
           FROM journal.pull WHERE system = 'mainstay'"""
    )
    running = app(waiting_store, "approvals")

    assert "mainstay contact was pulled again" in running.warning[0].value.replace("\\", "")


def test_no_batch_yet(app, empty_store):
    running = app(empty_store, "approvals")

    assert "No batch yet" in running.markdown[0].value


def test_the_address_of_a_closed_batch_opens_it_also_while_others_wait(app, small_store):
    small_store.write(
        """INSERT INTO journal.batch SELECT * REPLACE (2 AS batch_id, 'submitted' AS state) FROM journal.batch""",
        "INSERT INTO journal.batch_change SELECT * REPLACE (2 AS batch_id) FROM journal.batch_change",
    )

    assert [one.key for one in app(small_store, "approvals").button if one.key == "batch_1"] == []
    running = app(small_store, "approvals", batch="1")
    assert running.session_state["chosen_batch"] == 1
    assert any(one.key == "undo_1" for one in running.button)
