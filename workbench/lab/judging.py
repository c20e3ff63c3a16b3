"""Links held against what is known: the truth, where it is known, or labels that people gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from workbench.lab.linking import Links
from workbench.lab.measures import Score, effective_size
from workbench.lab.people import People

Pair = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """A linking with its score and its cost in people.

    wrong_people: records whose student would get another person's texts. missed_people: known pairs left apart, for
    whom a create would make a second contact. From labels both are estimates over the sampled strata.
    """

    links: Links
    score: Score
    wrong_people: float
    missed_people: float
    wrong: pa.Table | None = None

    @property
    def sentence(self) -> str:
        """The cost in people."""
        return f"{_students(self.wrong_people)} would get another person's texts; {_left(self.missed_people)}."


@dataclass(frozen=True)
class LabelledPair:
    """A pair on which the labellers agree; `weight` says how many pairs of its stratum it stands for."""

    record_id: str
    contact_id: str
    is_same: bool
    weight: float = 1.0


def judge_by_truth(people: People, links: Links, truth: pa.Table) -> Judged:
    """Exact counts: `truth` holds record_id and contact_id of every pair that is one person."""
    people.con.register("known_truth", truth)
    people.con.register("made_links", links.pairs)
    counts = people.rows(
        """WITH truth AS (SELECT DISTINCT record_id, contact_id FROM known_truth)
           SELECT count(*) FILTER (WHERE t.record_id IS NOT NULL) AS right_count,
                  count(*) FILTER (WHERE t.record_id IS NULL) AS wrong_count,
                  (SELECT count(*) FROM truth) AS known
           FROM made_links AS l
           LEFT JOIN truth AS t ON t.record_id = l.record_id AND t.contact_id = l.contact_id"""
    )[0]
    wrong = people.table(
        """SELECT l.rule, l.record_id, l.contact_id, t.contact_id AS true_contact_id
           FROM made_links AS l
           LEFT JOIN (SELECT record_id, min(contact_id) AS contact_id FROM known_truth GROUP BY record_id) AS t
             ON t.record_id = l.record_id
           WHERE NOT EXISTS (SELECT 1 FROM known_truth AS k
                             WHERE k.record_id = l.record_id AND k.contact_id = l.contact_id)
           ORDER BY l.record_id"""
    )
    score = Score(counts["right_count"], counts["wrong_count"], counts["known"] - counts["right_count"])
    return Judged(links, score, score.wrong, score.missed, wrong)


def judge_by_labels(links: Links, labels: Sequence[LabelledPair]) -> Judged:
    """Estimates from a stratified sample of labelled pairs, each weighted by what it stands for.

    Recall is among the pairs that some rule proposed: pairs that no rule found were never shown to anybody.
    """
    made: set[Pair] = set(zip(links.pairs["record_id"].to_pylist(), links.pairs["contact_id"].to_pylist(), strict=True))
    right = wrong = missed = 0.0
    used: list[float] = []
    for label in labels:
        is_linked = (label.record_id, label.contact_id) in made
        if is_linked or label.is_same:
            used.append(label.weight)
        if is_linked and label.is_same:
            right += label.weight
        elif is_linked:
            wrong += label.weight
        elif label.is_same:
            missed += label.weight
    return Judged(links, Score(right, wrong, missed, effective_size(used)), wrong, missed)


def compare(first: Links, second: Links, truth: Mapping[Pair, bool] | None = None) -> list[dict[str, object]]:
    """Where two linkings agree: rows of `where`, pairs, and with a truth how many of them are right.

    where: both | only A | only B | another partner (the record is linked by both, but not to the same contact).
    """
    one, other = _by_record(first), _by_record(second)
    found: dict[str, list[Pair]] = {
        "both": [],
        "only A": [],
        "only B": [],
        "A, where B differs": [],
        "B, where A differs": [],
    }
    for record, contact in one.items():
        if other.get(record) == contact:
            found["both"].append((record, contact))
        elif record in other:
            found["A, where B differs"].append((record, contact))
            found["B, where A differs"].append((record, other[record]))
        else:
            found["only A"].append((record, contact))
    found["only B"] = [(record, contact) for record, contact in other.items() if record not in one]
    rows: list[dict[str, object]] = []
    for where, pairs in found.items():
        row: dict[str, object] = {"where": where, "pairs": len(pairs)}
        if truth is not None:
            known = [truth[pair] for pair in pairs if pair in truth]
            row |= {"right": sum(known), "wrong": len(known) - sum(known)}
        rows.append(row)
    return rows


def _by_record(links: Links) -> dict[str, str]:
    return dict(zip(links.pairs["record_id"].to_pylist(), links.pairs["contact_id"].to_pylist(), strict=True))


def _students(count: float) -> str:
    shown = f"{round(count):,}"
    return f"{shown} student{'' if shown == '1' else 's'}"


def _left(count: float) -> str:
    shown = f"{round(count):,}"
    return f"{shown} known {'pair stays' if shown == '1' else 'pairs stay'} apart"
