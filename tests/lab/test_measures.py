"""Wilson's interval, F1, Cohen's kappa and consensus against figures worked out elsewhere, and their laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.lab.measures import Score, cohens_kappa, consensus, effective_size, wilson

COUNTS = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Source: Newcombe 1998, table I, method 3 (score without continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(part, whole, low, high):
    found = wilson(part, whole)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(right=COUNTS, wrong=COUNTS, missed=COUNTS)
def test_scores_are_shares_inside_their_intervals(right, wrong, missed):
    score = Score(right, wrong, missed)
    for share in (score.precision, score.recall, score.f1):
        if share.value is not None:
            assert 0 <= share.low <= share.value + 1e-12
            assert share.value - 1e-12 <= share.high <= 1
    if score.precision.value and score.recall.value:
        harmonic = 2 / (1 / score.precision.value + 1 / score.recall.value)
        assert score.f1.value == pytest.approx(harmonic)


def test_nothing_judged_is_no_share():
    assert Score(0, 0, 0).f1.value is None
    assert str(Score(0, 0, 0).precision) == ""


def test_fewer_judgements_widen_the_interval():
    assert Score(90, 10, 0, seen=20).precision.low < Score(90, 10, 0).precision.low
    assert Score(90, 10, 0, seen=20).precision.value == pytest.approx(0.9)


def test_kappa_of_the_textbook_table():
    """Cohen's own kind of table: 20 both yes, 15 both no, 5 and 10 split: 0.4."""
    first = ["same"] * 25 + ["different"] * 25
    second = ["same"] * 20 + ["different"] * 5 + ["same"] * 10 + ["different"] * 15
    assert cohens_kappa(first, second).value == pytest.approx(0.4)


@given(st.lists(st.tuples(*[st.sampled_from(["same", "different", "unsure"])] * 2), max_size=60))
def test_kappa_is_symmetric_and_at_most_one(pairs):
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    found, mirrored = cohens_kappa(first, second), cohens_kappa(second, first)
    assert (found.value is None) == (mirrored.value is None)
    if found.value is not None:
        assert found.value == pytest.approx(mirrored.value)
        assert found.low <= found.value + 1e-12
        assert found.value <= found.high + 1e-12 <= 1 + 2e-12
        assert first != second or found.value == 1


def test_kappa_needs_the_same_items():
    with pytest.raises(ValueError, match="same items"):
        cohens_kappa(["same"], [])
    assert cohens_kappa([], []).value is None
    assert cohens_kappa(["same"] * 3, ["same"] * 3).value is None


def test_full_agreement_on_few_pairs_is_no_certainty_and_more_pairs_narrow_it():
    few, many = (cohens_kappa(["same", "different"] * n, ["same", "different"] * n) for n in (5, 100))
    assert few.value == many.value == 1
    assert few.low < 0.5 < many.low < 1


def test_the_interval_is_about_that_of_cohen():
    """On many pairs Wilson's and the plain normal interval meet: kappa 0.4 with a standard error of 0.0183."""
    first, second = ["same"] * 1250 + ["different"] * 1250, ["same"] * 1000 + ["different"] * 250 + ["same"] * 500 + ["different"] * 750  # fmt: skip
    found = cohens_kappa(first, second)
    error = (0.7 * 0.3 / 2500) ** 0.5 / 0.5
    assert found.low == pytest.approx(0.4 - 1.96 * error, abs=0.001)
    assert found.high == pytest.approx(0.4 + 1.96 * error, abs=0.001)


def test_consensus_is_a_majority_without_the_unsure():
    assert consensus({"a": "same", "b": "unsure"}) == "same"
    assert consensus({"a": "same", "b": "different"}) is None
    assert consensus({"a": "same", "b": "different", "c": "different"}) == "different"
    assert consensus({"a": "unsure"}) is None
    assert consensus({}) is None


def test_equal_weights_count_in_full():
    assert effective_size([2.0] * 10) == pytest.approx(10)
    assert effective_size([100.0, 1.0]) == pytest.approx(1.02, abs=0.01)
    assert effective_size([]) == 0
