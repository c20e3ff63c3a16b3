"""Every rule of an import on a contact of its own: one preview of all of them, and where both sides stand."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from world import World, mapping, record_id

from workbench.store import Store

EQUAL, DIFFER = "Linked by CRM ID and already equal", "Linked by CRM ID; values differ"
LINK = "The matching fields agree; the contact acquires the CRM ID"
CREATE = "No record matches; a new one is created and the contact acquires its Id"
REFUSED = "Salesforce will refuse the values"
REJECTED = "The record sync criteria would be false after the change"
MAIL = "mail"


class Case:
    """A contact (or several) and the records beside it. `MAIL` is an address of this case alone."""

    def __init__(self, contacts, records, action, reason, *, codes=(), buckets=(), body=None, guards=()):
        self.contacts = contacts if isinstance(contacts, list) else [contacts]
        self.records = records if isinstance(records, list) else [records]
        self.action, self.reason, self.codes, self.guards = action, reason, list(codes), list(guards)
        self.buckets, self.body = buckets, body


HERE = {"crm_id": True}
CASES = {
    "equal": Case(HERE, {}, "none", EQUAL, buckets=("in_sync",)),
    "another name": Case({**HERE, "first_name": "Bo"}, {}, "update", DIFFER, buckets=("to_update",), body={"FirstName": "Bo"}),
    "a name of another case": Case({**HERE, "first_name": "ANA"}, {}, "update", DIFFER, buckets=("to_update",), body={"FirstName": "ANA"}),
    "an e-mail of another case": Case({**HERE, "email": "A@x.edu"}, {"Email": "a@x.edu"}, "none", EQUAL, buckets=("in_sync",)),
    "a blank clears nothing": Case({**HERE, "first_name": None}, {}, "none", EQUAL, buckets=("in_sync",)),
    "an empty text clears nothing": Case({**HERE, "first_name": ""}, {}, "none", EQUAL, buckets=("in_sync",)),
    "an empty text matches nothing": Case({"email": ""}, {"Email": None}, "create", CREATE, buckets=("only_in_salesforce",),
                                          body={"FirstName": "Ana", "LastName": "Lopez"}),
    "UNSET is a text to Salesforce": Case({**HERE, "custom": {"Notes": "UNSET"}}, {}, "update", DIFFER, buckets=("to_update",),
                                          body={"Notes__c": "UNSET"}),
    "one phone in two forms": Case({**HERE, "phone": "4045550101"}, {"MobilePhone": "(404) 555-0101"}, "none", EQUAL, buckets=("in_sync",)),
    "an unknown CRM ID": Case({"crm_id": "003XX0000099999AAA"}, [], "conflict", "The CRM ID is on no Salesforce record that was pulled"),
    "the CRM ID of a lead": Case({"crm_id": "00QXX0000099999AAA"}, [], "excluded", "The CRM ID belongs to another kind of Salesforce record"),
    "a test contact": Case({**HERE, "test_user": True}, {"FirstName": "Bo"}, "excluded", "Test contacts are never written to Salesforce",
                           buckets=("reached_by_excluded_only",)),
    "a CRM ID twice": Case([HERE, HERE], {}, "conflict", "Several Mainstay contacts carry this CRM ID", buckets=("in_conflict",)),
    "one match": Case({"email": MAIL}, {"Email": MAIL}, "link", LINK, buckets=("to_link",)),
    "one match in capitals": Case({"email": MAIL.upper(), "first_name": "Bo"}, {"Email": MAIL}, "link", LINK, buckets=("to_link",),
                                  body={"FirstName": "Bo"}),
    "two records match": Case({"email": MAIL}, [{"Email": MAIL}, {"Email": MAIL}], "conflict", "Several Salesforce records match this contact",
                              buckets=("in_conflict", "only_in_salesforce")),
    "two contacts match": Case([{"email": MAIL}, {"email": MAIL}], {"Email": MAIL}, "conflict", "Several Mainstay contacts match the same values",
                               buckets=("in_conflict",)),
    "two contacts match nobody": Case([{"email": MAIL}, {"email": MAIL}], [], "conflict", "Several Mainstay contacts match the same values"),
    "the match is another's": Case({"email": MAIL}, [], "conflict", "The matching record is already linked to another contact"),
    "blanks match nothing": Case({"email": None}, {"Email": None}, "create", CREATE, buckets=("only_in_salesforce",)),
    "nobody": Case({"email": MAIL}, [], "create", CREATE, body={"Email": MAIL, "FirstName": "Ana", "LastName": "Lopez"}),
    "nobody, and no last name": Case({"last_name": None}, [], "blocked", REFUSED, codes=("REQUIRED_FIELD_MISSING",)),
    "a name too long": Case({**HERE, "first_name": "x" * 41}, {}, "blocked", REFUSED, codes=("STRING_TOO_LONG",),
                            buckets=("reached_by_blocked_only",)),
    "a match with a name too long": Case({"email": MAIL, "first_name": "x" * 41}, {"Email": MAIL}, "blocked", REFUSED,
                                         codes=("STRING_TOO_LONG",), buckets=("reached_by_blocked_only",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("cases") / "world.duckdb"))


def build(store, cases, document):
    """The world, and the case of each contact."""
    world, cases_of = World(store, document), {}
    for number, (name, case) in enumerate(cases.items()):
        mail = f"p{number}@x.edu"

        def own(values, mail=mail):
            return {key: {MAIL: mail, MAIL.upper(): mail.upper()}.get(value, value) if isinstance(value, str) else value
                    for key, value in values.items()}  # fmt: skip

        for place, record in enumerate(case.records):
            world.record(10 * number + place, **own(record))
        for place, contact in enumerate(case.contacts):
            about = own(contact)
            crm_id = about.pop("crm_id", None)
            made = world.contact(
                10 * number + place, crm_id=record_id(10 * number) if crm_id is True else crm_id, **about
            )
            cases_of[made] = (number, name, case)
    return world, cases_of


def take(world, number):
    """A record that matches this case's contact, linked to a contact of its own."""
    world.record(10 * number, Email=f"p{number}@x.edu")
    return world.contact(10 * number + 5, crm_id=record_id(10 * number), email=f"p{number}@x.edu")


