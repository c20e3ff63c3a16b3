"""Links that rules make between records and contacts, with ties left to people. Set-based: groups first, then pairs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from workbench.lab.people import People
from workbench.lab.rules import Rule
from workbench.lab.shown import Shown
from workbench.store.quoting import identifier
from workbench.store.steps import run_step

# Whoever is tied under an earlier rule stays with people: no later, weaker rule decides about them.
_TAKE: Final = """
INSERT INTO work.taken
SELECT p.rule, p.record_id, p.contact_id FROM work.clear_pair AS p
WHERE p.rule = $rule
  AND NOT EXISTS (SELECT 1 FROM work.taken AS t WHERE t.record_id = p.record_id)
  AND NOT EXISTS (SELECT 1 FROM work.taken AS t WHERE t.contact_id = p.contact_id)
  AND NOT EXISTS (SELECT 1 FROM work.tie AS e WHERE e.rule < p.rule AND e.side = 'salesforce' AND e.id = p.record_id)
  AND NOT EXISTS (SELECT 1 FROM work.tie AS e WHERE e.rule < p.rule AND e.side = 'mainstay' AND e.id = p.contact_id)"""
_LINKS: Final = """
SELECT r.name AS rule, t.record_id, t.contact_id FROM work.taken AS t JOIN work.rule AS r ON r.rule = t.rule"""
# A shared phone of a large household stays a question of its own; a placeholder shared by thousands is none.
_CANDIDATES: Final = """
SELECT r.name AS rule, false AS is_tie, p.record_id, p.contact_id
FROM work.clear_pair AS p JOIN work.rule AS r ON r.rule = p.rule
UNION ALL
SELECT r.name AS rule, true AS is_tie, s.id AS record_id, m.id AS contact_id
FROM work.key_group AS g
JOIN work.rule AS r ON r.rule = g.rule
JOIN work.rule_key AS s ON s.rule = g.rule AND s.key = g.key AND s.side = 'salesforce'
JOIN work.rule_key AS m ON m.rule = g.rule AND m.key = g.key AND m.side = 'mainstay'
WHERE g.record_count * g.contact_count BETWEEN 2 AND 9"""


@dataclass(frozen=True)
class Links:
    """What a waterfall of rules links. pairs: rule, record_id, contact_id; each record and contact at most once."""

    name: str
    pairs: pa.Table
    seconds: float

    def __len__(self) -> int:
        return int(self.pairs.num_rows)


@dataclass(frozen=True)
class Waterfall(Shown):
    """What each rule finds alone and adds in order; `links`, and where every record stands at the end (`standing`)."""

    links: Links | None = None
    standing: tuple[tuple[str, int], ...] = ()
    contradictions: pa.Table | None = None


def link(people: People, rules: Sequence[Rule]) -> Links:
    """Apply rules in order; a pair counts where one record and one contact share a key and both are still free."""
    started = time.perf_counter()
    run_rules(people, rules)
    pairs = people.table(_LINKS)
    return Links(" > ".join(rule.name for rule in rules), pairs, time.perf_counter() - started)


def waterfall(people: People, rules: Sequence[Rule]) -> Waterfall:
    """`link`, told rule by rule, with the pairs of later rules that contradict earlier ones."""
    links = link(people, rules)
    for step in ("rule_count", "standing", "contradiction"):
        run_step(people.con, "lab", step)
    rows = people.rows("SELECT * FROM work.rule_count ORDER BY position")
    standing = {row["bucket"]: row["records"] for row in people.rows("SELECT * FROM work.standing")}
    records, contacts = people.sizes
    told = ", ".join(f"{count:,} {bucket}" for bucket, count in standing.items())
    notes = (
        f"{records:,} Salesforce records: {told}.",
        f"{contacts:,} Mainstay contacts, {contacts - len(links):,} of them without a record.",
        "Ties (several records or contacts share a key) go to people; no later rule decides about them.",
    )
    title = f"Waterfall: {links.name}"
    contradictions = people.table("SELECT * FROM work.contradiction")
    return Waterfall(title, rows, notes, links, tuple(standing.items()), contradictions)


def candidates(people: People, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Every pair that a rule proposes: rule, is_tie, record_id, contact_id; ties too, up to nine pairs per key."""
    run_rules(people, rules)
    return people.rows(_CANDIDATES)


def run_rules(people: People, rules: Sequence[Rule]) -> None:
    """Make work.rule, work.rule_key, work.key_group, work.clear_pair, work.tie and work.taken."""
    con = people.con
    con.execute("CREATE OR REPLACE TABLE work.rule (rule INTEGER, name VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE work.rule_key (rule INTEGER, side VARCHAR, id VARCHAR, key VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE work.taken (rule INTEGER, record_id VARCHAR, contact_id VARCHAR)")
    for place, rule in enumerate(rules, start=1):
        con.execute("INSERT INTO work.rule VALUES ($rule, $name)", {"rule": place, "name": rule.name})
        key = " || chr(31) || ".join(identifier(name) for name in rule.attributes)
        for side, table in (("salesforce", "record"), ("mainstay", "contact")):
            con.execute(
                f"INSERT INTO work.rule_key SELECT $rule, $side, id, {key} FROM work.{table}",  # noqa: S608  quoted names
                {"rule": place, "side": side},
            )
    for step in ("key_group", "clear_pair", "tie"):
        run_step(con, "lab", step)
    for place in range(1, len(rules) + 1):
        con.execute(_TAKE, {"rule": place})
