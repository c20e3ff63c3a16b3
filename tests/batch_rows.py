"""Previews as literal rows in a real store, for tests of approval and push."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa

from workbench.store import Store

PULLED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def change(number, *, action="update", status="success", codes=(), group=None, requests=None, **ids):
    """One change P<preview>-<number>; a writer gets a PUT of its record unless `requests` says otherwise."""
    record_id = ids.get("salesforce_id", f"003XX{number:010d}AAA")
    if requests is None:
        sends = action in {"update", "link", "create", "blocked"}
        requests = [("mainstay", "PUT", f"contacts/{record_id}/", {"first_name": f"Ana{number}"})] if sends else []
    return {
        "seq": number, "action": action, "predicted_status": status, "codes": list(codes), "group_id": group,
        "salesforce_id": record_id, "mainstay_id": ids.get("mainstay_id"), "requests": requests,
    }  # fmt: skip


def pull(
    store: Store, pull_id: int, at: datetime = PULLED_AT, objects=(("salesforce", "Contact"), ("mainstay", "contact"))
):
    rows = [{"pull_id": pull_id, "system": system, "object": name} for system, name in objects]
    store.write(
        (
            """INSERT INTO journal.pull
               SELECT pull_id, system, object, 'full', 'complete', 1, $at_time, $at_time, $at_time FROM pulled""",
            {"at_time": at},
        ),
        tables={"pulled": pa.Table.from_pylist(rows)},
    )


def mapping(store: Store, digest: str = "m1", revision: int = 1):
    store.write(
        (
            "INSERT INTO config.mapping_revision VALUES ($revision, 'version: 1', $digest, 'Ana', '', now())",
            {"revision": revision, "digest": digest},
        )
    )


def preview(
    store: Store, changes, *, preview_id: int = 1, direction: str = "export", pull_id: int = 1, digest: str = "m1"
):
    """Write a preview over a pull; ids are P<preview>-<seq>."""
    rows, requests = [], []
    for item in changes:
        change_id = f"P{preview_id}-{item['seq']}"
        rows.append({**{key: value for key, value in item.items() if key != "requests"}, "change_id": change_id})
        requests += [
            {
                "change_id": change_id, "ordinal": ordinal, "system": system, "method": method, "path": path,
                "body": json.dumps(body),
            }
            for ordinal, (system, method, path, body) in enumerate(item["requests"], 1)
        ]  # fmt: skip
    schema = pa.schema(
        [
            ("change_id", pa.string()), ("seq", pa.int64()), ("action", pa.string()), ("predicted_status", pa.string()),
            ("codes", pa.list_(pa.string())), ("group_id", pa.int64()), ("salesforce_id", pa.string()),
            ("mainstay_id", pa.string()),
        ]
    )  # fmt: skip
    sent = pa.schema(
        [
            ("change_id", pa.string()), ("ordinal", pa.int32()), ("system", pa.string()), ("method", pa.string()),
            ("path", pa.string()), ("body", pa.string()),
        ]
    )  # fmt: skip
    key = {"preview_id": preview_id}
    store.write(
        (
            """INSERT INTO preview.preview
               VALUES ($preview_id, $direction, ['Contact'], 1, $digest, NULL, 'run', now(), 1.0)""",
            {**key, "direction": direction, "digest": digest},
        ),
        (
            """INSERT INTO preview.pin
               VALUES ($preview_id, 'salesforce', 'Contact', $pull_id), ($preview_id, 'mainstay', 'contact', $pull_id)""",
            {**key, "pull_id": pull_id},
        ),
        (
            """INSERT INTO preview.change
               SELECT $preview_id, change_id, seq, $direction, 'Contact', salesforce_id, mainstay_id, 'id', action, NULL,
                      [], group_id, predicted_status, codes, 'certain', '[]' FROM new_changes""",
            {**key, "direction": direction},
        ),
        (
            """INSERT INTO preview.request
               SELECT $preview_id, change_id, ordinal, system, method, path, body FROM new_requests""",
            key,
        ),
        tables={
            "new_changes": pa.Table.from_pylist(rows, schema),
            "new_requests": pa.Table.from_pylist(requests, sent),
        },
    )


def rows_of(store: Store, batch_id: int, *, approved: bool = True) -> list[str]:
    found = store.rows(
        """SELECT change_id FROM journal.batch_change
           WHERE batch_id = $batch_id AND is_approved = $approved ORDER BY seq""",
        {"batch_id": batch_id, "approved": approved},
    )
    return [row["change_id"] for row in found]
