"""Splink on FEBRL 4, and the wall between a probability and a write."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

import workbench as wb
from workbench.errors import ConfigurationError
from workbench.lab import MatchLab
from workbench.lab.judging import judge_by_truth
from workbench.lab.linking import link
from workbench.lab.people import Attribute, People
from workbench.lab.proposals import propose
from workbench.lab.rules import parse_rules
from workbench.settings import Settings
from workbench.simulators import world

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples" / "csv"
# Warnings of Splink's own imports (altair and its schema) are not ours to fix.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def febrl():
    spec = importlib.util.spec_from_file_location("match_quality", ROOT / "scripts" / "match_quality.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.people_of(world.from_folder(script.FEBRL), (script.FEBRL / "mapping.yaml").read_text())


@pytest.mark.slow
def test_splink_finds_febrl_4(febrl):
    people, truth = febrl
    proposals = propose(people)
    judged = judge_by_truth(people, proposals.links(), truth)
    assert judged.score.f1.value >= 0.97
    assert len(set(proposals.pairs["record_id"].to_pylist())) == proposals.pairs.num_rows
    reasons = proposals.reasons(3)
    assert len(reasons) == 3 * len(proposals.attributes)
    assert max(row["weight"] for row in reasons) > 0
    waterfall, weights = (
        json.dumps(chart.chart_dict) for chart in (proposals.waterfall_chart(2), proposals.weights_chart())
    )
    for attribute in proposals.attributes:
        assert f'"{attribute}"' in waterfall
        assert f'"{attribute}"' in weights


@pytest.mark.slow
def test_proposals_leave_out_who_is_linked(febrl):
    people, _ = febrl
    linked = link(people, parse_rules("student_id", people.names))
    proposals = propose(people, without=linked)
    assert not set(linked.pairs["record_id"].to_pylist()) & set(proposals.pairs["record_id"].to_pylist())
    assert not set(linked.pairs["contact_id"].to_pylist()) & set(proposals.pairs["contact_id"].to_pylist())
    assert proposals.pairs.num_rows > 100


def test_too_little_in_common_is_said():
    people = People.from_tables(
        pa.table({"id": ["r1"], "name": ["Ana"]}),
        pa.table({"id": ["c1"], "name": ["Ana"]}),
        [Attribute("name", "name", "name", "name")],
        record_id="id",
        contact_id="id",
    )
    with pytest.raises(ConfigurationError, match="at least two"):
        propose(people)


def test_people_whom_every_attribute_tells_apart_are_proposed_all_the_same():
    """All pairs that are compared are the same person: then Splink takes the odds beyond every number."""
    numbers = range(20_000)
    values = {f"text_{width}": [f"v{number * width % 9973}" for number in numbers] for width in (3, 4, 5, 7, 8)}
    values["email"] = [f"user{number}@example.edu" for number in numbers]
    people = People.from_tables(
        pa.table({"id": [f"r{number}" for number in numbers], **values}),
        pa.table({"id": [f"c{number}" for number in numbers], **values}),
        [Attribute(name, name, name, "email" if name == "email" else "text") for name in values],
        record_id="id",
        contact_id="id",
    )
    pairs = propose(people).pairs.to_pylist()
    assert len(pairs) == len(numbers)
    assert all(pair["record_id"][1:] == pair["contact_id"][1:] for pair in pairs)


def test_no_code_leads_from_a_score_to_a_write():
    """Only the match lab knows Splink and reads labels; it imports nothing that sends or approves.

    That nothing which previews, approves or pushes imports the lab is a contract of import-linter (pyproject.toml).
    """
    for file in [*(ROOT / "workbench").rglob("*.py"), *(ROOT / "workbench").rglob("*.sql")]:
        text = file.read_text()
        is_lab = file.parent.name == "lab"
        if re.search(r"^\s*(?:from|import) splink", text, re.MULTILINE):
            assert is_lab, file
        if re.search(r"lab\.proposals", text):
            assert is_lab or file.parent.name == "cli", file
        if re.search(r"\b(?:lab\.(?:label|sample|truth)|view\.label)\b", text):
            assert is_lab or file.parent.name == "migrations", file
        if is_lab:
            senders = r"^\s*(?:from|import) workbench\.(?:operations|salesforce|mainstay|stages\.(?!pull))"
            assert not re.findall(senders, text, re.MULTILINE), file


def test_scores_and_labels_change_no_preview_and_write_nothing_outside_the_lab(tmp_path):
    """Preview, then measure, propose and label as much as one can, then preview again: every other table and every
    request that would be sent are what they were, although the labels contradict the rules."""
    bench = wb.connect(tmp_path / "people.duckdb", settings=Settings())
    bench.import_csv(SAMPLES / "salesforce_report.csv", SAMPLES / "mainstay_contacts.csv").confirm(by="Dana")
    before = [list(bench.preview(direction).requests.select("change_id", "method", "path", "body")) for direction in ("export", "import")]  # fmt: skip
    held = tables_of(bench.store)
    lab = MatchLab(bench.store)
    proposals = lab.proposals("crm_id")
    assert proposals.pairs.num_rows > 20
    lab.compare("crm_id", proposals.links(0.5))
    lab.draw_sample("crm_id > phone", size=20)
    while (question := lab.next_pair("Dana")) is not None:
        lab.label(question.pair, "different", by="Dana")
    moved = {name for name, rows in tables_of(bench.store).items() if rows != held.get(name)}
    assert moved == {"lab.label", "lab.sample"}
    after = [list(bench.preview(direction).requests.select("change_id", "method", "path", "body")) for direction in ("export", "import")]  # fmt: skip
    assert [without_number(rows) for rows in before] == [without_number(rows) for rows in after]
    assert sum(map(len, before)) > 100


def without_number(rows):
    """Requests without the number of their preview, which stands first in a change id."""
    return [{**row, "change_id": row["change_id"].split("-")[-1]} for row in rows]


def tables_of(store):
    """Table -> its rows and their hash, for every table of the store."""
    names = store.rows("SELECT schema_name AS s, table_name AS t FROM duckdb_tables() WHERE NOT temporary")
    return {
        f"{row['s']}.{row['t']}": store.rows(
            f'SELECT count(*) AS n, CAST(bit_xor(hash(found)) AS VARCHAR) AS h FROM {row["s"]}."{row["t"]}" AS found'
        )
        for row in names
    }
