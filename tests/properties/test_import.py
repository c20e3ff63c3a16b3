"""Import previews against a plain record-at-a-time reading of the same rules."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World, mapping, record_id

from workbench.domain.rules import normal_phone
from workbench.store import Store

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40"))

EMAILS = st.sampled_from([None, "a@x.edu", "A@x.edu", "b@x.edu", "nope"])
RECORD = st.fixed_dictionaries(
    {
        "Email": EMAILS,
        "LastName": st.sampled_from(["Lopez", "Ray"]),
        "MobilePhone": st.sampled_from([None, "4045550101", "(404) 555-0102"]),
        "Sync__c": st.sampled_from([True, True, False, None]),
        "Hidden__c": st.sampled_from([True, True, False, None]),
        # What Salesforce says of itself, which need not be what is computed here.
        "Ready__c": st.sampled_from([True, True, False, None]),
    }
)
MATCHING = st.sampled_from([("email",), ("email", "last_name"), ("email", "phone")])
# None, a plain Boolean, a Boolean formula that can be evaluated, and one that only Salesforce can.
CRITERIA = st.sampled_from([None, None, "Sync__c", "Ready__c", "Hidden__c"])
CONTACT = st.fixed_dictionaries(
    {
        "email": EMAILS,
        "last_name": st.sampled_from(["lopez", "Ray", None, "L" * 81]),
        "phone": st.sampled_from([None, "4045550101", "4045550102"]),
        "owner": st.sampled_from([None, None, None, 0, 1, 77]),
        "test_user": st.sampled_from([False, False, True]),
    }
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("import") / "world.duckdb"))


def keys(matching, values):
    def fold(name):
        value = values[name]
        value = (normal_phone(value) or value) if name == "phone" and value else value
        return value.lower() if value else None

    return [fold(name) for name in matching]


def is_ready(email, last_name):
    """Ready__c, a second time."""
    return bool(email) and last_name != "Ray"


def is_eligible(criteria, contact, record):
    """The criteria of the record as it would be after the change; `record` is None for a new one."""
    if criteria == "Ready__c":
        stored = record or {"Email": None, "LastName": None}
        email, last_name = contact["email"] or stored["Email"], contact["last_name"] or stored["LastName"]
        if record and (email or "").lower() == (stored["Email"] or "").lower() and last_name == stored["LastName"]:
            return bool(record["Ready__c"])  # nothing it depends on changes
        return is_ready(email, last_name)
    if criteria == "Sync__c":  # not mapped; on a new record a Boolean is false
        return bool(record and record["Sync__c"])
    return True if criteria is None or record is None else bool(record[criteria])


def expected(world, matching, match, create, criteria):
    """Action by contact, with the criteria; who is reached has nothing to do with them."""
    by_id = {r["Id"]: r for r in world.records}
    found = reached_by(world, matching, match, create)
    contacts = {c["id"]: c for c in world.contacts}
    for contact_id, (action, record) in found.items():
        writes = action in ("update", "link", "create")
        if writes and not is_eligible(criteria, contacts[contact_id], by_id.get(record)):
            found[contact_id] = ("excluded", record)
    return {contact_id: action for contact_id, (action, _) in found.items()}


def reached_by(world, matching, match, create):
    """(action, record) by contact, one at a time, by nested loops."""
    records = [
        {"id": r["Id"], "email": r["Email"], "phone": r["MobilePhone"], "last_name": r["LastName"]}
        for r in world.records
    ]
    ids = {r["id"] for r in records}
    linked = {c["crm_id"] for c in world.contacts} & ids
    free = [c for c in world.contacts if not c["crm_id"] and not c["test_user"]]

    def agree(one, other):
        pairs = list(zip(keys(matching, one), keys(matching, other), strict=True))
        hits = [a is not None and a == b for a, b in pairs]
        return all(hits) if match == "all" else any(hits)

    def reached(contact):
        return {r["id"] for r in records if agree(contact, r)}

    found = {}
    for c in world.contacts:
        if c["test_user"]:
            found[c["id"]] = ("excluded", None)
        elif c["crm_id"] in ids:
            found[c["id"]] = ("update", c["crm_id"])
        elif c["crm_id"]:
            found[c["id"]] = ("conflict", None)
        else:
            mine = reached(c)
            rivals = [
                o
                for o in free
                if o is not c
                and (agree(c, o) or (mine and len(mine) == 1 and len(reached(o)) >= 1 and mine == {min(reached(o))}))
            ]
            if len(mine) > 1 or rivals:
                found[c["id"]] = ("conflict", None)
            elif mine:
                found[c["id"]] = ("conflict", None) if mine & linked else ("link", min(mine))
            else:
                found[c["id"]] = ("create" if create else "excluded", None)
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=1, max_size=5),
    contacts=st.lists(CONTACT, min_size=1, max_size=6),
    matching=MATCHING,
    match=st.sampled_from(["all", "any"]),
    create=st.booleans(),
    criteria=CRITERIA,
)
def test_every_contact_gets_the_action_of_a_careful_reader(store, records, contacts, matching, match, create, criteria):
    world = World(store, mapping(matching=matching, match=match, create=create, criteria=criteria))
    for number, values in enumerate(records):
        world.record(number, **values)
    owners = set()
    for number, values in enumerate(contacts):
        about = dict(values)
        owner = about.pop("owner")
        crm_id = record_id(owner) if owner is not None and owner not in owners else None
        owners.add(owner)
        world.contact(number, crm_id=crm_id, **about)

    report, rows = world.preview("import")

    assert sum(report.counts.values()) == len(contacts)
    wanted = expected(world, matching, match, create, criteria)
    by_id = {c["id"]: c for c in world.contacts}
    for row in rows:
        plain = wanted[row["mainstay_id"]]
        contact = by_id[row["mainstay_id"]]
        if row["action"] == "none":
            assert plain == "update"
            continue
        if row["action"] == "blocked":
            bad = []
            if plain == "create" and not contact["last_name"]:
                bad.append("REQUIRED_FIELD_MISSING")
            if len(contact["last_name"] or "") > 80:
                bad.append("STRING_TOO_LONG")
            assert row["codes"] == bad
            continue
        assert row["action"] == plain, (row, contact)
        if row["predicted_status"] is not None:
            is_open = criteria == "Hidden__c" and (plain == "create" or row["fields"] != "[]")
            assert row["certainty"] == ("possible" if is_open else "certain"), (row, contact)
        assert [r["system"] for r in row["requests"]] == {
            "create": ["salesforce", "mainstay"], "update": ["salesforce"],
            "link": ["salesforce", "mainstay"] if row["fields"] != "[]" else ["mainstay"],
        }.get(plain, [])  # fmt: skip
        for request in row["requests"]:
            if request["system"] == "mainstay":
                assert json.loads(request["body"])["crm_id"] == (row["salesforce_id"] or "$id")
