"""Import previews against a plain record-at-a-time reading of the same rules."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import World, mapping, record_id

from workbench.domain.rules import is_email, normal_phone
from workbench.store import Store

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EMAILS = st.sampled_from([None, "a@x.edu", "A@x.edu", "b@x.edu", "nope"])
RECORD = st.fixed_dictionaries(
    {
        "Email": EMAILS,
        "LastName": st.sampled_from(["Lopez", "Ray"]),
        "MobilePhone": st.sampled_from([None, "4045550101", "(404) 555-0102"]),
    }
)
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


def expected(world, matching, match, create):
    """Action by contact, one at a time, by nested loops."""
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
            found[c["id"]] = "excluded"
        elif c["crm_id"] in ids:
            found[c["id"]] = "update"
        elif c["crm_id"]:
            found[c["id"]] = "conflict"
        else:
            mine = reached(c)
            rivals = [
                o
                for o in free
                if o is not c
                and (agree(c, o) or (mine and len(mine) == 1 and len(reached(o)) >= 1 and mine == {min(reached(o))}))
            ]
            if len(mine) > 1 or rivals:
                found[c["id"]] = "conflict"
            elif mine:
                found[c["id"]] = "conflict" if mine & linked else "link"
            else:
                found[c["id"]] = "create" if create else "excluded"
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=1, max_size=5),
    contacts=st.lists(CONTACT, min_size=1, max_size=6),
    matching=st.sampled_from([("email",), ("email", "last_name"), ("email", "phone")]),
    match=st.sampled_from(["all", "any"]),
    create=st.booleans(),
)
def test_every_contact_gets_the_action_of_a_careful_reader(store, records, contacts, matching, match, create):
    world = World(store, mapping(matching=matching, match=match, create=create))
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
    wanted = expected(world, matching, match, create)
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
        assert [r["system"] for r in row["requests"]] == {
            "create": ["salesforce", "mainstay"], "update": ["salesforce"],
            "link": ["salesforce", "mainstay"] if row["fields"] != "[]" else ["mainstay"],
        }.get(plain, [])  # fmt: skip
        for request in row["requests"]:
            if request["system"] == "mainstay":
                assert json.loads(request["body"])["crm_id"] == (row["salesforce_id"] or "$id")
        assert is_email("a@x.edu")
