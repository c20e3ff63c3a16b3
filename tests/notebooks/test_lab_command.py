"""`workbench lab` and `workbench label`: JupyterLab with everything ready, and blind questions in a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from workbench import cli
from workbench.cli import lab as lab_commands
from workbench.cli import match as match_commands
from workbench.lab.labels import save_truth, verdicts
from workbench.store import Store

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "samples" / "csv"
COMMAND = Path(sys.executable).with_name("workbench")


@pytest.fixture(scope="module")
def read_in(tmp_path_factory):
    """A store file with the sample files read in, to be copied."""
    file = tmp_path_factory.mktemp("people") / "people.duckdb"
    run("--database", file, "import-csv", "--salesforce", SAMPLES / "salesforce_report.csv", "--mainstay", SAMPLES / "mainstay_contacts.csv", "--json", "--yes")  # fmt: skip
    return file


@pytest.fixture
def store(read_in, tmp_path, monkeypatch, capsys):
    """A store with the sample files read in."""
    monkeypatch.setenv("WORKBENCH_DATABASE", str(tmp_path / "people.duckdb"))
    monkeypatch.chdir(tmp_path)
    shutil.copy(read_in, tmp_path / "people.duckdb")
    capsys.readouterr()
    return Store(str(tmp_path / "people.duckdb"))


def run(*arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main([str(word) for word in arguments])
    return ending.value.code


def answered(monkeypatch, *answers):
    left = iter(answers)
    monkeypatch.setattr(match_commands.typer, "prompt", lambda *_words, **_more: next(left))


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


def test_the_last_answer_is_taken_back(store, monkeypatch, capsys):
    answered(monkeypatch, "y", "z", "n", "q")
    assert run("label", "--by", "Dana", "--draw", 12) == 0
    assert "1 answer kept" in capsys.readouterr().err
    assert list(verdicts(store).values()) == [{"Dana": "different"}]


def test_labels_as_json(store, monkeypatch, capsys):
    for name, word in (("Dana", "y"), ("Sam", "n")):
        answered(monkeypatch, "y", word, "n", "n")
        run("label", "--by", name, *(["--draw", 4] if name == "Dana" else []))
    capsys.readouterr()
    assert run("label", "--by", "Dana", "--json") == 2
    assert "--report" in capsys.readouterr().err
    assert run("label", "--by", "Dana", "--report", "--json", "--rules", "phone") == 0
    told = json.loads(capsys.readouterr().out)
    (pair,) = told["agreement"]["rows"]
    assert (pair["one"], pair["other"], pair["both"], pair["agree"]) == ("Dana", "Sam", 4, 3)
    assert pair["kappa"]["low"] < pair["kappa"]["value"] == 0.5 < pair["kappa"]["high"]
    assert set(told["score"]["rows"][0]["precision"]) == {"value", "low", "high"}


def test_labelling_without_pairs_says_how_to_draw_some(store, capsys):
    assert run("label", "--by", "Dana") == 2
    assert "--draw" in capsys.readouterr().err


def test_rules_are_measured_in_a_terminal(store, capsys):
    assert run("match", "crm_id > phone", "crm_id > phone > email") == 0
    told = capsys.readouterr()
    for words in ("Waterfall: crm_id > phone", "A: crm_id > phone; B:", "only B", "Ties"):
        assert words in told.out
    assert "workbench label" in told.err
    assert run("match", "crm_id", "--json", "--proposals", 3) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"waterfall", "proposals"}
    assert len(found["proposals"]["rows"]) == 3
    assert "advisory only" in found["proposals"]["title"]
    assert run("match", "a", "b", "c") == 2
    assert run("match", "phone", "--object", "Nope") == 2
    assert "Nope is not in the mapping, which has: Contact" in capsys.readouterr().err
    assert run("match", "shoe_size") == 2
    assert run("match", "phone", "--wrong") == 2


def test_with_a_known_truth_rules_are_judged(store, capsys):
    known = store.query(
        'SELECT s."Id" AS record_id, c.id AS contact_id FROM salesforce."Contact" AS s '
        'JOIN mainstay.contact AS c ON c.crm_id = s."Id"'
    )
    save_truth(store, known, source="test")
    assert run("match", "phone", "--wrong", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    (row,) = found["score"]["rows"]
    assert 0.5 < row["recall"]["value"] < 1
    assert len(found["wrong"]["rows"]) == row["links"] - round(row["precision"]["value"] * row["links"])


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


def open_lab(folder, *options):
    """`workbench lab --sandbox` as a process of its own, with its output in a file."""
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "WORKBENCH_DATABASE": str(folder / "people.duckdb"), "JUPYTER_PLATFORM_DIRS": "1",
                   "TMPDIR": str(temporary)}  # fmt: skip
    arguments = [COMMAND, "lab", "--sandbox", "--contacts", "40", "--port", "0", "--no-browser", *options]
    log = folder / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in arguments], cwd=folder, env=environment, stdout=out, stderr=out
        )
    return process, log


def wait_for(look, process, log, seconds=90):
    """What `look(text of the log)` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if found := look(log.read_text()):
            return found
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def listening(text):
    """Address and token, once JupyterLab answers: it tells them a moment before it listens."""
    found = re.search(r"http://127\.0\.0\.1:(\d+)/lab\?token=(\w+)", text)
    with contextlib.suppress(OSError):
        return found if found and ask_jupyter(found, "status") else None


def ask_jupyter(found, path, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{found[1]}/api/{path}", method=method, data=b"" if method == "POST" else None)  # fmt: skip
    request.add_header("Authorization", f"token {found[2]}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def alive(words):
    """Processes of this machine whose command line holds the words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words in entry.read_bytes().decode(errors="replace"):
                found.append(entry.parent.name)
    return found


@pytest.mark.slow
def test_jupyterlab_starts_with_both_systems_and_stops_with_all_of_them(tmp_path):
    """Ctrl-C, pressed twice by somebody in a hurry, ends JupyterLab, its kernels and both systems, and tidies up."""
    process, log = open_lab(tmp_path)
    try:
        found = wait_for(listening, process, log)
        names = {item["name"] for item in ask_jupyter(found, "contents")["content"]}
        assert "01_connect_and_pull.ipynb" in names, "found from another folder"
        kernel = f"kernel-{ask_jupyter(found, 'kernels', 'POST')['id']}"
        assert alive(kernel)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130, log.read_text()
        with pytest.raises(OSError):
            ask_jupyter(found, "status")
        deadline = time.monotonic() + 20
        while alive(kernel) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not alive(kernel)
        assert not list((tmp_path / "tmp").glob("workbench-lab-*"))
        assert "The sandbox and its store are gone" in log.read_text()
    finally:
        if process.poll() is None:
            process.terminate()  # in order, so that JupyterLab ends with it
            process.wait(timeout=60)
