"""Whom a second look at an import takes in: each way that one contact decides about another, on contacts of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from properties.test_several_objects import as_leads, lead_id
from world import START, World, mapping, record_id

from workbench.store import Store

LATER = datetime.now(UTC) + timedelta(days=1)
A, B = "a@x.edu", "b@x.edu"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("again") / "world.duckdb"))


def ten_linked(store, document=None, **about):
    """Ten old records with contacts of their own; each test adds what it needs, looks, and moves something."""
    world = World(store, document or mapping(), **about)
    world.pulled_at = START + timedelta(days=1)
    for number in range(10):
        world.record(number, SystemModstamp=START, Email=f"p{number}@x.edu")
        world.contact(number, crm_id=record_id(number), email=f"p{number}@x.edu", last_modified_at=START)
    return world


@pytest.fixture
def looked(store):
    return ten_linked(store)


@pytest.fixture
def unique(store):
    """The same, where no two records may have the same notes."""
    return ten_linked(store, unique=("Notes__c",))


def contact(world, number, *, notes=None, **values):
    moment = START + timedelta(minutes=number)
    world.contact(number, custom={"Notes": notes}, **{"last_modified_at": moment, **values})
    return world.contacts[-1]


def record(world, number, **values):
    world.record(number, **{"SystemModstamp": START, **values})
    return world.records[-1]


def number_of(contact_id):
    return int(contact_id.removeprefix("ah"), base=16)


def told(world, **about):
    """What is said of each contact by its number; all that matters is what it was when looked at before."""
    _, rows = world.preview("import", **about)
    assert len({(row["sobject"], row["mainstay_id"]) for row in rows}) == len(rows)
    return {number_of(row["mainstay_id"]): row["action"] for row in rows}


def again(world):
    return told(world, only_changed=True)


def test_who_changed_and_whose_record_did(looked):
    told(looked)
    looked.contacts[3].update(last_modified_at=LATER, email="x@x.edu")
    looked.records[5].update(SystemModstamp=LATER, Email="y@x.edu")
    assert again(looked) == {3: "update", 5: "none"}


def test_where_nothing_moved_nobody(looked):
    told(looked)
    assert again(looked) == {}


def test_who_shares_a_matching_value_with_one_who_changed(looked):
    record(looked, 20, Email=A)
    contact(looked, 20, email=A.upper())
    other = contact(looked, 21, email=B)
    assert told(looked)[20] == "link"
    other.update(last_modified_at=LATER, email=A)
    assert again(looked) == {20: "conflict", 21: "conflict"}


def test_who_shares_a_matching_value_with_a_record_that_changed(looked):
    contact(looked, 20, email=A)
    assert told(looked)[20] == "create"
    looked.records[3].update(SystemModstamp=LATER, Email=A)
    assert again(looked) == {3: "none", 20: "conflict"}


def test_who_matched_a_record_that_changed(looked):
    changed = record(looked, 20, Email=A)
    contact(looked, 20, email=A)
    assert told(looked)[20] == "link"
    changed.update(SystemModstamp=LATER, Email=B)
    assert again(looked) == {20: "create"}


def test_who_matched_the_record_that_another_now_carries(looked):
    record(looked, 20, Email=A)
    contact(looked, 20, email=A)
    assert told(looked)[20] == "link"
    looked.contacts[3].update(last_modified_at=LATER, crm_id=record_id(20))
    assert again(looked) == {3: "update", 20: "conflict"}


def test_who_carries_the_record_that_another_now_matches(looked):
    """They have no value in common: the record's address is another than its contact's."""
    looked.records[3]["Email"] = B
    other = contact(looked, 20, email=A)
    assert told(looked)[20] == "create"
    other.update(last_modified_at=LATER, email=B)
    assert again(looked) == {3: "update", 20: "conflict"}


def test_who_matches_the_same_record_by_another_value(store):
    world = ten_linked(store, mapping(matching=("email", "phone"), match="any"))
    record(world, 20, Email=A, MobilePhone="4045550101")
    contact(world, 20, phone="4045550101")
    other = contact(world, 21, email=B)
    assert told(world)[20] == "link"
    other.update(last_modified_at=LATER, email=A)
    assert again(world) == {20: "conflict", 21: "conflict"}


def test_who_was_asked_about(looked):
    """What it waited for is gone without a trace."""
    record(looked, 20, Email=A)
    for number in (20, 21):
        contact(looked, number, email=A)
    assert told(looked)[20] == "conflict"
    looked.contacts.pop()
    assert again(looked) == {20: "link"}


def test_a_record_that_is_gone_is_missed_by_its_contact(looked):
    told(looked)
    looked.records.pop(4)
    assert again(looked) == {4: "conflict"}


def test_a_deleted_record_is_missed_by_its_contact(looked):
    told(looked)
    looked.records[4].update(SystemModstamp=LATER, IsDeleted=True)
    assert again(looked) == {4: "conflict"}


@pytest.mark.parametrize("characters", [15, 18])
def test_a_test_contact_that_carries_the_record_has_a_say(looked, characters):
    found = record(looked, 20, Email=A, Id="003aa0000000020AAA")
    contact(looked, 20, crm_id=found["Id"][:characters], test_user=True)
    taken = contact(looked, 21, email=A)
    assert told(looked)[21] == "conflict"
    taken.update(last_modified_at=LATER, first_name="Bo")
    assert again(looked) == {21: "conflict"}


def test_a_test_contact_that_changed_is_told_once(looked):
    tester = contact(looked, 20, test_user=True)
    told(looked)
    tester.update(last_modified_at=LATER)
    assert again(looked) == {20: "excluded"}


def test_the_ids_of_another_kind_of_record_are_known_without_any_record(looked):
    """No record is near the contact that changed."""
    lead = contact(looked, 20, crm_id=lead_id(20))
    assert told(looked)[20] == "excluded"
    lead.update(last_modified_at=LATER, first_name="Bo")
    assert again(looked) == {20: "excluded"}


@pytest.fixture
def asking(store):
    """Number 3 has another address on both sides than both once had, and a person is asked."""
    document = json.loads(mapping())
    document["objects"][0]["conflicts"] = {"default": "ask"}
    world = ten_linked(store, json.dumps(document))
    told(world)  # both sides agree
    world.records[3].update(SystemModstamp=START + timedelta(hours=1), Email=A)
    world.contacts[3].update(last_modified_at=START + timedelta(hours=1), email=B)
    assert told(world)[3] == "conflict"
    return world


def test_who_was_asked_about_without_having_moved_since(asking):
    assert again(asking) == {3: "conflict"}


def test_who_was_looked_at_by_an_earlier_version(asking):
    """It kept no moment beside what both sides had agreed on."""
    asking.store.write("UPDATE journal.last_agreed SET looked_at = NULL")
    assert again(asking) == {3: "conflict"}


def test_about_whom_a_person_decided_otherwise(asking):
    world = asking
    decide(world, "mainstay", START + timedelta(hours=2))
    assert told(world)[3] == "update"
    assert told_of_records(world)[3] == "none"
    decide(world, "salesforce", LATER)
    assert again(world) == {3: "none"}
    assert told_of_records(world, only_changed=True) == {3: "update"}


def told_of_records(world, **about):
    """The same of an export, by the record's number."""
    return {int(row["salesforce_id"][5:15]): row["action"] for row in world.preview(**about)[1]}


