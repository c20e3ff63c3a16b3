"""Measure match rules on people whose truth is known, and write docs/match-quality.md.

Run it after changing a rule or the match lab: python scripts/match_quality.py. Takes about a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import pyarrow as pa

from workbench.domain.mapping import parse_mapping
from workbench.lab.judging import judge_by_truth
from workbench.lab.linking import link, waterfall
from workbench.lab.people import CRM_ID, Attribute, People, attribute_name, kind_of
from workbench.lab.proposals import propose
from workbench.lab.rules import parse_rules
from workbench.lab.shown import Shown
from workbench.operations import sample_mapping
from workbench.simulators import world
from workbench.simulators.world import World

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "docs" / "match-quality.md"
FEBRL: Final = ROOT / "data" / "samples" / "febrl"
SANDBOX_PEOPLE: Final = 5000
FEBRL_RULES: Final = (
    "student_id",
    "first_name + last_name",
    "first_name + last_name + date_of_birth",
    "last_name + date_of_birth",
    "date_of_birth + postal_code",
    "student_id > first_name + last_name + date_of_birth > date_of_birth + postal_code",
)
SANDBOX_RULES: Final = (
    "crm_id",
    "phone",
    "email",
    "first_name + last_name",
    "enrollment_id",
    "crm_id > phone",
    "crm_id > phone > email > enrollment_id",
    "crm_id > phone > email > enrollment_id > first_name + last_name",
)

HEAD: Final = """# Match quality: how far can a rule be trusted?

Made by `scripts/match_quality.py` on people whose truth is known. A rule links a record and a contact only where both
are alone with their key; everybody else is a tie, and ties go to people. *Precision*: of the links, how many join one
person. *Recall*: of the people on both sides, how many are linked. In brackets the 95 % intervals (Wilson; for F1 the
interval of right / (right + wrong + missed), carried over). Seconds are of two shared cores, with Splink's training.

Splink's probabilities are advice: nothing in the workbench sends them anywhere. A person decides, and sets the CRM ID.
The figures tell about these people, who are synthetic. For your own, label pairs: `workbench label --by NAME`.
"""

SANDBOX_NOTE: Final = """`world.generate(5000, seed=1)`; deleted records are left out. A name alone ties
nearly everybody, and is wrong about some of the rest: never link by it without something else.
"""


def people_of(given: World, document: str) -> tuple[People, pa.Table]:
    """The people of a world, compared by what a mapping maps, and the truth: record_id, contact_id."""
    texts = [name for name in given.contacts.columns if name.startswith("custom.")]
    contacts = given.contacts.with_columns(
        pl.col(name).map_elements(lambda text: str(orjson.loads(text)), return_dtype=pl.String) for name in texts
    )
    records = given.salesforce["Contact"].filter(~pl.col("IsDeleted"))
    item = parse_mapping(document).find("Contact")
    found = {"crm_id": CRM_ID}
    for pair in item.export.fields if item.export is not None else ():
        name = attribute_name(pair.mainstay)
        if pair.salesforce in records.columns and pair.mainstay in contacts.columns:
            kind = pair.mainstay if pair.mainstay in ("phone", "email") else kind_of(name, "Text")
            found.setdefault(name, Attribute(name, pair.salesforce, pair.mainstay, kind))
    people = People.from_tables(
        records.to_arrow(), contacts.to_arrow(), list(found.values()), record_id="Id", contact_id="id"
    )
    return people, given.truth.select("record_id", "contact_id").drop_nulls().to_arrow()


def measure(people: People, truth: pa.Table, rules: Sequence[str], *, without: Sequence[str] = ()) -> Shown:
    """One row per rule, and one per Splink model: with every attribute, and without the named ones."""
    judged = [judge_by_truth(people, link(people, parse_rules(rule, people.names)), truth) for rule in rules]
    models = {"Splink, all attributes, from 0.5": propose(people)}
    if without:
        fewer = narrowed(people, without)
        models[f"Splink without {' and '.join(without)}, from 0.5"] = propose(fewer)
    rows = [row(one.links.name, one) for one in judged]
    rows += [row(name, judge_by_truth(people, model.links(0.5), truth)) for name, model in models.items()]
    return Shown("", rows)


def narrowed(people: People, without: Sequence[str]) -> People:
    """The same people without some attributes."""
    kept = [item for item in people.attributes if item.name not in without]
    plain = [Attribute(item.name, item.name, item.name, "id" if item.kind == "id" else item.kind) for item in kept]
    records, contacts = (people.table(f"SELECT * FROM work.{name}") for name in ("record", "contact"))  # noqa: S608  ours
    return People.from_tables(records, contacts, plain, record_id="id", contact_id="id")


def row(name: str, judged: Any) -> dict[str, Any]:
    score = judged.score
    return {
        "Rule": name,
        "Links": len(judged.links),
        "Precision": score.precision,
        "Recall": score.recall,
        "F1": score.f1,
        "Wrong people": int(judged.wrong_people),
        "Seconds": round(judged.links.seconds, 2),
    }


def page() -> str:
    """The whole page."""
    febrl, febrl_truth = people_of(world.from_folder(FEBRL), (FEBRL / "mapping.yaml").read_text())
    sandbox, sandbox_truth = people_of(world.generate(SANDBOX_PEOPLE, 1), sample_mapping())
    table = measure(febrl, febrl_truth, FEBRL_RULES, without=["student_id"])
    parts = [
        HEAD,
        "## FEBRL 4: 5,000 people, each once clean and once with errors\n",
        "`data/samples/febrl`; nobody carries a CRM ID or a phone.\n",
        table.markdown(),
        f"\n## The sandbox: {SANDBOX_PEOPLE:,} people per system, with the situations a sync meets\n",
        SANDBOX_NOTE,
        measure(sandbox, sandbox_truth, SANDBOX_RULES).markdown(),
        "\n### The waterfall, rule by rule\n",
        waterfall(sandbox, parse_rules(SANDBOX_RULES[-1], sandbox.names)).markdown(),
        "",
        "`adds`: new links; `confirms`, `disagrees`: pairs of this rule that earlier ones link alike, or otherwise;",
        "`tied_records`: records that share their key; `blank_records`: records without one.",
        "",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page())
