"""Every rule of an export on a record of its own: one preview of all of them, and what Mainstay then answers."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from world import World, mapping, record_id, send, status_of

from workbench.store import Store

EQUAL, DIFFER = "Linked by CRM ID and already equal", "Linked by CRM ID; values differ"
LINK, CREATE = "Same phone; the contact acquires the CRM ID", "No contact has this CRM ID or phone"
TAKEN, MISMATCH = "The new phone belongs to another contact", "The contact with this phone carries another CRM ID"
IN_ORDER = " (decided in order: other records of this preview share its phone)"
LONG = "x" * 1001


def phone(number, of=0):
    return f"404555{of * 1000 + number:04d}"


OWN, NEW, OTHER = "own phone", "new phone", "phone of another"


class Case:
    """One record and its contacts. A phone is named; `linked`: the first contact carries the record's CRM ID."""

    def __init__(
        self, record, contacts, action, reason, *, codes=(), guards=(), buckets=(), body=None, linked=True, web=True
    ):
        self.record, self.contacts, self.action, self.reason = record, contacts, action, reason
        self.codes, self.guards, self.buckets, self.body = list(codes), list(guards), buckets, body
        self.linked, self.web = linked, web


def linked(record, contact, action="update", reason=DIFFER, *, bucket=None, **about):
    """A record and its contact, alike but for what is said."""
    bucket = bucket or {"update": "to_update", "none": "in_sync", "blocked": "reached_by_blocked_only"}[action]
    return Case({"MobilePhone": OWN, **record}, [{"phone": OWN, **contact}], action, reason, buckets=(bucket,), **about)


def partial(record, contact, *codes, **about):
    return linked(record, contact, codes=codes, **about)


