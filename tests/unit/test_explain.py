"""One record's way through a preview, in words."""

from __future__ import annotations

import json

import pytest
from properties.test_several_objects import as_leads, lead_id, two_objects
from world import World, mapping, record_id

from workbench.domain.prediction_rules import RULES_VERSION
from workbench.domain.second_reader import why_no_email, why_no_phone
from workbench.engine.explain import explain
from workbench.errors import NotFound
from workbench.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("explain") / "world.duckdb"))


@pytest.fixture
def world(store):
    world = World(store)
    world.record(1, MobilePhone="(404) 555-0101", Email="nope")
    world.record(2, MobilePhone="404 555 0101")
    world.record(3, MobilePhone="12")
    world.record(4, Sync__c=False)
    world.contact(1, phone="4045550101")
    world.contact(2, email="new@example.edu", last_name=None)
    return world


def told(world, record):
    return {step.name: step.sentence for step in explain(world.store, record).steps}


def test_a_shared_phone_is_told_in_order(world):
    world.preview()
    first, second = told(world, record_id(1)), told(world, record_id(2))
    assert "is 4045550101, held by contact ah000000000000001, which carried no CRM ID." in first["Match by phone"]
    assert first["Decision"].startswith("link: Same phone")
    assert first["Expected code"].startswith("invalid-email (partial, certain)")
    assert first["Expected code"].endswith(
        "Its rule looks at one @, a dotted host, no consecutive dots. 'nope': An email address must have an @-sign."
    )
    assert second["Decision"].startswith("blocked: The contact with this phone carries another CRM ID")
    assert second["Sequence"] == (
        "2 records share a phone and are decided in order of their last change, then Id; 1 come before this one."
    )


def test_a_phone_that_another_object_takes_is_told_as_such(store):
    world = World(store, two_objects())
    for number in (1, 2):
        world.record(number, MobilePhone="4045550101")
    world.contact(1, phone="4045550101")
    as_leads(world, [2])
    world.preview()
    wanted = (
        "4045550101, held by contact ah000000000000001, "
        "and a record of an object mapped before this one takes or gives up that phone."
    )
    assert told(world, lead_id(2))["Match by phone"] == f"MobilePhone '4045550101' is {wanted}"
    world.land()
    assert told(world, lead_id(2))["Match by phone"] == f"MobilePhone was {wanted}"


def test_a_group_past_fifty_is_counted_in_full(store):
    world = World(store)
    for number in range(60):
        world.record(number, MobilePhone="4045550101")
    world.preview()
    (step,) = (s for s in explain(store, record_id(59)).steps if s.name == "Sequence")
    assert step.sentence.startswith("60 records share a phone")
    assert step.sentence.endswith("; 59 come before this one.")
    assert len(step.values["group"]) == 50


def test_the_word_unset_is_told_as_a_blank_phone(store):
    world = World(store, mapping(deletions=True))
    world.record(1, MobilePhone="UNSET")
    world.contact(1, crm_id=record_id(1), phone="4045550101")
    world.preview()
    assert told(world, record_id(1))["Match by phone"] == "MobilePhone is the word UNSET, which counts as blank."


LONG = "003D000000QOMn0IAH"
NEXT = f"Write the 18-character Id {LONG} into the contact's CRM ID in Mainstay, then pull and preview again."


def test_a_crm_id_of_fifteen_characters_is_told_with_what_to_do(store):
    world = World(store)
    world.record(1, Id=LONG, MobilePhone="4045550101")
    contact = world.contact(1, phone="4045550101", crm_id=LONG[:15])
    world.preview()
    about = told(world, LONG)
    assert about["Match by CRM ID"] == (
        f"No contact carried CRM ID {LONG}. Contact {contact} carries it in its 15-character form, "
        f"which counts as another CRM ID. {NEXT}"
    )
    assert about["Match by phone"].endswith(
        f"held by contact {contact}, which carried the record's Id in its 15-character form."
    )
    assert about["Decision"].startswith("blocked")
    assert NEXT in about["Expected code"]
    assert "merged" not in about["Expected code"]


def test_a_create_beside_a_crm_id_of_fifteen_characters_is_told(store):
    world = World(store)
    world.record(1, Id=LONG)
    contact = world.contact(1, phone="4045550101", crm_id=LONG[:15])
    world.preview()
    about = told(world, LONG)
    assert about["Decision"].startswith("create")
    assert about["Match by CRM ID"].endswith(NEXT)
    world.land()
    assert f"contact {contact} carries it in its 15-character form" in told(world, LONG)["Since then"]


