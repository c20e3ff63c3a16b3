"""The export steps, one by one."""

from __future__ import annotations

import pyarrow as pa
import pytest

CLEAN = {
    "seq": 1, "record_id": "003A", "is_eligible": True, "has_names": True, "has_phone": True,
    "phone_key": 4045550101, "linked_id": None, "phone_owner_id": None, "crm_id_owners": 0,
    "phone_owners": 0, "contact_id": None, "rule": "none", "held_crm_id": None, "contact_phone": None,
    "contact_previous_phone": None, "record_row": 0, "contact_row": None,
}  # fmt: skip


def matched(**about):
    return {**CLEAN, **about}


def linked(**about):
    return matched(linked_id="a1", contact_id="a1", rule="crm_id", held_crm_id="003A", crm_id_owners=1, **about)


# The preview matrix of the API reference, section 4, row by row: (match, action, complete code, fate of the phone).
MATRIX = {
    "nobody": (matched(), "create", None, "changes"),
    "phone, unowned": (
        matched(phone_owner_id="b1", contact_id="b1", rule="phone", contact_phone=4045550101, phone_owners=1),
        "link", None, "same",
    ),
    "phone, another CRM ID": (
        matched(
            phone_owner_id="b1", contact_id="b1", rule="phone", contact_phone=4045550101, held_crm_id="003Z",
            phone_owners=1,
        ),
        "blocked", "phone-match-found-but-crmId-mismatch", "same",
    ),
    "linked, same phone": (
        linked(phone_owner_id="a1", contact_phone=4045550101, phone_owners=1), "update", None, "same",
    ),
    "linked, new phone": (linked(contact_phone=4045550199), "update", None, "changes"),
    "linked, previous phone": (
        linked(contact_phone=4045550199, contact_previous_phone=4045550101), "update", None, "reverted",
    ),
    "linked, another's phone": (
        linked(contact_phone=4045550199, phone_owner_id="b1", phone_owners=1), "blocked", "duplicate-contact", "changes",
    ),
    "linked, another's phone that was its own": (
        linked(contact_phone=4045550199, contact_previous_phone=4045550101, phone_owner_id="b1", phone_owners=1),
        "update", None, "reverted",
    ),
    "linked, invalid phone": (linked(phone_key=None, contact_phone=4045550199), "update", None, "invalid"),
    "nobody, invalid phone": (matched(phone_key=None), "blocked", "invalid-phone", "invalid"),
    "nobody, no phone": (matched(phone_key=None, has_phone=False), "create", None, "absent"),
    "nobody, no name": (matched(has_names=False), "blocked", "blank-required-data-in-record", "changes"),
    "criteria false": (matched(is_eligible=False), "excluded", None, "changes"),
    "CRM ID twice in Mainstay": (linked() | {"crm_id_owners": 2}, "conflict", None, "changes"),
    "phone twice in Mainstay": (
        matched(phone_owner_id="b1", contact_id="b1", rule="phone", contact_phone=4045550101, phone_owners=2),
        "conflict", None, "same",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MATRIX)
def test_the_matrix(step, case):
    match, action, code, fate = MATRIX[case]
    (row,) = step("outgoing", "identity_outgoing", {"clears_phone": False}, match_outgoing=[match])
    assert (row["action"], row["complete_code"], row["phone_fate"]) == (action, code, fate)


BLANK = {"has_phone": False, "phone_key": None}
FATES = {
    "blank, deletions included": (linked(**BLANK, contact_phone=4045550199), True, "cleared"),
    "blank, deletions left out": (linked(**BLANK, contact_phone=4045550199), False, "absent"),
    "blank on both sides": (linked(**BLANK), True, "absent"),
    "another phone": (linked(contact_phone=4045550199), True, "changes"),
}


@pytest.mark.parametrize("case", FATES)
def test_a_blank_phone_is_cleared_only_where_there_is_one_and_deletions_are_included(step, case):
    match, clears, fate = FATES[case]
    (row,) = step("outgoing", "identity_outgoing", {"clears_phone": clears}, match_outgoing=[match])
    assert row["phone_fate"] == fate


# A phone that an object mapped before sends: (match, action, complete code, whether it is taken).
TAKEN = {
    "nobody": (matched(), "blocked", "duplicate-contact", True),
    "phone, unowned": (
        matched(phone_owner_id="b1", contact_id="b1", rule="phone", contact_phone=4045550101, phone_owners=1),
        "blocked", "phone-match-found-but-crmId-mismatch", True,
    ),
    "linked, new phone": (linked(contact_phone=4045550199), "blocked", "duplicate-contact", True),
    "linked, same phone": (linked(contact_phone=4045550101), "update", None, False),
    "criteria false": (matched(is_eligible=False), "excluded", None, True),
    "CRM ID twice in Mainstay": (linked() | {"crm_id_owners": 2}, "conflict", None, True),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_a_phone_that_an_object_before_sends(step, case):
    match, action, code, is_taken = TAKEN[case]

    def verdict(taken):
        given = {"match_outgoing": [match], "taken_phone": [{"phone": taken}]}
        (row,) = step("outgoing", "identity_outgoing", {"clears_phone": False}, **given)
        return row

    row = verdict(4045550101)
    assert (row["action"], row["complete_code"], row["is_taken"]) == (action, code, is_taken)
    assert not verdict(4045550102)["is_taken"]


# Somebody's CRM ID is this record's phone. (match, action, whether it would mislead)
MISLED = {
    "nobody": (matched(), "conflict", True),
    "phone, unowned": (MATRIX["phone, unowned"][0], "conflict", True),
    "phone, another CRM ID": (MATRIX["phone, another CRM ID"][0], "conflict", True),
    "linked": (linked(contact_phone=4045550199), "update", False),
    "criteria false": (matched(is_eligible=False), "excluded", True),
}  # fmt: skip


@pytest.mark.parametrize("case", MISLED)
def test_a_phone_that_is_somebodys_crm_id(step, case):
    match, action, is_misled = MISLED[case]

    def verdict(carried):
        given = {"match_outgoing": [match], "misleading_phone": [{"phone": carried}]}
        (row,) = step("outgoing", "identity_outgoing", {"clears_phone": False}, **given)
        return row

    row = verdict(4045550101)
    assert (row["action"], row["complete_code"], row["is_misled"]) == (action, None, is_misled)
    assert not verdict(4045550102)["is_misled"]


HIDDEN = {
    "a cleared phone before": (linked(contact_previous_phone=4045550199), True),
    "never a phone": (linked(), False),
    "another phone now": (linked(contact_phone=4045550102, contact_previous_phone=4045550199), False),
    "no phone sent": (linked(phone_key=None, has_phone=False, contact_previous_phone=4045550199), False),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_status_is_hidden_while_its_phone_is_cleared(step, case):
    match, is_hidden = HIDDEN[case]
    (row,) = step("outgoing", "identity_outgoing", {"clears_phone": False}, match_outgoing=[match])
    assert row["is_status_hidden"] is is_hidden


@pytest.mark.parametrize("is_left", [True, False])
def test_no_status_is_hidden_where_the_phone_is_left_to_the_contact(step, is_left):
    identity = {
        **HIDDEN["a cleared phone before"][0], "phone_fate": "changes", "action": "update", "complete_code": None,
        "is_misled": False, "is_status_hidden": True, "is_taken": True,
    }  # fmt: skip
    left = [{"record_id": "003A", "contact_id": "a1" if is_left else "b1", "asks": False}]
    (row,) = step("outgoing", "verdict_outgoing", identity_outgoing=[identity], left_phone=left)
    assert row["phone_fate"] == ("left" if is_left else "changes")
    assert (row["is_status_hidden"], row["is_taken"]) == (not is_left, not is_left)


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_record_that_finds_its_phone_taken_gives_up_none(step, is_taken):
    verdict = {
        "seq": 1, "phone_key": 4045550101, "contact_phone": 4045550102, "action": "blocked", "is_taken": is_taken,
        "rule": "crm_id", "phone_fate": "changes",
    }  # fmt: skip
    touched = {row["phone"] for row in step("outgoing", "touch_outgoing", verdict_outgoing=[verdict])}
    assert touched == (set() if is_taken else {4045550101, 4045550102})


# What an object's change takes from the objects after it: (action, phone_fate) -> which of wanted and present phone.
TAKES = {
    ("create", "changes"): {"wanted"},
    ("link", "same"): {"wanted"},
    ("update", "changes"): {"wanted", "present"},
    ("update", "cleared"): {"present"},
    ("update", "same"): set(),
    ("none", "changes"): set(),
    ("blocked", "changes"): set(),
    ("excluded", "cleared"): set(),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKES)
def test_a_change_takes_the_phones_that_it_sends_or_gives_up(step, case):
    action, fate = case
    phones = {"wanted": 4045550101, "present": 4045550102}
    verdicts = [
        {"seq": 1, "phone_key": phones["wanted"], "contact_phone": phones["present"], "phone_fate": fate},
        {"seq": 2, "phone_key": None, "contact_phone": None, "phone_fate": fate},
        {"seq": 3, "phone_key": 4045550103, "contact_phone": None, "phone_fate": "changes"},
    ]
    changes = [{"seq": 1, "action": action}, {"seq": 2, "action": action}, {"seq": 3, "action": "create"}]
    given = {"verdict_outgoing": verdicts, "change_outgoing": changes}
    taken = sorted(phones[name] for name in TAKES[case])
    assert sorted(row["phone"] for row in step("outgoing", "phone_taken", **given)) == [*taken, 4045550103]
    rows = step("outgoing", "phone_taken", taken_phone=[{"phone": 4045550103}], **given)
    assert sorted(row["phone"] for row in rows) == taken


def test_an_owner_is_counted(step):
    rows = step(
        "outgoing",
        "phone_owner",
        shared_phone=[{"phone": 4045550101}],
        contact_now=[
            {"contact_id": "a2", "contact_row": 2, "phone_key": 4045550101, "crm_id_key": None},
            {"contact_id": "a1", "contact_row": 1, "phone_key": 4045550101, "crm_id_key": None},
            {"contact_id": "a3", "contact_row": 3, "phone_key": None, "crm_id_key": None},
            {"contact_id": "a4", "contact_row": 4, "phone_key": 4045550104, "crm_id_key": "003D"},
        ],
    )
    assert sorted(rows, key=lambda row: row["phone"]) == [
        {"phone": 4045550101, "contact_id": "a1", "contact_row": 1, "crm_id_key": None, "owner_count": 2},
        {"phone": 4045550104, "contact_id": "a4", "contact_row": 4, "crm_id_key": "003D", "owner_count": 1},
    ]


@pytest.mark.parametrize(("step_name", "key"), [("shared_phone", "phone_key"), ("shared_crm_id", "crm_id_key")])
def test_a_key_of_several_contacts_is_shared(step, step_name, key):
    one, other = (4045550101, 4045550102) if key == "phone_key" else ("x", "y")
    rows = step("outgoing", step_name, contact_now=[{key: value} for value in (one, other, one, None, None)])
    assert [list(row.values()) for row in rows] == [[one]]


def test_the_owner_of_a_crm_id_is_counted(step):
    about = {"phone_key": None, "previous_phone_key": None}
    rows = step(
        "outgoing",
        "crm_id_owner",
        shared_crm_id=[{"crm_id": "003A"}],
        contact_now=[
            {"contact_id": "a2", "contact_row": 2, "crm_id_key": "003A", **about},
            {"contact_id": "a1", "contact_row": 1, "crm_id_key": "003A", **about},
            {"contact_id": "a3", "contact_row": 3, "crm_id_key": None, **about},
            {"contact_id": "a4", "contact_row": 4, "crm_id_key": "003D", **about},
        ],
    )
    found = sorted((row["crm_id"], row["contact_id"], row["contact_row"], row["owner_count"]) for row in rows)
    assert found == [("003A", "a1", 1, 2), ("003D", "a4", 4, 1)]


IDENTITY = {
    "seq": 1, "record_id": "003A", "record_row": 0, "contact_id": "a1", "contact_row": 0, "held_crm_id": "003A",
    "contact_phone": 4045550199, "rule": "crm_id", "phone_key": 4045550101, "phone_fate": "changes",
    "action": "blocked", "complete_code": "duplicate-contact", "crm_id_owners": 1, "is_misled": False, "is_status_hidden": False, "is_taken": True,
}  # fmt: skip
LEFT_PHONE = pa.schema([("record_id", pa.string()), ("contact_id", pa.string()), ("asks", pa.bool_())])


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ([], ("blocked", "changes", "duplicate-contact", False, True)),
        ([{"record_id": "003A", "contact_id": "a1", "asks": False}], ("update", "left", None, False, False)),
        ([{"record_id": "003A", "contact_id": "a1", "asks": True}], ("conflict", "left", None, True, False)),
        ([{"record_id": "003A", "contact_id": "b1", "asks": True}], ("blocked", "changes", "duplicate-contact", False, True)),
    ],
)  # fmt: skip
def test_a_phone_that_is_left_takes_nothing(step, left, expected):
    (row,) = step(
        "outgoing", "verdict_outgoing", identity_outgoing=[IDENTITY], left_phone=pa.Table.from_pylist(left, LEFT_PHONE)
    )
    told = (row["action"], row["phone_fate"], row["complete_code"], row["asks"], row["is_taken"])
    assert told == expected


def test_a_record_is_matched_by_crm_id_before_phone(step):
    (row,) = step(
        "outgoing",
        "match_outgoing",
        outgoing=[
            {
                "seq": 1, "record_id": "003A", "record_row": 0, "is_eligible": True, "has_names": True,
                "has_phone": True, "phone_key": 4045550101
            }
        ],
        crm_id_owner=[
            {
                "crm_id": "003A", "contact_id": "a1", "contact_row": 7, "phone_key": None,
                "previous_phone_key": 4045550102, "owner_count": 1,
            }
        ],
        phone_owner=[
            {"phone": 4045550101, "contact_id": "b1", "contact_row": 8, "crm_id_key": None, "owner_count": 1}
        ],
    )  # fmt: skip
    assert (row["contact_id"], row["contact_row"], row["rule"], row["phone_owner_id"]) == ("a1", 7, "crm_id", "b1")
    assert (row["held_crm_id"], row["contact_phone"], row["contact_previous_phone"]) == (None, None, 4045550102)


VERDICT = {
    "record_id": "003A", "seq": 1, "phone_key": 4045550101, "contact_phone": None, "action": "create",
    "rule": "none", "phone_fate": "changes", "is_taken": False,
}  # fmt: skip


def touches(step, *verdicts):
    rows = step("outgoing", "touch_outgoing", verdict_outgoing=[{**VERDICT, **about} for about in verdicts])
    return sorted((row["seq"], row["phone"]) for row in rows)


def test_a_changing_phone_is_taken_and_given_up(step):
    changing = {"rule": "crm_id", "action": "update", "contact_phone": 4045550199}
    assert touches(step, changing) == [(1, 4045550101), (1, 4045550199)]


def test_a_cleared_phone_is_given_up_and_a_left_out_one_is_not(step):
    cleared = {
        "rule": "crm_id",
        "action": "update",
        "phone_key": None,
        "contact_phone": 4045550199,
        "phone_fate": "cleared",
    }
    assert touches(step, cleared) == [(1, 4045550199)]
    for action in ("excluded", "conflict"):
        assert touches(step, {**cleared, "action": action}) == []
    assert touches(step, {**cleared, "rule": "phone"}) == []
    assert touches(step, {**cleared, "phone_fate": "same"}) == []


def test_a_kept_phone_is_not_touched(step):
    kept = {"rule": "crm_id", "action": "update", "phone_fate": "same", "contact_phone": 4045550101}
    assert touches(step, kept, {"action": "excluded"}) == []
    assert touches(step, {"is_taken": True}) == []


def test_only_phones_of_two_records_collide(step):
    rows = step(
        "outgoing",
        "collision_outgoing",
        touch_outgoing=[
            {"seq": 1, "phone": 1},
            {"seq": 2, "phone": 1},
            {"seq": 2, "phone": 2},
        ],
    )
    assert sorted((row["seq"], row["phone"]) for row in rows) == [(1, 1), (2, 1)]