CONSENT = {"guards": ("consent",)}
STATUS = "invalid-messaging-status"
CASES = {
    "equal": linked({}, {}, "none", EQUAL),
    "another e-mail": linked({"Email": "B@x.edu"}, {"email": "a@x.edu"}, body={"email": "b@x.edu"}),
    "an e-mail of another case": linked({"Email": "A@x.edu"}, {"email": "a@x.edu"}, "none", EQUAL),
    "a blank is not sent": linked({}, {"email": "a@x.edu"}, "none", EQUAL),
    "an empty text is a blank": linked({}, {"email": ""}, "none", EQUAL),
    "UNSET is a blank": linked({"Grad__c": "UNSET"}, {"custom": {"Grad Year": 2026}}, "none", EQUAL),
    "one phone in two forms": linked({"MobilePhone": "+1 (404) 555-0006"}, {"phone": "4045550006"}, "none", EQUAL),
    "a new phone": linked({"MobilePhone": NEW}, {}, body={"phone": NEW}),
    "same phone": Case({"MobilePhone": OWN}, [{"phone": OWN, "email": "a@x.edu"}], "link", LINK, linked=False,
                       buckets=("to_link",), body={"crm_id": True}),
    "same phone and a value": Case({"MobilePhone": OWN, "Email": "b@x.edu"}, [{"phone": OWN}], "link", LINK,
                                   linked=False, buckets=("to_link",), body={"crm_id": True, "email": "b@x.edu"}),
    "nobody": Case({"MobilePhone": OWN}, [], "create", CREATE,
                   body={"crm_id": True, "first_name": "Ana", "last_name": "Lopez", "phone": OWN}),
    "nobody, no phone": Case({}, [], "create", CREATE, body={"crm_id": True, "first_name": "Ana", "last_name": "Lopez"}),
    "criteria false": Case({"Sync__c": False, "Email": "b@x.edu"}, [{}], "excluded", "The record sync criteria are false",
                           buckets=("reached_by_excluded_only",)),
    "criteria blank": Case({"Sync__c": None}, [], "excluded", "The record sync criteria are false"),
    "a CRM ID twice": Case({"Email": "b@x.edu"}, [{}, {"crm_id": True}], "conflict",
                           "Several Mainstay contacts carry this CRM ID", buckets=("in_conflict", "only_in_mainstay")),
    "a phone twice": Case({"MobilePhone": OWN}, [{"phone": OWN}, {"phone": OWN}], "conflict",
                          "Several Mainstay contacts hold this phone", linked=False,
                          buckets=("in_conflict", "only_in_mainstay")),
    "to a phone that two hold": Case({"MobilePhone": OTHER}, [{"phone": OWN}, {"phone": OTHER}, {"phone": OTHER}],
                                     "conflict", "Several Mainstay contacts hold this phone",
                                     buckets=("in_conflict", "only_in_mainstay", "only_in_mainstay")),
    "its own phone that another holds too": Case({"MobilePhone": OWN, "Email": "b@x.edu"}, [{"phone": OWN}, {"phone": OWN}],
                                                 "update", DIFFER, buckets=("to_update", "only_in_mainstay")),
    "the phone of another": Case({"MobilePhone": OTHER}, [{"phone": OWN}, {"phone": OTHER}], "blocked", TAKEN,
                                 codes=("duplicate-contact",), buckets=("reached_by_blocked_only", "only_in_mainstay")),
    "the phone of another record's contact": Case({"MobilePhone": OWN}, [{"phone": OWN, "crm_id": "003ZZ"}], "blocked",
                                                  MISMATCH, linked=False, buckets=("reached_by_blocked_only",),
                                                  codes=("phone-match-found-but-crmId-mismatch",)),
    "a bad phone on a new contact": Case({"MobilePhone": "123"}, [], "blocked",
                                         "A new contact needs a valid phone, or none", codes=("invalid-phone",)),
    "no last name on a new contact": Case({"LastName": None, "MobilePhone": "123"}, [], "blocked",
                                          "A new contact needs a first and a last name",
                                          codes=("blank-required-data-in-record",)),
    "no first name on a new contact": Case({"FirstName": None}, [], "blocked",
                                           "A new contact needs a first and a last name",
                                           codes=("blank-required-data-in-record",)),
    "no names on a known contact": linked({"FirstName": None, "LastName": None, "Email": "b@x.edu"}, {}),
    "a bad phone": partial({"MobilePhone": "555-222-3333", "Email": "b@x.edu"}, {}, "invalid-phone"),
    "the phone it had before": partial({"MobilePhone": NEW}, {"previous_phone": NEW}, "contact-out-of-sync"),
    "the phone it had before, held by another": Case(
        {"MobilePhone": OTHER}, [{"phone": OWN, "previous_phone": OTHER}, {"phone": OTHER}], "update", DIFFER,
        codes=("contact-out-of-sync",), buckets=("to_update", "only_in_mainstay"),
    ),
    "opting back in": partial({"SMS__c": "Opted In"}, {"messaging_status_sms": "opted-out"}, STATUS, **CONSENT),
    "pausing": partial({"SMS__c": "paused"}, {}, STATUS, **CONSENT),
    "a status nobody knows": partial({"SMS__c": "maybe"}, {}, STATUS, **CONSENT),
    "an SMS status without a phone": linked({"MobilePhone": None, "SMS__c": "opted-out"}, {"phone": None}, codes=(STATUS,), **CONSENT),
    "a web status without a web chat": partial({"Web__c": "opted-out"}, {}, STATUS, **CONSENT),
    "a web status back": partial({"Web__c": "opted-in"}, {"messaging_status_web_bot": "opted-out"}, STATUS, **CONSENT),
    "opting out of web": linked({"Web__c": "Opted Out"}, {"messaging_status_web_bot": "opted-in"},
                                body={"messaging_status_web_bot": "opted-out"}),
    "opting out": linked({"SMS__c": "Opted Out"}, {}, body={"messaging_status_sms": "opted-out"}),
    "out of a pause": linked({"SMS__c": "opted-in"}, {"messaging_status_sms": "paused"}),
    "paused and paused": linked({"SMS__c": "Paused"}, {"messaging_status_sms": "paused"}, "none", EQUAL),
    "a first phone and a status": linked({"MobilePhone": NEW, "SMS__c": "opted-out"}, {"phone": None}),
    "a first phone and a pause": linked({"MobilePhone": NEW, "SMS__c": "paused"}, {"phone": None}, codes=(STATUS,), **CONSENT),
    "a new contact opted out": Case({"MobilePhone": OWN, "SMS__c": "opted-out"}, [], "create", CREATE),
    "a new contact paused": Case({"MobilePhone": OWN, "SMS__c": "paused"}, [], "create", CREATE, codes=(STATUS,), **CONSENT),
    "opting in with a new phone": partial(
        {"MobilePhone": NEW, "SMS__c": "opted-in"}, {"messaging_status_sms": "opted-out"}, STATUS, **CONSENT
    ),
    "no address": partial({"Email": "nope"}, {}, "invalid-email"),
    "no address on a new contact": Case({"Email": "a@b..c"}, [], "create", CREATE, codes=("invalid-email",)),
    "a preferred name there": partial({"Preferred__c": "Nan"}, {"preferred_name": "Annie"}, "invalid-preferred-name"),
    "a long one, too": partial({"Preferred__c": "N" * 65}, {"preferred_name": "Annie"}, "invalid-preferred-name"),
    "a preferred name anew": linked({"Preferred__c": "Nan"}, {}, body={"preferred_name": "Nan"}),
    "a long preferred name anew": partial({"Preferred__c": "N" * 65}, {}, "invalid-attribute-data: preferred_name"),
    "a preferred name on a new contact": Case({"Preferred__c": "Nan"}, [], "create", CREATE),
    "no language": partial({"Language__c": "EN"}, {}, "invalid-language"),
    "a language": linked({"Language__c": "es"}, {"language": "en"}, body={"language": "es"}),
    "a bad language that is there already": linked({"Language__c": "xx", "Email": "b@x.edu"}, {"language": "xx"}),
    "a long first name": partial({"FirstName": "N" * 65}, {}, "invalid-attribute-data: first_name"),
    "a long last name": partial({"LastName": "N" * 65}, {}, "invalid-attribute-data: last_name"),
    "a long name that is there already": linked({"FirstName": "N" * 65, "Email": "b@x.edu"}, {"first_name": "N" * 65}),
    "names that just fit": linked({"FirstName": "é" * 64, "LastName": "é" * 64}, {}),
    "no number": partial({"Grad__c": "soon"}, {}, "invalid-attribute-data: Grad Year"),
    "one number in two forms": linked({"Grad__c": "2026.0"}, {"custom": {"Grad Year": 2026}}, "none", EQUAL),
    "no option": partial({"Campus__c": "Moon"}, {}, "invalid-attribute-data: Campus"),
    "an option": linked({"Campus__c": "North"}, {}, body={"custom": {"Campus": "North"}}),
    "no day": partial({"Start__c": "2026-02-30"}, {}, "invalid-attribute-data: Start"),
    "one day in two forms": linked({"Start__c": "1/5/2026"}, {"custom": {"Start": "2026-01-05"}}, "none", EQUAL),
    "no phone in a custom field": partial({"HomePhone": "12"}, {}, "invalid-attribute-data: Guardian"),
    "no web address": partial({"Portal__c": "example.edu"}, {}, "invalid-attribute-data: Portal"),
    "a long web address": partial({"Portal__c": "https://x.edu/" + LONG}, {}, "custom-values-too-long"),
    "a long web address that is none": partial({"Portal__c": LONG}, {}, "invalid-attribute-data: Portal"),
    "a long note": partial({"Notes__c": LONG}, {}, "custom-values-too-long"),
    "a long note on a new contact": Case({"Notes__c": LONG}, [], "create", CREATE, codes=("custom-values-too-long",)),
    "two long values, one code": partial({"Notes__c": LONG, "Odd__c": LONG}, {}, "custom-values-too-long"),
    "a note that just fits": linked({"Notes__c": "é" * 1000}, {}),
    "truth": linked({"First__c": True}, {"custom": {"First Gen": False}}, body={"custom": {"First Gen": True}}),
    "the same truth": linked({"First__c": False}, {"custom": {"First Gen": False}}, "none", EQUAL),
    "every code at once": partial(
        {
            "MobilePhone": "1", "SMS__c": "x", "Web__c": "x", "Email": "x", "Preferred__c": "x", "Language__c": "x",
            "FirstName": "x" * 65, "LastName": "x" * 65, "Grad__c": "x", "Notes__c": LONG,
        },
        {"preferred_name": "y"},
        "invalid-phone", STATUS, "invalid-email", "invalid-preferred-name", "invalid-language",
        "invalid-attribute-data: first_name", "invalid-attribute-data: last_name", "invalid-attribute-data: Grad Year",
        "custom-values-too-long", **CONSENT,
    ),
}  # fmt: skip
BLANK = {"guards": ("blank-value",)}
CLEARS = {
    "a cleared value": linked({}, {"email": "a@x.edu"}, body={"email": "UNSET"}, **BLANK),
    "a cleared custom value": linked({}, {"custom": {"Grad Year": 2026, "First Gen": True}},
                                     body={"custom": {"Grad Year": "UNSET", "First Gen": "UNSET"}}, **BLANK),
    "a cleared phone": linked({"MobilePhone": None}, {}, body={"phone": "UNSET", "messaging_status_sms": "UNSET"},
                              codes=(STATUS,), guards=("consent", "blank-value")),
    "a cleared phone and a status": linked({"MobilePhone": None, "SMS__c": "opted-out"}, {}, codes=(STATUS,),
                                           body={"phone": "UNSET", "messaging_status_sms": "opted-out"},
                                           guards=("consent", "blank-value")),
    "nothing to clear": linked({"MobilePhone": OWN, "SMS__c": "opted-in"}, {}, "none", EQUAL),
    "a cleared preferred name": linked({"SMS__c": "opted-in"}, {"preferred_name": "Annie"}, body={"preferred_name": "UNSET"},
                                       codes=("invalid-preferred-name",), **BLANK),
    "a bad phone clears nothing": linked({"MobilePhone": "1", "SMS__c": "opted-in"}, {}, codes=("invalid-phone",)),
    "nobody to clear": Case({"SMS__c": "opted-in", "MobilePhone": OWN}, [], "create", CREATE),
    "a link that clears": Case({"MobilePhone": OWN, "SMS__c": "opted-in"}, [{"phone": OWN, "email": "a@x.edu"}], "link", LINK,
                               linked=False, buckets=("to_link",), body={"crm_id": True, "email": "UNSET"}, **BLANK),
}  # fmt: skip
for case in CLEARS.values():  # what the contact has besides is not cleared
    case.record = {
        "SMS__c": None if "UNSET" in str(case.body) and "sms" in str(case.body) else "opted-in",
        **case.record,
    }
