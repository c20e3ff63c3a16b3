"""Break each rule of the SQL, one at a time: a test must fail for every one of them.

    python tests/mutation/run.py [--only TEXT] [--list] [--seconds 240]

Works on a copy of the package in a temporary folder; nothing here is edited. A broken step first meets the tests of the
steps, all of them collected once: each mutation is one fork of that pytest. What they do not notice, and a broken
module, meets its wider tests in a pytest of its own. The first failure ends either. Prints one line a mutation and the
counts; exits with 1 where a broken rule goes unnoticed, and with 2 where a mutation no longer finds its text. `--list`
looks for the texts alone.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from generated import GENERATED  # noqa: E402  the folder of this script is no package
from mutant import Mutation  # noqa: E402
from table import MUTATIONS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("-q", "-x", "-n0", "-p", "no:cacheprovider", "-p", "no:randomly")
# What DuckDB and the tests load when first asked: loaded once, shared by every fork.
LIBRARIES = ("duckdb", "pandas", "polars", "pyarrow.dataset", "pytz", "orjson", "pydantic", "yaml", "sqlglot")
PASSED, FAILED, NOT_FOUND = 0, 1, 2
HUNG = -9
# A step that is no SQL any more says nothing about the tests.
INVALID = ("BinderException", "ParserException", "CatalogException", "SyntaxError")


def apart(run: Callable[[], int], log: Path, seconds: float) -> int:
    """The exit code of `run` in a fork whose output goes to `log`; HUNG where it takes too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with log.open("w") as target:
            os.dup2(target.fileno(), 1)
            os.dup2(target.fileno(), 2)
        code = run()
        sys.stdout.flush()
        os._exit(code)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG


class Broken:
    """The copy of the package, with one rule broken at a time."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds, self.log = folder, seconds, folder / "pytest.log"
        self.counts: Counter[str] = Counter()

    def judge(self, mutation: Mutation, tests: Callable[[], int], *, is_last: bool = True) -> bool:
        """Whether the tests noticed; told now, unless others are still to look."""
        path = self.folder / "workbench" / mutation.file
        text = path.read_text()
        broken = mutation.applied(text)
        assert broken is not None
        started = time.monotonic()
        _put(path, broken)
        try:
            code = apart(tests, self.log, self.seconds)
        finally:
            _put(path, text)
        verdict = self._verdict(mutation, code)
        if verdict != "SURVIVED" or is_last:
            self.counts[verdict] += 1
            took = f"{time.monotonic() - started:5.1f} s"
            print(f"{verdict:<14} {took}  {mutation.place}  {mutation.breaks}", file=sys.__stderr__, flush=True)
        return verdict != "SURVIVED"

    def _verdict(self, mutation: Mutation, code: int) -> str:
        told = self.log.read_text()
        if code == PASSED:
            return "SURVIVED"
        if code == HUNG:
            return "killed (hung)"
        if code != FAILED:
            raise SystemExit(f"The tests of {mutation} could not run ({code}):\n{told[-3000:]}")
        is_step = mutation.file.endswith(".sql")
        return "INVALID" if is_step and any(sign in told for sign in INVALID) else "killed"


def _put(path: Path, text: str) -> None:
    path.write_text(text)
    if path.suffix == ".py":  # its compiled form may look as new as the text
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)


class Forking:
    """A pytest plugin: once the tests are collected, each mutation of a step is a fork of this process.

    A step is read when it first runs, so nothing has to be loaded anew.
    """

    def __init__(self, broken: Broken, mutations: Sequence[Mutation]) -> None:
        self.broken, self.mutations = broken, mutations
        self.unnoticed: list[Mutation] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            with self.broken.log.open("a") as log:
                log.write(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        session.config.pluginmanager.getplugin("terminalreporter")._tw._file = StringIO()
        if apart(lambda: _loop(session), self.broken.log, self.broken.seconds) != PASSED:
            raise SystemExit(f"The tests fail without a mutation:\n{self.broken.log.read_text()[-3000:]}")
        sorted(session.items, key=lambda item: _names(item, ""))  # every source is read once, before the forks
        for mutation in self.mutations:
            step = Path(mutation.file).stem
            if not self.broken.judge(mutation, lambda step=step: _loop(session, step), is_last=not mutation.wider):
                self.unnoticed.append(mutation)
        return True


def _loop(session: pytest.Session, step: str = "") -> int:
    """Run the collected tests up to the first failure; those that name the step first."""
    items = sorted(session.items, key=lambda item: not _names(item, step))
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail or session.shouldstop:
            break
    return FAILED if session.testsfailed else PASSED


def _names(item: pytest.Item, step: str) -> bool:
    """Whether a test, or a fixture that it asks for, speaks of a step."""
    fixtures = [found for defs in item._fixtureinfo.name2fixturedefs.values() for found in defs]
    return any(step in _source(one) for one in (item.function, *(fixture.func for fixture in fixtures)))


_source = functools.cache(inspect.getsource)


def judge_steps(broken: Broken, mutations: Sequence[Mutation]) -> None:
    """Mutations of .sql files, first by the tests of the steps."""
    for tests in dict.fromkeys(one.tests for one in mutations):
        same = [one for one in mutations if one.tests == tests]
        forking = Forking(broken, same)
        if tests:
            pytest.main([*PYTEST, *tests], plugins=[forking])
        judge_alone(broken, [one for one in (forking.unnoticed if tests else same) if one.wider])


def judge_alone(broken: Broken, mutations: Iterable[Mutation]) -> None:
    """A pytest of its own for each mutation, in a new process: its tests load what is broken."""
    for mutation in mutations:
        command = [sys.executable, "-P", "-m", "pytest", *PYTEST, *(mutation.wider or mutation.tests)]
        broken.judge(mutation, lambda command=command: subprocess.run(command, check=False).returncode)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="Only mutations whose file or description holds this text.")
    parser.add_argument("--list", action="store_true", help="Only check that every mutation still finds its text.")
    parser.add_argument("--seconds", type=int, default=240, help="Tests that take longer than this have noticed.")
    chosen = parser.parse_args()
    mutations = [one for one in (*MUTATIONS, *GENERATED) if chosen.only in f"{one.file} {one.breaks}"]
    lost = [one for one in mutations if not one.line]
    for mutation in lost:
        print(f"TEXT NOT FOUND {mutation.file}  {mutation.breaks}")
    if lost or chosen.list:
        print(f"{len(mutations)} mutations, {len(lost)} without their text")
        return NOT_FOUND if lost else PASSED
    for library in LIBRARIES:
        importlib.import_module(library)
    os.chdir(ROOT)
    os.environ.setdefault("GUARDIAN_EXAMPLES", "40")
    with tempfile.TemporaryDirectory() as name:
        broken = Broken(Path(name), chosen.seconds)
        shutil.copytree(ROOT / "workbench", broken.folder / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, name)
        os.environ["PYTHONPATH"] = name
        judge_steps(broken, [one for one in mutations if one.file.endswith(".sql")])
        judge_alone(broken, (one for one in mutations if one.file.endswith(".py")))
    print(", ".join(f"{count} {verdict.lower()}" for verdict, count in sorted(broken.counts.items())))
    return int(broken.counts["SURVIVED"] + broken.counts["INVALID"] > 0)


if __name__ == "__main__":
    sys.exit(main())
