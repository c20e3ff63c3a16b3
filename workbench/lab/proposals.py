"""Splink's probabilistic proposals for the records that no rule links: advisory only.

Nothing here writes, and no other part of the workbench reads a probability: a proposal reaches a system only where a
person sets the CRM ID. Source: Splink 5, https://moj-analytical-services.github.io/splink/ (Fellegi and Sunter, 1969).
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyarrow import compute

from workbench.errors import ConfigurationError
from workbench.lab.linking import Links
from workbench.lab.people import CRM_ID, Attribute, People
from workbench.store.quoting import identifier

if TYPE_CHECKING:
    from splink import Linker

NAME: Final = "Splink (advisory)"
SAMPLED_PAIRS: Final = 300_000
# A guess at how complete an exact rule is; it only places the starting odds.
EXACT_RECALL: Final = 0.7
_STRONG: Final = frozenset({"id", "phone", "email"})
_WORDS: Final = frozenset({"text", "name"})
# How many comparisons one blocking rule may cause, and how many attributes take part.
PAIRS_PER_RECORD: Final = 10
MOST_WEAK: Final = 5
MOST_ATTRIBUTES: Final = 8
LEAST_FILLED: Final = 0.1
_EVIDENCE: Final = """
SELECT s.* FROM best_pairs AS b
JOIN scored_pairs AS s
  ON least(s.unique_id_l, s.unique_id_r) = least(b.record_id, b.contact_id)
  AND greatest(s.unique_id_l, s.unique_id_r) = greatest(b.record_id, b.contact_id)
ORDER BY b.weight DESC, b.record_id"""


@dataclass(frozen=True)
class Proposals:
    """Probable pairs, each record and contact at most once. pairs: record_id, contact_id, probability, weight.

    The best come first. weight: log2 of the odds, prior included. `linker` and `evidence` (Splink's row for each pair,
    in the same order) are for its charts.
    """

    pairs: pa.Table
    seconds: float
    linker: Any = field(repr=False)
    evidence: pa.Table = field(repr=False)
    attributes: tuple[str, ...] = field(repr=False, default=())

    def links(self, probability: float = 0.5, *, after: Links | None = None) -> Links:
        """The proposals from a probability on, to be judged as rules are; for measuring, never for sending.

        `after`: added to what these rules link.
        """
        kept = self.pairs.filter(compute.greater_equal(self.pairs["probability"], probability))
        name = pa.array([NAME] * kept.num_rows, pa.string())
        proposed = kept.select(["record_id", "contact_id"]).add_column(0, "rule", name)
        if after is None:
            return Links(NAME, proposed, self.seconds)
        pairs = pa.concat_tables([after.pairs, proposed])
        return Links(f"{after.name}, then {NAME}", pairs, after.seconds + self.seconds)

    def waterfall_chart(self, count: int = 5) -> Any:
        """Splink's waterfall: which attribute speaks for or against each of the most probable pairs."""
        return self.linker.visualisations.waterfall_chart(self.evidence.slice(0, count).to_pylist())

    def reasons(self, count: int = 5) -> list[dict[str, Any]]:
        """pair, attribute, weight: what speaks for (above 0) or against each of the most probable pairs."""
        best = zip(self.pairs.slice(0, count).to_pylist(), self.evidence.slice(0, count).to_pylist(), strict=True)
        return [
            {
                "pair": f"{place}: {pair['probability']:.3f}",
                "attribute": name,
                "weight": row[f"mw_{name}"] + row.get(f"mw_tf_adj_{name}", 0.0),
            }
            for place, (pair, row) in enumerate(best, start=1)
            for name in self.attributes
        ]

    def weights_chart(self) -> Any:
        """Splink's chart of what each level of agreement is worth."""
        return self.linker.visualisations.match_weights_chart()

    def _repr_html_(self) -> str:
        return f"<p>{self.pairs.num_rows:,} probable pairs in {self.seconds:.1f} s. Advisory only: people decide.</p>"


def propose(people: People, *, without: Links | None = None, threshold: float = 0.01) -> Proposals:
    """Train on these people and propose pairs; `without` leaves out who is linked already, after training on all.

    Raises ConfigurationError where the two systems share too little to compare.
    """
    started = time.perf_counter()
    usable = _usable(people)
    blocking = _blocking(people, usable)
    if len(usable) < 2 or not blocking:
        raise ConfigurationError("Splink needs at least two well filled attributes that both systems share.")
    with _quiet():
        linker = _trained(people, usable, blocking)
        scored = linker.inference.predict(threshold_match_probability=threshold)
        pairs = _best(scored.as_duckdbpyrelation().to_arrow_table(), people, without)
    people.con.register("best_pairs", pairs)
    evidence = people.table(_EVIDENCE)
    names = tuple(item.name for item in usable)
    return Proposals(pairs, time.perf_counter() - started, linker, evidence, names)


def _usable(people: People) -> list[Attribute]:
    """The most telling attributes: filled for a tenth of both sides, and with the most different values.

    The CRM ID is left out: it is the answer, not evidence. A language or a status tells nobody apart and costs time.
    """
    found = []
    for item in people.attributes:
        name = identifier(item.name)
        facts = people.rows(
            "SELECT r.filled AS records, c.filled AS contacts, r.n AS n "  # noqa: S608  quoted
            f"FROM (SELECT count({name}) / count(*) AS filled, count(DISTINCT {name}) AS n FROM work.record) AS r, "
            f"(SELECT count({name}) / count(*) AS filled FROM work.contact) AS c"
        )[0]
        if item != CRM_ID and min(facts["records"], facts["contacts"]) >= LEAST_FILLED:
            found.append((facts["n"], item))
    telling = sorted(found, key=lambda pair: -pair[0])[:MOST_ATTRIBUTES]
    return [item for _, item in telling]


