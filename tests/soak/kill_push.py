"""Kill a push with SIGKILL at random moments, push again until it is done, and count what both systems saw.

    python tests/soak/kill_push.py --rounds 20 [--changes 2000] [--seed 1] [--faults lossy] [--bulk] [--disk-full]

Each round takes one direction: a fresh copy of a store with an approved batch, both sandboxes set back, one to three
kills, then pushes until the batch is done. Proven from the sandboxes' request logs, their records and the journal: no
change lost, no create made twice, one outcome per change, each as in a push nobody disturbed, and both systems at the
end as after such a push.
--faults NAME: on wires that fail so (a profile of workbench/simulators/faults.py), or `all`, one after the other.
--bulk: by Mainstay's bulk endpoint and Salesforce's Bulk 2.0 jobs, some of which fail half way.
--disk-full: instead of kills, the disk of the store runs full in mid-push, and has room again after that (a small tmpfs
where this user may mount one, else a limit on the size of files).
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.domain.fields import Direction
from workbench.domain.mapping import salesforce_paths
from workbench.engine.preview import make_preview
from workbench.settings import load_settings
from workbench.simulators.faults import PROFILES
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch, show_batch
from workbench.stages.pull import pull
from workbench.store import Store
from workbench.store.mappings import current_mapping, save_mapping

# What a run makes anew: ids and moments.
_OWN = {"id", "admithub_id", "crm_id", "created", "last_modified_at", "conversation_record_url"}
ONCE = Path(__file__).with_name("push_once.py")
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
    requests_off: int = 0
    world_off: int = 0
    full: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.extra_outcomes or self.different or self.problems
                    or self.world_off or self.requests_off)  # fmt: skip

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.kills} kills, {self.full} full disks, {self.changes} changes: {self.lost} "
            f"lost, {self.doubled} created twice, {self.extra_outcomes} outcomes too many, {self.different} ended "
            f"otherwise than undisturbed, {self.requests_off} requests without a journalled change, {self.world_off} "
            f"rounds with other records than undisturbed; {self.read_back} settled by reading back"
        )


@dataclass(frozen=True)
class Prepared:
    """A store at rest with one approved batch, and how that batch ends when nobody disturbs its push."""

    direction: Direction
    path: Path
    batch: int
    ends: dict[str, tuple[str, tuple[str, ...]]]
    seconds: float
    world: Counter[str]


class Soak:
    """Both sandboxes in this process; every push is a process of its own."""

    def __init__(
        self, changes: int, seed: int, folder: Path, sandbox: Sandbox, faults: str = "none", *, bulk: bool = False
    ) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.random = random.Random(seed)
        self.changes = changes
        self.faults = faults
        self.bulk = bulk
        self.env = {**os.environ, **sandbox.settings_env(), "WORKBENCH_PUSH__STOP_MARGIN": "1.0",
                    "WORKBENCH_PUSH__CHUNK": str(max(20, changes // 8)),
                    "WORKBENCH_PUSH__BULK_CHUNK": str(max(40, changes // 4)),
                    "WORKBENCH_MAINSTAY__BULK": str(bulk).lower(), "WORKBENCH_MAINSTAY__BULK_THRESHOLD": "1",
                    "WORKBENCH_MAINSTAY__BULK_ROWS": "50",
                    "WORKBENCH_SALESFORCE__BULK_THRESHOLD": "10" if bulk else "1000000"}  # fmt: skip
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
        world = self.world()
        self.reset()
        return Prepared(direction, path, batch, ends, seconds, world)

    def world(self) -> Counter[str]:
        """Every contact and record as it stands, without what differs from run to run: new Ids and moments."""
        contacts = [{name: value for name, value in contact.items() if name not in _OWN} | {"linked": bool(contact.get("crm_id"))}
                    for contact in self.sandbox.institution.book.all_shown()]  # fmt: skip
        records = self.sandbox.salesforce_org.records("Contact").drop(
            ["Id", "CreatedDate", "SystemModstamp", "LastModifiedDate"]
        )
        return Counter(repr(sorted(row.items())) for row in contacts) + Counter(map(repr, records.rows()))

    def push(self, path: Path, batch: int, **how: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ONCE), str(path), str(batch)]
        return subprocess.Popen(command, env=self.env, **how)

    def wait_for_a_request(self, process: subprocess.Popen[bytes]) -> None:
        """Until this push has sent something, or ended."""
        before = self.seen()
        while self.seen() == before and process.poll() is None:
            time.sleep(0.002)

    def seen(self) -> int:
        return len(self.sandbox.institution.log.requests) + len(self.sandbox.salesforce_org.log.requests)

    def reset(self) -> None:
        for faults in self.sandbox.faults.values():
            faults.use("none")
        self.sandbox.institution.bulk_failures = self.sandbox.salesforce_org.bulk_failures = 0
        if self.bulk:
            time.sleep(0.5)  # a job that a killed push left behind ends first
        self.sandbox.restore(self.fresh)
        self.sandbox.institution.log.requests.clear()
        self.sandbox.salesforce_org.log.clear()

    def round(self, prepared: Prepared, tally: Tally) -> None:
        self.reset()
        for faults in self.sandbox.faults.values():
            faults.use(self.faults, seed=self.random.randrange(1 << 30))
        if self.bulk:
            self.sandbox.institution.bulk_failures = self.random.randint(0, 3)
            self.sandbox.salesforce_org.bulk_failures = self.random.randint(0, 2)
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
        self.finish(prepared, path, tally)

    def finish(self, prepared: Prepared, path: Path, tally: Tally) -> None:
        for _ in range(10):
            if self.push(path, prepared.batch).wait() == 0:
                break
        else:
            steps = show_batch(Store(str(path)), prepared.batch).events
            tally.problems.append(f"{self.faults}: ten pushes did not end it: {steps[-1]}")
        self.judge(prepared, Store(str(path)), tally)

    def full_disk(self, prepared: Prepared, tally: Tally) -> None:
        """One push into a disk with a little room, then one with enough."""
        self.reset()
        room = self.random.randint(1, 5) * 256 * 1024
        with small_disk(self.folder / "small", prepared.path.stat().st_size + room) as disk:
            path = disk.folder / "round.duckdb"
            shutil.copy(prepared.path, path)
            process = self.push(path, prepared.batch, stderr=subprocess.PIPE, preexec_fn=disk.limit)
            said = process.communicate()[1].decode()
            if process.returncode == 0:
                tally.problems.append("the disk did not run full; give the round more changes")
            elif "is full" not in said or "Traceback" in said:
                tally.problems.append(f"a full disk was told so: {said}")
            tally.full += 1
            disk.grow()
            self.finish(prepared, path, tally)

    def judge(self, prepared: Prepared, store: Store, tally: Tally) -> None:
        tally.rounds += 1
        tally.changes += len(prepared.ends)
        found = outcomes(store, prepared.batch)
        ends = {row["change_id"]: (row["status"], tuple(row["codes"])) for row in found}
        per_change = Counter(row["change_id"] for row in found)
        tally.extra_outcomes += sum(count - 1 for count in per_change.values())
        tally.read_back += sum(row["origin"] == "reconcile" for row in found)
        arrived = self.arrivals()
        # A row of an ingest job carries no header; what it wrote is seen in the records.
        silent = [name for name in prepared.ends if name not in ends or (name not in arrived and not self.bulk)]
        tally.lost += len(silent)
        different = [name for name, end in prepared.ends.items() if name in ends and ends[name] != end]
        tally.different += len(different)
        said = {row["change_id"]: row["fail_message"] for row in found}
        tally.problems += [f"{name}: {prepared.ends[name]} became {ends[name]}: {said[name]}" for name in different[:3]]
        tally.doubled += sum(count - 1 for count in self.creates().values() if count > 1)
        approved = {
            row["change_id"]
            for row in store.rows("SELECT change_id FROM journal.intent WHERE batch_id = $b", {"b": prepared.batch})
        }
        tally.requests_off += len(arrived - approved)
        world = self.world()
        if world != prepared.world:
            tally.world_off += 1
            tally.problems += [
                f"{text} {(world - prepared.world).get(text, 0)}" for text in list(world - prepared.world)[:2]
            ]
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


@dataclass(frozen=True)
class SmallDisk:
    """A folder with little room. `limit` runs in a push's process before it starts."""

    folder: Path
    is_mounted: bool
    size: int

    def limit(self) -> None:
        if not self.is_mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, resource.RLIM_INFINITY))

    def grow(self) -> None:
        if self.is_mounted:
            subprocess.run(["mount", "-o", "remount,size=1g", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    try:
        yield SmallDisk(folder, mounted.returncode == 0, size)
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder)


def soak(
    rounds: int, changes: int, seed: int, *, faults: str = "none", bulk: bool = False, is_full: bool = False,
    say: Any = print,
) -> Tally:  # fmt: skip
    """Run the rounds, both directions in turn."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, Sandbox(generate(int(changes * 1.7) + 20, seed)) as sandbox:
        run = Soak(changes, seed, Path(folder), sandbox, bulk=bulk)
        prepared = [run.prepare(Direction.EXPORT), run.prepare(Direction.IMPORT)]
        for item in prepared:
            creates = "updates, links and creates"
            say(f"{item.direction}: {len(item.ends)} changes ({creates}), {item.seconds:.1f} s of sending undisturbed")
        profiles = [name for name in PROFILES if name != "none"] if faults == "all" else [faults]
        for number in range(rounds):
            run.faults = profiles[number // 2 % len(profiles)]
            (run.full_disk if is_full else run.round)(prepared[number % 2], tally)
            say(f"round {number + 1} ({run.faults}): {tally}", flush=True)
    return tally


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--changes", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--faults", default="none", help="a fault profile of the sandbox, or all")
    options.add_argument("--bulk", action="store_true", help="by the bulk ways, some jobs of which fail")
    options.add_argument("--disk-full", action="store_true", help="a full disk instead of kills")
    given = options.parse_args()
    tally = soak(given.rounds, given.changes, given.seed, faults=given.faults, bulk=given.bulk, is_full=given.disk_full)
    for problem in tally.problems:
        print(problem)
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
