"""The generated worlds are not empty words: every dictionary entry and every setting of the guide is met in them.

A few hundred worlds go through the package's own order and the ladder alone, without a preview, so that counting is
quick; the properties draw from the same strategies.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from properties.test_guardian import CONTACT, MOVES, RECORD
from properties.test_import import CONTACT as INCOMING
from properties.test_import import CRITERIA, MATCHING
from properties.test_three_way import PAIR, RULES
from world import CUSTOM, FIELDS, Directory, record_id, send

from workbench.domain.error_dictionary import ENTRIES, entry_of
from workbench.domain.ladder import Institution, blank_contact
from workbench.domain.rules import normal_phone

WORLDS = 600
INSTITUTION = Institution({field.name: field for field in CUSTOM})
# Met only where the world moves between pull and push: the package never sends what meets them in a world that stands.
RARE = {4, 7, 8}


def drawn(strategy, count=300):
    """Examples of a strategy, the same at every run."""
    found = []

    @seed(20261125)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(example):
        found.append(example)

    draw()
    return found


def contacts_of(values):
    """Contacts of a drawn world as the guardian builds them: phones and CRM IDs are unique."""
    directory = Directory([])
    for number, given_values in enumerate(values):
        about = dict(given_values)
        owner, sms = about.pop("owner"), about.pop("sms")
        if about["phone"] and directory.by_phone(about["phone"]):
            about["phone"] = None
        crm_id = record_id(owner) if owner is not None else None
        if crm_id and directory.by_crm_id(crm_id):
            crm_id = None
        about |= {"id": f"ah{number}", "crm_id": crm_id, "messaging_status_sms": sms if about["phone"] else None}
        directory.contacts.append({**blank_contact(INSTITUTION), **about})
    return directory


def body_of(values):
    """A full payload; blanks are left out."""
    body = {"custom": {}}
    for name, _, _, path in FIELDS:
        value = values.get(name)
        if value in (None, "UNSET"):
            continue
        inside = body["custom"] if path.startswith("custom.") else body
        inside[path.removeprefix("custom.")] = value
    return body


def entries_met(records, directory, moves=()):
    """Numbers of the entries that the package's order meets, record by record."""
    met = Counter()
    for number, values in enumerate(records):
        if not values["Sync__c"]:
            continue
        body = {**body_of(values), "crm_id": record_id(number)}
        phone = normal_phone(body.get("phone", ""))
        ways = [("PUT", body["crm_id"]), *([("PUT", phone)] if phone else []), ("POST", "")]
        if number < len(moves) and moves[number]:
            ways = ways[-1:] if directory.by_crm_id(body["crm_id"]) is None else ways[:1]
            _move(directory, body, moves[number], number)
            if moves[number] == "took the id" and phone and directory.by_phone(phone):
                ways = [("PUT", phone)]
        for method, path in ways:
            answer = send(method, path, body, directory, INSTITUTION)
            for item in answer.errors:
                found = entry_of(item["code"], method=method, message=item["message"])
                met[found.number if found else item["code"]] += 1
            if answer.status != 404:
                break
    return met


def _move(directory, body, move, number):
    phone = normal_phone(body.get("phone", ""))
    if move == "took the id" and directory.by_crm_id(body["crm_id"]) is None:
        directory.contacts.append({**blank_contact(INSTITUTION), "id": f"m{number}", "crm_id": body["crm_id"]})
    if move == "took the phone" and phone and directory.by_phone(phone) is None:
        directory.contacts.append({**blank_contact(INSTITUTION), "id": f"m{number}", "phone": phone})


@pytest.fixture(scope="module")
def worlds():
    return drawn(st.tuples(st.lists(RECORD, min_size=1, max_size=7), st.lists(CONTACT, max_size=6), MOVES), WORLDS)


def test_every_entry_of_the_dictionary_is_met(worlds):
    standing, moving = Counter(), Counter()
    for records, contacts, moves in worlds:
        standing.update(entries_met(records, contacts_of(contacts)))
        moving.update(entries_met(records, contacts_of(contacts), moves))
    print(
        f"{len(worlds)} worlds, entries: {dict(sorted(standing.items(), key=str))}; moved: {dict(sorted(moving.items(), key=str))}"
    )
    numbers = {entry.number for entry in ENTRIES}
    assert numbers - RARE <= set(standing)
    assert numbers <= set(standing) | set(moving)
    assert all(standing[number] >= 5 for number in numbers - RARE)


def test_every_value_of_a_record_and_a_contact_is_drawn(worlds):
    """Each field is filled, blank, fitting and unfitting somewhere."""
    values = {
        name: {str(record[name])[:80] for records, _, _ in worlds for record in records}
        for name, *_ in FIELDS
        if name != "Student__c"
    }
    assert {name for name, found in values.items() if len(found) < 2} == set()
    assert {record["Sync__c"] for records, _, _ in worlds for record in records} == {True, False}
    linked = Counter(contact["owner"] is not None for _, contacts, _ in worlds for contact in contacts)
    assert min(linked[True], linked[False]) > 50


def test_every_setting_of_an_import_is_drawn():
    matching = drawn(st.tuples(MATCHING, st.sampled_from(["all", "any"]), st.booleans(), CRITERIA))
    assert {len(names) for names, *_ in matching} >= {1, 2}
    assert {criteria for *_, criteria in matching} >= {None, "Sync__c", "Ready__c", "Hidden__c"}
    found = drawn(INCOMING)
    assert {contact["test_user"] for contact in found} == {True, False}
    assert {contact["owner"] for contact in found} >= {None, 0, 77}
    assert any(contact["email"] and contact["email"] != contact["email"].lower() for contact in found)
    assert any(len(contact["last_name"] or "") > 80 for contact in found)


def test_every_cause_and_every_rule_of_a_conflict_is_drawn():
    pairs = drawn(PAIR)
    causes = Counter(cause_of(pair) for pair in pairs)
    assert set(causes) >= {"equal", "only salesforce", "only mainstay", "both", "both alike", "never agreed"}
    assert {rule for rules in drawn(RULES) for rule in rules.values()} == {"salesforce", "mainstay", "newest", "ask"}


def cause_of(pair):
    kept, left, right = pair
    if kept == "never":
        return "never agreed" if left != right else "equal"
    if left == right:
        return "equal" if left == kept else "both alike"
    return "only salesforce" if right == kept else "only mainstay" if left == kept else "both"
