"""Mapping, campaigns, field types, app logs and settings: each tells what is there and what to do where nothing is."""

from datetime import UTC, datetime

import pytest

from workbench import views_mapping
from workbench.store.mappings import mapping_history

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def html(running):
    return " ".join(block.proto.body for block in running.get("html"))


@pytest.mark.parametrize("screen", ["mapping", "campaigns", "fields", "logs", "people", "previews", "approvals"])
def test_an_empty_store_opens_every_screen_calmly(app, empty_store, screen):
    running = app(empty_store, screen)

    assert not running.error
    assert not running.exception


def test_secrets_are_only_said_to_be_set(app, small_store):
    running = app(small_store, "settings")

    assert "••••••••" in html(running)
    everything = html(running) + " ".join(str(one.value) for one in running.caption)
    assert "secret-token" not in everything
    assert "00Dsecret" not in everything


def test_the_mapping_shows_every_pair_with_the_locked_one(app, small_store):
    rows = views_mapping.pairs(small_store, 1)
    running = app(small_store, "mapping")

    assert [row["mainstay"] for row in rows if row["is_locked"]] == ["crm_id", "crm_id"]
    assert {row["direction"] for row in rows} == {"export", "import"}
    for row in rows:
        assert row["salesforce"] in html(running)
    assert any(row["is_matching"] for row in rows)


def test_a_pair_whose_field_vanished_says_so(small_store):
    small_store.write(
        """INSERT INTO salesforce.field BY NAME SELECT 'Contact' AS sobject, name, type, true AS updateable,
           true AS createable, true AS nillable, false AS calculated, false AS custom, name AS label
           FROM (VALUES ('Id', 'id'), ('FirstName', 'string')) AS t (name, type)""",
        "INSERT INTO mainstay.field BY NAME SELECT 'GPA' AS name, 'Number' AS data_type, true AS is_custom, "
        "false AS is_deprecated, true AS is_writable",
    )

    rows = {(row["direction"], row["mainstay"]): row for row in views_mapping.pairs(small_store, 1)}

    assert rows["export", "first_name"]["problem"] is None
    assert "no field LastName" in rows["export", "last_name"]["problem"]
    assert "no field custom.High School" in rows["export", "custom.High School"]["problem"]


def test_an_edited_mapping_is_checked_and_saved_with_its_reason(app, small_store, monkeypatch):
    from workbench.operations import mappings

    monkeypatch.setattr(mappings, "connection_kinds", lambda _: {"salesforce": None, "mainstay": None})
    running = app(small_store, "mapping")
    area = running.text_area(key="mapping_text")
    area.set_value(area.value.replace("create_unmatched: true", "create_unmatched: false")).run()
    running.text_input(key="mapping_reason").set_value("no new records").run()

    next(one for one in running.button if one.label == "Save revision").click().run()

    latest = mapping_history(small_store)[0]
    assert (latest.revision, latest.reason) == (2, "no new records")
    assert "Revision 2 counts now" in running.success[0].value


def test_a_broken_mapping_is_refused_with_its_line(app, small_store):
    running = app(small_store, "mapping")
    running.text_area(key="mapping_text").set_value("version: 1\nobjects:\n  - sobject: 7 up\n").run()

    next(one for one in running.button if one.label == "Check").click().run()

    assert "line 3" in running.error[0].value
    assert mapping_history(small_store)[0].revision == 1


def test_a_fault_is_listed(app, small_store):
    small_store.write(
        ("INSERT INTO journal.app_log VALUES ($now, 'ERROR', 'workbench.push', 'push ended early', '{}')", {"now": NOW})
    )
    running = app(small_store, "logs")

    assert running.dataframe[0].value["What"].tolist() == ["push ended early"]


def test_reading_the_fields_anew_says_what_moved(app, small_store, monkeypatch):
    from workbench import operations
    from workbench.stages.pull.report import FieldDrift

    moved = [FieldDrift("mainstay", "contact", "custom.GPA", "retyped", "Number", "Text")]
    monkeypatch.setattr(operations, "refresh_fields", lambda store, settings: moved, raising=False)
    running = app(small_store, "fields")

    running.button[0].click().run()

    assert "contact.custom.GPA was Number and is Text now" in running.warning[0].value.replace("\\", "")
