"""The write rules, one published entry and one decided rule at a time."""

from __future__ import annotations

import pytest
from world import Directory

from workbench.domain import ladder
from workbench.domain.error_dictionary import ENTRIES, entry_of, family
from workbench.domain.fields import MainstayField

INSTITUTION = ladder.Institution(
    {
        "Grad Year": MainstayField("Grad Year", "Number", is_custom=True),
        "Campus": MainstayField("Campus", "Multi-Choice", is_custom=True, options=("North",)),
        "Essay": MainstayField("Essay", "Text", is_custom=True),
        "Notes": MainstayField("Notes", "Text", is_custom=True),
    }
)


def contact(number: int, **values):
    blank = ladder.blank_contact(INSTITUTION)
    return {**blank, "id": f"ah{number}", "custom": {}, **values}


ANA = contact(1, crm_id="003A", phone="4045550101", previous_phone="4045550109", messaging_status_sms="opted-in")
BO = contact(2, crm_id="003B", phone="4045550102", messaging_status_sms="opted-out", preferred_name="Bo")
CY = contact(3, phone="4045550103", messaging_status_sms="opted-in")
EVERYONE = Directory([ANA, BO, CY])


def put(path, **body):
    return ladder.put(path, body, EVERYONE, INSTITUTION)


def post(**body):
    return ladder.post(body, EVERYONE, INSTITUTION)


NEW = {"first_name": "Di", "last_name": "Fox", "crm_id": "003D"}

# One case for each of the 14 entries: (entry, answer, HTTP status).
CASES = {
    1: (lambda: put("003nobody", email="a@x.edu"), 404),
    2: (lambda: put("003A", phone="123", email="a@x.edu"), 200),
    3: (lambda: put("4045550101", crm_id="003Z"), 409),
    4: (lambda: put("ah3", crm_id="003B"), 409),
    5: (lambda: put("003A", phone="404-555-0109", email="a@x.edu"), 200),
    6: (lambda: put("003A", phone="4045550102"), 409),
    7: (lambda: post(first_name="A", last_name="B", crm_id="003A"), 409),
    8: (lambda: post(first_name="A", last_name="B", phone="4045550101"), 409),
    9: (lambda: put("003B", messaging_status_sms="opted-in"), 200),
    10: (lambda: put("003A", email="nope"), 200),
    11: (lambda: put("003B", preferred_name="Robert"), 200),
    12: (lambda: put("003A", language="english"), 200),
    13: (lambda: put("003A", custom={"Grad Year": "soon"}), 200),
    14: (lambda: put("003A", custom={"Essay": "x" * 1001, "Notes": "y" * 1001}), 200),
}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.number} {entry.code}")
def test_each_entry_of_the_dictionary(entry):
    request, status = CASES[entry.number]
    answer = request()
    (item,) = answer.errors
    assert answer.status == status
    assert family(item["code"]) == entry.code
    method = "POST" if entry.number in (7, 8) else "PUT"
    assert (
        entry_of(item["code"], method=method, message=item["message"].replace("Row # 1", "Row # N")).code == entry.code
    )
    assert (answer.contact is None) == (entry.failure == "complete")


def test_an_invalid_phone_refuses_a_create_as_a_whole():
    answer = post(**NEW, phone="123")
    assert (answer.status, answer.codes, answer.contact) == (400, ["invalid-phone"], None)


def test_partial_errors_keep_the_rest_and_stand_in_order():
    answer = put(
        "003A",
        phone="(404) 555-0199",
        email="nope",
        enrollment_id="E1",
        language="xx",
        custom={"Grad Year": "soon", "Essay": "ok"},
    )
    assert answer.codes == ["invalid-email", "invalid-language", "invalid-attribute-data: Grad Year"]
    assert answer.contact["phone"] == "4045550199"
    assert answer.contact["previous_phone"] == "4045550101"
    assert answer.contact["enrollment_id"] == "E1"
    assert answer.contact["custom"] == {"Essay": "ok"}


def test_every_long_value_is_named_in_one_error():
    assert CASES[14][0]().errors[0]["message"] == "Values too long in the following custom fields: Essay, Notes"


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        ("Opted In", []),
        ("opted-out", []),
        ("paused", ["invalid-messaging-status"]),
        ("yes", ["invalid-messaging-status"]),
        ("UNSET", ["invalid-messaging-status"]),
    ],
)
def test_consent_belongs_to_the_learner(status, codes):
    assert put("003A", messaging_status_sms=status).codes == codes


def test_an_sms_status_needs_a_phone_after_the_request():
    assert put("003A", phone="UNSET", messaging_status_sms="opted-out").codes == ["invalid-messaging-status"]
    assert post(**NEW, messaging_status_sms="opted-out").codes == ["invalid-messaging-status"]
    assert post(**NEW, phone="4045550144", messaging_status_sms="opted-out").codes == []


def test_a_cleared_phone_is_remembered_with_its_status():
    cleared = put("003B", phone="UNSET").contact
    assert (cleared["phone"], cleared["previous_phone"], cleared["messaging_status_sms"]) == (None, "4045550102", None)
    back = ladder.put("003B", {"phone": "4045550177"}, Directory([cleared]), INSTITUTION).contact
    assert back["messaging_status_sms"] == "opted-out"


def test_a_phone_match_acquires_the_crm_id():
    answer = put("4045550103", crm_id="003C")
    assert (answer.status, answer.contact["crm_id"], answer.is_changed) == (200, "003C", True)


def test_a_contact_found_by_its_own_id_may_change_to_a_free_crm_id():
    assert put("ah1", crm_id="003free").contact["crm_id"] == "003free"


def test_unset_clears_and_an_empty_text_is_absent():
    assert put("003A", email="").is_changed is False
    assert (
        ladder.put("003A", {"email": "UNSET"}, Directory([{**ANA, "email": "a@x.edu"}]), INSTITUTION).contact["email"]
        is None
    )
    assert put("003A", crm_id="UNSET").contact["crm_id"] == "003A"


@pytest.mark.parametrize("body", [[], None, {"email": None}, {"custom": []}, {"custom": {"Essay": None}}])
def test_a_body_that_is_no_contact_is_refused(body):
    assert ladder.put("003A", body, EVERYONE, INSTITUTION).codes == ["invalid-request"]
    assert ladder.post(body, EVERYONE, INSTITUTION).status == 400


def test_a_create_needs_both_names_and_a_key():
    assert post(first_name="A", crm_id="003D").codes == ["blank-required-data-in-record"]
    assert post(first_name="A", last_name="B").codes == ["blank-required-data-in-record"]


def test_values_are_stored_cast():
    assert put("003A", custom={"Grad Year": "2028.0", "Campus": "North"}).contact["custom"] == {
        "Grad Year": 2028,
        "Campus": "North",
    }


def test_an_unknown_custom_field_is_refused_like_a_failed_cast():
    assert put("003A", custom={"Nope": 1}).codes == ["invalid-attribute-data: Nope"]


def test_long_names_are_refused_before_custom_fields():
    answer = put("003A", first_name="x" * 65, custom={"Grad Year": "soon"})
    assert answer.codes == ["invalid-attribute-data: first_name", "invalid-attribute-data: Grad Year"]
