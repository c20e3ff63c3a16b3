"""The import steps, one by one."""

from __future__ import annotations

import pytest

CONTACT = {
    "seq": 1,
    "contact_id": "a1",
    "contact_row": 0,
    "crm_id_key": None,
    "is_test": False,
    "is_claimed": False,
}
RECORD = {"record_id": "003A", "record_row": 0, "meets_criteria": True}
NO_LINK = [{"record_id": "003none", "contact_id": "x", "contact_count": 1}]
NO_MATCH = [{"contact_id": "x", "record_id": "003none", "match_count": 1, "rival_count": 1}]


def match(**about):
    return [{"contact_id": "a1", "record_id": "003A", "match_count": 1, "rival_count": 1, **about}]


CASES = {
    "linked": ({"crm_id_key": "003A"}, [{"record_id": "003A", "contact_id": "a1", "contact_count": 1}], NO_MATCH, "update", "linked"),
    "linked twice": ({"crm_id_key": "003A"}, [{"record_id": "003A", "contact_id": "a1", "contact_count": 2}], NO_MATCH, "conflict", "crm_id_twice"),
    "dangling": ({"crm_id_key": "003X"}, NO_LINK, NO_MATCH, "conflict", "dangling_crm_id"),
    "a lead's id": ({"crm_id_key": "00QX"}, NO_LINK, NO_MATCH, "excluded", "other_object"),
    "test contact": ({"is_test": True}, NO_LINK, NO_MATCH, "excluded", "test_contact"),
    "matched": ({}, NO_LINK, match(), "link", "matched"),
    "several records": ({}, NO_LINK, match(match_count=2), "conflict", "several_records"),
    "several contacts": ({}, NO_LINK, match(rival_count=2), "conflict", "several_contacts"),
    "record linked to another": ({}, [{"record_id": "003A", "contact_id": "b1", "contact_count": 1}], match(), "conflict", "record_taken"),
    "taken by an object before": ({"is_claimed": True}, NO_LINK, NO_MATCH, "excluded", "claimed"),
    "linked all the same": ({"crm_id_key": "003A", "is_claimed": True}, [{"record_id": "003A", "contact_id": "a1", "contact_count": 1}], NO_MATCH, "update", "linked"),
    "nobody": ({}, NO_LINK, NO_MATCH, "create", "unmatched"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_contact_stands_in_one_bucket(step, case):
    contact, links, matches, action, cause = CASES[case]
    (row,) = step(
        "incoming",
        "verdict_incoming",
        {"create_unmatched": True},
        incoming=[{**CONTACT, **contact}],
        record_now=[RECORD],
        record_link=links,
        match_incoming=matches,
    )
    assert (row["action"], row["cause"]) == (action, cause)


def test_unmatched_contacts_are_ignored_where_creating_is_off(step):
    (row,) = step(
        "incoming",
        "verdict_incoming",
        {"create_unmatched": False},
        incoming=[CONTACT],
        record_now=[RECORD],
        record_link=NO_LINK,
        match_incoming=NO_MATCH,
    )
    assert (row["action"], row["cause"]) == ("excluded", "unmatched_ignored")


def test_linked_and_test_contacts_are_not_looked_up(step):
    rows = step(
        "incoming",
        "unlinked",
        incoming=[
            {**CONTACT, "match_key_0": "a"},
            {**CONTACT, "contact_id": "a2", "crm_id_key": "003A", "match_key_0": "a"},
            {**CONTACT, "contact_id": "a3", "is_test": True, "match_key_0": "a"},
            {**CONTACT, "contact_id": "a4", "is_claimed": True, "match_key_0": "a"},
        ],
    )
    assert rows == [{"contact_id": "a1", "match_key_0": "a"}]


def test_a_request_is_made_of_what_may_change_a_record(step):
    verdict = {
        "seq": 1, "contact_id": "a1", "contact_row": 0, "record_id": "003A", "record_row": 0, "meets_criteria": True,
        "action": "update",
    }  # fmt: skip
    linked = [verdict | {"seq": number, "contact_id": f"a{number}"} for number in (1, 2)]
    others = [
        verdict | {"seq": number, "contact_id": f"a{number}", "action": action}
        for number, action in enumerate(("link", "create", "conflict", "excluded"), 3)
    ]
    rows = step("incoming", "receiving", verdict_incoming=[*linked, *others], differing=[{"seq": 2, "slice_0": True}])
    assert sorted((row["contact_id"], row["is_create"]) for row in rows) == [("a2", False), ("a4", True)]