EVERYTHING = {
    "equal, all the same": linked({}, {}, "none", EQUAL),
    "one value differs, all are sent": linked({"Email": "b@x.edu", "Grad__c": "2026"}, {"custom": {"Grad Year": 2026}}, body={
        "first_name": "Ana", "last_name": "Lopez", "phone": OWN, "email": "b@x.edu", "custom": {"Grad Year": 2026}}),
    "a preferred name that is the same": linked(
        {"Email": "b@x.edu", "Preferred__c": "Annie"}, {"preferred_name": "Annie"}
    ),
    "a pause that is the same": linked({"Email": "b@x.edu", "SMS__c": "Paused"}, {"messaging_status_sms": "paused"}),
    "what is equal is judged too": linked({"Notes__c": "new", "Language__c": "xx"}, {"language": "xx"}, codes=("invalid-language",)),
}  # fmt: skip


def named(value, number):
    """A named phone of this case as a number; in lists and dicts too."""
    if isinstance(value, dict):
        return {key: named(one, number) for key, one in value.items()}
    of = [OWN, NEW, OTHER]
    return phone(number, of.index(value)) if value in of else value


def build(store, cases, **settings):
    world = World(store, mapping(**settings))
    contact_number = 0
    for number, case in enumerate(cases.values()):
        world.record(number, **named(case.record, number))
        for place, contact in enumerate(case.contacts):
            about = named(contact, number)
            owner = about.pop("crm_id", None) or (case.linked and place == 0)
            contact_number += 1
            world.contact(contact_number, crm_id=record_id(number) if owner is True else owner or None, **about)
    return world


