"""Two objects in one export: what the first sends, the second finds; a phone has one contact and a contact one CRM ID."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_guardian import CONTACT, RECORD, build
from properties.test_incremental import CONTACT_MOVES, LATER, RECORD_MOVES, by_record, move
from world import START, World, mapping, record_id, send, status_of

from workbench.store import Store

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40")) // 2
A, B = "4045550101", "4045550102"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("several") / "world.duckdb"))


def two_objects():
    document = json.loads(mapping())
    (contact,) = document["objects"]
    del contact["import"]
    return json.dumps({**document, "objects": [contact, {**contact, "sobject": "Lead"}]})


def lead_id(number):
    return "00Q" + record_id(number)[3:]


def as_leads(world: World, numbers, *, named=record_id) -> None:
    """From now on these records are landed as leads; `named`: the Id they have until then."""
    land, leads = world.land, [named(number) for number in numbers]

    def landed() -> None:
        land()
        world.store.write(
            (
                """CREATE OR REPLACE TABLE salesforce."Lead" AS SELECT * REPLACE ('00Q' || "Id"[4:] AS "Id")
                   FROM salesforce."Contact" WHERE list_contains($leads, "Id")""",
                {"leads": leads},
            ),
            ('DELETE FROM salesforce."Contact" WHERE list_contains($leads, "Id")', {"leads": leads}),
            "INSERT INTO salesforce.field BY NAME SELECT * REPLACE ('Lead' AS sobject) FROM salesforce.field",
            (
                """INSERT INTO journal.pull SELECT * REPLACE ('Lead' AS object) FROM journal.pull
                   WHERE pull_id = $id AND system = 'salesforce'""",
                {"id": world.pull_id},
            ),
        )

    world.land = landed


def assert_foretold(world, rows):
    """Sent in order, every change is answered as foretold."""
    directory, institution = world.directory(), world.people()
    for row in rows:
        for request in row["requests"]:
            answer = send(request["method"], request["path"], json.loads(request["body"]), directory, institution)
            assert (row["predicted_status"], set(row["codes"])) == (status_of(answer), set(answer.codes)), row
    return directory


def found(rows):
    return [(row["sobject"], row["action"], row["codes"], row["certainty"]) for row in rows]


TAKEN = "A record of an object mapped before this one takes or gives up the same phone"
MISMATCH = ["phone-match-found-but-crmId-mismatch"]


def test_the_second_object_finds_what_the_first_has_made(store):
    world = World(store, two_objects())
    for number in (1, 2):
        world.record(number, MobilePhone=A)
    as_leads(world, [2])
    report, rows = world.preview()
    assert found(rows) == [("Contact", "create", [], "certain"), ("Lead", "blocked", ["duplicate-contact"], "possible")]
    assert rows[1]["reason"] == TAKEN
    assert sum(report.counts.values()) == 2
    assert_foretold(world, rows)


def test_the_second_object_finds_what_the_first_has_linked_and_changed(store):
    world = World(store, two_objects())
    for number, phone in enumerate([A, A, B, B, "4045550103"]):
        world.record(number, MobilePhone=phone)
    world.contact(1, phone=A)
    world.contact(2, crm_id=record_id(2), phone="4045550109")
    world.contact(3, crm_id=lead_id(3), phone="4045550108")
    world.contact(4, crm_id=lead_id(4), phone="4045550103")
    as_leads(world, [1, 3, 4])
    _, rows = world.preview()
    assert found(rows) == [
        ("Contact", "link", [], "certain"), ("Contact", "update", [], "certain"),
        ("Lead", "blocked", MISMATCH, "possible"), ("Lead", "blocked", ["duplicate-contact"], "possible"),
        ("Lead", "none", [], None),
    ]  # fmt: skip
    assert_foretold(world, rows)


def test_a_phone_that_the_first_object_gives_up_is_only_possibly_held(store):
    """Certain is only that a later preview knows: a create once the first object's change was sent."""
    world = World(store, two_objects())
    world.record(1, MobilePhone=B)
    world.record(2, MobilePhone=A)
    world.contact(1, crm_id=record_id(1), phone=A)
    as_leads(world, [2])
    _, rows = world.preview()
    assert found(rows) == [("Contact", "update", [], "certain"), ("Lead", "blocked", MISMATCH, "possible")]
    world.contacts[0]["phone"] = B
    assert [row["action"] for row in world.preview()[1]] == ["none", "create"]


