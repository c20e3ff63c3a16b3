"""Kill a push with SIGKILL at random moments, push again until it is done, and count what both systems saw.

Run: python tests/soak/kill_push.py --rounds 20 [--changes 2000] [--seed 1] [--faults lossy]
Each round takes one direction: a fresh copy of a store with an approved batch, both sandboxes set back, one to three
kills, then pushes until the batch is done. Proven from the sandboxes' request logs and the journal:
no change lost, no create made twice, one outcome per change, each as in a push nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.domain.fields import Direction
from workbench.domain.mapping import salesforce_paths
from workbench.engine.preview import make_preview
from workbench.errors import WorkbenchError
from workbench.settings import load_settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch
from workbench.stages.pull import pull
from workbench.stages.push import push_batch
from workbench.store import Store
from workbench.store.mappings import current_mapping, save_mapping

STARTER = Path(__file__).parents[2] / "data" / "mappings" / "starter.yaml"


@dataclass
class Tally:
    rounds: int = 0
    kills: int = 0
    changes: int = 0
    lost: int = 0
    doubled: int = 0
    extra_outcomes: int = 0
    different: int = 0
    read_back: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.extra_outcomes or self.different or self.problems)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.kills} kills, {self.changes} changes: {self.lost} lost, "
            f"{self.doubled} created twice, {self.extra_outcomes} outcomes too many, {self.different} ended otherwise "
            f"than undisturbed; {self.read_back} settled by reading back"
        )


@dataclass(frozen=True)
class Prepared:
    """A store at rest with one approved batch, and how that batch ends when nobody disturbs its push."""

    direction: Direction
    path: Path
    batch: int
    ends: dict[str, tuple[str, tuple[str, ...]]]
    seconds: float


class Soak:
    """Both sandboxes in this process; every push is a process of its own."""

    def __init__(self, changes: int, seed: int, folder: Path, sandbox: Sandbox, faults: str = "none") -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.random = random.Random(seed)
        self.changes = changes
        self.faults = faults
        self.env = {**os.environ, **sandbox.settings_env(), "WORKBENCH_PUSH__STOP_MARGIN": "1.0",
                    "WORKBENCH_PUSH__CHUNK": str(max(20, changes // 8))}  # fmt: skip
        self.fresh = sandbox.saved()

    def prepare(self, direction: Direction) -> Prepared:
        path = self.folder / f"{direction}.duckdb"
        os.environ.update({key: value for key, value in self.env.items() if key.startswith("WORKBENCH_")})
        settings = load_settings()
        store = Store(str(path))
        save_mapping(store, STARTER.read_text(), author="Soak")
        revision = current_mapping(store)
        assert revision is not None
        pull(store, settings, wanted={"Contact": salesforce_paths(revision.mapping.objects[0])})
        made = make_preview(store, direction=direction, revision=revision)
        chosen = Slice(all=True, sql=f"seq <= (SELECT max(seq) FROM (SELECT seq FROM preview.change WHERE preview_id = "
                       f"{made.preview_id} AND action IN ('update', 'link', 'create', 'blocked') ORDER BY seq LIMIT {self.changes}))")  # fmt: skip
        batch = create_batch(store, made.preview_id, by="Ana", chosen=chosen).batch
        approve_batch(store, settings, batch, by="Bo")
        clean = self.folder / f"{direction}.clean.duckdb"
        shutil.copy(path, clean)
        self.reset()
        process = self.push(clean, batch)
        self.wait_for_a_request(process)
        begun = time.perf_counter()
        assert process.wait() == 0
        seconds = time.perf_counter() - begun
        ends = {row["change_id"]: (row["status"], tuple(row["codes"])) for row in outcomes(Store(str(clean)), batch)}
        self.reset()
        return Prepared(direction, path, batch, ends, seconds)

    def push(self, path: Path, batch: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--push", str(path), str(batch)]
        return subprocess.Popen(command, env=self.env)

    def wait_for_a_request(self, process: subprocess.Popen[bytes]) -> None:
        """Until this push has sent something, or ended."""
        before = self.seen()
        while self.seen() == before and process.poll() is None:
            time.sleep(0.002)

    def seen(self) -> int:
        return len(self.sandbox.institution.log.requests) + len(self.sandbox.salesforce_org.log.requests)

    def reset(self) -> None:
        self.sandbox.restore(self.fresh)
        self.sandbox.institution.log.requests.clear()
        self.sandbox.salesforce_org.log.clear()

    def round(self, prepared: Prepared, tally: Tally) -> None:
        self.reset()
        for faults in self.sandbox.faults.values():
            faults.use(self.faults, seed=self.random.randrange(1 << 30))
        path = self.folder / "round.duckdb"
        shutil.copy(prepared.path, path)
        for _ in range(self.random.randint(1, 3)):
            process = self.push(path, prepared.batch)
            self.wait_for_a_request(process)
            try:
                process.wait(self.random.uniform(0.0, 0.7) * prepared.seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                tally.kills += 1
        for _ in range(10):
            if self.push(path, prepared.batch).wait() == 0:
                break
        self.judge(prepared, Store(str(path)), tally)

    def judge(self, prepared: Prepared, store: Store, tally: Tally) -> None:
        tally.rounds += 1
        tally.changes += len(prepared.ends)
        found = outcomes(store, prepared.batch)
        ends = {row["change_id"]: (row["status"], tuple(row["codes"])) for row in found}
        per_change = Counter(row["change_id"] for row in found)
        tally.extra_outcomes += sum(count - 1 for count in per_change.values())
        tally.read_back += sum(row["origin"] == "reconcile" for row in found)
        arrived = self.arrivals()
        silent = [name for name in prepared.ends if name not in ends or name not in arrived]
        tally.lost += len(silent)
        different = [name for name, end in prepared.ends.items() if name in ends and ends[name] != end]
        tally.different += len(different)
        said = {row["change_id"]: row["fail_message"] for row in found}
        tally.problems += [f"{name}: {prepared.ends[name]} became {ends[name]}: {said[name]}" for name in different[:3]]
        tally.doubled += sum(count - 1 for count in self.creates().values() if count > 1)
        state = store.rows("SELECT state FROM journal.batch WHERE batch_id = $b", {"b": prepared.batch})[0]["state"]
        if state != "done":
            tally.problems.append(f"the batch ended {state}")

    def arrivals(self) -> set[str]:
        """Changes that either system received a request for."""
        return {name for seen in self.sandbox.requests for name in (seen.change_id or "").split(",") if name}

    def creates(self) -> Counter[str]:
        """Records that creates really made: by CRM ID on Mainstay, by change on Salesforce."""
        made: Counter[str] = Counter()
        for seen in self.sandbox.requests:
            if seen.method != "POST":
                continue
            if seen.system == "mainstay" and seen.status == 201:
                made[seen.body["crm_id"]] += 1
            elif (
                seen.system == "salesforce" and "composite/sobjects" in seen.path and seen.change_id and seen.record_ids
            ):
                names = seen.change_id.split(",")
                made.update(name for name, made_id in zip(names, seen.record_ids, strict=True) if made_id)
        return made


def outcomes(store: Store, batch: int) -> list[dict[str, Any]]:
    return store.rows("SELECT * FROM journal.outcome WHERE batch_id = $b ORDER BY change_id", {"b": batch})


def soak(rounds: int, changes: int, seed: int, *, faults: str = "none", say: Any = print) -> Tally:
    """Run the rounds, both directions in turn."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, Sandbox(generate(int(changes * 1.7) + 20, seed)) as sandbox:
        run = Soak(changes, seed, Path(folder), sandbox, faults)
        prepared = [run.prepare(Direction.EXPORT), run.prepare(Direction.IMPORT)]
        for item in prepared:
            creates = "updates, links and creates"
            say(f"{item.direction}: {len(item.ends)} changes ({creates}), {item.seconds:.1f} s of sending undisturbed")
        for number in range(rounds):
            run.round(prepared[number % 2], tally)
            say(f"round {number + 1}: {tally}")
    return tally


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--changes", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--faults", default="none", help="a fault profile of the sandbox")
    options.add_argument("--push", nargs=2, metavar=("STORE", "BATCH"), help="one push, as the rounds start it")
    given = options.parse_args()
    if given.push:
        try:
            report = push_batch(Store(given.push[0]), load_settings(), int(given.push[1]), by="Soak")
        except WorkbenchError as error:
            if "done and cannot" in str(error):
                return 0
            print(error, file=sys.stderr)
            return 3
        return 0 if report.state == "done" else 1
    tally = soak(given.rounds, given.changes, given.seed, faults=given.faults)
    for problem in tally.problems:
        print(problem)
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
