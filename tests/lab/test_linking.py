"""Rules in order: what links, what ties, what contradicts; every record in exactly one standing."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import record_id

from workbench.errors import ConfigurationError, NotFound
from workbench.lab import MatchLab
from workbench.lab.judging import compare, judge_by_truth
from workbench.lab.labels import save_truth
from workbench.lab.linking import candidates, link, waterfall
from workbench.lab.people import Attribute, People, attribute_name, kind_of
from workbench.lab.rules import parse_rules
from workbench.store import Store


def pairs(links):
    rows = links.pairs.to_pylist()
    return {
        (int(row["record_id"][5:15]), int(row["contact_id"].removeprefix("ah"), base=16)): row["rule"] for row in rows
    }


def test_rules_apply_in_order_and_compare_canonical_values(lab):
    assert pairs(lab.links("crm_id > phone > email")) == {
        (1, 1): "crm_id",
        (5, 5): "phone",
        (4, 4): "email",
    }


def test_a_tie_stays_with_people(lab):
    """The twins share a phone; the weaker rule after it does not decide about them."""
    rows = {row["rule"]: row for row in lab.waterfall("crm_id > phone > email").rows}
    assert rows["phone"]["tied_records"] == 2
    assert not {(2, 2), (3, 3)} & set(pairs(lab.links("phone > email")))
    assert {(2, 2), (3, 3)} <= set(pairs(lab.links("email")))


def test_the_waterfall_adds_up(lab):
    found = lab.waterfall("crm_id > phone > email")
    assert dict(found.standing) == {"matched": 3, "people decide": 2}
    assert sum(row["adds"] for row in found.rows) == len(found.links) == 3
    for row in found.rows:
        assert row["clear_pairs"] >= row["adds"] + row["confirms"]
    assert "5 Salesforce records: 3 matched, 2 people decide" in found.notes[0]


def test_later_rules_that_disagree_are_named(lab):
    """By phone record 5 is contact 5, by email contact 6."""
    rows = {row["rule"]: row for row in lab.waterfall("crm_id > phone > email").rows}
    assert rows["email"]["disagrees"] == 1
    (row,) = lab.contradictions("crm_id > phone > email").rows
    assert row["record_id"] == record_id(5)
    assert row["contact_id"] == f"ah{6:015x}"
    assert row["linked_contact_id"] == f"ah{5:015x}"
    assert row["phone"] == "4045550105 | (blank)"


def test_all_attributes_of_a_rule_must_agree(lab):
    assert set(pairs(lab.links("first_name + last_name"))) == {(1, 1), (2, 2), (3, 3), (4, 4), (5, 6)}
    assert set(pairs(lab.links("last_name"))) == {(1, 1), (4, 4), (5, 6)}


def test_unknown_attributes_name_what_exists(lab):
    with pytest.raises(ConfigurationError, match=r"cannot use shoe_size\. Both systems have: crm_id, first_name"):
        lab.links("phone > shoe_size + email")
    with pytest.raises(ConfigurationError, match="blank"):
        lab.links("phone > ")


def test_candidates_show_ties_as_pairs(lab):
    rows = candidates(lab.people, parse_rules("phone", lab.attributes))
    tied = {(row["record_id"], row["contact_id"]) for row in rows if row["is_tie"]}
    assert tied == {(record_id(2), f"ah{2:015x}"), (record_id(3), f"ah{2:015x}")}


def test_the_truth_gives_scores_and_the_cost_in_people(lab):
    known = pa.table(
        {
            "record_id": [record_id(number) for number in (1, 2, 3, 4, 5)],
            "contact_id": [f"ah{number:015x}" for number in (1, 2, 3, 4, 6)],
        }
    )
    assert save_truth(lab.store, known, source="test") == 5
    judged = lab.judge("crm_id > phone > email")
    assert (judged.score.right, judged.score.wrong, judged.score.missed) == (2, 1, 3)
    assert judged.sentence == "1 student would get another person's texts; 3 known pairs stay apart."
    (wrong,) = lab.wrong_links("crm_id > phone > email").rows
    assert wrong["true_contact_id"] == f"ah{6:015x}"
    assert wrong["last_name"] == "moved | person"
    table = lab.score("phone", "email")
    assert [row["rule"] for row in table.rows] == ["phone", "email"]
    assert "<table>" in table._repr_html_()


def test_rule_against_rule(lab):
    rows = {row["where"]: row["pairs"] for row in lab.compare("phone", "email").rows}
    assert rows == {"both": 1, "only A": 0, "only B": 3, "A, where B differs": 1, "B, where A differs": 1}


def test_without_truth_or_labels_nothing_is_judged(lab):
    with pytest.raises(NotFound, match="label some pairs first"):
        lab.score("phone")


def test_before_a_pull_there_is_nothing_to_match(tmp_path):
    with pytest.raises(ConfigurationError, match="pull both systems first"):
        MatchLab(Store(str(tmp_path / "empty.duckdb")))


def test_names_of_attributes_and_how_they_are_compared():
    assert attribute_name("custom.Date of Birth") == "date_of_birth"
    assert kind_of("date_of_birth", "Text") == "date"
    assert kind_of("student_id", "Text") == "id"
    assert kind_of("first_name", "string") == "name"
    assert kind_of("campus", "Multi-Choice") == "text"


SIDE = st.lists(st.tuples(st.sampled_from(["a", "b", "c", "A ", None]), st.sampled_from(["x", "y", None])), max_size=8)


@settings(max_examples=40, deadline=None)
@given(records=SIDE, contacts=SIDE)
def test_links_are_one_to_one_and_as_a_plain_search_finds_them(records, contacts):
    """The set-based rules against the obvious loop; nobody is linked twice, and all records stand somewhere."""
    tables = [
        pa.table(
            {
                "id": pa.array([f"{side}{place}" for place in range(len(rows))], pa.string()),
                "one": pa.array([row[0] for row in rows], pa.string()),
                "two": pa.array([row[1] for row in rows], pa.string()),
            }
        )
        for side, rows in (("r", records), ("c", contacts))
    ]
    people = People.from_tables(
        *tables, [Attribute("one", "one", "one"), Attribute("two", "two", "two")], record_id="id", contact_id="id"
    )
    rules = parse_rules("one + two > one", people.names)
    found = waterfall(people, rules)
    rows = found.links.pairs.to_pylist()
    assert {(row["record_id"], row["contact_id"]) for row in rows} == _plain(records, contacts)
    assert sum(count for _, count in found.standing) == len(records)
    assert len({row["record_id"] for row in rows}) == len({row["contact_id"] for row in rows}) == len(rows)


def _plain(records, contacts):
    taken_r, taken_c, tied_r, tied_c, made = set(), set(), set(), set(), set()
    for width in (2, 1):
        keys = [
            {f"{side}{place}": _key(row, width) for place, row in enumerate(rows)}
            for side, rows in (("r", records), ("c", contacts))
        ]
        clear, newly_r, newly_c = [], set(), set()
        for key in {key for side in keys for key in side.values() if key is not None}:
            rs, cs = ([name for name, own in side.items() if own == key] for side in keys)
            if len(rs) == len(cs) == 1:
                clear.append((rs[0], cs[0]))
            elif rs and cs:
                newly_r |= set(rs)
                newly_c |= set(cs)
        for record, contact in clear:
            if not {record} & (taken_r | tied_r) and not {contact} & (taken_c | tied_c):
                made.add((record, contact))
                taken_r.add(record)
                taken_c.add(contact)
        tied_r |= newly_r
        tied_c |= newly_c
    return made


def _key(row, width):
    values = [None if value is None else value.strip().lower() for value in row[:width]]
    return None if None in values else tuple(values)


def test_a_name_in_another_script_or_spelling_compares_by_its_letters(lab):
    people = People.from_tables(
        pa.table({"id": ["r1", "r2", "r3"], "name": ["  José-María ", "李 雷", "Søren"]}),
        pa.table({"id": ["c1", "c2", "c3"], "name": ["JOSE MARIA", "李  雷", "SØREN"]}),
        [Attribute("name", "name", "name", "name")],
        record_id="id",
        contact_id="id",
    )
    assert len(link(people, parse_rules("name", people.names))) == 3
    judged = judge_by_truth(
        people,
        link(people, parse_rules("name", people.names)),
        pa.table({"record_id": ["r1", "r2", "r3"], "contact_id": ["c1", "c2", "c3"]}),
    )
    assert judged.score.f1.value == 1
    assert compare(judged.links, judged.links)[0] == {"where": "both", "pairs": 3}
