"""A narrow import preview (one contact, or what changed) says what a full preview would say."""

from __future__ import annotations

import json
import os
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_import import CONTACT, MATCHING, RECORD
from properties.test_incremental import LATER, by_record
from properties.test_several_objects import as_leads
from world import World, mapping, record_id

from workbench.engine import keeping
from workbench.store import Store

pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40")) // 2
TOLD = ("action", "rule", "salesforce_id", "codes", "predicted_status", "certainty", "reason", "fields", "guards")

# A unique value brings contacts that have nothing else in common into one order.
NOTES = st.sampled_from([None, "n1", "N1", "n2", "n3"])
NOTED_RECORD = st.builds(lambda record, notes: record | {"Notes__c": notes}, RECORD, NOTES)
NOTED_CONTACT = st.builds(lambda contact, notes: contact | {"custom": {"Notes": notes}}, CONTACT, NOTES)
UNIQUE = st.sampled_from([(), ("Notes__c",), ("Email", "Notes__c")])

# A move of None removes: only full pulls let a row vanish, as those of a World are.
RECORD_MOVES = st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), NOTED_RECORD)), max_size=2)
CONTACT_MOVES = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), NOTED_CONTACT)), max_size=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("incremental-import") / "world.duckdb"))


def build(world, records, contacts):
    for number, values in enumerate(records):
        world.record(number, **values)
    for number, values in enumerate(contacts):
        about = dict(values)
        world.contact(number, crm_id=owned(world, about.pop("owner")), **about)
    return world


def owned(world, number):
    """The CRM ID of that record, where no contact carries it yet."""
    crm_id = None if number is None else record_id(number)
    return None if crm_id in {contact.get("crm_id") for contact in world.contacts} else crm_id


def move(world, record_moves, contact_moves):
    for number, values in record_moves:
        if number < len(world.records):
            if values is None:
                world.records.pop(number)
            else:
                world.records[number] |= values | {"SystemModstamp": LATER}
    for number, values in contact_moves:
        if number < len(world.contacts):
            contact = world.contacts.pop(number)
            if values is not None:
                about = dict(values)
                crm_id = owned(world, about.pop("owner")) or contact["crm_id"]
                custom = contact["custom"] | about.pop("custom")
                about |= {"crm_id": crm_id, "custom": custom, "last_modified_at": LATER}
                world.contacts.insert(number, contact | about)


def by_contact(rows):
    return by_record(rows, "mainstay_id", TOLD)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(NOTED_RECORD, min_size=1, max_size=5),
    contacts=st.lists(NOTED_CONTACT, min_size=1, max_size=6),
    record_moves=RECORD_MOVES,
    contact_moves=CONTACT_MOVES,
    matching=MATCHING,
    match=st.sampled_from(["all", "any"]),
    unique=UNIQUE,
    is_kept=st.booleans(),
)
def test_a_second_look_completes_the_first(
    store, records, contacts, record_moves, contact_moves, matching, match, unique, is_kept
):
    world = build(World(store, mapping(matching=matching, match=match), unique=unique), records, contacts)
    before = by_contact(world.preview("import")[1])
    move(world, record_moves, contact_moves)

    with mock.patch.object(keeping, "WORTH_KEEPING", 0 if is_kept else keeping.WORTH_KEEPING):
        again = by_contact(world.preview("import", only_changed=True)[1])
    whole = by_contact(world.preview("import")[1])

    assert {**{key: value for key, value in before.items() if key in whole}, **again} == whole


def two_objects(create, **about):
    document = json.loads(mapping(create=create, **about))
    (contact,) = document["objects"]
    lead = {**contact, "sobject": "Lead", "import": {**contact["import"], "create_unmatched": True}}
    return json.dumps({**document, "objects": [contact, lead]})


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(NOTED_RECORD, min_size=2, max_size=6),
    leads=st.sets(st.integers(0, 5), min_size=1),
    contacts=st.lists(NOTED_CONTACT, min_size=1, max_size=6),
    record_moves=RECORD_MOVES,
    contact_moves=CONTACT_MOVES,
    matching=MATCHING,
    match=st.sampled_from(["all", "any"]),
    unique=UNIQUE,
    create=st.booleans(),
)
def test_a_second_look_at_two_objects_completes_the_first(
    store, records, leads, contacts, record_moves, contact_moves, matching, match, unique, create
):
    """Whom the first object takes, the second leaves; whom it leaves, the second may take."""
    world = World(store, two_objects(create, matching=matching, match=match), unique=unique)
    as_leads(build(world, records, contacts), leads)
    for contact in world.contacts:
        if contact["crm_id"] in {record_id(number) for number in leads}:
            contact["crm_id"] = "00Q" + contact["crm_id"][3:]

    def told(**about):
        rows = world.preview("import", **about)[1]
        return {
            (sobject, key): value
            for sobject in ("Contact", "Lead")
            for key, value in by_contact([row for row in rows if row["sobject"] == sobject]).items()
        }

    before = told()
    move(world, record_moves, contact_moves)
    again, whole = told(only_changed=True), told()

    assert {**{key: value for key, value in before.items() if key in whole}, **again} == whole


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=1, max_size=4),
    contacts=st.lists(CONTACT, min_size=1, max_size=5),
    matching=MATCHING,
    match=st.sampled_from(["all", "any"]),
    asked=st.integers(0, 4),
)
def test_one_contact_is_told_as_among_all(store, records, contacts, matching, match, asked):
    world = build(World(store, mapping(matching=matching, match=match)), records, contacts)
    whole = by_contact(world.preview("import")[1])
    contact_id = world.contacts[asked % len(contacts)]["id"]

    assert by_contact(world.preview("import", only_record=contact_id)[1]) == {contact_id: whole[contact_id]}


def test_a_record_linked_to_another_contact_is_not_overwritten(tmp_path):
    """A family's address: the second contact matches the record that the first one carries."""
    world = World(tmp_path, mapping(create=True))
    carried = world.record(1, FirstName="Ana", Email="family@x.edu")
    world.contact(1, crm_id=carried, email="family@x.edu")
    second = world.contact(2, first_name="Bo", email="family@x.edu")

    (told,) = world.preview("import", only_record=second)[1]

    assert (told["action"], told["requests"]) == ("conflict", [])
