"""How close an export preview comes to the bare work, and how far it is from the alternatives, in one run.

    python benchmarks/preview.py --contacts 1000000 --fields 40 [--json] [--runs 3] [--skip-row-loop]

ratio_to_bare: CPU seconds of the preview, request bodies of changed rows included, over CPU seconds of the bare work:
both id joins plus one scan of the mapped columns of both sides. The write of the result to the store is told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
from landed import land
from rivals import polars_classification, row_loop

from workbench.domain.fields import Direction
from workbench.engine.preview import make_preview
from workbench.store import Store, identifier


def timed(work) -> tuple[float, float]:
    """(CPU seconds, wall seconds)."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def bare(store: Store, sides: dict[str, list[str]]) -> None:
    """Both id joins and one scan of the mapped columns of both sides, nothing else."""
    con = duckdb.connect()
    with store.attached(con):
        con.execute(
            'SELECT count(*) FROM store.salesforce."Contact" AS s JOIN store.mainstay.contact AS c ON c.crm_id = s."Id"'
        )
        con.execute(
            'SELECT count(*) FROM store.salesforce."Contact" AS s JOIN store.mainstay.contact AS c ON c.phone = s."MobilePhone"'
        )
        for table, columns in sides.items():
            con.execute(f"SELECT sum(hash({', '.join(identifier(c) for c in columns)})) FROM store.{table}")
    con.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--direction", choices=["export", "import"], default="export")
    parser.add_argument("--skip-row-loop", action="store_true", help="the record-at-a-time loop takes minutes at 1M")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, revision = land(Path(folder), args.contacts, args.fields)
        pairs = revision.mapping.objects[0].export.fields
        sides = {
            'salesforce."Contact"': [pair.salesforce for pair in pairs],
            "mainstay.contact": [pair.mainstay for pair in pairs],
        }
        floor = [timed(lambda: bare(store, sides)) for _ in range(args.runs)]
        reports, spent = [], []
        for _ in range(args.runs):
            spent.append(
                timed(
                    lambda: reports.append(make_preview(store, direction=Direction(args.direction), revision=revision))
                )
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        report = reports[-1]
        frozen = statistics.median(r.stage_cpu_seconds["freeze"] for r in reports)
        whole = statistics.median(cpu for cpu, _ in spent)
        base = statistics.median(cpu for cpu, _ in floor)
        found = {
            "contacts": args.contacts, "fields": args.fields, "direction": args.direction, "counts": report.counts,
            "bare_cpu_seconds": round(base, 2), "preview_cpu_seconds": round(whole - frozen, 2),
            "ratio_to_bare": round((whole - frozen) / base, 2),
            "ratio_to_bare_with_store": round(whole / base, 2),
            "wall_seconds": round(statistics.median(r.seconds for r in reports), 2),
            "stage_seconds": {name: round(value, 2) for name, value in report.stage_seconds.items()},
            "peak_memory_gb": round(peak, 2),
        }  # fmt: skip
        if args.direction == "export":
            cpu, _ = timed(lambda: polars_classification(store, pairs))
            found["polars_cpu_seconds"], found["ratio_to_polars"] = round(cpu, 2), round((whole - frozen) / cpu, 2)
            if not args.skip_row_loop:
                cpu, _ = timed(lambda: row_loop(store, pairs))
                found["row_loop_cpu_seconds"], found["ratio_to_row_loop"] = (
                    round(cpu, 2),
                    round((whole - frozen) / cpu, 3),
                )
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
