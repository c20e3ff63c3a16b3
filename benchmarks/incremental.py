"""What it costs to look again at what moved, against a whole preview, in one run.

    python benchmarks/incremental.py --contacts 1000000 --changed 0.01 [--direction import] [--json] [--runs 3]

`--changed` is the share of people of whom anything moved, on either side: of three in four the record gets another first
name, of half as many the contact another last name, and a few records trade phones; `looked_at` tells how many records
that comes to. Like a real pull, changed rows leave their place and stand at the end of the table. What a pull does besides
is told apart: agreed_cpu_seconds (what both sides agree on), keys_kept_cpu_seconds (hashes of the rows it brought). Both
previews are whole ones, with their write to the store; whole ones are measured before and after, since a machine's speed
may drift. Every told row is compared with the whole preview's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from landed import land

from workbench.domain.fields import Direction
from workbench.engine.agreed import look_at_pulls
from workbench.engine.keeping import keep
from workbench.engine.preview import make_preview
from workbench.store.landing import KEPT_PREFIX

_MOMENT = "now() + INTERVAL '1 hour'"
_LANDED = f"COLUMNS(name -> NOT starts_with(name, '{KEPT_PREFIX}'))"  # a row lands with nothing kept beside it
_TOLD = "salesforce_id, mainstay_id, rule, action, reason, predicted_status, codes, certainty, fields"


def move(store, share: float) -> None:
    """Change records and contacts of a share of the people, spread over the whole table.

    Half as many contacts as records: some belong to a record that changed, too, some to none, and one in four of the
    people moved by their contact alone.
    """
    every = max(1, round(1 / (0.75 * share)))
    stays = f'hash("Id") % {every} <> 0'
    store.write(
        f"""CREATE TEMP TABLE moved AS SELECT * REPLACE ('Moved' AS "FirstName", {_MOMENT} AS "SystemModstamp",
        CASE WHEN hash("Id") % {every * 50} = 0 THEN '2202000000' ELSE "MobilePhone" END AS "MobilePhone")
        FROM salesforce."Contact" WHERE NOT ({stays})""",
        f'DELETE FROM salesforce."Contact" WHERE NOT ({stays})',
        f'INSERT INTO salesforce."Contact" BY NAME SELECT {_LANDED} FROM moved',
        f"""CREATE TEMP TABLE moved_contact AS SELECT * REPLACE ('Moved' AS last_name, {_MOMENT} AS last_modified_at)
        FROM mainstay.contact WHERE hash(id) % {every * 2} = 0""",
        f"DELETE FROM mainstay.contact WHERE hash(id) % {every * 2} = 0",
        f"INSERT INTO mainstay.contact BY NAME SELECT {_LANDED} FROM moved_contact",
        "INSERT INTO journal.pull SELECT 2, system, object, 'incremental', 'complete', 0, now(), now(), NULL "
        "FROM (VALUES ('salesforce', 'Contact'), ('mainstay', 'contact')) AS pulled(system, object)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--fields", type=int, default=40)
    parser.add_argument("--changed", type=float, default=0.01)
    parser.add_argument("--direction", type=Direction, choices=list(Direction), default=Direction.EXPORT)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, revision = land(Path(folder), args.contacts, args.fields, imported=args.direction is Direction.IMPORT)

        def preview(**about):
            started, waited = time.process_time(), time.perf_counter()
            report = make_preview(store, direction=args.direction, revision=revision, **about)
            return report, time.process_time() - started, time.perf_counter() - waited

        preview()  # the first one loads libraries
        whole = [preview()]
        move(store, args.changed)
        pulled = time.process_time()
        look_at_pulls(store, revision)
        looked = time.process_time()
        keep(store, revision)
        kept = time.process_time()
        again = [preview(only_changed=True) for _ in range(args.runs)]
        whole += [preview() for _ in range(min(args.runs, 2))]
        told = {"again": again[0][0].preview_id, "whole": whole[-1][0].preview_id}
        differing = store.rows(
            f"""SELECT count(*) AS n FROM (
                SELECT {_TOLD} FROM view.change WHERE preview_id = $again
                EXCEPT SELECT {_TOLD} FROM view.change WHERE preview_id = $whole)""",
            told,
        )[0]["n"]
        cost, full = (statistics.median(cpu for _, cpu, _ in runs) for runs in (again, whole))
        waited, waited_full = (statistics.median(seconds for *_, seconds in runs) for runs in (again, whole))
        found = {
            "direction": args.direction, "contacts": args.contacts, "changed": args.changed, "looked_at": sum(again[0][0].counts.values()),
            "cpu_seconds": round(cost, 2), "whole_cpu_seconds": round(full, 2), "ratio_to_whole": round(cost / full, 3),
            "seconds": round(waited, 2), "whole_seconds": round(waited_full, 2), "ratio_of_seconds": round(waited / waited_full, 3),
            "rows_told_differently": differing,
            "agreed_cpu_seconds": round(looked - pulled, 2), "keys_kept_cpu_seconds": round(kept - looked, 2),
            "stage_cpu_seconds": {name: round(value, 2) for name, value in again[0][0].stage_cpu_seconds.items()},
        }  # fmt: skip
    if args.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