def decide(world, winner, moment):
    world.store.write(
        (
            """INSERT INTO journal.conflict_decision
               VALUES ('Contact', $record, $contact, 'email', $winner, $left, $right, 'Ana', '', $moment)""",
            {
                "record": record_id(3), "contact": world.contacts[3]["id"], "winner": winner, "left": A, "right": B,
                "moment": moment,
            },
        )
    )  # fmt: skip


# -- several objects -------------------------------------------------------------------------------------------------


def test_who_is_after_the_lead_of_one_whom_contacts_no_longer_take(store):
    """What the first object decides of one contact, the second decides of two."""
    document = json.loads(mapping(create=False))
    (item,) = document["objects"]
    by_phone = [field | {"matching": field["mainstay"] == "phone"} for field in item["import"]["fields"]]
    lead = {**item, "sobject": "Lead", "import": {**item["import"], "fields": by_phone}}
    world = ten_linked(store, json.dumps({**document, "objects": [item, lead]}))
    left = record(world, 20, Email=A)
    record(world, 21, Email=None, MobilePhone="4045550101")
    as_leads(world, [21])
    contact(world, 20, email=A, phone="4045550101")
    contact(world, 21, email=None, phone="4045550101")
    assert leads_of(world.preview("import")[1]) == {20: "excluded", 21: "link"} | dict.fromkeys(range(10), "excluded")
    left.update(SystemModstamp=LATER, Email=B)
    assert leads_of(world.preview("import", only_changed=True)[1]) == {20: "conflict", 21: "conflict"}


def leads_of(rows):
    return {number_of(row["mainstay_id"]): row["action"] for row in rows if row["sobject"] == "Lead"}


# -- unique values ---------------------------------------------------------------------------------------------------


def test_who_wants_a_unique_value_that_a_record_let_go(unique):
    unique.records[3]["Notes__c"] = "v"
    contact(unique, 20, email=A, notes="V")
    assert told(unique)[20] == "blocked"
    unique.records[3].update(SystemModstamp=LATER, Notes__c="u")
    assert again(unique) == {3: "none", 20: "create"}


