"""Looking again at what moved says what a full preview would say, and leaves out nothing that turned out otherwise."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_guardian import CONTACT, RECORD, build
from world import mapping

from workbench.engine import keeping
from workbench.store import Store

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40")) // 2
LATER = datetime.now(UTC) + timedelta(days=1)
TOLD = ("action", "rule", "mainstay_id", "codes", "predicted_status", "certainty", "reason", "fields", "guards")

RECORD_MOVES = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), RECORD)), max_size=2)
CONTACT_MOVES = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.none(), st.sampled_from(["4045550101", "4045550109", None]))), max_size=2
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("incremental") / "world.duckdb"))


def by_record(rows, sender="salesforce_id", told=TOLD):
    """What is told of each record of the sending side, by its id."""
    return {
        row[sender]: (
            [row[name] for name in told],
            [(request["method"], request["path"], request["body"]) for request in row["requests"]],
        )
        for row in rows
    }


def move(world, record_moves, contact_moves):
    """Change or remove records, and change contacts' phones or remove them; what stays says when it changed."""
    for number, values in record_moves:
        if number < len(world.records):
            if values is None:
                world.records.pop(number)
            else:
                world.records[number] |= values | {"SystemModstamp": LATER}
    for number, phone in contact_moves:
        if number >= len(world.contacts):
            continue
        contact = world.contacts[number]
        if phone is None and contact.get("crm_id") is None:
            world.contacts.pop(number)
        elif phone not in {other.get("phone") for other in world.contacts}:
            contact |= {
                "phone": phone, "previous_phone": None, "last_modified_at": LATER,
                "messaging_status_sms": "opted-in" if phone else None,
            }  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=1, max_size=6),
    contacts=st.lists(CONTACT, max_size=5),
    record_moves=RECORD_MOVES,
    contact_moves=CONTACT_MOVES,
    deletions=st.booleans(),
    is_kept=st.booleans(),
)
def test_a_second_look_completes_the_first(store, records, contacts, record_moves, contact_moves, deletions, is_kept):
    world = build(store, records, contacts, mapping(deletions=deletions))
    before = by_record(world.preview()[1])
    move(world, record_moves, contact_moves)

    with mock.patch.object(keeping, "WORTH_KEEPING", 0 if is_kept else keeping.WORTH_KEEPING):
        again = by_record(world.preview(only_changed=True)[1])
    whole = by_record(world.preview()[1])

    assert {**{key: value for key, value in before.items() if key in whole}, **again} == whole


def test_a_phone_let_go_decides_about_others(tmp_path):
    """B and C waited behind A for one phone; once A has another, C is next in line, though only A moved."""
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    for number in range(40):
        world.record(number, MobilePhone=f"404555{200 + number:04d}")
    a, b, c = (world.record(number, MobilePhone="4045550101") for number in (50, 51, 52))
    before = by_record(world.preview()[1])
    assert [before[one][0][0] for one in (a, b, c)] == ["create", "blocked", "blocked"]
    next(r for r in world.records if r["Id"] == a).update(MobilePhone="4045550102", SystemModstamp=LATER)

    again = by_record(world.preview(only_changed=True)[1])

    assert {one: told[0][0] for one, told in again.items()} == {a: "create", b: "create", c: "blocked"}
