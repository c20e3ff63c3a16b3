"""Which records the matching fields reach: keys as compiled, case aside, on both sides, with `all` and with `any`."""

from __future__ import annotations

import pytest
from world import World, mapping, record_id

from workbench.store import Store

KEYS = ("email", "phone")
A, B = "4045550101", "4045550102"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("match") / "world.duckdb"))


def found(store, match, records, contacts):
    """(action, record number or None) of each contact. A record and a contact are (email, phone)."""
    world = World(store, mapping(matching=KEYS, match=match))
    for number, (email, phone) in enumerate(records):
        world.record(number, Email=email, MobilePhone=phone)
    for number, (email, phone) in enumerate(contacts):
        world.contact(number, email=email, phone=phone)
    _, rows = world.preview("import")
    by_contact = {row["mainstay_id"]: (row["action"], row["salesforce_id"]) for row in rows}
    numbers = {record_id(number): number for number in range(len(records))}
    return [(by_contact[c["id"]][0], numbers.get(by_contact[c["id"]][1])) for c in world.contacts]


CASES = {
    # What matches: (records, contacts, with all, with any).
    "both fields, in any case and form": (
        [("a@x.edu", A), ("b@x.edu", B)], [("A@X.edu", "(404) 555-0101")], [("link", 0)], [("link", 0)],
    ),
    "one field of two": ([("a@x.edu", A)], [("a@x.edu", B)], [("create", None)], [("link", 0)]),
    "one field, the other blank": ([("a@x.edu", None)], [("a@x.edu", None)], [("create", None)], [("link", 0)]),
    "all blank": ([(None, None)], [(None, None)], [("create", None)], [("create", None)]),
    "two keys, two records": ([("a@x.edu", None), (None, A)], [("a@x.edu", A)], [("create", None)], [("conflict", None)]),
    "one key, two records": (
        [("a@x.edu", A), ("a@x.edu", A)], [("a@x.edu", A)], [("conflict", None)], [("conflict", None)],
    ),
    "two contacts, one record by two keys": (
        [("a@x.edu", A)], [("a@x.edu", None), (None, A)], [("create", None)] * 2, [("conflict", None)] * 2,
    ),
    "two contacts, one key, no record": (
        [("z@x.edu", None)], [("a@x.edu", A), ("a@x.edu", A)], [("conflict", None)] * 2, [("conflict", None)] * 2,
    ),
    "a rival by the second key alone": (
        [("a@x.edu", A)], [("a@x.edu", A), ("b@x.edu", A)], [("link", 0), ("create", None)], [("conflict", None)] * 2,
    ),
    "a rival by a key that no record has": (
        [("a@x.edu", None)], [("a@x.edu", A), ("b@x.edu", A)], [("create", None)] * 2, [("conflict", None)] * 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("match", ["all", "any"])
@pytest.mark.parametrize("case", CASES)
def test_who_is_reached(store, case, match):
    records, contacts, with_all, with_any = CASES[case]
    assert found(store, match, records, contacts) == (with_all if match == "all" else with_any)


def test_case_does_not_count_in_a_name(store):
    """Guide: "if you were matching on first name, "james" would match to "James"."""
    world = World(store, mapping(matching=("first_name",)))
    world.record(1, FirstName="James", LastName="Ray")
    world.contact(1, first_name="jAMES", last_name="Ray")
    _, (row,) = world.preview("import")
    assert (row["action"], row["salesforce_id"]) == ("link", record_id(1))
