"""Where a page lets somebody read or edit one person's data, masking holds inside the drawer as well."""

import pytest


def resend_view():
    from dashboard import session
    from dashboard.components.resend_view import resend_editor
    from workbench import views_dashboard

    resend_editor(session.read(views_dashboard.sync_result, "SR-0000005"))


def change_view():
    from dashboard.components import change_view

    change_view.explained = lambda store, preview_id, change_id: [("match", "Phone 4045550107 of amy@x.edu, 'Amy'")]
    change_view._why({"preview_id": 1, "change_id": "P1-5"})


@pytest.fixture
def part(monkeypatch, helpers, small_store):
    """`part(function, masking)`: a piece of a page on its own, as everybody or nobody sees it masked."""
    from streamlit.testing.v1 import AppTest

    from dashboard import session
    from dashboard.components import change_view as module

    monkeypatch.setattr(module, "explained", module.explained)  # put back at the end
    body = '{"crm_id":"003X5","email":"amy5@mail.example.org"}'
    request = "INSERT INTO preview.request VALUES (1, 'P1-5', 1, 'mainstay', 'PUT', '/contacts/003X5/', $body)"
    small_store.write((request, {"body": body}))

    def run(function, masking):
        for name, value in {
            **helpers.browser.SANDBOX, "WORKBENCH_DATABASE": small_store.dsn, "WORKBENCH_ACCESS__MASKING": masking,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        session.forget()
        running = AppTest.from_function(function, default_timeout=60).run()
        assert not running.exception
        return running

    yield run
    session.forget()


def told(running):
    return " ".join(block.proto.body for block in running.get("html"))


def test_a_masked_payload_is_not_shown_and_cannot_be_edited(part):
    masked = part(resend_view, "everyone")

    assert "Show personal data on this screen to edit it" in masked.info[0].value
    assert not masked.text_area
    assert not masked.button


def test_a_payload_that_is_not_masked_can_be_edited(part):
    shown = part(resend_view, "nobody")

    assert "amy5@mail.example.org" in shown.text_area[0].value
    assert [one.key for one in shown.button] == ["simulate_SR-0000005", "resend_SR-0000005"]


def test_the_way_of_a_change_is_scrubbed_where_data_is_masked(part):
    masked = told(part(change_view, "everyone"))
    assert "••••••" in masked
    assert not any(word in masked for word in ("4045550107", "amy@x.edu", "Amy"))

    assert "4045550107 of amy@x.edu" in told(part(change_view, "nobody"))
