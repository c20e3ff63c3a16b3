"""Splink on FEBRL 4, and the wall between a probability and a write."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pyarrow as pa
import pytest

from workbench.errors import ConfigurationError
from workbench.lab.judging import judge_by_truth
from workbench.lab.linking import link
from workbench.lab.people import Attribute, People
from workbench.lab.proposals import propose
from workbench.lab.rules import parse_rules
from workbench.simulators import world

ROOT = Path(__file__).resolve().parents[2]
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
    assert "waterfall" in str(type(proposals.waterfall_chart(2))).lower()


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


def test_no_path_leads_from_a_score_to_a_write():
    """Only the match lab knows Splink, and it imports nothing that sends or approves."""
    for file in (ROOT / "workbench").rglob("*.py"):
        text = file.read_text()
        is_lab = file.parent.name == "lab"
        if re.search(r"^\s*(?:from|import) splink", text, re.MULTILINE):
            assert is_lab, file
        if re.search(r"lab\.proposals", text):
            assert is_lab or file.parent.name == "cli", file
        if is_lab:
            senders = r"^\s*(?:from|import) workbench\.(?:operations|salesforce|mainstay|stages\.(?!pull))"
            assert not re.findall(senders, text, re.MULTILINE), file