def test_both_sides_of_every_pair_stand_beside_what_would_be_sent(world):
    world.preview()
    sides = {row["mainstay_field"]: row for row in explain(world.store, record_id(1)).sides}
    assert sides["phone"] == {
        "salesforce_field": "MobilePhone", "salesforce": "(404) 555-0101",
        "mainstay_field": "phone", "mainstay": "4045550101", "sent": None,
    }  # fmt: skip
    assert (sides["email"]["salesforce"], sides["email"]["sent"]) == ("nope", "nope")


def test_a_code_outside_the_dictionary_is_told_too(world):
    world.record(5, MobilePhone="4045550105", LastName=None)
    world.preview()
    assert "A required field is blank" in told(world, record_id(5))["Expected code"]


@pytest.mark.parametrize("is_cleared", [False, True])
def test_a_blank_that_is_not_sent_is_told_as_such(store, is_cleared):
    world = World(store, mapping(deletions=is_cleared))
    world.record(5, FirstName="Ann", Email=None)
    world.contact(5, crm_id=record_id(5), first_name="Anna", email="ann@example.edu")
    world.preview()
    told_of = {step.values["field"]: step.sentence for step in explain(world.store, record_id(5)).steps
               if step.name == "Three values"}  # fmt: skip
    assert told_of["email"].endswith("A blank is not sent: it stays as it is.") is not is_cleared
    assert "the direction of the run decides." in told_of["email"]
    assert told_of["first_name"].endswith("the direction of the run decides.")


def test_a_blank_that_an_import_does_not_send_is_told_as_such(store):
    world = World(store)
    world.record(5, FirstName="Ann", Email="ann@example.edu")
    world.contact(5, crm_id=record_id(5), first_name="Anna", email=None)
    world.preview("import")
    told_of = {step.values["field"]: step.sentence for step in explain(world.store, "ah000000000000005").steps
               if step.name == "Three values"}  # fmt: skip
    assert told_of["email"].endswith("A blank is not sent: it stays as it is.")
    assert told_of["first_name"].endswith("the direction of the run decides.")


def test_an_invalid_phone_and_false_criteria_are_told(world):
    world.preview()
    assert "not a phone Mainstay accepts" in told(world, record_id(3))["Match by phone"]
    excluded = told(world, record_id(4))
    assert excluded["Record sync criteria"] == "Sync__c is False: the record is left out."
    assert excluded["Request"] == "Nothing is sent."


def export_only():
    document = json.loads(mapping())
    del document["objects"][0]["import"]
    return json.dumps(document)


def as_numbers(world, path):
    """From now on this field is landed as a number."""
    land = world.land

    def landed():
        land()
        world.store.write(
            f'ALTER TABLE salesforce."Contact" ALTER COLUMN "{path}" TYPE DOUBLE',
            f"UPDATE salesforce.field SET type = 'double' WHERE name = '{path}'",
        )

    world.land = landed


def test_a_phone_of_a_number_field_is_told_without_a_point(store):
    world = World(store, export_only())
    world.record(1, MobilePhone="4045550101")
    world.record(2, MobilePhone="0")
    world.contact(1, phone="4045550101")
    as_numbers(world, "MobilePhone")
    world.preview()
    assert told(world, record_id(1))["Match by phone"] == (
        "MobilePhone '4045550101' is 4045550101, held by contact ah000000000000001, which carried no CRM ID."
    )
    assert told(world, record_id(2))["Match by phone"] == "MobilePhone is '0': not a phone Mainstay accepts."
    world.land()
    assert "contact ah000000000000001 holds 4045550101" in told(world, record_id(1))["Since then"]


def test_a_refused_value_is_told_with_its_rule_and_what_is_wrong_with_it(world):
    world.preview()
    code = told(world, record_id(3))["Expected code"]
    assert "Its rule looks at the North American plan: ten digits, area code not N11 or 555." in code
    assert code.endswith("'12': it is too short")
    assert told(world, record_id(1))["Expected code"].endswith("'nope': An email address must have an @-sign.")
    world.preview("import")
    refused = told(world, "ah000000000000002")["Expected code"]
    assert refused.endswith("Its rule looks at fields that describe calls required, on new records.")
    (step,) = (s for s in explain(world.store, "ah000000000000002").steps if s.name == "Expected code")
    assert step.values["rules_version"] == RULES_VERSION


