"""Undo, told on two local servers: a batch is pushed, then put back; each step prints what both systems hold.

    python scripts/undo_demo.py [--contacts 300] [--seed 5]

before: some contacts as Mainstay holds them. after: the same contacts once a batch was pushed. undone: once its undo
was previewed, approved and pushed; and, in words, what could not be put back.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from workbench import operations
from workbench.settings import ApprovalSettings, MainstaySettings, SalesforceSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.store import Store
from workbench.store.mappings import save_mapping

SHOWN = 3


def settings_of(sandbox: Sandbox) -> Settings:
    known = sandbox.connection
    return Settings(
        _env_file=None,
        mainstay=MainstaySettings(**known["mainstay"]),
        salesforce=SalesforceSettings(
            instance_url=known["salesforce"]["instance_url"], access_token=known["salesforce"]["access_token"]
        ),
        approval=ApprovalSettings(),
    )


def touched(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """A few updates of a preview that will succeed: contact and the fields they write."""
    rows = store.rows(
        """SELECT mainstay_id, fields FROM view.change WHERE preview_id = $p AND action = 'update'
           AND predicted_status = 'success' AND mainstay_id IS NOT NULL ORDER BY seq LIMIT $n""",
        {"p": preview_id, "n": SHOWN},
    )
    return [
        {"contact": row["mainstay_id"], "fields": [f["field"] for f in orjson.loads(row["fields"])]} for row in rows
    ]


def show(title: str, sandbox: Sandbox, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    for row in rows:
        held = sandbox.institution.book.by_id(row["contact"])
        assert held is not None
        values = ", ".join(f"{name} = {value_of(held, name)!r}" for name in row["fields"])
        print(f"  {row['contact']}: {values}")


def value_of(contact: Mapping[str, Any], name: str) -> Any:
    if name.startswith("custom."):
        return contact["custom"].get(name.removeprefix("custom."))
    return contact.get(name)


def send(store: Store, settings: Settings, preview_id: int) -> int:
    batch = operations.create_batch(store, preview_id, by="Ana").batch
    operations.approve_batch(store, settings, batch, by="Bo")
    report = operations.push_batch(store, settings, batch, by="Bo")
    print(f"  batch {batch}: {report.state}, {dict(report.counts)}, {report.requests} requests")
    return batch


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--contacts", type=int, default=300)
    options.add_argument("--seed", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sandbox(generate(given.contacts, given.seed)) as sandbox:
        store, settings = Store(str(Path(folder) / "demo.duckdb")), settings_of(sandbox)
        save_mapping(store, operations.sample_mapping(), author="Ana")
        operations.pull_systems(store, settings)
        preview = operations.make_preview(store, settings, "export").preview_id
        rows = touched(store, preview)
        show("BEFORE (Mainstay)", sandbox, rows)
        print("\nPush")
        batch = send(store, settings, preview)
        show("AFTER", sandbox, rows)
        print("\nUndo: pull, preview, approve, push")
        operations.pull_systems(store, settings)
        report = operations.undo_batch(store, settings, batch)
        print(f"  preview {report.preview} would put back {report.restored} of {report.changes} changes, "
              f"{report.partly} in part; it cannot undo:")  # fmt: skip
        for item in report.cannot:
            print(f"  - {item['changes']}: {item['why']}")
        send(store, settings, report.preview)
        show("UNDONE", sandbox, rows)


if __name__ == "__main__":
    main()