def _blocking(people: People, usable: Sequence[Attribute]) -> list[tuple[str, ...]]:
    """Which attributes must agree for two people to be compared at all: strong ones alone, others in pairs.

    Combinations that would compare everybody with everybody are left out: they cost minutes and find nothing.
    """
    strong = [(item.name,) for item in usable if item.kind in _STRONG]
    weak = [item.name for item in usable if item.kind not in _STRONG][:MOST_WEAK]
    records, _ = people.sizes
    return [
        names
        for names in [*strong, *combinations(weak, 2)]
        if 0 < _pairs_to_compare(people, names) <= PAIRS_PER_RECORD * records
    ]


def _pairs_to_compare(people: People, names: Sequence[str]) -> int:
    keys = ", ".join(identifier(name) for name in names)
    found = people.rows(
        "SELECT CAST(coalesce(sum(r.n * c.n), 0) AS BIGINT) AS pairs "  # noqa: S608  quoted
        f"FROM (SELECT {keys}, count(*) AS n FROM work.record GROUP BY ALL) AS r "
        f"JOIN (SELECT {keys}, count(*) AS n FROM work.contact GROUP BY ALL) AS c USING ({keys})"
    )
    return int(found[0]["pairs"])


def _trained(people: People, usable: Sequence[Attribute], blocking: Sequence[tuple[str, ...]]) -> Linker:
    # Splink takes a second to load and pulls in altair: only who asks for proposals waits for it.
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    rules = [block_on(*names) for names in blocking]
    api = DuckDBAPI(people.con)
    names = ", ".join(identifier(item.name) for item in usable)
    frames = []
    for side, table in (("salesforce", "record"), ("mainstay", "contact")):
        people.con.execute(
            f"CREATE OR REPLACE TABLE splink_{side} AS SELECT id AS unique_id, {names} FROM work.{table}"  # noqa: S608  quoted
        )
        frames.append(api.register(f"splink_{side}", dataset_display_name=side))
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[_comparison(item) for item in usable],
        blocking_rules_to_generate_predictions=rules,
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(frames, settings, log_level=logging.ERROR)
    exact = [rule for rule, names in zip(rules, blocking, strict=True) if len(names) > 1][:2] or rules[:1]
    linker.training.estimate_probability_two_random_records_match(exact, recall=EXACT_RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
    # Each pass cannot judge the attributes it blocks on: the second blocks on others.
    for names_held in _disjoint(blocking):
        _maximise(linker, block_on(*names_held))
    return linker


def _maximise(linker: Linker, rule: Any) -> None:
    """One pass of expectation maximisation over the pairs that a blocking rule leaves.

    Where all of them turn out to be the same people, the odds of a match grow beyond every number, and Splink's SQL
    ends in an error; then the pass goes again with the odds it began with.
    """
    from splink.internals.exceptions import SplinkException  # noqa: PLC0415  as above; it has no public name

    training = linker.training
    try:
        training.estimate_parameters_using_expectation_maximisation(rule)
    except SplinkException:
        training.estimate_parameters_using_expectation_maximisation(rule, fix_probability_two_random_records_match=True)


def _disjoint(blocking: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Two blocking rules without an attribute in common, the most selective first."""
    pairs = sorted(blocking, key=len, reverse=True)
    first = pairs[0]
    others = [names for names in pairs[1:] if not set(names) & set(first)]
    return [first, *others[:1]]


def _comparison(item: Attribute) -> Any:
    import splink.comparison_library as cl  # noqa: PLC0415  as above

    if item.kind == "name":
        return cl.JaroWinklerAtThresholds(item.name, [0.92, 0.8]).configure(term_frequency_adjustments=True)
    if item.kind in _STRONG or item.kind == "date":
        return cl.LevenshteinAtThresholds(item.name, [1, 2])
    if item.kind in _WORDS:
        return cl.JaroWinklerAtThresholds(item.name, [0.92, 0.8])
    return cl.ExactMatch(item.name)


def _best(scored: pa.Table, people: People, without: Links | None) -> pa.Table:
    """Pairs that are each other's best and only best; a draw is left to people."""
    people.con.register("scored_pairs", scored)
    nobody = pa.table({"record_id": pa.array([], pa.string()), "contact_id": pa.array([], pa.string())})
    people.con.register("linked_pairs", nobody if without is None else without.pairs)
    return people.table(
        """WITH open AS (
               SELECT CASE source_dataset_l WHEN 'salesforce' THEN unique_id_l ELSE unique_id_r END AS record_id,
                      CASE source_dataset_l WHEN 'salesforce' THEN unique_id_r ELSE unique_id_l END AS contact_id,
                      match_probability AS probability, match_weight AS weight
               FROM scored_pairs
           ),
           free AS (
               SELECT o.* FROM open AS o
               WHERE NOT EXISTS (SELECT 1 FROM linked_pairs AS l WHERE l.record_id = o.record_id)
                 AND NOT EXISTS (SELECT 1 FROM linked_pairs AS l WHERE l.contact_id = o.contact_id)
           ),
           ranked AS (
               SELECT *,
                      rank() OVER (PARTITION BY record_id ORDER BY weight DESC) AS record_rank,
                      count(*) OVER (PARTITION BY record_id, weight) AS record_draw,
                      rank() OVER (PARTITION BY contact_id ORDER BY weight DESC) AS contact_rank,
                      count(*) OVER (PARTITION BY contact_id, weight) AS contact_draw
               FROM free
           )
           SELECT record_id, contact_id, probability, weight
           FROM ranked
           WHERE record_rank = 1 AND record_draw = 1 AND contact_rank = 1 AND contact_draw = 1
           ORDER BY weight DESC, record_id"""
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink tells about its training at length; what matters of it is in its charts."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
