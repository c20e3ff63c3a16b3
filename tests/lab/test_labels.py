"""Labels: blind, stratified, weighted; agreement between people."""

from __future__ import annotations

import pytest
from world import record_id

from workbench.errors import ConfigurationError
from workbench.lab.labels import draw_sample, labelled_pairs, verdicts


def proposed(rule, count, start=0, *, is_tie=False):
    return [
        {"rule": rule, "is_tie": is_tie, "record_id": f"r{n}", "contact_id": f"c{n}"}
        for n in range(start, start + count)
    ]


def test_every_stratum_is_sampled_and_small_ones_whole(lab):
    rows = [*proposed("phone", 500), *proposed("email", 500), *proposed("email", 4, 500), *proposed("name", 3, 600)]
    assert draw_sample(lab.store, rows, size=40) == 40
    strata = {
        row["stratum"]: (row["n"], row["stratum_size"])
        for row in lab.store.rows("SELECT stratum, stratum_size, count(*) AS n FROM lab.sample GROUP BY ALL")
    }
    assert strata == {"email; phone": (33, 500), "email": (4, 4), "name": (3, 3)}


def test_the_same_seed_draws_the_same_pairs(lab):
    def drawn(seed):
        draw_sample(lab.store, proposed("phone", 300), size=20, seed=seed)
        return [row["record_id"] for row in lab.store.rows("SELECT record_id FROM lab.sample ORDER BY position")]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_labelling_is_blind_and_goes_through_all_pairs(lab):
    drawn = lab.draw_sample("crm_id > phone > email", size=50)
    seen = []
    while (question := lab.next_pair("Dana")) is not None:
        assert question.remaining == drawn - len(seen)
        assert set(question.rows[0]) == {"attribute", "salesforce", "mainstay"}
        assert "crm_id" not in {row["attribute"] for row in question.rows}
        lab.label(question.pair, "same", by="Dana")
        seen.append(question.pair)
    assert len(set(seen)) == drawn
    assert lab.next_pair("Sam").remaining == drawn


def test_the_latest_answer_counts_and_all_are_kept(lab):
    pair = (record_id(1), f"ah{1:015x}")
    lab.label(pair, "different", by="Dana")
    lab.label(pair, "same", by="Dana", note="looked again")
    assert verdicts(lab.store) == {pair: {"Dana": "same"}}
    assert lab.store.rows("SELECT count(*) AS n FROM lab.label")[0]["n"] == 2


def test_labels_estimate_what_the_truth_would_say(lab):
    """By email: record 1, 2, 3, 4, 5 right. By phone: 1 right, 5 wrong. Dana labels all proposed pairs truly."""
    lab.draw_sample("phone > email", size=50)
    right = {(record_id(n), f"ah{m:015x}") for n, m in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6))}
    while (question := lab.next_pair("Dana")) is not None:
        lab.label(question.pair, "same" if question.pair in right else "different", by="Dana")
    by_phone, by_email = lab.judge("phone").score, lab.judge("email").score
    assert (by_phone.right, by_phone.wrong) == (1, 1)
    assert by_phone.recall.value == pytest.approx(1 / 5)
    assert by_email.f1.value == 1
    assert by_email.f1.low < 0.8, "five pairs prove little"
    assert "labels" in lab.score("phone").title


def test_a_stratum_weighs_what_it_stands_for(lab):
    rows = [*proposed("phone", 90), *proposed("name", 10, 200)]
    draw_sample(lab.store, rows, size=10)
    for row in lab.store.rows("SELECT record_id, contact_id FROM lab.sample"):
        lab.label((row["record_id"], row["contact_id"]), "same", by="Dana")
    assert sum(label.weight for label in labelled_pairs(lab.store)) == pytest.approx(100)


def test_agreement_and_disputes(lab):
    pairs = [(f"r{n}", f"c{n}") for n in range(4)]
    for pair, dana, sam in zip(
        pairs, ["same", "same", "different", "different"], ["same", "same", "different", "same"], strict=True
    ):
        lab.label(pair, dana, by="Dana")
        lab.label(pair, sam, by="Sam")
    shown = lab.agreement()
    (row,) = shown.rows
    assert {name: row[name] for name in ("one", "other", "both", "agree")} == {
        "one": "Dana", "other": "Sam", "both": 4, "agree": 3,
    }  # fmt: skip
    assert str(row["kappa"]) == "0.500 (-0.399 to 0.909)"
    assert [(found["record_id"], found["contact_id"]) for found in lab.disputes().rows] == [("r3", "c3")]
    assert "Disputed pairs: 1." in shown.notes[0]


@pytest.mark.parametrize(("verdict", "by"), [("maybe", "Dana"), ("same", " ")])
def test_an_answer_is_one_of_three_words_by_somebody(lab, verdict, by):
    with pytest.raises(ConfigurationError):
        lab.label(("r", "c"), verdict, by=by)


def test_answers_are_taken_back_one_by_one_and_stay_in_the_journal(lab):
    """Undo brings the pair back; an older answer of before the correction does not reappear; others keep theirs."""
    lab.draw_sample("phone > email", size=50)
    first, second = (_answer(lab, "Dana", word) for word in ("same", "different"))
    lab.label(first, "unsure", by="Sam")
    lab.label(second, "same", by="Dana")
    assert lab.undo(by=" Dana ") == second
    assert lab.undo(by="Dana") == first
    assert lab.undo(by="Dana") is None
    assert verdicts(lab.store) == {first: {"Sam": "unsure"}}
    assert lab.next_pair("Dana").pair == first
    kept = lab.store.rows("SELECT verdict FROM lab.label WHERE labeller = 'Dana' ORDER BY labelled_at")
    assert [row["verdict"] for row in kept] == ["same", "different", "same", "withdrawn", "withdrawn"]
    lab.label(first, "same", by="Dana")
    assert verdicts(lab.store)[first]["Dana"] == "same"


def test_nobody_can_answer_withdrawn(lab):
    with pytest.raises(ConfigurationError, match="same, different, unsure"):
        lab.label(("r1", "c1"), "withdrawn", by="Dana")


def _answer(lab, by, verdict):
    question = lab.next_pair(by)
    lab.label(question.pair, verdict, by=by)
    return question.pair