def named(body, number):
    return {key: f"p{number}@x.edu" if value == MAIL else value for key, value in body.items()}


def test_every_rule_of_an_import(store):
    world, cases_of = build(store, CASES, mapping())
    taker = take(world, next(n for n, name, _ in cases_of.values() if name == "the match is another's"))
    report, rows = world.preview("import")
    for row in rows:
        if row["mainstay_id"] == taker:
            assert row["action"] == "none"
            continue
        number, name, case = cases_of[row["mainstay_id"]]
        found = (name, row["action"], row["reason"], row["codes"], row["guards"])
        assert found == (name, case.action, case.reason, case.codes, case.guards)
        status = {"blocked": "fail", "update": "success", "link": "success", "create": "success"}.get(case.action)
        assert row["predicted_status"] == status, name
        systems = [request["system"] for request in row["requests"]]
        bodies = [json.loads(request["body"]) for request in row["requests"]]
        if status is None:
            assert (systems, json.loads(row["fields"])) == ([], []), name
            continue
        if case.body is not None:
            assert bodies[0] == named(case.body, number), name
        assert ("mainstay" in systems) == (case.action in ("link", "create") or row["rule"] != "id"), name
        if "mainstay" in systems:
            assert bodies[-1] == {"crm_id": row["salesforce_id"] or "$id"}, name
    counted = {(row["system"], row["bucket"]): row["row_count"] for row in report.buckets}
    wanted = Counter(("mainstay", case.action) for case in CASES.values() for _ in case.contacts)
    wanted.update(("salesforce", bucket) for case in CASES.values() for bucket in case.buckets)
    wanted.update([("mainstay", "none"), ("salesforce", "in_sync")])
    assert counted == dict(wanted)


