"""Mapping, campaigns, field types, app logs and settings: each tells what is there and what to do where nothing is."""

from datetime import UTC, datetime

import pytest

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
