"""`workbench lab` and `workbench label`: JupyterLab with everything ready, and blind questions in a terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from workbench import cli
from workbench.cli import lab as lab_commands
from workbench.lab.labels import verdicts
from workbench.store import Store

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples" / "csv"
COMMAND = Path(sys.executable).with_name("workbench")


@pytest.fixture
def store(tmp_path, monkeypatch, capsys):
    """A store with the sample files read in."""
    monkeypatch.setenv("WORKBENCH_DATABASE", str(tmp_path / "people.duckdb"))
    monkeypatch.chdir(tmp_path)
    run("import-csv", "--salesforce", SAMPLES / "salesforce_report.csv", "--mainstay", SAMPLES / "mainstay_contacts.csv", "--json", "--yes")  # fmt: skip
    capsys.readouterr()
    return Store(str(tmp_path / "people.duckdb"))


def run(*arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main([str(word) for word in arguments])
    return ending.value.code


def answered(monkeypatch, *answers):
    left = iter(answers)
    monkeypatch.setattr(lab_commands.typer, "prompt", lambda *_words, **_more: next(left))


def test_labelling_in_a_terminal(store, monkeypatch, capsys):
    answered(monkeypatch, "y", "no", "?", "u", "q")
    assert run("label", "--by", "Dana", "--draw", 12) == 0
    told = capsys.readouterr()
    assert "12 pairs to label" in told.err
    assert "3 answers kept" in told.err
    assert "12 left" in told.out
    assert "crm_id" not in told.out.split("Agreement")[0]
    assert [said["Dana"] for said in verdicts(store).values()].count("same") == 1
    answered(monkeypatch, *["y"] * 9, "q")
    assert run("label", "--by", "Dana") == 0
    assert "9 left" in capsys.readouterr().out


def test_two_labellers_are_held_against_each_other(store, monkeypatch, capsys):
    for name in ("Dana", "Sam"):
        answered(monkeypatch, *["y"] * 6)
        run("label", "--by", name, *(["--draw", 6] if name == "Dana" else []))
    capsys.readouterr()
    assert run("label", "--by", "Dana", "--report", "--rules", "crm_id > phone") == 0
    told = capsys.readouterr().out
    assert re.search(r"Dana +Sam +6 +6", told)
    assert "crm_id > phone" in told


def test_columns_have_to_be_named_whole(store, capsys):
    files = ["--salesforce", SAMPLES / "salesforce_report.csv", "--mainstay", SAMPLES / "mainstay_contacts.csv"]
    assert run("import-csv", *files, "--salesforce-column", "Mobile") == 2
    assert "HEADER=FIELD" in capsys.readouterr().err


def test_the_terminal_shows_the_guesses_first(store, capsys):
    files = ["--salesforce", SAMPLES / "salesforce_report.csv", "--mainstay", SAMPLES / "mainstay_contacts.csv"]
    assert run("import-csv", *files, "--yes", "--keep-mapping") == 0
    told = capsys.readouterr()
    for words in ("custom.High School", "300 records and 300 contacts", "Nothing was sent", "Match rules, in order"):
        assert words in told.out
    assert "title and footer" in told.err


def test_without_notebooks_it_says_where_to_run(store, tmp_path, capsys, monkeypatch):
    assert run("lab", "--folder", tmp_path / "none") == 2
    assert "--folder" in capsys.readouterr().err
    monkeypatch.setattr(lab_commands, "find_spec", lambda _name: None)
    assert run("lab") == 2
    assert "pip install" in capsys.readouterr().err


@pytest.mark.slow
def test_jupyterlab_starts_with_both_systems_and_stops_with_them(tmp_path):
    environment = {**os.environ, "WORKBENCH_DATABASE": str(tmp_path / "people.duckdb"), "JUPYTER_PLATFORM_DIRS": "1"}
    arguments = [COMMAND, "lab", "--sandbox", "--contacts", "40", "--port", "0", "--no-browser", "--folder", ROOT / "notebooks"]  # fmt: skip
    log = tmp_path / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in arguments], cwd=tmp_path, env=environment, stdout=out, stderr=out
        )
    try:
        found, deadline = None, time.monotonic() + 90
        while found is None and time.monotonic() < deadline and process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/lab\?token=(\w+)", log.read_text())
            time.sleep(0.3)
        assert found, log.read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/api/contents?token={found[2]}", timeout=30) as answer:
            names = {item["name"] for item in json.load(answer)["content"]}
        assert "01_connect_and_pull.ipynb" in names
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=40) == 130
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/api", timeout=5)
    finally:
        if process.poll() is None:
            process.terminate()  # in order, so that JupyterLab ends with it
            process.wait(timeout=60)
