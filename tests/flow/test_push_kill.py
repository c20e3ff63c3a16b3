"""A push killed at random moments loses nothing and repeats nothing: three short rounds of the soak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "soak" / "kill_push.py"


@pytest.mark.slow
def test_three_rounds_of_kills():
    done = subprocess.run(
        [sys.executable, str(SOAK), "--rounds", "3", "--changes", "200", "--seed", "4"],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rounds" in done.stdout
