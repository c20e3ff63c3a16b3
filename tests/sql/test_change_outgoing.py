"""The end of the export preview on literal rows: what is looked at, what is sent, the named action and its reason."""

from __future__ import annotations

import pyarrow as pa
import pytest

TEXT, NUMBER, TRUTH, LIST = pa.string(), pa.int64(), pa.bool_(), pa.list_(pa.string())
VERDICT = pa.schema(
    [
        ("seq", NUMBER), ("record_id", TEXT), ("record_row", NUMBER), ("contact_id", TEXT), ("contact_row", NUMBER),
        ("held_crm_id", TEXT), ("contact_phone", pa.uint64()), ("rule", TEXT), ("phone_key", pa.uint64()), ("phone_fate", TEXT),
        ("action", TEXT), ("complete_code", TEXT), ("crm_id_owners", NUMBER), ("is_misled", TRUTH), ("is_status_hidden", TRUTH), ("asks", TRUTH), ("is_taken", TRUTH),
    ]
)  # fmt: skip
REQUEST = pa.schema([("seq", NUMBER), ("body", TEXT), ("codes", TEXT), ("clears", TRUTH)])
WALK = pa.schema([("seq", NUMBER), ("contact_id", TEXT), ("contact_row", NUMBER), ("rule", TEXT), ("action", TEXT)])
GROUP = pa.schema([("seq", NUMBER), ("group_id", NUMBER)])
LEFT = pa.schema(
    [
        ("record_id", TEXT),
        ("contact_id", TEXT),
        ("left_fields", LIST),
        ("asked_fields", LIST),
        ("cleared_fields", LIST),
        ("asks", TRUTH),
        ("is_taken", TRUTH),
    ]
)
DIFFERING = pa.schema([("seq", NUMBER), ("slice_0", TRUTH)])
LINKED = {
    "record_row": 1, "contact_id": "a1", "contact_row": 1, "rule": "crm_id", "phone_key": 4045550101, "phone_fate": "same",
    "contact_phone": 4045550101, "action": "update", "crm_id_owners": 1, "is_misled": False, "is_status_hidden": False, "asks": False,
    "is_taken": False,
}  # fmt: skip
NOBODY = {
    **LINKED,
    "contact_id": None,
    "contact_row": None,
    "rule": "none",
    "action": "create",
    "crm_id_owners": 0,
    "contact_phone": None,
}
PHONE = {**LINKED, "rule": "phone", "action": "link", "crm_id_owners": 0}


def table(rows, schema):
    return pa.Table.from_pylist(list(rows), schema)


def verdicts(*given):
    return table(({"seq": seq, "record_id": f"003{seq}", **about} for seq, about in enumerate(given, 1)), VERDICT)


@pytest.fixture
def end(step):
    """end(verdict, codes=..., clears=..., walk=..., left=...) -> the row of one record; codes None: no request."""

    def run(
        verdict, codes=None, *, sends=True, body=None, clears=False, walk=None, group=None, left=None, contact="a1"
    ):
        request = [{"seq": 1, "body": body, "codes": codes, "clears": clears}] if sends else []
        kept = [{"record_id": "0031", "contact_id": contact, "asks": False, **left}] if left else []
        step("outgoing", "opting_back", verdict_outgoing=verdicts(verdict), request_outgoing=table(request, REQUEST))
        step(
            "outgoing", "settled_outgoing", verdict_outgoing=verdicts(verdict), request_outgoing=table(request, REQUEST),
            walk_outgoing=table([{"seq": 1, **walk}] if walk else [], WALK),
            group_outgoing=table([{"seq": 1, "group_id": group}] if group else [], GROUP), left_record=table(kept, LEFT),
        )  # fmt: skip
        (row,) = step("outgoing", "change_outgoing")
        return row

    return run


OPTS_IN = '{"phone":"4045550101","messaging_status_sms":"opted-in"}'
HIDDEN = {**LINKED, "is_status_hidden": True}


@pytest.mark.parametrize(
    ("verdict", "body", "clears", "guards"),
    [
        (HIDDEN, OPTS_IN, False, ["consent"]),
        (HIDDEN, OPTS_IN, True, ["consent", "blank-value"]),
        (HIDDEN, '{"phone":"4045550101"}', False, []),
        (LINKED, OPTS_IN, False, []),
    ],
)
def test_a_status_that_nobody_sees_may_be_an_opt_out(end, verdict, body, clears, guards):
    """The phone was cleared, and its status with it: it comes back with a new one. API reference, section 10, item 3."""
    row = end(verdict, body=body, clears=clears)
    assert (row["guards"], row["is_open"]) == (guards, "consent" in guards)


def blocked(verdict, code):
    return {**verdict, "action": "blocked", "complete_code": code}


