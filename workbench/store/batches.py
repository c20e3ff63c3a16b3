"""Batches in the journal: their rows, their digest, their steps, and what they pinned.

Every step is one guarded transaction: it raises, and changes nothing, unless the batch is still in the expected state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import duckdb
import pyarrow as pa

from workbench.domain.changes import BatchState, check_transition
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound
from workbench.store.database import Statement, Store
from workbench.store.typed_sql import require_select

# SHA-256 over the approved rows in order: change, action, codes and exact requests.
DIGEST_SQL: Final = """
SELECT sha256(coalesce(string_agg(row_digest, '' ORDER BY seq, change_id), '')) AS digest, count(*) AS row_count
FROM (
    SELECT batch_change.seq, batch_change.change_id,
           sha256(CAST(to_json({'change': batch_change.change_id, 'action': change.action, 'codes': change.codes,
                                'requests': sent.requests}) AS VARCHAR)) AS row_digest
    FROM journal.batch_change AS batch_change
    JOIN journal.batch AS batch USING (batch_id)
    LEFT JOIN preview.change AS change
           ON change.preview_id = batch.preview_id AND change.change_id = batch_change.change_id
    LEFT JOIN (
        SELECT preview_id, change_id,
               -- By ordinal, as it comes first; an ORDER BY within the list takes three times as long.
               list_sort(list({'ordinal': ordinal, 'system': system, 'method': method, 'path': path, 'body': body}))
                   AS requests
        FROM preview.request
        WHERE preview_id = (SELECT preview_id FROM journal.batch WHERE batch_id = $batch_id)
        GROUP BY preview_id, change_id
    ) AS sent ON sent.preview_id = batch.preview_id AND sent.change_id = batch_change.change_id
    WHERE batch_change.batch_id = $batch_id AND batch_change.is_approved
)
"""

_GUARD: Final = """
SELECT CASE WHEN count(*) = 1 THEN true ELSE error('the batch has moved on') END
FROM journal.batch WHERE batch_id = $batch_id AND state = $expected AND claim IS NOT DISTINCT FROM $claim
"""


@dataclass(frozen=True)
class BatchRow:
    """One batch as the journal has it. `claim` names the push that holds it; times are UTC."""

    batch_id: int
    preview_id: int
    direction: str
    state: BatchState
    slice: str
    digest: str
    mapping_digest: str | None
    row_count: int
    requested_by: str
    approved_by: str | None
    is_four_eyes: bool | None
    claim: str | None
    created_at: datetime
    changed_at: datetime


def read_batch(store: Store, batch_id: int) -> BatchRow:
    """Raises NotFound."""
    found = read_batches(store, "batch_id = $batch_id", {"batch_id": batch_id})
    if not found:
        raise NotFound(f"There is no batch {batch_id}. `workbench batch list` shows those that exist.")
    return found[0]


def read_batches(store: Store, condition: str = "true", params: Mapping[str, Any] | None = None) -> list[BatchRow]:
    """Batches, newest first."""
    rows = store.rows(
        f"""SELECT batch_id, preview_id, direction, state, slice, digest, mapping_digest, row_count, requested_by,
                   approved_by, is_four_eyes, claim, created_at, changed_at
            FROM journal.batch WHERE {condition} ORDER BY batch_id DESC""",
        params,
    )
    return [BatchRow(**{**row, "state": BatchState(row["state"])}) for row in rows]


def read_events(store: Store, batch_id: int) -> list[dict[str, Any]]:
    """The steps a batch took, oldest first."""
    return store.rows(
        """SELECT from_state, to_state, who, reason, happened_at
           FROM journal.batch_event WHERE batch_id = $batch_id ORDER BY happened_at""",
        {"batch_id": batch_id},
    )


def insert_batch(
    store: Store, *, preview_id: int, by: str, slice_json: str, rows: pa.Table, nonce: str, state: BatchState
) -> int:
    """Write a batch with its rows (change_id, seq) in one transaction; its id.

    `nonce` is a fresh text that finds the batch again; its digest is taken in the same transaction.
    """
    mine = "(SELECT batch_id FROM journal.batch WHERE claim = $nonce)"
    key = {"nonce": nonce}
    store.write(
        (
            """INSERT INTO journal.batch
               SELECT (SELECT coalesce(max(batch_id), 0) + 1 FROM journal.batch), preview_id, direction, $state,
                      $slice, NULL, mapping_digest, 0, $by, NULL, NULL, $nonce, now(), now()
               FROM preview.preview WHERE preview_id = $preview_id""",
            {"state": state, "slice": slice_json, "by": by, "preview_id": preview_id, **key},
        ),
        (f"INSERT INTO journal.batch_change SELECT {mine}, change_id, seq, true, NULL FROM new_rows", key),
        (_event(mine, None, state), {"who": by, "reason": "", **key}),
        (_pin(mine), key),
        tables={"new_rows": rows},
    )
    found = store.rows("SELECT batch_id FROM journal.batch WHERE claim = $nonce", key)
    batch_id = int(found[0]["batch_id"])
    store.write(("UPDATE journal.batch SET claim = NULL WHERE claim = $nonce", key))
    return batch_id


def move_batch(
    store: Store,
    batch: BatchRow,
    after: BatchState,
    *,
    who: str,
    reason: str = "",
    approval: bool | None = None,
    left_out: pa.Table | None = None,
    claim: str | None = None,
) -> None:
    """Take a batch to its next state, with the event, in one transaction.

    `approval` records the approver and whether four eyes saw the batch; `left_out` (change_id, reason) drops rows and
    pins the digest anew; `claim` names the push that holds the batch from now on.
    Raises ApprovalRefused when the table of transitions does not allow the step or someone else was faster.
    """
    check_transition(batch.batch_id, batch.state, after)
    key = {"batch_id": batch.batch_id}
    steps: list[Statement] = [(_GUARD, {**key, "expected": batch.state, "claim": batch.claim})]
    tables: dict[str, pa.Table] = {}
    if left_out is not None and left_out.num_rows:
        tables["left_out"] = left_out
        steps.append(
            (
                """UPDATE journal.batch_change AS batch_change SET is_approved = false, reason = left_out.reason
                   FROM left_out
                   WHERE batch_change.batch_id = $batch_id AND batch_change.change_id = left_out.change_id""",
                key,
            )
        )
        steps.append((_pin("$batch_id"), key))
    if approval is not None:
        steps.append(
            (
                "UPDATE journal.batch SET approved_by = $who, is_four_eyes = $four_eyes WHERE batch_id = $batch_id",
                {"who": who, "four_eyes": approval, **key},
            )
        )
    steps.append((_event("$batch_id", batch.state, after), {"who": who, "reason": reason, **key}))
    steps.append(
        (
            "UPDATE journal.batch SET state = $after, claim = $claim, changed_at = now() WHERE batch_id = $batch_id",
            {"after": after, "claim": claim, **key},
        )
    )
    try:
        store.write(*steps, tables=tables)
    except duckdb.InvalidInputException:
        now = read_batch(store, batch.batch_id)
        raise ApprovalRefused(
            f"Batch {batch.batch_id} was {batch.state} a moment ago and is {now.state} now: someone else was faster. "
            "Look at it again before you go on."
        ) from None


def row_digest(store: Store, batch_id: int) -> str:
    """The digest of the approved rows as they stand in the preview now."""
    return str(store.rows(DIGEST_SQL, {"batch_id": batch_id})[0]["digest"])


def moved_since(store: Store, batch: BatchRow) -> list[str]:
    """What the batch pinned and what has moved since, as parts of a sentence; empty while it stands."""
    return [*_moved_pulls(store, batch), *_moved_mapping(store, batch), *moved_rows(store, batch)]


def moved_rows(store: Store, batch: BatchRow) -> list[str]:
    """Whether the approved rows or their requests differ from what was approved."""
    if row_digest(store, batch.batch_id) == batch.digest:
        return []
    return [f"the rows or requests of preview {batch.preview_id} differ from those the batch was made of"]


def matching_change_ids(store: Store, preview_id: int, where: str) -> list[str]:
    """The changes of a preview that a person's own SQL condition over preview.change selects.

    Raises ConfigurationError when the text is no single condition; it runs on a read-only connection.
    """
    sql = f"SELECT change_id FROM preview.change WHERE preview_id = $preview_id AND (\n{where}\n)"
    try:
        require_select(sql, f"The condition {where!r}")
        return [str(row["change_id"]) for row in store.rows(sql, {"preview_id": preview_id})]
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"The condition {where!r} cannot be read: {reason}") from None


def left_out_table(rows: Sequence[tuple[str, str]]) -> pa.Table:
    """(change_id, reason) pairs as `move_batch` takes them."""
    return pa.table(
        {
            "change_id": pa.array([change_id for change_id, _ in rows], pa.string()),
            "reason": pa.array([reason for _, reason in rows], pa.string()),
        }
    )


def _event(batch_id_sql: str, before: BatchState | None, after: BatchState) -> str:
    from_state = "NULL" if before is None else f"'{before}'"
    return f"INSERT INTO journal.batch_event SELECT {batch_id_sql}, {from_state}, '{after}', $who, $reason, now()"


def _pin(batch_id_sql: str) -> str:
    """Set digest and row_count of a batch from its approved rows."""
    pinned = DIGEST_SQL.replace("$batch_id", batch_id_sql)
    return f"""UPDATE journal.batch SET digest = pinned.digest, row_count = pinned.row_count
               FROM ({pinned}) AS pinned WHERE batch_id = {batch_id_sql}"""


def _moved_pulls(store: Store, batch: BatchRow) -> list[str]:
    rows = store.rows(
        """SELECT pin.system, pin.object, pin.pull_id, latest.pull_id AS latest_pull_id
           FROM preview.pin AS pin
           LEFT JOIN (
               SELECT system, object, max(pull_id) AS pull_id FROM journal.pull
               WHERE state = 'complete' GROUP BY system, object
           ) AS latest ON latest.system = pin.system AND latest.object = pin.object
           WHERE pin.preview_id = $preview_id AND pin.pull_id IS DISTINCT FROM latest.pull_id
           ORDER BY pin.system, pin.object""",
        {"preview_id": batch.preview_id},
    )
    return [
        f"{row['system']} {row['object']} was pulled again (pull {row['latest_pull_id']} after {row['pull_id']})"
        for row in rows
    ]


def _moved_mapping(store: Store, batch: BatchRow) -> list[str]:
    rows = store.rows(
        """SELECT revision, digest FROM config.mapping_revision
           WHERE revision = (SELECT max(revision) FROM config.mapping_revision)"""
    )
    digest = rows[0]["digest"] if rows else None
    if digest == batch.mapping_digest:
        return []
    return [f"the mapping changed (revision {rows[0]['revision']} counts now)" if rows else "the mapping is gone"]
