"""Kill a pull with SIGKILL at random moments, pull again until it is done, and compare the store cell by cell.

Run: python tests/soak/kill_pull.py --rounds 20 [--contacts 2000] [--seed 1] [--faults storm | --faults all] [--bulk]
With `--faults all`, that many rounds under each profile of the sandbox, by REST and by bulk queries in turn.
Each round begins with an empty store and a sandbox set back to its beginning; one to three pulls are killed, then one
is let finish. What it landed has to equal what an undisturbed pull landed: every row, every cell.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.domain.mapping import parse_mapping, salesforce_paths
from workbench.errors import WorkbenchError
from workbench.salesforce import bulk as bulk_query
from workbench.settings import load_settings
from workbench.simulators.faults import PROFILES
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.pull import pull, salesforce
from workbench.store import Store

STARTER = Path(__file__).parents[2] / "data" / "mappings" / "starter.yaml"
PULLS = 12  # at most so many until one finishes; faults may outlive the retries of one
SYSTEMS = ("salesforce", "mainstay")

Tables = dict[tuple[str, str], list[dict[str, Any]]]


@dataclass
class Tally:
    rounds: int = 0
    kills: int = 0
    resumed: int = 0
    retried: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.kills} kills, {self.resumed} lists or objects resumed, {self.retried} pulls "
            f"ended by a fault and repeated, "
            f"{len(self.problems)} problems"
        )


def contents(path: Path) -> Tables:
    """Every landing table without the pull that brought each row."""
    store = Store(str(path))
    found = store.rows(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema IN ('salesforce', 'mainstay') ORDER BY ALL"
    )
    tables: Tables = {}
    for row in found:
        name = f'{row["table_schema"]}."{row["table_name"]}"'
        rows = store.rows(f"SELECT * EXCLUDE (_pull_id) FROM {name} ORDER BY ALL")
        tables[row["table_schema"], row["table_name"]] = rows
    return tables


def differences(expected: Tables, found: Tables) -> list[str]:
    """The tables that are not the same, in words."""
    said = [f"{key} is missing" for key in expected.keys() - found.keys()]
    for key in expected.keys() & found.keys():
        if expected[key] != found[key]:
            odd = sum(one != other for one, other in zip(expected[key], found[key], strict=False))
            said.append(f"{key}: {len(expected[key])} rows became {len(found[key])}, {odd} of them differ")
    return said


class Soak:
    """One sandbox in this process; every pull is a process of its own."""

    def __init__(self, sandbox: Sandbox, folder: Path, seed: int, *, faults: str, bulk: bool) -> None:
        self.sandbox, self.folder, self.faults, self.bulk = sandbox, folder, faults, bulk
        self.random = random.Random(seed)
        self.env = {**os.environ, **sandbox.settings_env()}
        self.tally = Tally()
        calm = folder / "calm.duckdb"
        undisturbed = self.pull(calm)
        self.await_request(undisturbed, 0)
        begun = time.perf_counter()
        assert undisturbed.wait() == 0
        self.seconds = time.perf_counter() - begun  # from the first request to the end
        self.expected = contents(calm)

    def pull(self, database: Path) -> subprocess.Popen[str]:
        command = [sys.executable, __file__, "--pull", str(database), *(["--bulk"] if self.bulk else [])]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, text=True)

    def round(self) -> None:
        for place, system in enumerate(SYSTEMS):
            self.sandbox.faults[system].use(self.faults, seed=self.random.randrange(1 << 30) + place)
        path = self.folder / f"round{self.tally.rounds}.duckdb"
        left = self.random.randint(1, 3)
        for _ in range(PULLS):
            left -= self.kill_one(path)
            if not left:
                break
        for _ in range(PULLS):
            process = self.pull(path)
            said, _ = process.communicate()
            if process.returncode == 0:
                self.tally.resumed += int(said)
                break
            self.tally.retried += 1
        for system in SYSTEMS:
            self.sandbox.faults[system].use("none")
        self.tally.rounds += 1
        self.judge(path)

    def kill_one(self, path: Path) -> bool:
        """Whether a pull was killed. One that ended before is forgotten with all it landed."""
        before = self.seen()
        process = self.pull(path)
        self.await_request(process, before)
        try:
            process.communicate(timeout=self.random.uniform(0.0, 1.0) * self.seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.tally.kills += 1
            return True
        if process.returncode == 0:
            path.unlink()
        return False

    def await_request(self, process: subprocess.Popen[str], before: int) -> None:
        while self.seen() == before and process.poll() is None:
            time.sleep(0.002)

    def seen(self) -> int:
        return len(self.sandbox.institution.log.requests) + len(self.sandbox.salesforce_org.log.requests)

    def judge(self, path: Path) -> None:
        self.tally.problems += [f"round {self.tally.rounds}: {text}" for text in self.differing(path)]
        path.unlink(missing_ok=True)

    def differing(self, path: Path) -> list[str]:
        left = [entry.name for entry in self.folder.glob(f"{path.name}.spool*")]
        running = Store(str(path)).rows("SELECT object FROM journal.pull WHERE state = 'running'")
        said = differences(self.expected, contents(path))
        return [*said, *(f"{name} was left behind" for name in left), *(f"{row} still runs" for row in running)]


def soak(rounds: int, contacts: int, seed: int, *, faults: str = "none", bulk: bool = False, say: Any = print) -> Tally:
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(generate(contacts, seed), page_size=max(20, contacts // 20)) as sandbox,
    ):
        run = Soak(sandbox, Path(folder), seed, faults=faults, bulk=bulk)
        rows = sum(map(len, run.expected.values()))
        say(f"{rows} rows in {len(run.expected)} tables, {run.seconds:.1f} s undisturbed", flush=True)
        for _ in range(rounds):
            run.round()
            say(f"  {run.tally}", flush=True)
    return run.tally


def one_pull(database: str, *, bulk: bool) -> int:
    """One pull, as the rounds start it; prints how many of its lists and objects went on where another stopped."""
    if bulk:
        salesforce.BULK_FROM, bulk_query.PAGE_ROWS = 1, 100  # small orgs by bulk, in many pages
    wanted = {item.sobject: salesforce_paths(item) for item in parse_mapping(STARTER.read_text()).objects}
    try:
        report = pull(Store(database), load_settings(), wanted=wanted)
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 3
    print(sum(item.is_resumed for item in report.objects))
    return 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--contacts", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--faults", default="none", help="a fault profile of the sandbox, or all")
    options.add_argument("--bulk", action="store_true", help="read Salesforce by bulk queries")
    options.add_argument("--pull", metavar="STORE", help="one pull, as the rounds start it")
    given = options.parse_args()
    if given.pull:
        return one_pull(given.pull, bulk=given.bulk)
    profiles = sorted(PROFILES) if given.faults == "all" else [given.faults]
    is_clean = True
    for place, faults in enumerate(profiles):
        bulk = given.bulk or (given.faults == "all" and place % 2 == 1)
        tally = soak(given.rounds, given.contacts, given.seed + place, faults=faults, bulk=bulk)
        print(f"{faults}{' by bulk' if bulk else ''}: {tally}", *tally.problems, sep="\n  ", flush=True)
        is_clean = is_clean and tally.is_clean
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
