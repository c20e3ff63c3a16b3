"""Personal data is masked before a screen sees it; a reveal is allowed by role and kept in the app log."""

import ast
import doctest
from pathlib import Path

import pytest

from dashboard import privacy
from workbench import views_dashboard, views_people, views_review

DASHBOARD = Path(privacy.__file__).parent
ACTS = {
    "create_batch", "submit_batch", "approve_batch", "reject_batch", "cancel_batch", "pause_batch", "resend",
    "undo_batch", "clear_results", "set_direction", "decide_conflict", "decide_conflicts", "disconnect", "import_mapping", "start_push",
}  # fmt: skip


def html(running):
    return " ".join(block.proto.body for block in running.get("html"))


def everything(running):
    buttons = " ".join(one.label for one in running.button)
    grids = " ".join(one.value.to_string() for one in running.dataframe)
    return " ".join([html(running), buttons, grids, *(str(one.value) for one in [*running.caption, *running.text])])


def test_examples_in_docstrings():
    assert doctest.testmod(privacy).failed == 0


def test_a_read_of_people_hides_names_addresses_phones_and_every_pulled_value(small_store):
    found = privacy.masked(views_people.find_people(small_store, "003X7"))
    someone = privacy.masked(views_people.person(small_store, "003X7"))

    assert found == [
        {"contact_id": "ah7", "record_id": "003X7", "name": "A••• L••", "email": "•••@mail.example.org",
         "phone": "••••••••07"}
    ]  # fmt: skip
    assert someone["record"]["Id"] == "003X7"
    assert {someone["record"][name] for name in ("FirstName", "Email", "MobilePhone")} == {privacy.HIDDEN}
    assert {someone["contact"][name] for name in ("first_name", "email", "phone")} == {privacy.HIDDEN}


def test_a_result_keeps_codes_and_ids_and_hides_bodies_and_values(small_store):
    shown = privacy.masked(views_dashboard.sync_result(small_store, "SR-0000005"))

    assert (shown["name"], shown["record_id"], shown["codes"]) == ("SR-0000005", "003X5", ["invalid-email"])
    assert "invalid email" in shown["fail_message"]
    assert shown["request_body"] == '{"email":"••••••"}'
    assert shown["attempts_made"][0]["request_body"] == '{"email":"••••••"}'
    assert shown["change"]["fields"] == [{"field": "email", "before": None, "after": privacy.HIDDEN}]
    assert "Amy" not in str(shown)


def test_a_page_of_changes_hides_who_and_what(small_store):
    rows = privacy.masked(views_review.page_of_changes(small_store, 1, views_review.ChangeFilter()))

    assert rows
    assert "Amy" not in str(rows)
    assert "mail.example.org" not in str(rows).replace("•••@mail.example.org", "")


def test_conflicts_and_requests_hide_their_values():
    conflict = {"field": "email", "baseline": "a@x.edu", "salesforce_value": "b@x.edu", "mainstay_value": None}
    request = {"path": "/contacts/4045550101/", "body": '{"crm_id": "003X7", "email": "a@x.edu"}'}

    assert "@x.edu" not in str(privacy.masked(conflict))
    assert privacy.masked(request) == {"path": "/contacts/••••••/", "body": '{"crm_id":"003X7","email":"••••••"}'}


@pytest.mark.parametrize("screen", ["people", "results", "previews", "approvals"])
def test_a_viewer_sees_no_name_on_any_screen(app, small_store, monkeypatch, screen):
    monkeypatch.setenv("WORKBENCH_ACCESS__LOCAL_ROLE", "viewer")
    running = app(small_store, screen)

    assert not running.error
    assert "Amy" not in everything(running)
    assert [one.disabled for one in running.button if one.key == "reveal_data"] == [True]


def test_an_analyst_sees_names_at_once(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__LOCAL_ROLE", "analyst")

    assert "Amy7" in everything(app(small_store, "people", id="003X7"))


def test_a_reveal_holds_for_one_screen_and_is_kept_in_the_app_log(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__MASKING", "everyone")
    monkeypatch.setenv("WORKBENCH_ACCESS__USER", "Dana")
    running = app(small_store, "people", id="003X7")
    assert "Amy7" not in everything(running)

    running.button(key="reveal_data").click().run()

    assert "Amy7" in everything(running)
    kept = small_store.rows("SELECT level, logger, event, detail FROM journal.app_log")
    assert kept == [
        {"level": "info", "logger": "dashboard.reveal", "event": "personal data shown",
         "detail": '{"by": "Dana", "screen": "people"}'}
    ]  # fmt: skip
    running.switch_page("screens/results.py").run()
    assert "Amy" not in everything(running)
    running.switch_page("screens/people.py").run()
    assert "Amy7" not in everything(running)


def test_a_closed_page_names_the_role_it_takes(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__LOCAL_ROLE", "viewer")
    running = app(small_store, "settings")

    assert "closed to your role" in running.main.markdown[-1].value
    assert "analyst" in running.main.caption[-1].value
    assert "WORKBENCH_SALESFORCE" not in everything(running)


def test_a_person_whom_nobody_named_gets_in_nowhere(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__ROLES", '{"somebody@else.edu": "admin"}')
    monkeypatch.setenv("WORKBENCH_ACCESS__USER", "eve@x.edu")
    running = app(small_store, "people", id="003X7")

    assert "no role here" in running.main.markdown[-1].value
    assert "Amy" not in everything(running)


def test_every_act_of_a_screen_carries_the_person_not_only_a_name():
    """A bare name is not asked for its role, so screens pass the person whole."""
    found, wrong = 0, []
    for file in DASHBOARD.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ACTS:
                found += 1
                given = [ast.unparse(one.value) for one in node.keywords if one.arg == "by"]
                if not given or given[0].endswith((".name", '"')):
                    wrong.append(f"{file.name}:{node.lineno} {node.func.attr}(by={given})")
    assert found >= 7
    assert not wrong