def test_where_creating_is_off_nobody_is_made(store):
    world, _ = build(store, {"nobody": CASES["nobody"]}, mapping(create=False))
    _, (row,) = world.preview("import")
    assert (row["action"], row["reason"]) == ("excluded", "No record matches, and creating unmatched records is off")


def test_a_required_field_that_is_not_mapped_stops_every_create(store):
    document = json.loads(mapping())
    side = document["objects"][0]["import"]
    side["fields"] = [field for field in side["fields"] if field["salesforce"] != "LastName"]
    cases = {"nobody": CASES["nobody"], "another name": CASES["another name"]}
    world, _ = build(store, cases, json.dumps(document))
    _, rows = world.preview("import")
    assert [(row["action"], row["codes"]) for row in rows] == [("blocked", ["REQUIRED_FIELD_MISSING"]), ("update", [])]


CRITERIA = {
    "linked, true": Case({**HERE, "first_name": "Bo"}, {"Sync__c": True}, "update", DIFFER),
    "linked, false": Case({**HERE, "first_name": "Bo"}, {"Sync__c": False}, "excluded", REJECTED),
    "linked, blank": Case({**HERE, "first_name": "Bo"}, {"Sync__c": None}, "excluded", REJECTED),
    "linked, equal, false": Case(HERE, {"Sync__c": False}, "excluded", REJECTED),
    "linked, equal, true": Case(HERE, {"Sync__c": True}, "none", EQUAL),
    "matched, false": Case({"email": MAIL}, {"Email": MAIL, "Sync__c": False}, "excluded", REJECTED),
    "a conflict stays one": Case([HERE, HERE], {"Sync__c": False}, "conflict", "Several Mainstay contacts carry this CRM ID"),
    "refused, but left out": Case({**HERE, "first_name": "x" * 41}, {"Sync__c": False}, "excluded", REJECTED),
}  # fmt: skip


def test_the_criteria_hold_of_the_record_after_the_change(store):
    document = json.loads(mapping())
    document["objects"][0]["import"]["criteria"] = "Sync__c"
    world, cases_of = build(store, CRITERIA, json.dumps(document))
    _, rows = world.preview("import")
    for row in rows:
        _, name, case = cases_of[row["mainstay_id"]]
        assert (name, row["action"], row["reason"], row["codes"]) == (name, case.action, case.reason, case.codes)


def test_criteria_that_only_salesforce_computes_make_the_prediction_possible(store):
    document = json.loads(mapping())
    document["objects"][0]["import"]["criteria"] = "Sync__c"
    cases = {"linked": CRITERIA["linked, true"], "equal": CRITERIA["linked, equal, true"], "nobody": CASES["nobody"]}
    world, _ = build(store, cases, json.dumps(document))
    world.land()
    world.store.write(
        "UPDATE salesforce.field SET calculated = true, createable = false, updateable = false WHERE name = 'Sync__c'"
    )
    world.land = lambda: None
    _, rows = world.preview("import")
    assert {row["action"]: row["certainty"] for row in rows} == {
        "update": "possible",
        "none": None,
        "create": "possible",
    }


def test_a_record_stands_where_it_matters_most(store):
    """A test contact, a blocked and an updating one reach three records; each record has a second contact that is left out."""
    world = World(store, mapping())
    firsts = [{"first_name": "Bo"}, {}, {"first_name": "x" * 41}]
    for number, about in enumerate(firsts):
        world.record(number)
        world.contact(number, crm_id=record_id(number), **about)
    report, rows = world.preview("import")
    assert [row["action"] for row in rows] == ["update", "none", "blocked"]
    assert {b["bucket"]: b["row_count"] for b in report.buckets if b["system"] == "salesforce"} == {
        "to_update": 1, "in_sync": 1, "reached_by_blocked_only": 1,
    }  # fmt: skip
