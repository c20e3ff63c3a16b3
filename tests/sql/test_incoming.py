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
    "is_looked_at": True,
}
RECORD = {"record_id": "003A", "record_row": 0, "meets_criteria": True}
NO_LINK = ([], 0)
NO_MATCH = [{"seq": 9, "record_row": 9, "match_count": 1, "rival_count": 1}]
LINKED = [{"seq": 1, "record_row": 0}]


def match(**about):
    return [{"seq": 1, "record_row": 0, "match_count": 1, "rival_count": 1, **about}]


def verdict(step, contact, links, matches, *, create=True):
    """The contact's row. `links`: whom it is linked to, and how many contacts are linked to record 0."""
    own, contact_count = links
    nobody = {"seq": 9, "record_row": 9}
    (row,) = step(
        "incoming",
        "verdict_incoming",
        {"create_unmatched": create},
        incoming=[contact],
        record_now=[RECORD],
        record_prefix=[{"key_prefix": "003"}],
        contact_link=[*own, nobody],
        record_link=[{"record_row": 9, "contact_count": 1}, *([{"record_row": 0, "contact_count": contact_count}] if contact_count else [])],
        match_incoming=matches,
    )  # fmt: skip
    return row


CASES = {
    "linked": ({"crm_id_key": "003A"}, (LINKED, 1), NO_MATCH, "update", "linked"),
    "linked twice": ({"crm_id_key": "003A"}, (LINKED, 2), NO_MATCH, "conflict", "crm_id_twice"),
    "dangling": ({"crm_id_key": "003X"}, NO_LINK, NO_MATCH, "conflict", "dangling_crm_id"),
    "a lead's id": ({"crm_id_key": "00QX"}, NO_LINK, NO_MATCH, "excluded", "other_object"),
    "test contact": ({"is_test": True}, NO_LINK, NO_MATCH, "excluded", "test_contact"),
    "matched": ({}, NO_LINK, match(), "link", "matched"),
    "several records": ({}, NO_LINK, match(match_count=2), "conflict", "several_records"),
    "several contacts": ({}, NO_LINK, match(rival_count=2), "conflict", "several_contacts"),
    "record linked to another": ({}, ([], 1), match(), "conflict", "record_taken"),
    "taken by an object before": ({"is_claimed": True}, NO_LINK, NO_MATCH, "excluded", "claimed"),
    "an id of nothing pulled, taken before": (
        {"crm_id_key": "003X", "is_claimed": True}, NO_LINK, NO_MATCH, "excluded", "claimed",
    ),
    "linked all the same": ({"crm_id_key": "003A", "is_claimed": True}, (LINKED, 1), NO_MATCH, "update", "linked"),
    "nobody": ({}, NO_LINK, NO_MATCH, "create", "unmatched"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_contact_stands_in_one_bucket(step, case):
    contact, links, matches, action, cause = CASES[case]
    row = verdict(step, {**CONTACT, **contact}, links, matches)
    assert (row["action"], row["cause"]) == (action, cause)
    told = {"linked": ("id", "003A"), "matched": ("matching", "003A")}
    assert (row["rule"], row["record_id"]) == told.get(cause, ("none", None))


def test_who_is_not_looked_at_is_not_told(step):
    rows = step(
        "incoming",
        "verdict_incoming",
        {"create_unmatched": True},
        incoming=[CONTACT, {**CONTACT, "seq": 2, "contact_id": "a2", "is_looked_at": False}],
        record_now=[RECORD],
        record_prefix=[{"key_prefix": "003"}],
        contact_link=[{"seq": 9, "record_row": 9}],
        record_link=[{"record_row": 9, "contact_count": 1}],
        match_incoming=NO_MATCH,
    )
    assert [row["contact_id"] for row in rows] == ["a1"]


def test_unmatched_contacts_are_ignored_where_creating_is_off(step):
    row = verdict(step, CONTACT, NO_LINK, NO_MATCH, create=False)
    assert (row["action"], row["cause"]) == ("excluded", "unmatched_ignored")


def test_linked_and_test_contacts_are_not_looked_up(step):
    rows = step(
        "incoming",
        "unlinked",
        incoming=[
            {**CONTACT, "match_key_0": "a"},
            {**CONTACT, "seq": 2, "crm_id_key": "003A", "match_key_0": "a"},
            {**CONTACT, "seq": 3, "is_test": True, "match_key_0": "a"},
            {**CONTACT, "seq": 4, "is_claimed": True, "match_key_0": "a"},
        ],
    )
    assert rows == [{"seq": 1, "match_key_0": "a"}]


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


@pytest.mark.parametrize(("record_id", "left"), [("003A", ["email"]), ("003B", None)])
def test_a_request_leaves_what_its_own_record_keeps(step, record_id, left):
    verdict = {
        "seq": 1, "contact_id": "a1", "contact_row": 0, "record_id": "003A", "record_row": 0, "meets_criteria": True,
        "action": "update",
    }  # fmt: skip
    kept = {"contact_id": "a1", "record_id": record_id, "left_fields": ["email"], "cleared_fields": ["email"]}
    (row,) = step(
        "incoming", "receiving", verdict_incoming=[verdict], differing=[{"seq": 1, "slice_0": True}], left_record=[kept]
    )
    assert (row["left_fields"], row["cleared_fields"]) == (left, left)