def check(store, cases, **settings):
    world = build(store, cases, **settings)
    report, rows = world.preview()
    directory, institution = world.directory(), world.people()
    assert [row["salesforce_id"] for row in rows] == [record_id(number) for number in range(len(cases))]
    for number, (name, case, row) in enumerate(zip(cases, cases.values(), rows, strict=True)):
        found = (name, row["action"], row["reason"], sorted(row["codes"]), sorted(row["guards"]))
        assert found == (name, case.action, case.reason, sorted(case.codes), sorted(case.guards))
        if case.action in ("none", "excluded", "conflict"):
            assert (row["requests"], row["predicted_status"]) == ([], None), name
            continue
        (request,) = row["requests"]
        body = json.loads(request["body"])
        if case.body is not None:
            wanted = named(case.body, number)
            assert body == {**wanted, **({"crm_id": record_id(number)} if "crm_id" in wanted else {})}, name
        answer = send(request["method"], request["path"], body, directory, institution)
        assert (row["predicted_status"], sorted(row["codes"])) == (status_of(answer), sorted(set(answer.codes))), name
        assert row["certainty"] == ("possible" if {STATUS, "contact-out-of-sync"} & set(case.codes) else "certain"), (
            name
        )
    counted = {(row["system"], row["bucket"]): row["row_count"] for row in report.buckets}
    wanted = Counter(("salesforce", case.action) for case in cases.values())
    wanted.update(("mainstay", bucket) for case in cases.values() for bucket in case.buckets)
    assert counted == dict(wanted)
    return world


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("cases") / "world.duckdb"))


