"""A pull killed at random moments and taken up again lands what an undisturbed one does: short rounds of the soak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.simulators.faults import PROFILES

SOAK = Path(__file__).parents[1] / "soak" / "kill_pull.py"

pytestmark = pytest.mark.slow


def soaked(*options):
    done = subprocess.run(
        [sys.executable, str(SOAK), "--contacts", "300", *options],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_four_rounds_of_kills():
    assert "4 rounds" in soaked("--rounds", "4", "--seed", "4")


def test_kills_amid_bulk_queries():
    assert "2 rounds" in soaked("--rounds", "2", "--seed", "5", "--bulk")


@pytest.mark.parametrize("faults", sorted({*PROFILES} - {"none"}))
def test_a_round_of_kills_amid_faults(faults):
    assert "1 rounds" in soaked("--rounds", "1", "--seed", "6", "--faults", faults)
