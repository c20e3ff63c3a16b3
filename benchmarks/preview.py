"""How close a preview comes to the bare work, and how far it is from the alternatives, in one run.

    python benchmarks/preview.py --contacts 1000000 --fields 40 [--direction import [--imported]] [--runs 3] [--json]
    python benchmarks/preview.py --sizes 100000 300000 1000000 3000000      # how the cost grows

bare: both id joins plus one scan (hash) of the mapped columns of both sides, in the same process on the same store.
ratio_to_bare: CPU seconds of a whole preview over the bare ones, canonical values and request bodies included. A pull
keeps hashes of the mapped values beside the landed rows, once per pull and mapping: keys_kept_cpu_seconds is what that
costs, and `with_keeping` counts it into every preview. The copy of the result into the store is told apart
(`with_store`), and so are the bodies (`without_bodies`).
The loop is measured on the first 100,000 rows of each side and counted as often as they go into the whole.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import duckdb
from landed import land
from rivals import polars_classification, row_loop

from workbench.domain.fields import Direction
from workbench.engine import compile_payload
from workbench.engine.compile_verbatim import verbatim
from workbench.engine.compute import computed
from workbench.engine.keeping import keep
from workbench.engine.preview import make_preview
from workbench.engine.run import Stages
from workbench.store import Store, identifier
from workbench.store.mappings import require_mapping

LOOPED_ROWS = 100_000


def timed(work) -> tuple[float, float]:
    """(CPU seconds, wall seconds)."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def bare(store: Store, sides: dict[str, list[str]]) -> None:
    """Both id joins and one scan of the mapped columns of both sides, nothing else."""
    con = duckdb.connect()
    with store.attached(con):
        for condition in ('c.crm_id = s."Id"', 'c.phone = s."MobilePhone"'):
            con.execute(
                f'SELECT count(*) FROM store.salesforce."Contact" AS s JOIN store.mainstay.contact AS c ON {condition}'
            )
        for table, columns in sides.items():
            con.execute(f"SELECT sum(hash({', '.join(identifier(c) for c in columns)})) FROM store.{table}")
    con.close()


@contextmanager
def without_bodies():
    """Requests without their text, save those that are walked; verdicts, changed fields and codes stay.

    Of a new record that goes word for word nothing has to be read then: it meets no code.
    """
    whole, new = compile_payload.members, compile_payload.new_outgoing

    def members(parts, *, blanks: bool = False) -> str:
        return f"CASE WHEN is_walked THEN {whole(parts, blanks=blanks)} ELSE '' END" if blanks else "''"

    def new_outgoing(plan, **_about) -> str:
        query, asked = new(plan, few=True), "SELECT record_row FROM work.sending WHERE is_new"
        assert asked in query
        doubtful = f"{plan.kept.of('s', verbatim(plan))} = 0"
        records = f"store.salesforce.{identifier(plan.sobject)}"
        looked_at = f"{asked} AND is_walked UNION ALL SELECT s.rowid FROM {records} AS s WHERE {doubtful}"
        return query.replace(asked, looked_at)

    with (
        mock.patch.object(compile_payload, "members", members),
        mock.patch.object(compile_payload, "new_outgoing", new_outgoing),
    ):
        yield


def sides_of(pairs) -> dict[str, list[str]]:
    return {
        'salesforce."Contact"': [pair.salesforce for pair in pairs],
        "mainstay.contact": [pair.mainstay for pair in pairs],
    }


def preview_cost(store: Store, revision, direction: Direction) -> tuple[float, Stages]:
    """CPU seconds of all steps up to the buckets, nothing written to the store."""
    stages = Stages()

    def work() -> None:
        with computed(store, revision, direction, stages=stages):
            pass

    return timed(work)[0], stages