IN_ORDER = " (decided in order: other records of this preview share its phone)"
ENDS = {
    # What is given, then: action, status, codes, the reason's start.
    "equal": ((LINKED, None, {"sends": False}), ("none", None, [], "Linked by CRM ID and already equal")),
    "equal to what is left": (
        (LINKED, None, {"sends": False, "left": {"left_fields": ["email"]}}),
        ("none", None, [], "Linked by CRM ID; what differs is left to Mainstay"),
    ),
    "an update": ((LINKED, None, {}), ("update", "success", [], "Linked by CRM ID; values differ")),
    "an update that leaves a field": (
        (LINKED, None, {"left": {"left_fields": ["email"]}}), ("update", "success", [], "Linked by CRM ID; values differ"),
    ),
    "an update with a code": ((LINKED, "invalid-email", {}), ("update", "partial", ["invalid-email"], "Linked by CRM ID; values")),
    "a link": ((PHONE, None, {}), ("link", "success", [], "Same phone; the contact acquires the CRM ID")),
    "a create": ((NOBODY, None, {}), ("create", "success", [], "No contact has this CRM ID or phone")),
    "a partial create": ((NOBODY, "invalid-email", {}), ("create", "partial", ["invalid-email"], "No contact has this")),
    "left out": (({**LINKED, "action": "excluded"}, None, {"sends": False}), ("excluded", None, [], "The record sync criteria are false")),
    "a CRM ID twice": (
        ({**LINKED, "action": "conflict", "crm_id_owners": 2}, None, {"sends": False}),
        ("conflict", None, [], "Several Mainstay contacts carry this CRM ID"),
    ),
    "a phone twice": (
        ({**PHONE, "action": "conflict"}, None, {"sends": False}), ("conflict", None, [], "Several Mainstay contacts hold this phone"),
    ),
    "a phone that is somebody's CRM ID": (
        ({**PHONE, "action": "conflict", "is_misled": True}, None, {"sends": False}),
        ("conflict", None, [], "Another contact carries this phone as its CRM ID"),
    ),
    "a field that asks": (
        (LINKED, None, {"sends": False, "left": {"asks": True, "asked_fields": ["email", "phone"]}}),
        ("conflict", None, [], "Both sides changed email, phone since they last agreed"),
    ),
    "a field that asks, of a blocked record": (
        (blocked(LINKED, "duplicate-contact"), None, {"sends": False, "left": {"asks": True, "asked_fields": ["phone"]}}),
        ("conflict", None, [], "Both sides changed phone since they last agreed"),
    ),
    "a field of another contact asks": (
        (LINKED, None, {"left": {"asks": True, "asked_fields": ["email"]}, "contact": "a2"}),
        ("update", "success", [], "Linked by CRM ID; values differ"),
    ),
    "another's phone": (
        (blocked(LINKED, "duplicate-contact"), "invalid-email", {}),
        ("blocked", "fail", ["duplicate-contact"], "The new phone belongs to another contact"),
    ),
    "another's contact": (
        (blocked(PHONE, "phone-match-found-but-crmId-mismatch"), None, {}),
        ("blocked", "fail", ["phone-match-found-but-crmId-mismatch"], "The contact with this phone carries another CRM ID"),
    ),
    "a bad phone": ((blocked(NOBODY, "invalid-phone"), None, {}), ("blocked", "fail", ["invalid-phone"], "A new contact needs a valid phone, or none")),
    "no names": (
        (blocked(NOBODY, "blank-required-data-in-record"), None, {}),
        ("blocked", "fail", ["blank-required-data-in-record"], "A new contact needs a first and a last name"),
    ),
    "taken by an object before": (
        (blocked({**LINKED, "is_taken": True}, "duplicate-contact"), None, {}),
        ("blocked", "fail", ["duplicate-contact"], "A record of an object mapped before this one takes or gives up the same phone"),
    ),
    "refused in its turn for another reason": (
        (NOBODY, "duplicate-contact", {"walk": {"rule": "none", "action": "blocked"}}),
        ("blocked", "fail", ["duplicate-contact"], "Mainstay will refuse the request" + IN_ORDER),
    ),
    "free in its turn": (
        (blocked(PHONE, "phone-match-found-but-crmId-mismatch"), None, {"walk": {"rule": "none", "action": "create"}, "group": 1}),
        ("create", "success", [], "No contact has this CRM ID or phone" + IN_ORDER),
    ),
    "nothing to say in its turn": (
        (LINKED, None, {"sends": False, "walk": {"rule": "crm_id", "action": "update", "contact_id": "a1"}}),
        ("update", "success", [], "Linked by CRM ID; values differ" + IN_ORDER),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDS)
def test_the_end_of_a_record(end, case):
    (verdict, codes, about), wanted = ENDS[case]
    row = end(verdict, codes, **about)
    assert (row["action"], row["predicted_status"], row["codes"]) == wanted[:3]
    assert row["reason"] == wanted[3] or (row["reason"].startswith(wanted[3]) and not row["reason"].endswith(IN_ORDER))


def test_what_another_object_takes_is_possible_alone(end):
    taken = {**LINKED, "is_taken": True}
    assert end(blocked(taken, "duplicate-contact"))["is_open"]
    assert not end({**taken, "action": "excluded"}, sends=False)["is_open"]
    assert not end(blocked(LINKED, "duplicate-contact"))["is_open"]


def test_the_turn_names_the_contact_the_rule_and_the_group(end):
    row = end(PHONE, walk={"rule": "none", "action": "create", "contact_id": None}, group=7)
    assert (row["mainstay_id"], row["contact_row"], row["rule"], row["group_id"]) == (None, None, "none", 7)
    row = end(PHONE, walk={"rule": "phone", "action": "link", "contact_id": "a2", "contact_row": 2}, group=7)
    assert (row["mainstay_id"], row["contact_row"]) == ("a2", 2)
    row = end(PHONE)
    assert (row["salesforce_id"], row["mainstay_id"], row["rule"], row["group_id"]) == ("0031", "a1", "phone", None)
    assert row["contact_row"] == 1


STATUS = "invalid-messaging-status"


@pytest.mark.parametrize(
    ("codes", "clears", "guards"),
    [
        (None, False, []), ("invalid-email", False, []), (STATUS, False, ["consent"]), (None, True, ["blank-value"]),
        (f"{STATUS}\x1finvalid-email", True, ["consent", "blank-value"]), ("invalid-email", True, ["blank-value"]),
    ],
)  # fmt: skip
def test_a_change_carries_its_guards(end, codes, clears, guards):
    assert end(LINKED, codes, clears=clears)["guards"] == guards


# -- what is looked at, and what is sent ---------------------------------------------------------------------------


def seqs(step, name, *given, differing=(), groups=(), left=()):
    tables = {
        "verdict_outgoing": verdicts(*given),
        "group_outgoing": table(({"seq": seq, "group_id": seq} for seq in groups), GROUP),
        "differing": table(({"seq": seq, "slice_0": True} for seq in differing), DIFFERING),
        "left_record": table(left, LEFT),
    }
    return {row["seq"]: row for row in step("outgoing", name, None, **tables)}


def test_records_that_reach_a_contact_are_compared_also_where_their_order_decides_or_a_person_does(step):
    given = [LINKED, PHONE, blocked(LINKED, "x"), NOBODY, {**NOBODY, "action": "blocked"}, {**LINKED, "action": "excluded"},
             {**LINKED, "action": "conflict"}, LINKED, {**LINKED, "action": "conflict", "asks": True}, PHONE]  # fmt: skip
    assert set(seqs(step, "pair_outgoing", *given, groups=[8, 10])) == {1, 2, 3, 8, 9}


def test_what_needs_a_request(step):
    asked = {"record_id": "0039", "contact_id": "a1", "asks": True}
    others = {"record_id": "00310", "contact_id": "a2", "asks": True}
    given = [
        LINKED, LINKED, PHONE, NOBODY, blocked(LINKED, "x"), {**LINKED, "action": "excluded"}, {**LINKED, "action": "conflict"},
        LINKED, LINKED, LINKED, LINKED,
    ]  # fmt: skip
    found = seqs(step, "sending", *given, differing=[2, 8, 9, 10], groups=[8, 11], left=[asked, others])
    assert set(found) == {2, 3, 4, 5, 8, 10, 11}
    told = {seq: (row["is_new"], row["is_walked"]) for seq, row in found.items()}
    assert told == dict.fromkeys((2, 3, 5, 10), (False, False)) | {4: (True, False), 8: (True, True), 11: (True, True)}
    assert [found[seq]["slice_0"] for seq in (2, 3, 8, 10)] == [True, None, False, True]


def test_each_contact_stands_in_one_bucket_where_it_matters_most(step):
    order = ["update", "link", "none", "conflict", "blocked", "excluded"]
    changes, contacts = [], [{"contact_row": -1}]
    for place in range(len(order)):
        contacts.append({"contact_row": place})
        changes += [{"contact_row": place, "action": other} for other in order[place:]]
    changes += [{"contact_row": None, "action": "create"}, {"contact_row": None, "action": "update"}]
    rows = step(
        "outgoing", "bucket_outgoing", {"unreached": "only_in_mainstay"}, change_outgoing=changes, contact_now=contacts
    )
    found = {(row["system"], row["bucket"]): row["row_count"] for row in rows}
    names = (
        "to_update",
        "to_link",
        "in_sync",
        "in_conflict",
        "reached_by_blocked_only",
        "reached_by_excluded_only",
        "only_in_mainstay",
    )
    assert {name: found["mainstay", name] for name in names} == dict.fromkeys(names, 1)
    assert {action: found["salesforce", action] for action in (*order, "create")} == {
        "update": 2, "link": 2, "none": 3, "conflict": 4, "blocked": 5, "excluded": 6, "create": 1,
    }  # fmt: skip