PHONES = {
    "4045550199": None, "+1 (404) 555-0199": None, "12": "it is too short", "404555019912": "it is too long",
    "+44 20 7946 0958": "it is a number of GB, outside the North American plan", "no": "it is no phone number at all",
    "555-0199": "its area code is missing", "411 555 0199": "its area code or exchange is not in use",
    "404 555 0199 x12": "it has an extension (12)", "+999 123": "it is no phone number at all",
}  # fmt: skip


@pytest.mark.parametrize("text", PHONES)
def test_why_a_phone_is_none(text):
    assert why_no_phone(text) == PHONES[text]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ana@example.edu", None),
        ("ana@example.test", None),
        ("nope", "An email address must have an @-sign."),
        ("a@b..c", "An email address cannot have two periods in a row."),
        ('"ana lopez"@example.edu', "Mainstay takes plain addresses only: one @, a dotted host, no consecutive dots."),
    ],
)
def test_why_an_address_is_none(text, why):
    assert why_no_email(text) == why


def test_an_import_is_told_from_the_contact(world):
    world.preview("import")
    about = told(world, "ah000000000000002")
    assert "Matching on email gave no single record to write to." in about["Match by fields"]
    assert about["Expected code"].startswith("REQUIRED_FIELD_MISSING (complete, certain)")


def test_an_unknown_record_is_named(world):
    with pytest.raises(NotFound, match="003nobody"):
        explain(world.store, "003nobody")


def test_another_preview_is_named_with_the_latest(world):
    latest = world.preview()[0].preview_id
    with pytest.raises(NotFound, match=rf"no preview 9999\. The latest is {latest}\."):
        explain(world.store, record_id(1), 9999)
    with pytest.raises(NotFound, match=f"Preview {latest} does not hold 003nobody"):
        explain(world.store, "003nobody", latest)


def test_a_create_stays_one_after_the_contact_it_made_was_pulled(world):
    world.record(5, MobilePhone="4045550105")
    world.preview()
    made = world.contact(5, crm_id=record_id(5), phone="4045550105")
    world.land()

    about = told(world, record_id(5))

    assert about["Decision"] == "create: No contact has this CRM ID or phone."
    assert about["Match by CRM ID"] == f"No contact carried CRM ID {record_id(5)}."
    assert about["Match by phone"] == "MobilePhone was 4045550105, held by no contact."
    assert about["Since then"] == (
        "Pulled again since this preview; what stands there now: "
        f"Sync__c is True; contact {made} carries CRM ID {record_id(5)}; contact {made} holds 4045550105."
    )


def test_a_link_stays_one_after_the_contact_acquired_its_id(world):
    world.preview()
    world.contacts[0]["crm_id"] = record_id(1)
    world.records[0]["Sync__c"] = False
    world.land()

    about = told(world, record_id(1))

    assert about["Record sync criteria"] == "Sync__c was true: the record may be synced."
    assert about["Match by CRM ID"] == f"No contact carried CRM ID {record_id(1)}."
    assert about["Match by phone"] == (
        "MobilePhone was 4045550101, held by contact ah000000000000001, which carried no CRM ID."
    )
    assert "Sync__c is False" in about["Since then"]
    assert "Pulled again" in about["Since then"]


def test_a_contact_that_an_earlier_record_makes_is_told_as_such(world):
    world.record(5, MobilePhone="4045550105")
    world.record(6, MobilePhone="4045550105")
    world.preview()
    for _ in range(2):
        assert (
            "held by the contact that an earlier record of this preview makes"
            in (told(world, record_id(6))["Match by phone"])
        )
        world.contact(5, crm_id=record_id(5), phone="4045550105")
        world.land()


def test_an_import_is_told_as_it_was_after_the_id_was_written_back(world):
    world.record(7, Email="seven@example.edu")
    contact = world.contact(7, email="seven@example.edu")
    world.preview("import")
    world.contacts[-1].update(crm_id=record_id(7), email="moved@example.edu")
    world.land()

    about = told(world, contact)

    assert about["Match by fields"] == f"Matching on email reached record {record_id(7)}."
    assert about["Since then"] == (
        f"Pulled again since this preview; what stands there now: CRM ID '{record_id(7)}', email 'moved@example.edu'."
    )


def test_before_another_pull_nothing_has_happened_since(world):
    world.preview()
    assert "Since then" not in told(world, record_id(1))
