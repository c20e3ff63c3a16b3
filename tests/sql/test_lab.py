"""The steps of the match lab, on literal rows: who contradicts whom, what each rule finds, who is tied."""

from __future__ import annotations

RULES = [{"rule": 1, "name": "phone"}, {"rule": 2, "name": "email"}]
TAKEN = [{"rule": 1, "record_id": "r1", "contact_id": "c1"}]


def clear(*pairs, rule=2):
    return [{"rule": rule, "record_id": record, "contact_id": contact} for record, contact in pairs]


def test_a_pair_contradicts_a_link_of_its_record_or_of_its_contact(step):
    pairs = clear(("r1", "c1"), ("r1", "c2"), ("r2", "c1"), ("r3", "c3"))
    rows = step("lab", "contradiction", clear_pair=pairs, rule=RULES, taken=TAKEN)
    assert sorted((r["record_id"], r["contact_id"], r["linked_contact_id"], r["linked_record_id"]) for r in rows) == [
        ("r1", "c2", "c1", None),
        ("r2", "c1", None, "r1"),
    ]


def counted(step, pairs=(), ties=(), keys=()):
    nobody = {"rule": 9, "side": "salesforce", "id": "x"}
    rows = step(
        "lab",
        "rule_count",
        rule=RULES,
        clear_pair=[*clear(("x", "x"), rule=9), *pairs],
        taken=TAKEN,
        tie=[nobody, *ties],
        rule_key=[{**nobody, "key": "k"}, *keys],
    )
    return {row["rule"]: row for row in rows}["email"]


def test_a_later_rule_confirms_disagrees_or_says_nothing(step):
    row = counted(step, clear(("r1", "c1"), ("r1", "c2"), ("r2", "c1"), ("r3", "c3")))
    assert (row["clear_pairs"], row["confirms"], row["disagrees"], row["adds"]) == (4, 1, 2, 0)


def test_ties_and_blanks_are_counted_in_records(step):
    both = [{"rule": 2, "side": side, "id": "1"} for side in ("salesforce", "mainstay")]
    row = counted(step, ties=both, keys=[{**one, "key": None} for one in both])
    assert (row["tied_records"], row["blank_records"]) == (1, 1)


def test_a_record_stands_where_its_own_side_is_tied(step):
    records = [{"id": name} for name in ("r1", "r2", "r3")]
    ties = [{"side": "salesforce", "id": "r2"}, {"side": "mainstay", "id": "r3"}]
    rows = step("lab", "standing", record=records, taken=TAKEN, tie=ties)
    assert {row["bucket"]: row["records"] for row in rows} == {"matched": 1, "people decide": 1, "no partner": 1}


def test_a_key_is_tied_where_both_sides_have_it_and_one_of_them_twice(step):
    groups = [(1, 1), (2, 1), (1, 2), (3, 0), (0, 3)]
    rows = step(
        "lab",
        "tie",
        rule_key=[{"rule": 1, "side": "salesforce", "id": str(n), "key": str(n)} for n in range(len(groups))],
        key_group=[
            {"rule": 1, "key": str(n), "record_count": records, "contact_count": contacts}
            for n, (records, contacts) in enumerate(groups)
        ],
    )
    assert sorted(row["id"] for row in rows) == ["1", "2"]
