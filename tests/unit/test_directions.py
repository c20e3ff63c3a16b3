"""Directions: nothing is requested or sent in one that is off or observed; each change is kept with who and why."""

import pytest

from workbench import operations
from workbench.errors import ApprovalRefused, ConfigurationError
from workbench.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "directions.duckdb"))


def test_a_direction_queues_until_somebody_sets_it(store):
    found = operations.list_directions(store)

    assert {str(name): row["state"] for name, row in found.items()} == {"export": "queue", "import": "queue"}


@pytest.mark.parametrize("state", ["off", "observe"])
def test_a_direction_that_does_not_send_says_who_stopped_it(store, state):
    operations.set_direction(store, "export", state, by="Dana", reason="enrolment freeze")

    with pytest.raises(ApprovalRefused, match=rf"set to {state} \(Dana, .*workbench direction export queue"):
        operations.check_sends(store, "export")
    operations.check_sends(store, "import")


def test_batches_and_pushes_ask_the_direction_first(store):
    store.write(
        "INSERT INTO preview.preview SELECT 1, 'export', ['Contact'], 1, 'd', NULL, 'r', now(), 1",
        """INSERT INTO journal.batch
           SELECT 1, 1, 'export', 'approved', '{}', 'digest', 'd', 1, 'Dana', 'Sam', true, NULL, now(), now()""",
    )
    operations.set_direction(store, "export", "off", by="Dana")

    with pytest.raises(ApprovalRefused, match="set to off"):
        operations.create_batch(store, 1, by="Dana")
    with pytest.raises(ApprovalRefused, match="set to off"):
        operations.push_batch(store, None, 1)


def test_switching_off_asks_a_running_push_to_pause(store):
    store.write(
        """INSERT INTO journal.batch
           SELECT 1, 1, 'export', 'pushing', '{}', 'digest', 'd', 1, 'Dana', 'Sam', true, NULL, now(), now()"""
    )

    operations.set_direction(store, "export", "off", by="Dana")

    assert operations.show_batch(store, 1).state == "paused"


def test_auto_takes_a_written_policy(store):
    with pytest.raises(ConfigurationError, match="approval policy"):
        operations.set_direction(store, "import", "auto", by="Dana")


@pytest.mark.parametrize(
    ("direction", "state", "by"), [("up", "off", "D"), ("export", "on", "D"), ("export", "off", "")]
)
def test_what_does_not_exist_is_named(store, direction, state, by):
    with pytest.raises(ConfigurationError):
        operations.set_direction(store, direction, state, by=by)
