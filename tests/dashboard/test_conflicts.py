"""Conflicts: the worklist with both values and the baseline; decisions are kept with a name and honoured by pairs."""

import pytest

from workbench import views_conflicts


@pytest.fixture
def asking_store(small_store):
    """Three fields that both sides moved, one of them settled by a rule."""
    small_store.write(
        """INSERT INTO preview.conflict
           SELECT 1, 'P1-' || n, 'phone', 'MobilePhone', true, '4045550000', '404555111' || n, NULL, now(), now(),
                  CASE WHEN n = 13 THEN 'mainstay' ELSE 'ask' END, CASE WHEN n = 13 THEN 'rule' ELSE 'ask' END,
                  CASE WHEN n = 13 THEN 'mainstay' END, NULL
           FROM (VALUES (11), (12), (13)) AS t (n)"""
    )
    return small_store


def html(running):
    return " ".join(block.proto.body for block in running.get("html"))


def test_the_worklist_shows_what_waits(app, asking_store):
    running = app(asking_store, "conflicts")

    assert "<dt>Wait for a person</dt><dd>2</dd>" in html(running)
    grid = running.dataframe[0].value
    assert grid["Salesforce"].tolist() == ["40455511111", "40455511112"]
    assert grid["Mainstay"].tolist() == ["(blank)", "(blank)"]
    assert grid["Last agreed"].tolist() == ["4045550000", "4045550000"]


def test_a_decision_is_kept_with_its_name_and_leaves_the_worklist(app, asking_store, monkeypatch):
    from dashboard import session

    monkeypatch.setattr(session, "person", lambda: session.Person("Ana", "analyst"))
    running = app(asking_store, "conflicts", record="003X11", name="phone")

    running.text_input(key="one_note").set_value("she told us")
    running.button(key="one_salesforce").click()
    del running.session_state["linked_conflict"]  # this harness redraws the page, and the drawer only with its link
    running.run()

    rows = {row["change_id"]: row for row in views_conflicts.conflicts(asking_store, 1)}
    decided = rows["P1-11"]
    assert (decided["decision"], decided["decision_by"], decided["decision_note"]) == (
        "salesforce",
        "Ana",
        "she told us",
    )
    assert [name for name, row in rows.items() if row["is_open"]] == ["P1-12"]


def test_a_viewer_decides_nothing(app, asking_store, monkeypatch):
    from dashboard import session

    monkeypatch.setattr(session, "person", lambda: session.Person("Vera", "viewer"))
    running = app(asking_store, "conflicts", record="P1-11", name="phone")

    assert running.button(key="one_salesforce").disabled


def test_nothing_waits(app, small_store):
    running = app(small_store, "conflicts")

    assert any("No field waits for you" in one.value for one in running.markdown)
