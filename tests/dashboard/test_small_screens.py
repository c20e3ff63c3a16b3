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


def test_what_moved_between_the_last_two_readings_stays_until_the_next(app, small_store, monkeypatch):
    from workbench import operations

    monkeypatch.setattr(operations, "refresh_fields", lambda store, settings: [], raising=False)
    small_store.write(
        """INSERT INTO mainstay.field BY NAME SELECT 'GPA' AS name, 'Text' AS data_type, true AS is_custom,
           false AS is_deprecated, true AS is_writable, 4 AS _pull_id""",
        (
            """INSERT INTO journal.field_drift VALUES
               (3, 'mainstay', 'contact', 'custom.Old', 'vanished', 'Text', NULL, $now),
               (4, 'mainstay', 'contact', 'custom.GPA', 'retyped', 'Number', 'Text', $now)""",
            {"now": NOW},
        ),
    )
    running = app(small_store, "fields")

    for _ in range(2):  # not only right after a reading
        told = running.warning[0].value.replace("\\", "")
        assert "Mainstay contact.custom.GPA was Number and is Text now" in told
        assert "Old" not in told
        running.run()
    small_store.write("UPDATE mainstay.field SET _pull_id = 5")
    running.button[0].click().run()
    assert not running.warning
    assert "nothing moved" in running.success[0].value
