"""Unique values in the order of the changes: the step against a walk that takes one change after the other."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CLAIM = pa.struct([("field", pa.string()), ("claimed", pa.string()), ("held", pa.string()), ("holder", pa.string())])


def claim(claimed, held=None, holder=None, field="Code__c"):
    return {"field": field, "claimed": claimed, "held": held, "holder": holder}


@pytest.fixture
def judge(step):
    """judge([(record or None, [claims], codes)]) -> (refused, group) per change, in order."""

    def run(changes):
        verdicts = [
            {
                "seq": seq, "contact_id": f"a{seq}", "record_id": record, "candidate_id": record, "rule": "id",
                "cause": "linked" if record else "unmatched", "action": "update" if record else "create",
                "meets_criteria": True,
            }
            for seq, (record, _, _) in enumerate(changes, 1)
        ]  # fmt: skip
        payloads = pa.table(
            {
                "contact_id": [row["contact_id"] for row in verdicts],
                "is_eligible": [True] * len(changes),
                "is_eligibility_open": [False] * len(changes),
                "is_parent_open": [False] * len(changes),
                "body": ['{"x":1}'] * len(changes),
                "fields": ['[{"x":1}]'] * len(changes),
                "codes": pa.array([codes for _, _, codes in changes], pa.list_(pa.string())),
                "claims": pa.array([claims for _, claims, _ in changes], pa.list_(CLAIM)),
            }
        )
        rows = step("incoming", "change_incoming", verdict_incoming=verdicts, payload_incoming=payloads)
        by_seq = {row["seq"]: row for row in rows}
        assert len(by_seq) == len(changes)
        return [("DUPLICATE_VALUE" in by_seq[n]["codes"], by_seq[n]["group_id"]) for n in range(1, len(changes) + 1)]

    return run


VERDICT = {
    "seq": 1, "contact_id": "a1", "record_id": "R1", "candidate_id": "R1", "rule": "id", "cause": "linked",
    "action": "update", "meets_criteria": True,
}  # fmt: skip
PAYLOAD = pa.schema(
    [
        ("contact_id", pa.string()), ("is_eligible", pa.bool_()), ("is_eligibility_open", pa.bool_()),
        ("is_parent_open", pa.bool_()), ("body", pa.string()), ("fields", pa.string()), ("codes", pa.list_(pa.string())), ("claims", pa.list_(CLAIM)),
    ]
)  # fmt: skip
LEFT = pa.schema(
    [
        ("record_id", pa.string()), ("contact_id", pa.string()), ("left_fields", pa.list_(pa.string())),
        ("asked_fields", pa.list_(pa.string())), ("cleared_fields", pa.list_(pa.string())), ("asks", pa.bool_()),
    ]
)  # fmt: skip
CHANGES = {"fields": '[{"x":1}]', "body": '{"x":1}'}
LEAVES, CLEARS = {"left_fields": ["email"]}, {"cleared_fields": ["custom.Flag", "last_name"]}
STAYS = "Linked by CRM ID; Salesforce cannot clear custom.Flag, last_name as Mainstay did: its value stays"
# What is told of a linked contact: (payload, what of it is left to Salesforce or cleared, action, reason).
REASONS = {
    "equal": ({}, {}, "none", "Linked by CRM ID and already equal"),
    "what differs is left": ({}, LEAVES, "none", "Linked by CRM ID; what differs is left to Salesforce"),
    "what was cleared cannot be": ({}, CLEARS, "none", STAYS),
    "some is left, and some cannot be cleared": ({}, LEAVES | CLEARS, "none", STAYS),
    "differs": (CHANGES, {}, "update", "Linked by CRM ID; values differ"),
    "some is left": (CHANGES, LEAVES, "update", "Linked by CRM ID; values differ"),
    "some is cleared": (CHANGES, CLEARS, "update", "Linked by CRM ID; values differ"),
    "refused": (CHANGES | {"codes": ["STRING_TOO_LONG"]}, {}, "blocked", "Salesforce will refuse the values"),
    "a value of another": (
        CHANGES | {"claims": [claim("x", holder="R9")]}, {}, "blocked",
        "Salesforce will refuse a unique value of another record",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_of_a_linked_contact(step, case):
    about, kept, action, reason = REASONS[case]
    blank = {"contact_id": "a1", "is_eligible": True, "is_eligibility_open": False, "body": "{}", "fields": "[]"}
    payload = {**blank, "codes": [], "claims": [], **about}
    left = [{"record_id": "R1", "contact_id": "a1", "asks": False, **kept}] if kept else []
    (row,) = step(
        "incoming", "change_incoming", verdict_incoming=[VERDICT],
        payload_incoming=pa.Table.from_pylist([payload], PAYLOAD), left_record=pa.Table.from_pylist(left, LEFT),
    )  # fmt: skip
    assert (row["action"], row["reason"]) == (action, reason)


@pytest.mark.parametrize(("eligibility", "parent"), [(False, False), (False, True), (True, False)])
def test_what_only_salesforce_can_tell_is_open(step, eligibility, parent):
    about = {"is_eligible": True, "is_eligibility_open": eligibility, "is_parent_open": parent}
    payload = {"contact_id": "a1", "codes": [], "claims": [], **about, **CHANGES}
    (row,) = step(
        "incoming", "change_incoming", verdict_incoming=[VERDICT],
        payload_incoming=pa.Table.from_pylist([payload], PAYLOAD), left_record=pa.Table.from_pylist([], LEFT),
    )  # fmt: skip
    assert row["is_open"] == (eligibility or parent)


def test_the_reason_of_a_question_and_of_a_lost_turn(step):
    verdicts = [VERDICT, VERDICT | {"seq": 2, "contact_id": "a2", "record_id": "R2", "candidate_id": "R2"}]
    blank = {"is_eligible": True, "is_eligibility_open": False, "codes": [], "claims": [claim("x")], **CHANGES}
    payloads = pa.Table.from_pylist([{"contact_id": name, **blank} for name in ("a1", "a2")], PAYLOAD)

    def reasons(left):
        given = {"payload_incoming": payloads, "left_record": pa.Table.from_pylist(left, LEFT)}
        rows = step("incoming", "change_incoming", verdict_incoming=verdicts, **given)
        return [row["reason"] for row in sorted(rows, key=lambda row: row["seq"])]

    differs = "Linked by CRM ID; values differ"
    assert reasons([]) == [
        differs, "Salesforce will refuse a unique value that another record holds when its turn comes",
    ]  # fmt: skip
    asked = {"record_id": "R1", "contact_id": "a1", "asked_fields": ["email", "phone"], "asks": True}
    assert reasons([asked]) == ["Both sides changed email, phone since they last agreed", differs]


@pytest.mark.parametrize(
    ("asks", "eligible", "action", "guards"),
    [(False, True, "update", ["blank-value"]), (True, True, "conflict", []), (False, False, "excluded", [])],
)
def test_only_what_is_written_is_guarded_for_its_blanks(step, asks, eligible, action, guards):
    payload = {
        "contact_id": "a1", "is_eligible": eligible, "is_eligibility_open": False, "body": "{}",
        "fields": '[{"field":"Email","before":"a","after":null}]', "codes": [], "claims": [],
    }  # fmt: skip
    left = [{"record_id": "R1", "contact_id": "a1", "asked_fields": ["email"], "asks": asks}]
    (row,) = step(
        "incoming", "change_incoming", verdict_incoming=[VERDICT],
        payload_incoming=pa.Table.from_pylist([payload], PAYLOAD), left_record=pa.Table.from_pylist(left, LEFT),
    )  # fmt: skip
    assert (row["action"], row["guards"]) == (action, guards)


@pytest.mark.parametrize(
    ("about", "action", "fields", "reason"),
    [
        ({}, "update", CHANGES["fields"], "Linked by CRM ID; values differ"),
        (
            {"action": "excluded", "cause": "claimed"},
            "excluded",
            "[]",
            "An object mapped before this one decides about the contact",
        ),
    ],
)
def test_only_what_is_written_is_told(step, about, action, fields, reason):
    """What is asked of another record that carries this contact says nothing of this one."""
    payload = {
        "contact_id": "a1",
        "is_eligible": True,
        "is_eligibility_open": False,
        "codes": [],
        "claims": [],
        **CHANGES,
    }
    asked = {"record_id": "R9", "contact_id": "a1", "asked_fields": ["email"], "asks": True}
    (row,) = step(
        "incoming", "change_incoming", verdict_incoming=[VERDICT | about],
        payload_incoming=pa.Table.from_pylist([payload], PAYLOAD), left_record=pa.Table.from_pylist([asked], LEFT),
    )  # fmt: skip
    assert (row["action"], row["fields"], row["reason"]) == (action, fields, reason)


def refused(found):
    return [is_refused for is_refused, _ in found]


def test_a_value_of_another_record_is_refused(judge):
    assert judge([("R1", [claim("x", holder="R9")], [])]) == [(True, None)]
    assert judge([("R1", [claim("x", holder="R1")], [])]) == [(False, None)]
    assert judge([(None, [claim("x")], [])]) == [(False, None)]


def test_the_second_of_two_with_one_value_is_refused(judge):
    assert judge([(None, [claim("x")], []), ("R2", [claim("x", "y")], [])]) == [(False, 1), (True, 1)]


def test_a_change_refused_for_its_other_values_takes_nothing(judge):
    assert refused(judge([(None, [claim("x")], ["STRING_TOO_LONG"]), (None, [claim("x")], [])])) == [False, False]


def test_a_value_given_up_before_is_free_and_one_given_up_later_is_not(judge):
    gives_up = ("R1", [claim("y", "x")], [])
    takes = (None, [claim("x", holder="R1")], [])
    assert judge([gives_up, takes]) == [(False, 1), (False, 1)]
    assert judge([takes, gives_up]) == [(True, 1), (False, 1)]


def test_a_value_that_only_changes_its_case_is_not_given_up(judge):
    keeps = ("R1", [claim("x", "x", "R1")], [])
    takes = (None, [claim("x", holder="R1")], [])
    assert refused(judge([keeps, takes])) == [False, True]
    assert refused(judge([takes, keeps])) == [True, False]


def test_a_refused_change_gives_nothing_up(judge):
    blocked = ("R1", [claim("y", "x", "R9")], [])
    assert refused(judge([blocked, (None, [claim("x", holder="R1")], [])])) == [True, True]


def test_groups_reach_as_far_as_the_values_do(judge):
    found = judge([
        (None, [claim("a")], []), (None, [claim("b")], []), (None, [claim("c")], []), (None, [claim("d")], []),
        ("R1", [claim("b", "a")], []), ("R2", [claim("c", "b", field="Code__c")], []), (None, [claim("e")], []),
    ])  # fmt: skip
    assert [group for _, group in found] == [1, 1, 1, None, 1, 1, None]


def test_groups_do_not_meet_in_what_was_pulled(judge):
    """Two values, each held by a record when both were pulled: no change of one waits for a change of the other."""
    changes = [
        ("R1", [claim("y", "x")], []), (None, [claim("x", holder="R1")], []),
        ("R2", [claim("q", "p")], []), (None, [claim("p", holder="R2")], []),
    ]  # fmt: skip
    assert [group for _, group in judge(changes)] == [1, 1, 3, 3]


def test_many_contacts_with_one_value_cost_seconds_not_minutes(judge):
    started = time.perf_counter()
    found = judge([(None, [claim("n/a")], [])] * 30_000)
    assert refused(found) == [False] + [True] * 29_999
    assert time.perf_counter() - started < 20


def test_a_long_chain_that_hangs_on_its_first_link(judge):
    chain = [(f"R{n}", [claim(f"v{n}", f"v{n + 1}", f"R{n - 1}" if n else "R99")], []) for n in range(40)]
    assert refused(judge(chain)) == [True] * 40
    free = [(f"R{n}", [claim(f"v{n}", f"v{n + 1}", f"R{n - 1}" if n else None)], []) for n in range(40)]
    assert refused(judge(free)) == [False] * 40


def walked(changes):
    """One after the other, with a plain dict of who holds what."""
    holders = {(c["field"], c["claimed"]): c["holder"] for _, claims, _ in changes for c in claims if c["holder"]}
    holders |= {(c["field"], c["held"]): record for record, claims, _ in changes for c in claims if c["held"]}
    answers = []
    for number, (record, claims, codes) in enumerate(changes):
        me = record or f"new{number}"
        is_refused = not codes and any(holders.get((c["field"], c["claimed"]), me) != me for c in claims)
        answers.append(is_refused)
        if not codes and not is_refused:
            for c in claims:
                holders.pop((c["field"], c["held"]), None)
                holders[c["field"], c["claimed"]] = me
    return answers


FIELDS = ("Code__c", "Number__c")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.booleans(), st.tuples(st.integers(0, 6), st.integers(0, 6)), st.sampled_from([(), (), ("X",)])),
        min_size=1, max_size=8,
    ),
    st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True),
)  # fmt: skip
def test_the_step_answers_as_a_walk_in_order_does(judge, wanted, strangers):
    """Record R<n> holds value n of both fields; strangers hold two more; new ones hold nothing."""
    held = {f"R{n}": n for n, (is_record, _, _) in enumerate(wanted) if is_record}
    holders = {value: name for name, value in held.items()} | {value + 10: f"S{value}" for value in strangers}
    changes = []
    for number, (is_record, values, codes) in enumerate(wanted):
        record = f"R{number}" if is_record else None
        claims = [
            claim(str(value), None if record is None else str(number), holders.get(value), field)
            for field, value in zip(FIELDS, values, strict=True)
            if record is None or value != number
        ]
        changes.append((record, claims, list(codes)))
    assert refused(judge(changes)) == walked(changes)
