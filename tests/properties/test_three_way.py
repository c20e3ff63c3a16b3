"""Three-way previews of generated pairs, in both directions, against a plain reading of decision 40, field by field."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import START, World, mapping, record_id

from workbench.store import Store

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40")) // 2
# Mainstay's field -> Salesforce's field and the values it takes: none of them is refused by either side.
FIELDS = {
    "email": ("Email", ("a@x.edu", "b@x.edu", "c@x.edu")),
    "first_name": ("FirstName", ("Ana", "Bo", "Di")),
    "custom.Notes": ("Notes__c", ("one", "two", "three")),
    "custom.Campus": ("Campus__c", ("North", "Downtown")),
}
VALUE = st.sampled_from([0, 0, 1, None])  # places in the field's values; None is blank
# What both sides last had ("never": they were never seen equal), and what each has now.
PAIR = st.tuples(st.sampled_from(["never", 0, 0, 0, None]), VALUE, VALUE)
RULES = st.dictionaries(
    st.sampled_from(["default", *FIELDS]), st.sampled_from(["salesforce", "mainstay", "newest", "ask"]), min_size=1
)
# An import fills this one from email too, and no export reads it: it has one owner, whatever becomes of the pair.
COPY = "Student__c"
PERSON = st.fixed_dictionaries(
    {
        "fields": st.fixed_dictionaries(dict.fromkeys(FIELDS, PAIR)),
        "copy": VALUE,
        "hours": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    }
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("three") / "world.duckdb"))


def document(rules):
    text = json.loads(mapping())
    item = text["objects"][0]
    item["conflicts"] = rules
    item["export"]["fields"] = [field for field in item["export"]["fields"] if field["salesforce"] != COPY]
    item["import"]["fields"].append({"mainstay": "email", "salesforce": COPY, "matching": False})
    return json.dumps(text)


def value(field, place):
    return None if place is None else FIELDS[field][1][place]


def winner(kept, left, right, rule, hours, sender):
    """Who counts for one field that differs; None asks a person."""
    if kept == "never":
        return sender
    if right == kept:
        return "salesforce"
    if left == kept:
        return "mainstay"
    if rule == "newest":
        return None if hours[0] == hours[1] else ("salesforce" if hours[0] > hours[1] else "mainstay")
    return None if rule == "ask" else rule


def expected(person, rules, direction):
    """'conflict', or the fields that are written, with their values."""
    sender = {"export": "salesforce", "import": "mainstay"}[direction]
    written, asks = {}, False
    for name, (kept, left, right) in person["fields"].items():
        if left == right:
            continue
        won = winner(kept, left, right, rules.get(name, rules.get("default", "ask")), person["hours"], sender)
        asks = asks or won is None
        ours = left if sender == "salesforce" else right
        # An export sends no blanks here; an import writes those that Mainstay is known to have made.
        is_sent = ours is not None or (sender == "mainstay" and kept != "never")
        if won == sender and is_sent:
            written[name if sender == "salesforce" else FIELDS[name][0]] = value(name, ours)
    email = person["fields"]["email"][2]
    if sender == "mainstay" and email is not None and email != person["copy"]:
        written[COPY] = value("email", email)
    return "conflict" if asks else written


def put(world, number, person, side):
    """Both sides as they were last seen ('before'), or as they stand now ('now')."""
    record, contact = world.records[number], world.contacts[number]
    for name, (kept, *now) in person["fields"].items():
        # Never agreed: a value on one side alone.
        before = (kept, kept) if kept != "never" else (None, 1)
        left, right = before if side == "before" else now
        record[FIELDS[name][0]] = value(name, left)
        inside = contact["custom"] if name.startswith("custom.") else contact
        inside[name.removeprefix("custom.")] = value(name, right)
    if side == "now":
        record[COPY] = value("email", person.get("copy"))
        record["SystemModstamp"] = START + timedelta(hours=person["hours"][0])
        contact["last_modified_at"] = START + timedelta(hours=person["hours"][1])


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=st.lists(PERSON, min_size=1, max_size=5), rules=RULES, direction=st.sampled_from(["export", "import"]))
def test_every_field_goes_the_way_a_careful_reader_says(store, people, rules, direction):
    world = World(store, document(rules))
    world.pulled_at = START
    for number, person in enumerate(people):
        world.record(number, SystemModstamp=START)
        world.contact(number, crm_id=record_id(number), last_modified_at=START)
        put(world, number, person, "before")
    world.preview()
    for number, person in enumerate(people):
        put(world, number, person, "now")

    _, rows = world.preview(direction)

    found = {row["salesforce_id"]: row for row in rows}
    for number, person in enumerate(people):
        row, wanted = found[record_id(number)], expected(person, rules, direction)
        if wanted == "conflict":
            assert (row["action"], row["requests"]) == ("conflict", []), (person, row)
            continue
        assert row["action"] == ("update" if wanted else "none"), (person, wanted, row)
        assert {item["field"]: item["after"] for item in json.loads(row["fields"])} == wanted, (person, row)


@pytest.mark.parametrize(("now", "action"), [((None, 1), "conflict"), ((None, 0), "none")])
def test_a_value_that_salesforce_cleared_and_mainstay_changed_asks(store, now, action):
    """A blank of an export is no change; but one that was a value when both sides last agreed is looked at."""
    fields = dict.fromkeys(FIELDS, ("never", None, None)) | {"custom.Campus": (0, *now)}
    world = World(store, mapping())
    world.pulled_at = START
    world.record(0, SystemModstamp=START)
    world.contact(0, crm_id=record_id(0), last_modified_at=START)
    put(world, 0, {"fields": fields, "hours": (1, 1)}, "before")
    world.preview()
    put(world, 0, {"fields": fields, "hours": (1, 1)}, "now")
    _, (row,) = world.preview()
    assert (row["action"], row["requests"]) == (action, [])


def test_a_phone_that_mainstay_alone_has_is_told(store):
    """Nobody knows who had it first; a blank is not sent. As many records have one that their contact lacks."""
    world = World(store, mapping())
    world.pulled_at = START
    for number in range(2):
        world.record(number, SystemModstamp=START)
        world.contact(number, crm_id=record_id(number), last_modified_at=START)
    world.contacts[0] |= {"phone": "4045550101", "messaging_status_sms": "opted-in"}
    world.records[1]["MobilePhone"] = "4045550102"
    report, rows = world.preview()
    found = world.store.rows(
        "SELECT change_id, field, cause, winner FROM preview.conflict WHERE preview_id = $id AND field = 'phone' "
        "ORDER BY change_id",
        {"id": report.preview_id},
    )
    told = {"field": "phone", "cause": "no_baseline", "winner": "salesforce"}
    assert found == [{"change_id": row["change_id"], **told} for row in rows]
    assert (rows[0]["action"], rows[1]["action"]) == ("none", "update")