def test_who_wants_a_unique_value_that_a_record_has_come_to_hold(unique):
    contact(unique, 20, email=A, notes="V")
    assert told(unique)[20] == "create"
    unique.records[3].update(SystemModstamp=LATER, Notes__c="v")
    assert again(unique) == {3: "none", 20: "blocked"}


def test_who_wants_the_unique_value_that_one_who_changed_wants(unique):
    first = contact(unique, 20, email=A, notes="u")
    contact(unique, 21, email=B, notes="v")
    assert told(unique)[21] == "create"
    first.update(custom={**first["custom"], "Notes": "v"}, last_modified_at=START)
    unique.contacts[3].update(last_modified_at=LATER)
    first["last_modified_at"] = LATER
    assert again(unique) == {3: "none", 20: "blocked", 21: "create"}


def chain(world, values):
    """Records that hold a value each, and contacts that bring the next one's: each waits for the one after it."""
    for number, (held, wanted) in enumerate(pairwise(values)):
        record(world, 20 + number, Email=f"c{number}@x.edu", Notes__c=held)
        contact(
            world,
            20 + number,
            crm_id=record_id(20 + number),
            email=f"c{number}@x.edu",
            notes=wanted,
            last_modified_at=START + timedelta(hours=9 - number),
        )


def test_a_chain_of_unique_values_is_followed_to_its_end(unique):
    chain(unique, ["v0", "v1", "v2", "v3", "v4"])
    assert [told(unique)[20 + number] for number in range(4)] == ["update"] * 4
    unique.records[3].update(SystemModstamp=LATER, Notes__c="V4")  # the last one finds its value taken
    assert again(unique) == {3: "none", 20: "blocked", 21: "blocked", 22: "blocked", 23: "blocked"}


def test_who_waits_for_a_unique_value_of_a_record_that_its_contact_has_left(unique):
    chain(unique, ["v0", "v1"])
    contact(unique, 30, email=A, notes="v0", last_modified_at=START + timedelta(hours=10))
    assert told(unique)[30] == "create"
    unique.contacts[-2].update(crm_id=None, email=B, last_modified_at=LATER)
    assert again(unique) == {20: "create", 30: "blocked"}


def test_who_waits_for_a_unique_value_of_a_record_whose_contact_is_gone(unique):
    chain(unique, ["v0", "v1"])
    contact(unique, 30, email=A, notes="v0", last_modified_at=START + timedelta(hours=10))
    assert told(unique)[30] == "create"
    unique.contacts.pop(-2)
    assert again(unique) == {30: "blocked"}


# -- parents ---------------------------------------------------------------------------------------------------------


def small_id(number):
    """An Id whose last three characters fit once it is a lead's."""
    return f"003aa{number:010d}EAA"


def parent_id(number):
    return "00Q" + small_id(number)[3:]


@pytest.fixture
def child(store):
    """A contact that names a lead: the notes of a contact are its reference here."""
    document = json.loads(mapping())
    (item,) = document["objects"]
    export = {"fields": [{"salesforce": "FirstName", "mainstay": "first_name"}]}
    lead = {"sobject": "Lead", "export": item["export"] | export}
    world = ten_linked(store, json.dumps({**document, "objects": [item, lead]}), references={"Notes__c": "Lead"})
    for number in (30, 31):
        record(world, number, Id=small_id(number))
    as_leads(world, [30, 31, 32], named=small_id)
    contact(world, 20, email=A, notes=parent_id(30))
    return world


def codes(world, **about):
    return {number_of(row["mainstay_id"]): row["codes"] for row in world.preview("import", **about)[1]}


def test_who_names_a_parent_that_is_deleted(child):
    assert told(child)[20] == "create"
    child.records[-2].update(SystemModstamp=LATER, IsDeleted=True)
    assert codes(child, only_changed=True) == {20: ["ENTITY_IS_DELETED"]}


def test_who_names_a_parent_that_is_gone(child):
    assert told(child)[20] == "create"
    child.records.pop(-2)
    assert codes(child, only_changed=True) == {20: ["INVALID_CROSS_REFERENCE_KEY"]}


def test_who_named_a_parent_that_was_not_there(child):
    child.contacts[-1]["custom"]["Notes"] = parent_id(32)
    assert codes(child)[20] == ["INVALID_CROSS_REFERENCE_KEY"]
    record(child, 32, SystemModstamp=LATER, Id=small_id(32))
    assert again(child) == {20: "create"}


def test_who_names_a_parent_that_is_there_is_left_alone(child):
    child.contacts[-1]["custom"]["Notes"] = parent_id(30)[:15]
    assert told(child)[20] == "create"
    child.records[-2].update(SystemModstamp=LATER, FirstName="Bo")
    assert again(child) == {}
