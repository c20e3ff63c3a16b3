"""Which records are looked at, in which order, and which again: each rule on records of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from world import START, World, mapping, record_id

from workbench.domain.fields import Direction
from workbench.engine.preview import make_preview
from workbench.errors import ConfigurationError, NotFound
from workbench.store import Store
from workbench.store.mappings import require_mapping

LATER = datetime.now(UTC) + timedelta(days=1)
A, B, C = "4045550101", "4045550102", "4045550103"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("again") / "world.duckdb"))


def actions(world, direction="export", **about):
    _, rows = world.preview(direction, **about)
    name = "salesforce_id" if direction == "export" else "mainstay_id"
    return {row[name]: row["action"] for row in rows}


def test_deleted_records_are_neither_sent_nor_matched(store):
    world = World(store, mapping())
    one = world.record(1, Email="a@x.edu")
    world.record(2, Email="b@x.edu", IsDeleted=True)
    world.record(3, Email="c@x.edu", IsDeleted=None)
    world.contact(1, email="b@x.edu")
    world.contact(2, crm_id=record_id(2))
    assert set(actions(world)) == {one, record_id(3)}
    assert list(actions(world, "import").values()) == ["create", "conflict"]


def test_the_first_changed_is_the_first_sent_and_equal_moments_go_by_id(store):
    world = World(store, mapping())
    moments = {1: 9, 2: 5, 3: 5, 4: 1}
    for number in (3, 1, 4, 2):
        world.record(number, SystemModstamp=START + timedelta(hours=moments[number]))
        world.contact(number, last_modified_at=START + timedelta(hours=moments[number]), email=f"p{number}@x.edu")
    assert list(actions(world)) == [record_id(number) for number in (4, 2, 3, 1)]
    assert [found[-1] for found in actions(world, "import")] == ["4", "2", "3", "1"]


def test_an_empty_text_is_no_id_no_phone_and_no_value(store):
    world = World(store, mapping())
    world.record(1, MobilePhone=A)
    world.record(2, MobilePhone="")
    world.contact(1, crm_id="", phone="(404) 555-0101", first_name="")
    world.contact(2, crm_id="", phone="", previous_phone="", messaging_status_sms=None)
    assert list(actions(world).values()) == ["link", "create"]
    assert set(actions(world, "import").values()) == {"create"}


def test_one_record_alone(store):
    world = World(store, mapping())
    for number in (1, 2):
        world.record(number)
        world.contact(number)
    assert list(actions(world, only_record=record_id(2))) == [record_id(2)]
    assert list(actions(world, "import", only_record=world.contacts[0]["id"])) == [world.contacts[0]["id"]]
    with pytest.raises(NotFound):
        world.preview(only_record=record_id(9))


def test_stored_criteria_that_are_blank_are_false(store):
    text = mapping().replace('"create_unmatched"', '"criteria": "Sync__c", "create_unmatched"')
    world = World(store, text)
    world.record(1, Sync__c=None)
    world.contact(1, crm_id=record_id(1))
    assert set(actions(world, "import").values()) == {"excluded"}


# -- looking again -------------------------------------------------------------------------------------------------


@pytest.fixture
def looked(store):
    """Ten old records with contacts of their own, previewed once; each test moves what it needs."""
    world = World(store, mapping())
    world.pulled_at = START + timedelta(days=1)
    for number in range(10):
        world.record(number, SystemModstamp=START, MobilePhone=f"404555{200 + number:04d}")
        world.contact(number, crm_id=record_id(number), phone=f"404555{200 + number:04d}", last_modified_at=START)
    return world


def again(world):
    """Which records a second look takes in, by number."""
    return {int(found[5:15]) for found in actions(world, only_changed=True)}


def test_a_changed_record_is_looked_at_again(looked):
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, Email="x@x.edu")
    assert again(looked) == {3}


def test_the_record_of_a_changed_contact_is(looked):
    looked.preview()
    looked.contacts[4].update(last_modified_at=LATER, email="x@x.edu")
    assert again(looked) == {4}


def test_a_record_that_reached_a_changed_contact_by_its_phone_is(looked):
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.preview()
    looked.contacts[-1].update(last_modified_at=LATER, phone=B)
    assert again(looked) == {20}


def test_fellows_of_a_group_are_looked_at_with_the_one_that_moved(looked):
    for number in (20, 21, 22):
        looked.record(number, SystemModstamp=START + timedelta(minutes=number), MobilePhone=A)
    looked.preview()
    looked.records[10].update(SystemModstamp=LATER, MobilePhone=B)
    assert again(looked) == {20, 21, 22}


def test_whoever_wants_or_holds_the_phone_now_is(looked):
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, MobilePhone=A)
    assert again(looked) == {3, 20}
    looked.records[3].update(MobilePhone="4045550205")
    assert again(looked) == {3, 5}


def test_who_is_linked_to_the_holder_of_the_phone_is(looked):
    looked.records[5].update(MobilePhone=None)
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, MobilePhone="4045550205")
    assert again(looked) == {3, 5}


def test_the_record_that_a_contact_has_come_to_name_is(looked):
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.contact(20, phone=None, last_modified_at=START)
    looked.preview()
    looked.contacts[-1].update(last_modified_at=LATER, crm_id=record_id(20))
    assert again(looked) == {20}


def test_who_wants_the_phone_that_a_record_would_give_up_is(looked):
    looked.record(20, SystemModstamp=START, MobilePhone="4045550203")
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, MobilePhone=A)
    assert again(looked) == {3, 20}


def test_who_wants_the_phone_that_a_contact_has_come_to_hold_is(looked):
    looked.record(20, SystemModstamp=START, MobilePhone=B)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.preview()
    looked.contacts[-1].update(last_modified_at=LATER, phone=B)
    assert again(looked) == {20}


def test_whom_a_record_reaches_is_found_again_by_name_or_by_phone(looked):
    looked.contacts[3].update(phone=None)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, MobilePhone=None, Email="x@x.edu")
    looked.record(20, SystemModstamp=LATER, MobilePhone=A)
    assert actions(looked, only_changed=True) == {record_id(3): "update", record_id(20): "link"}


def test_a_crm_id_that_is_another_ones_phone_asks(looked):
    """PUT contacts/4045550101/ finds the contact that carries it as its CRM ID before the one that holds the phone."""
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.contact(20, phone=A, last_modified_at=START)
    assert actions(looked)[record_id(20)] == "link"

    looked.contacts[3].update(crm_id=A, last_modified_at=LATER)
    looked.contacts[4].update(crm_id="TEN-LETTER")
    _, rows = looked.preview(only_changed=True)
    found = {row["salesforce_id"]: (row["action"], row["requests"]) for row in rows}
    assert found[record_id(20)] == ("conflict", [])

    looked.contacts[3].update(crm_id=None)
    assert actions(looked)[record_id(20)] == "link"


def test_an_import_looks_again_at_who_changed_and_whose_record_did(looked):
    looked.preview("import")
    looked.contacts[3].update(last_modified_at=LATER, email="x@x.edu")
    looked.records[5].update(SystemModstamp=LATER, Email="y@x.edu")
    told = {looked.contacts[number]["id"] for number in (3, 5)}
    assert set(actions(looked, "import", only_changed=True)) == told


def test_the_circle_of_phones_is_followed_to_its_end(looked):
    phones = [f"40455501{number:02d}" for number in range(5)]
    for number in range(4):  # each wants the phone that the next one's contact holds
        looked.record(20 + number, SystemModstamp=START, MobilePhone=phones[number + 1])
        looked.contact(20 + number, crm_id=record_id(20 + number), phone=phones[number], last_modified_at=START)
    looked.preview()
    looked.records[3].update(SystemModstamp=LATER, MobilePhone=phones[0])
    assert again(looked) == {3, 20, 21, 22, 23}


def test_what_was_refused_for_a_contact_it_does_not_name_is_looked_at_once_any_contact_moved(looked):
    looked.records[3].update(MobilePhone=A)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.preview()
    looked.contacts[-1].update(last_modified_at=LATER, phone=B)
    assert again(looked) == {3}


def test_whoever_several_contacts_could_mean_is_looked_at_once_any_contact_moved(looked):
    """Asked about, such a record names none of them."""
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    for number in (20, 21):
        looked.contact(number, phone=A, last_modified_at=START)
    assert actions(looked)[record_id(20)] == "conflict"
    looked.contacts[-1].update(last_modified_at=LATER, phone=B)
    assert actions(looked, only_changed=True) == {record_id(20): "link"}


def test_whoever_was_misled_is_looked_at_once_any_contact_moved(looked):
    """A contact carried the phone of another as its CRM ID, and no longer does."""
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.contacts[3].update(crm_id=A)
    assert actions(looked)[record_id(20)] == "conflict"
    looked.contacts[3].update(last_modified_at=LATER, crm_id=record_id(3))
    assert actions(looked, only_changed=True) == {record_id(3): "none", record_id(20): "link"}


def test_what_only_a_full_pull_shows_to_be_gone_is_looked_at(looked):
    looked.record(20, SystemModstamp=START, MobilePhone=A)
    looked.contact(20, phone=A, last_modified_at=START)
    looked.preview()
    looked.contacts.pop()
    assert again(looked) == {20}


def test_where_a_field_or_a_channel_became_another_everything_is_looked_at(looked):
    looked.preview()
    looked.unique = ("Student__c",)
    assert again(looked) == set(range(10))
    looked.preview()
    looked.has_web_bot = False
    assert again(looked) == set(range(10))
    looked.preview()
    assert again(looked) == set()


def test_where_nothing_moved_nothing_is_looked_at(looked):
    looked.preview()
    assert again(looked) == set()


def test_a_field_that_no_pull_has_brought_is_named(looked):
    looked.preview()
    looked.store.write('ALTER TABLE salesforce."Contact" DROP COLUMN "MobilePhone"')
    with pytest.raises(ConfigurationError, match=r"Contact\.MobilePhone"):
        make_preview(
            looked.store, direction=Direction.EXPORT, revision=require_mapping(looked.store), only_changed=True
        )
