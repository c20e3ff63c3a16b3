"""How fast both systems are landed over HTTP, beside the lab's own recipe on the same pages, in one run.

    python benchmarks/pull.py --contacts 1000000 [--beside 500000] [--json]

Two sizes are pulled, the smaller one to show that memory does not grow with the number of contacts: DuckDB may hold
512 MB while it lands rows, which some 500,000 fill. Each system is pulled in a process of its own, whose memory is
told, and the sandbox works in another. The lab's recipe: orjson, one
record a line, `read_json` with explicit columns, rows inserted into a file database; for Salesforce the files of the
bulk query through `read_csv`. Its pages are fetched before its clock starts, the pull's clock includes HTTP and waits
for the sandbox, which works on the same machine; the shares by CPU seconds of this process leave that wait out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import duckdb
import orjson
from pydantic import SecretStr

from workbench.domain.fields import STANDARD_FIELDS
from workbench.domain.mapping import parse_mapping, salesforce_paths
from workbench.mainstay.client import HIDDEN_TOO, MainstayClient
from workbench.mainstay.payload import text_of
from workbench.salesforce.client import SalesforceClient
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.stages.pull import pull
from workbench.stages.pull.mainstay import contact_columns
from workbench.stages.pull.plan import plan_objects
from workbench.store import Store, identifier, literal

STARTER = Path(__file__).parents[1] / "data" / "mappings" / "starter.yaml"


@contextmanager
def sandbox(contacts: int, page_size: int) -> Iterator[dict]:
    """The connection of a sandbox running in a process of its own."""
    command = [
        Path(sys.executable).with_name("workbench"), "sandbox", "--json",
        "--contacts", str(contacts), "--page-size", str(page_size), "--messages-per-contact", "0",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(timeout=30)


def settings_of(connection: dict, database: Path) -> Settings:
    salesforce, mainstay = connection["salesforce"], connection["mainstay"]
    return Settings(
        database=str(database),
        salesforce=SalesforceSettings(
            instance_url=salesforce["instance_url"], access_token=SecretStr(salesforce["access_token"])
        ),
        mainstay=MainstaySettings(base_url=mainstay["base_url"], token=SecretStr(mainstay["token"])),
    )


class Memory:
    """Resident memory of this process while something runs: where it began and its peak, in MB."""

    def __enter__(self) -> Self:
        self.start = self.peak = self.now()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._follow, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _follow(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, self.now())

    @staticmethod
    def now() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def timed(work) -> dict:
    cpu, wall = time.process_time(), time.perf_counter()
    with Memory() as memory:
        found = work()
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": memory.peak,
        "found": found,
    }


async def fetch_pages(settings: Settings, folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Every contact page of Mainstay as a file, and the columns of its rows."""
    files = []
    async with MainstayClient(settings.mainstay) as client:
        columns, _ = contact_columns(await client.fields())
        async for page in client.page_stream("contacts/", HIDDEN_TOO):
            files.append(folder / f"{len(files):06d}.json")
            files[-1].write_bytes(orjson.dumps(page.rows))
    return files, {column.name: column.type for column in columns}


def struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items()) + "}"


def flat(contact: dict) -> dict:
    """One contact as the lab had it: a key per column, custom values as text."""
    row = dict.fromkeys(item.name for item in STANDARD_FIELDS) | contact
    for name, value in row.pop("custom").items():
        row[f"custom.{name}"] = value if value is None or type(value) is str else text_of(value)
    return row


