"""`MatchLab`: everything an analyst asks about match rules, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from workbench.errors import ConfigurationError, NotFound
from workbench.lab import labels
from workbench.lab.judging import Judged, Pair, compare, judge_by_labels, judge_by_truth
from workbench.lab.linking import Links, Waterfall, candidates, link, waterfall
from workbench.lab.people import People
from workbench.lab.proposals import Proposals, propose
from workbench.lab.rules import parse_rules
from workbench.lab.shown import Shown
from workbench.store import Store

if TYPE_CHECKING:
    from workbench.lab.asking import LabelPage

Spec = str | Links | Iterable[str]
SHOWN_FIRST: Final = ("first_name", "last_name", "phone", "email")
SHOWN_ATTRIBUTES: Final = 6
PAIR: Final = pa.schema([("record_id", pa.string()), ("contact_id", pa.string())])


@dataclass(frozen=True)
class Question(Shown):
    """One pair to judge: both people's values, and how many are left, this one included."""

    pair: Pair = ("", "")
    remaining: int = 0


class MatchLab:
    """The people of one store's latest pull, and the rules that might link them.

    Rules are words: `phone`; `first_name + last_name`, which must both agree; `crm_id > phone > email`, in this order.
    """

    def __init__(self, store: Store, sobject: str = "Contact") -> None:
        self.store = store
        self.sobject = sobject
        self.people = People.from_store(store, sobject)

    @property
    def attributes(self) -> list[str]:
        """What rules can use: the CRM ID and everything the mapping maps."""
        return self.people.names

    @property
    def usual_rules(self) -> str:
        """Mainstay's own order (CRM ID, then phone), then what else often identifies a person, where it is mapped."""
        known = set(self.attributes)
        wanted = ("crm_id", "phone", "email", "student_id", "enrollment_id", "first_name + last_name + date_of_birth")
        usable = [rule for rule in wanted if set(rule.split(" + ")) <= known]
        return " > ".join(usable)

    def waterfall(self, rules: str | Iterable[str] | None = None) -> Waterfall:
        """What each rule finds alone, adds, confirms and contradicts, in order."""
        return waterfall(self.people, parse_rules(rules or self.usual_rules, self.attributes))

    def links(self, rules: Spec) -> Links:
        """The pairs that rules link."""
        return rules if isinstance(rules, Links) else link(self.people, parse_rules(rules, self.attributes))

    def contradictions(self, rules: str | Iterable[str] | None = None) -> Shown:
        """Pairs of later rules that give a linked record or contact to somebody else; both people side by side."""
        found = self.waterfall(rules).contradictions
        assert found is not None
        return Shown("Later rules that disagree with earlier ones", self._side_by_side(found))

    def compare(self, first: Spec, second: Spec) -> Shown:
        """Rule A against rule B: where they agree, and where the truth is known, who is right."""
        one, other = self.links(first), self.links(second)
        truth = self._truth_of(one, other) if self.has_truth else None
        return Shown(f"A: {one.name}; B: {other.name}", compare(one, other, truth))

    def score(self, *rules: Spec, only_labels: bool = False) -> Shown:
        """Precision, recall and F1 with 95 % intervals, and the cost in people: from the truth, else from labels."""
        judged = [self.judge(spec, only_labels=only_labels) for spec in rules or (self.usual_rules,)]
        source = "the known truth" if self.has_truth and not only_labels else "labels, weighted by stratum"
        rows = [
            {
                "rule": item.links.name,
                "links": len(item.links),
                "precision": item.score.precision,
                "recall": item.score.recall,
                "F1": item.score.f1,
                "seconds": round(item.links.seconds, 3),
            }
            for item in judged
        ]
        notes = [f"{item.links.name}: {item.sentence}" for item in judged]
        return Shown(f"Judged by {source} (95 % intervals)", rows, notes)

    def judge(self, rules: Spec, *, only_labels: bool = False) -> Judged:
        """One linking with its score and its cost. Raises NotFound where neither truth nor labels are known."""
        links = self.links(rules)
        if self.has_truth and not only_labels:
            return judge_by_truth(self.people, links, self.truth)
        labelled = labels.labelled_pairs(self.store, sobject=self.sobject)
        if not labelled:
            raise NotFound("Nothing to judge by yet: label some pairs first (workbench label --by NAME).")
        return judge_by_labels(links, labelled)

    def wrong_links(self, rules: Spec) -> Shown:
        """Who would be wrongly linked: both people side by side, with the rule that did it. Needs a known truth."""
        judged = self.judge(rules)
        if judged.wrong is None:
            raise NotFound("Wrong links are known one by one only where the truth is known.")
        shown = self._side_by_side(judged.wrong)
        return Shown(f"Wrongly linked by {judged.links.name}", shown, [judged.sentence])

    @cached_property
    def truth(self) -> pa.Table:
        """Pairs known to be one person; empty where nobody knows."""
        return labels.known_truth(self.store, sobject=self.sobject)

    @property
    def has_truth(self) -> bool:
        return bool(self.truth.num_rows)

    def proposals(self, rules: Spec | None = None) -> Proposals:
        """Splink's probable matches for the records that these rules leave unlinked: advisory only."""
        return propose(self.people, without=self.links(rules or self.usual_rules))

    def proposed(self, proposals: Proposals, limit: int = 20) -> Shown:
        """The most probable proposals, both people side by side."""
        shown = self._side_by_side(proposals.pairs.slice(0, limit))
        shown.sort(key=lambda row: -row["weight"])
        return Shown("Probable matches: advisory only, people decide", shown)

    def draw_sample(self, rules: str | Iterable[str] | None = None, *, size: int = 60, seed: int = 0) -> int:
        """Choose pairs to label: the same share of every combination of rules that proposes them; how many."""
        found = candidates(self.people, parse_rules(rules or self.usual_rules, self.attributes))
        return labels.draw_sample(self.store, found, size=size, sobject=self.sobject, seed=seed)

    @property
    def sample_size(self) -> int:
        """How many pairs are drawn to be labelled."""
        return labels.sample_size(self.store, sobject=self.sobject)

    def next_pair(self, labeller: str) -> Question | None:
        """The next pair for this labeller, as values alone; None when all are judged."""
        found = labels.next_pair(self.store, labeller, sobject=self.sobject)
        if found is None:
            return None
        pair = (found["record_id"], found["contact_id"])
        left = found["remaining"]
        return Question("The same person?", self._values(pair), (f"{left} left",), pair, left)

    def label(self, pair: Pair, verdict: str, *, by: str, note: str = "") -> None:
        """Keep one answer: same, different or unsure."""
        labels.save_label(self.store, pair, verdict, labeller=by, note=note, sobject=self.sobject)

    def undo(self, *, by: str) -> Pair | None:
        """Take back the last answer, so that its pair is asked again; the pair, or None without an answer."""
        return labels.undo_label(self.store, by, sobject=self.sobject)

    def ask(self, *, by: str) -> LabelPage:
        """Pairs to label in the cell: buttons and keys instead of code. `.close()` ends it."""
        from workbench.lab.asking import LabelPage  # noqa: PLC0415  a server that only who labels here needs

        return LabelPage(self, by)

    def agreement(self) -> Shown:
        """Cohen's kappa per two labellers with its 95 % interval, and how many pairs they dispute."""
        rows = labels.agreement(self.store, sobject=self.sobject)
        disputed = labels.disputed(self.store, sobject=self.sobject)
        note = f"Disputed pairs: {len(disputed)}. They count for no rule until people agree."
        return Shown("Agreement between labellers (kappa with 95 % interval: 1 always, 0 as by chance)", rows, [note])

    def disputes(self) -> Shown:
        """The pairs that got both `same` and `different`, both people side by side: to be talked about."""
        pairs = labels.disputed(self.store, sobject=self.sobject)
        table = pa.Table.from_pylist([dict(zip(PAIR.names, pair, strict=True)) for pair in pairs], schema=PAIR)
        return Shown("Disputed pairs", self._side_by_side(table))

    def _side_by_side(self, pairs: pa.Table) -> list[dict[str, Any]]:
        """Both people of each pair, limited to who they are and to what differs somewhere."""
        rows: list[dict[str, Any]] = self.people.side_by_side(pairs).to_pylist()
        telling = [name for name in self.attributes if any(" | " in (row.get(name) or "") for row in rows)]
        kept = [name for name in (*SHOWN_FIRST, *telling) if name in self.attributes]
        shown = [*pairs.column_names, *list(dict.fromkeys(kept))[:SHOWN_ATTRIBUTES]]
        return [{name: row[name] for name in shown} for row in rows]

    def _values(self, pair: Pair) -> list[dict[str, Any]]:
        """attribute, salesforce, mainstay. The CRM ID would give the answer away, and so is not shown."""
        record, contact = self.people.one("record", pair[0]), self.people.one("contact", pair[1])
        if record is None or contact is None:
            raise ConfigurationError("A sampled pair is no longer in the latest pull: draw a new sample.")
        return [
            {"attribute": name, "salesforce": record[name], "mainstay": contact[name]}
            for name in self.attributes
            if name != "crm_id" and (record[name] is not None or contact[name] is not None)
        ]

    def _truth_of(self, *linkings: Links) -> dict[Pair, bool]:
        known = set(_pairs(self.truth))
        return {pair: pair in known for links in linkings for pair in _pairs(links.pairs)}

    def _repr_html_(self) -> str:
        records, contacts = self.people.sizes
        known = f"{self.truth.num_rows:,} pairs are known" if self.has_truth else "no truth is known: label some pairs"
        return (
            f"<p>{records:,} Salesforce records, {contacts:,} Mainstay contacts; {known}.</p>"
            f"<p>Rules can use: {', '.join(self.attributes)}</p>"
        )


def _pairs(table: pa.Table) -> list[Pair]:
    return list(zip(table["record_id"].to_pylist(), table["contact_id"].to_pylist(), strict=True))
