"""What a push costs: requests per change, and its pace against a loop that sends the same and records nothing.

    python benchmarks/push.py [--changes 2000] [--runs 3] [--json]

requests_per_change: of a push over a fresh pull, beside the package's own order (PUT by CRM ID, PUT by phone, POST) on
the same data. ratio: seconds of the push (intents, attempts, outcomes, scores and all) over the seconds of an httpx
async loop with as many workers that sends the same requests to an equal sandbox; the median of the runs, which take
turns. The sandbox runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from workbench import views
from workbench.domain.fields import Direction
from workbench.domain.mapping import salesforce_paths
from workbench.engine.preview import make_preview
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.stages.approve import Slice, approve_batch, create_batch
from workbench.stages.pull import pull
from workbench.stages.push import push_batch
from workbench.store import Store
from workbench.store.mappings import current_mapping, save_mapping

STARTER = Path(__file__).parents[1] / "data" / "mappings" / "starter.yaml"
COMMAND = Path(sys.executable).with_name("workbench")
SEED = 7


@contextmanager
def sandbox(contacts: int, ports: tuple[int, int] = (0, 0)):
    """The connection of a sandbox that runs beside this process."""
    command = [COMMAND, "sandbox", "--contacts", str(contacts), "--seed", str(SEED), "--json",
               "--port-salesforce", str(ports[0]), "--port-mainstay", str(ports[1])]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def settings_of(connection: dict) -> Settings:
    salesforce = {name: connection["salesforce"][name] for name in ("instance_url", "access_token")}
    return Settings(
        _env_file=None,
        mainstay=MainstaySettings(**connection["mainstay"]),
        salesforce=SalesforceSettings(**salesforce),
    )


def prepare(connection: dict, path: Path, changes: int) -> tuple[int, list[tuple[str, str, bytes]]]:
    """A store with an approved export batch over a fresh pull; the batch and its requests in order."""
    store, settings = Store(str(path)), settings_of(connection)
    save_mapping(store, STARTER.read_text(), author="Benchmark")
    revision = current_mapping(store)
    pull(store, settings, wanted={"Contact": salesforce_paths(revision.mapping.objects[0])})
    made = make_preview(store, direction=Direction.EXPORT, revision=revision)
    first = store.rows(
        """SELECT max(seq) AS last FROM (SELECT seq FROM preview.change WHERE preview_id = $p
           AND action IN ('update', 'link', 'create', 'blocked') ORDER BY seq LIMIT $n)""",
        {"p": made.preview_id, "n": changes},
    )[0]["last"]
    batch = create_batch(store, made.preview_id, by="Ana", chosen=Slice(all=True, sql=f"seq <= {first}")).batch
    approve_batch(store, settings, batch, by="Bo")
    rows = store.rows(
        """SELECT r.method, r.path, r.body FROM journal.batch_change AS c JOIN journal.batch AS b USING (batch_id)
           JOIN preview.request AS r ON r.preview_id = b.preview_id AND r.change_id = c.change_id
           WHERE c.batch_id = $b AND c.is_approved ORDER BY c.seq""",
        {"b": batch},
    )
    return batch, [(row["method"], row["path"], row["body"].encode()) for row in rows]


async def bare(settings: Settings, requests: list[tuple[str, str, bytes]]) -> None:
    """Send, and record nothing."""
    section = settings.mainstay
    headers = {
        "Authorization": f"{section.auth_scheme} {section.token.get_secret_value()}",
        "Content-Type": "application/json",
    }
    waiting = iter(requests)
    limits = httpx.Limits(max_connections=section.concurrency)
    async with httpx.AsyncClient(base_url=section.base_url, headers=headers, limits=limits) as client:

        async def worker() -> None:
            for method, path, body in waiting:
                await client.request(method, path, content=body)

        await asyncio.gather(*(worker() for _ in range(section.concurrency)))


def run(prepared: Path, batch: int, requests: list, contacts: int) -> dict[str, float]:
    """One turn of each, each on a sandbox as it was pulled."""
    with sandbox(contacts) as connection:
        started, cpu = time.perf_counter(), time.process_time()
        asyncio.run(bare(settings_of(connection), requests))
        loop_seconds, loop_cpu = time.perf_counter() - started, time.process_time() - cpu
    with sandbox(contacts) as connection, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        shutil.copy(prepared, path)
        started, cpu = time.perf_counter(), time.process_time()
        report = push_batch(Store(str(path)), settings_of(connection), batch, by="Benchmark")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        ended = sum(report.counts.values())
        return {
            "loop_seconds": loop_seconds, "push_seconds": seconds, "push_cpu_seconds": cpu, "cpu_ratio": cpu / loop_cpu,
            "ratio": seconds / loop_seconds, "changes": ended, "requests": report.requests,
            "package_requests": views.package_requests(Store(str(path)), batch) or 0, "pending": report.pending,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--changes", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    os.environ["WORKBENCH_PUSH__STOP_MARGIN"] = "1.0"
    contacts = args.changes * 3
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.duckdb"
        with sandbox(contacts) as connection:
            batch, requests = prepare(connection, prepared, args.changes)
        runs = [run(prepared, batch, requests, contacts) for _ in range(args.runs)]
    last = runs[-1]
    found = {
        "changes": last["changes"],
        "pending": last["pending"],
        "requests_per_change": round(last["requests"] / last["changes"], 4),
        "package_requests_per_change": round(last["package_requests"] / last["changes"], 4),
        "push_per_second": round(statistics.median(r["changes"] / r["push_seconds"] for r in runs), 1),
        "loop_per_second": round(statistics.median(r["changes"] / r["loop_seconds"] for r in runs), 1),
        "ratio": round(statistics.median(r["ratio"] for r in runs), 3),
        "ratios": [round(r["ratio"], 3) for r in runs],
        "cpu_ratio": round(statistics.median(r["cpu_ratio"] for r in runs), 3),
        "push_cpu_seconds": round(statistics.median(r["push_cpu_seconds"] for r in runs), 2),
    }
    if args.json:
        print(json.dumps(found))
        return
    print(f"{found['changes']:,} changes over a fresh pull")
    print(f"requests per change   {found['requests_per_change']:.2f} (the package's order: "
          f"{found['package_requests_per_change']:.2f})")  # fmt: skip
    print(f"pace                  {found['push_per_second']:,.0f}/s, a bare loop {found['loop_per_second']:,.0f}/s")
    print(f"ratio                 {found['ratio']:.2f} (runs: {', '.join(map(str, found['ratios']))}; target 2.00)")
    print(f"ratio of CPU seconds  {found['cpu_ratio']:.2f} (of this process alone; steadier on a busy machine)")


if __name__ == "__main__":
    main()