def test_what_the_first_object_does_not_send_is_free(store):
    """Left out, refused, or a phone that stays: none of them takes anything from the second object."""
    world = World(store, two_objects())
    world.record(1, MobilePhone=A, Sync__c=False)
    world.record(2, MobilePhone=B, LastName=None)
    for number, phone in ((3, A), (4, B)):
        world.record(number, MobilePhone=phone)
    as_leads(world, [3, 4])
    _, rows = world.preview()
    assert [(row["sobject"], row["action"]) for row in rows] == [
        ("Contact", "excluded"), ("Contact", "blocked"), ("Lead", "create"), ("Lead", "create"),
    ]  # fmt: skip
    assert_foretold(world, rows)


def looked_at_first(store, phones, leads):
    """Records with these phones, some of them leads, looked at once, years ago."""
    world = World(store, two_objects())
    for number, phone in enumerate(phones):
        world.record(number, MobilePhone=phone, SystemModstamp=START)
    as_leads(world, leads)
    world.preview()
    return world


def again(world):
    return {row["salesforce_id"]: row["action"] for row in world.preview(only_changed=True)[1]}


def test_a_second_look_finds_who_of_the_second_object_loses_a_phone_to_the_first(store):
    world = looked_at_first(store, [B, A], [1])
    world.records[0].update(MobilePhone=A, SystemModstamp=LATER)
    assert again(world) == {record_id(0): "create", lead_id(1): "blocked"}


def test_a_second_look_finds_who_of_the_first_object_has_the_phone_that_the_second_wants(store):
    world = looked_at_first(store, [A, B], [1])
    world.records[1].update(MobilePhone=A, SystemModstamp=LATER)
    assert again(world) == {record_id(0): "create", lead_id(1): "blocked"}


def test_a_second_look_finds_who_of_the_second_object_was_refused_for_a_phone_that_is_free_now(store):
    world = looked_at_first(store, [A, A], [1])
    world.records[0].update(MobilePhone=B, SystemModstamp=LATER)
    assert again(world) == {record_id(0): "create", lead_id(1): "create"}


def test_the_baseline_holds_the_objects_mapped_before_too(tmp_path):
    """What an earlier object decided counts for a later one, so a look at the later one alone is no baseline."""
    world = World(tmp_path, two_objects())
    world.pulled_at = START + timedelta(days=1)
    for number in (1, 2, 3):
        world.record(number, MobilePhone=f"404555010{number}", SystemModstamp=START)
    as_leads(world, [2, 3])

    def looked_at(**about):
        _, rows = world.preview(**about)
        return [row["salesforce_id"] for row in rows]

    leads = [lead_id(2), lead_id(3)]
    assert looked_at(sobjects=["Lead"]) == leads
    assert looked_at(sobjects=["Lead"], only_changed=True) == leads
    assert looked_at(sobjects=["Contact"]) == [record_id(1)]
    assert looked_at(sobjects=["Contact"], only_changed=True) == []
    assert looked_at() == [record_id(1), *leads]
    assert looked_at(sobjects=["Lead"], only_changed=True) == []


def test_another_mapping_has_no_baseline_yet(tmp_path):
    world = World(tmp_path, two_objects())
    world.pulled_at = START + timedelta(days=1)
    world.record(1, SystemModstamp=START)
    world.record(2, MobilePhone=B, SystemModstamp=START)
    as_leads(world, [2])
    world.preview()
    assert world.preview(only_changed=True)[1] == []
    document = json.loads(world.document)
    document["objects"][1]["export"]["include_field_deletions"] = True
    world.document = json.dumps(document)
    assert len(world.preview(only_changed=True)[1]) == 2


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=2, max_size=7),
    contacts=st.lists(CONTACT, max_size=5),
    leads=st.sets(st.integers(0, 6), min_size=1),
)
def test_every_answer_of_two_objects_is_foretold_unless_it_is_only_possible(store, records, contacts, leads):
    world = build(store, records, contacts, two_objects())
    as_leads(world, leads)
    report, rows = world.preview()
    assert sum(report.counts.values()) == len(records)
    directory, institution = world.directory(), world.people()
    for row in rows:
        for request in row["requests"]:
            answer = send(request["method"], request["path"], json.loads(request["body"]), directory, institution)
            told = (row["predicted_status"], set(row["codes"]))
            assert told == (status_of(answer), set(answer.codes)) or row["reason"] == TAKEN, row


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=2, max_size=7),
    contacts=st.lists(CONTACT, max_size=5),
    leads=st.sets(st.integers(0, 6), min_size=1),
    record_moves=RECORD_MOVES,
    contact_moves=CONTACT_MOVES,
)
def test_a_second_look_at_two_objects_completes_the_first(store, records, contacts, leads, record_moves, contact_moves):
    world = build(store, records, contacts, two_objects())
    as_leads(world, leads)
    before = by_record(world.preview()[1])
    move(world, record_moves, contact_moves)
    again = by_record(world.preview(only_changed=True)[1])
    whole = by_record(world.preview()[1])
    assert {**{key: value for key, value in before.items() if key in whole}, **again} == whole
