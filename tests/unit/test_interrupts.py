"""Ctrl-C at bad moments: one calm sentence and exit code 130, whoever swallowed it or failed because of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress

import duckdb
import pytest

from workbench import cli
from workbench.errors import StepFailed
from workbench.interrupts import heard_presses


def press():
    os.kill(os.getpid(), signal.SIGINT)


def swallowed():
    with suppress(KeyboardInterrupt):
        press()


@pytest.fixture(autouse=True)
def heeded():
    """What a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run("pull") -> (exit code, stdout, stderr)"""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main([*arguments, "--database", str(tmp_path / "store.duckdb")])
        said = capsys.readouterr()
        return ending.value.code, said.out, said.err

    return call


def test_a_swallowed_press_is_heard_and_told_after_the_end():
    with heard_presses() as presses:
        assert not presses()
        with heard_presses() as inner:
            swallowed()
        assert inner()
        assert not presses()
        swallowed()
    assert presses()
    with pytest.raises(KeyboardInterrupt):
        presses.raise_if_pressed()
    with heard_presses() as later:
        assert not later()
        later.raise_if_pressed()


def test_other_threads_hear_nothing():
    heard = []

    def listen():
        with heard_presses() as presses:
            heard.append(presses())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [False]


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (("pull",), "What had landed is kept; run workbench pull again to go on."),
        (("preview", "export"), "An unfinished preview is not kept; workbench status names the latest."),
    ],
)
def test_a_press_that_a_library_swallowed_ends_the_work_at_its_next_step(run, monkeypatch, command, kept):
    def work(*_args, progress, **_options):
        progress("one", 0, None)
        swallowed()
        progress("two", 0, None)
        pytest.fail("went on")

    monkeypatch.setattr("workbench.cli.flow.operations.pull_systems", work)
    monkeypatch.setattr("workbench.cli.flow.operations.make_preview", work)
    code, out, err = run(*command)
    assert (code, out, err) == (130, "", f"Stopped. {kept}\n")


def test_a_press_that_was_swallowed_in_the_last_step_is_told_at_the_end(run, monkeypatch):
    monkeypatch.setattr("workbench.cli.flow.operations.make_preview", lambda *_args, **_options: swallowed())
    code, out, err = run("preview", "export")
    assert (code, out) == (130, "")
    assert err == "Stopped. An unfinished preview is not kept; workbench status names the latest.\n"


@pytest.mark.parametrize(
    "error",
    [
        duckdb.InvalidInputException("Python Object of type Table is not suitable"),
        StepFailed("match", "SELECT 1", "cannot start a transaction"),
    ],
)
def test_what_fails_after_a_press_failed_because_of_it(run, monkeypatch, error):
    def work(*_args, **_options):
        swallowed()
        raise error

    monkeypatch.setattr("workbench.cli.flow.operations.pull_systems", work)
    monkeypatch.setattr("workbench.cli.tools.views.run_sql", work)
    code, out, err = run("pull")
    assert (code, out, err.count("Stopped."), err.count("\n")) == (130, "", 1, 1)
    code, out, err = run("sql", "SELECT 1")
    assert (code, out, err) == (130, "", "Stopped. Nothing is left half done; the same command may be run again.\n")


def test_a_command_that_keeps_nothing_says_so(run, monkeypatch):
    monkeypatch.setattr("workbench.cli.tools.views.run_sql", lambda *_: press())
    code, out, err = run("sql", "SELECT 1")
    assert (code, out, err) == (130, "", "Stopped. Nothing is left half done; the same command may be run again.\n")


def command(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_press_while_the_command_still_loads(tmp_path):
    script = """
        import builtins, os, signal
        from workbench.cli.startup import run

        whole = builtins.__import__

        def pressing(name, *rest, **options):
            if name == "duckdb":
                os.kill(os.getpid(), signal.SIGINT)
            return whole(name, *rest, **options)

        builtins.__import__ = pressing
        run()
    """
    done = command(script, "status", "--database", str(tmp_path / "store.duckdb"))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


@pytest.mark.parametrize("moment", ["threading._register_atexit(press)", "atexit.register(press)"])
def test_a_press_when_everything_is_said_changes_nothing(tmp_path, moment):
    script = f"""
        import atexit, os, signal, threading
        from workbench.cli.startup import run

        def press():
            os.kill(os.getpid(), signal.SIGINT)

        {moment}
        run()
    """
    done = command(script, "sql", "SELECT 1 AS one", "--json", "--database", str(tmp_path / "store.duckdb"))
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"one":1}\n', "")