def lab_json(files: list[Path], columns: dict[str, str], folder: Path) -> int:
    """The lab's recipe for pages: one record a line, read with explicit columns into a table on disk."""
    lines = folder / "lab.ndjson"
    with lines.open("wb") as out:
        for file in files:
            rows = (flat(item) for item in orjson.loads(file.read_bytes()))
            out.write(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    with duckdb.connect(str(folder / "lab.duckdb")) as con:
        con.execute(
            f"CREATE OR REPLACE TABLE contact AS SELECT * FROM read_json({literal(str(lines))}, "
            f"format='newline_delimited', columns={struct(columns)})"
        )
        return con.execute("SELECT count(*) FROM contact").fetchone()[0]


def lab_csv(files: list[Path], columns: dict[str, str], folder: Path) -> int:
    """The lab's recipe for bulk files: read with explicit types into a table on disk."""
    listed = "[" + ", ".join(literal(str(file)) for file in files) + "]"
    with duckdb.connect(str(folder / "lab.duckdb")) as con:
        con.execute(
            f"CREATE OR REPLACE TABLE {identifier('Contact')} AS SELECT * FROM read_csv({listed}, header=true, "
            f"auto_detect=false, quote='\"', escape='\"', nullstr='', columns={struct(columns)})"
        )
        return con.execute(f"SELECT count(*) FROM {identifier('Contact')}").fetchone()[0]


def fetch_bulk(settings: Settings, wanted: dict, folder: Path) -> tuple[list[Path], dict[str, str]]:
    with SalesforceClient(settings.salesforce) as client:
        [plan] = [item for item in plan_objects(wanted, client.describe).objects if item.sobject == "Contact"]
        files = client.bulk_download("Contact", plan.soql(), folder / "bulk").files
    return files, {column.name: column.type for column in plan.target.columns}


def wanted_paths() -> dict[str, list[str]]:
    return {item.sobject: salesforce_paths(item) for item in parse_mapping(STARTER.read_text()).objects}


def pull_side(connection: dict, database: Path, part: str) -> dict:
    """One system pulled: its time, its memory, how many contacts came and which way."""
    settings = settings_of(connection, database)
    store, idle = Store(settings.database), Memory.now()
    side = timed(lambda: pull(store, settings, wanted=wanted_paths(), only=part))
    [read] = [item for item in side.pop("found").objects if item.object.lower() == "contact"]
    return side | {"idle_mb": idle, "way": read.way, "rows": read.fetched}


def pull_side_apart(connection: dict, database: Path, part: str) -> dict:
    """The same in a process of its own, so that its memory is its own too."""
    command = [sys.executable, __file__, "--side", part, "--database", str(database)]
    told = subprocess.run(command, input=json.dumps(connection), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(told.stdout.splitlines()[-1])


def measure(contacts: int, page_size: int) -> dict:
    wanted = wanted_paths()
    with tempfile.TemporaryDirectory() as name, sandbox(contacts, page_size) as connection:
        folder = Path(name)
        settings = settings_of(connection, folder / "workbench.duckdb")
        sides = {
            part: pull_side_apart(connection, folder / "workbench.duckdb", part) for part in ("mainstay", "salesforce")
        }
        found: dict = {"contacts": contacts, "page_size": page_size}
        pages, columns = asyncio.run(fetch_pages(settings, folder))
        files, types = fetch_bulk(settings, wanted, folder)
        labs = {
            "mainstay": timed(lambda: lab_json(pages, columns, folder)),
            "salesforce": timed(lambda: lab_csv(files, types, folder)),
        }
        for part, side in sides.items():
            lab = labs[part]
            assert side["rows"] == lab["found"], "both landed the same rows"
            found[part] = {
                "way": side["way"],
                "columns": len(columns if part == "mainstay" else types),
                "rows": side["rows"],
                "seconds": round(side["seconds"], 2),
                "cpu_seconds": round(side["cpu_seconds"], 2),
                "rows_per_second": round(side["rows"] / side["seconds"]),
                "idle_mb": round(side["idle_mb"]),
                "peak_mb": round(side["peak_mb"]),
                "lab_seconds": round(lab["seconds"], 2),
                "lab_cpu_seconds": round(lab["cpu_seconds"], 2),
                "lab_rows_per_second": round(lab["found"] / lab["seconds"]),
                "share_of_lab_rate": round(lab["seconds"] / side["seconds"], 2),
                "share_of_lab_rate_by_cpu": round(lab["cpu_seconds"] / side["cpu_seconds"], 2),
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--beside", type=int, default=500_000, help="a second size, to compare memory; 0 for none")
    parser.add_argument("--page-size", type=int, default=500, help="rows per page of Mainstay's lists")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--database", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        print(json.dumps(pull_side(json.load(sys.stdin), args.database, args.side)))
        return
    sizes = sorted({args.contacts, args.beside} - {0})
    found = [measure(size, args.page_size) for size in sizes]
    if args.json:
        print(json.dumps({"sizes": found}))
        return
    for name, value in found[-1].items():
        for line in value if isinstance(value, dict) else [""]:
            values = [item[name][line] if isinstance(value, dict) else item[name] for item in found]
            print(f"{f'{name} {line}'.strip():38}" + "".join(f"{shown!s:>14}" for shown in values))


if __name__ == "__main__":
    main()