def peak_gb(path: Path, direction: str) -> float:
    """Peak memory of one whole preview in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--peak-of", str(path), "--direction", direction],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(told.stdout)


def measure(store: Store, revision, kept: float, args) -> dict[str, object]:
    direction = Direction(args.direction)
    pairs = revision.mapping.objects[0].export.fields
    make_preview(store, direction=direction, revision=revision, only_record=store.rows(_ONE[args.direction])[0]["id"])
    floor, costs, bodiless, reports = [], [], [], []
    for _ in range(args.runs):
        floor.append(timed(lambda: bare(store, sides_of(pairs)))[0])
        costs.append(preview_cost(store, revision, direction))
        if direction is Direction.EXPORT:
            with without_bodies():
                bodiless.append(preview_cost(store, revision, direction)[0])
    reports.append(make_preview(store, direction=direction, revision=revision))
    base, whole = statistics.median(floor), statistics.median(cost for cost, _ in costs)
    stages = {name: statistics.median(s.cpu_seconds[name] for _, s in costs) for name in costs[0][1].cpu_seconds}
    stored = reports[-1].stage_cpu_seconds["freeze"]
    found = {
        "contacts": args.contacts, "fields": args.fields, "direction": args.direction, "counts": reports[-1].counts,
        "bare_cpu_seconds": base, "preview_cpu_seconds": whole, "preview_wall_seconds": reports[-1].seconds,
        "keys_kept_cpu_seconds": kept, "ratio_to_bare": whole / base,
        "ratio_to_bare_with_keeping": (whole + kept) / base, "ratio_to_bare_with_store": (whole + stored) / base,
    }  # fmt: skip
    if bodiless:
        found["ratio_to_bare_without_bodies"] = statistics.median(bodiless) / base
    found["stage_cpu_seconds"] = {name: round(value, 2) for name, value in {**stages, "freeze": stored}.items()}
    found["stage_seconds"] = {name: round(value, 2) for name, value in reports[-1].stage_seconds.items()}
    if direction is Direction.EXPORT and not args.skip_rivals:
        polars_cpu = statistics.median(timed(lambda: polars_classification(store, pairs))[0] for _ in range(args.runs))
        found |= {"polars_cpu_seconds": polars_cpu, "ratio_to_polars": whole / polars_cpu}
        rows = min(LOOPED_ROWS, args.contacts)
        loop_cpu = timed(lambda: row_loop(store, pairs, rows))[0] * args.contacts / rows
        found |= {"row_loop_cpu_seconds": loop_cpu, "ratio_to_row_loop": whole / loop_cpu}
    return found


_ONE = {
    "export": 'SELECT min("Id") AS id FROM salesforce."Contact"',
    "import": "SELECT min(id) AS id FROM mainstay.contact",
}


def growth(args) -> dict[str, object]:
    """CPU seconds per size, and the exponent of the cost: 1 is linear."""
    costs = {}
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            store, revision = land(Path(folder), size, args.fields)
            keep(store, revision)
            preview_cost(store, revision, Direction(args.direction))
            costs[size] = preview_cost(store, revision, Direction(args.direction))[0]
    points = [(math.log(size), math.log(cost)) for size, cost in costs.items()]
    slope = statistics.linear_regression(*zip(*points, strict=True)).slope
    return {"cpu_seconds": costs, "cost_exponent": slope}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--direction", choices=["export", "import"], default="export")
    parser.add_argument(
        "--imported", action="store_true", help="not the first import: as many records differ as in the export"
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="measure how the cost grows over these sizes instead")
    parser.add_argument("--skip-rivals", action="store_true", help="polars and the loop take a minute at 1M")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak_of:
        store = Store(args.peak_of)
        make_preview(store, direction=Direction(args.direction), revision=require_mapping(store))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
        return
    if args.sizes:
        found = growth(args)
    else:
        with tempfile.TemporaryDirectory() as folder:
            store, revision = land(Path(folder), args.contacts, args.fields, imported=args.imported)
            kept = timed(lambda: keep(store, revision))[0]
            peak = peak_gb(store.path, args.direction)
            found = measure(store, revision, kept, args) | {"peak_memory_gb": peak}
    found = {name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:42} {value}")


if __name__ == "__main__":
    main()