def test_every_rule_of_an_export(store):
    world = check(store, CASES)
    world.contacts = []  # the same records against nobody: what is new has its codes, too
    _, rows = world.preview()
    directory, institution = world.directory(), world.people()
    for row in rows:
        for request in row["requests"]:
            answer = send(request["method"], request["path"], json.loads(request["body"]), directory, institution)
            assert (row["predicted_status"], set(row["codes"])) == (status_of(answer), set(answer.codes)), row


def test_every_rule_of_clearing(store):
    check(store, CLEARS, deletions=True)


def test_everything_is_sent_where_all_fields_are_included(store):
    check(store, EVERYTHING, everything=True)


def test_a_channel_that_the_institution_lacks(store):
    world = World(store, mapping(), has_web_bot=False)
    world.record(1, Web__c="opted-out", MobilePhone=phone(1))
    world.contact(1, crm_id=record_id(1), phone=phone(1), messaging_status_web_bot="opted-in")
    _, (row,) = world.preview()
    assert row["codes"] == [STATUS]
    world.records[0].update(Web__c=None, SMS__c="opted-out")
    assert world.preview(has_sms=False)[1][0]["codes"] == [STATUS]
    assert world.preview()[1][0]["codes"] == []


def test_records_that_share_a_phone_are_told_to_be_decided_in_order(store):
    world = World(store, mapping())
    for number in (1, 2, 3, 4, 5):
        world.record(number, MobilePhone=phone(1 if number < 3 else 3))
    world.contact(3, crm_id=record_id(3), phone=phone(4))
    world.contact(4, crm_id=record_id(4), phone=phone(3))
    world.records[3]["MobilePhone"] = phone(5)  # frees the phone after the third wanted it
    world.records[4].update(MobilePhone=phone(3))
    report, rows = world.preview()
    assert [(row["action"], row["group_id"]) for row in rows] == [
        ("create", 1), ("blocked", 1), ("blocked", 3), ("update", 3), ("create", 3),
    ]  # fmt: skip
    assert [row["reason"] for row in rows] == [
        CREATE + IN_ORDER, MISMATCH + IN_ORDER, TAKEN + IN_ORDER, DIFFER + IN_ORDER, CREATE + IN_ORDER,
    ]  # fmt: skip
    mismatch, taken = ["phone-match-found-but-crmId-mismatch"], ["duplicate-contact"]
    assert [row["codes"] for row in rows] == [[], mismatch, taken, [], []]
    assert [row["predicted_status"] for row in rows] == ["success", "fail", "fail", "success", "success"]
    assert [row["mainstay_id"] is None for row in rows] == [True, True, False, False, True]
    assert {(b["system"], b["bucket"]): b["row_count"] for b in report.buckets if b["system"] == "mainstay"} == {
        ("mainstay", "reached_by_blocked_only"): 1, ("mainstay", "to_update"): 1,
    }  # fmt: skip


def test_a_contact_stands_where_it_matters_most(store):
    """Two records reach one contact: the linked one counts before the one that only has its phone."""
    world = World(store, mapping())
    for number, (email, owner) in enumerate([("b@x.edu", 0), (None, 2), (None, None)]):
        world.record(2 * number, MobilePhone=phone(number), Email=email, Sync__c=number != 2)
        world.record(2 * number + 1, MobilePhone=phone(number))
        world.contact(
            number, crm_id=record_id(owner) if owner is not None else None, phone=phone(number), email="a@x.edu"
        )
    report, rows = world.preview()
    assert [row["action"] for row in rows] == ["update", "blocked", "none", "blocked", "excluded", "link"]
    assert {b["bucket"]: b["row_count"] for b in report.buckets if b["system"] == "mainstay"} == {
        "to_update": 1, "in_sync": 1, "to_link": 1,
    }  # fmt: skip
