"""The steps of a batch up to its push: create, submit, approve, reject, cancel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from workbench.domain.changes import BatchState, check_transition
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound, StaleBatch
from workbench.logs import get_logger
from workbench.settings import Settings, folded
from workbench.stages.approve.selection import Selection, Slice, judge_again, select_changes
from workbench.store.batches import (
    BatchRow,
    insert_batch,
    left_out_table,
    move_batch,
    moved_since,
    read_batch,
    read_batches,
    read_events,
)
from workbench.store.database import Store
from workbench.store.journal import count_open_intents, count_rows
from workbench.store.previews import require_preview

log = get_logger(__name__)


@dataclass(frozen=True)
class BatchReport:
    """A batch after a step. `rows` counts the approved (or still proposed) changes; times are UTC.

    left_out: reason -> changes that were named but not taken. predicted: status -> changes.
    outcomes: status -> changes that have ended.
    """

    batch: int
    preview: int
    direction: str
    state: BatchState
    rows: int
    requested_by: str
    approved_by: str | None = None
    is_four_eyes: bool | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    predicted: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    slice: str = "{}"
    digest: str = ""
    created_at: datetime | None = None
    events: Sequence[Mapping[str, Any]] = ()


def create_batch(
    store: Store, preview_id: int, *, by: str, chosen: Slice | None = None, draft: bool = False
) -> BatchReport:
    """Make a batch of a slice of a preview and submit it, unless `draft`.

    Without a filter it takes what is predicted to succeed, wholly or in part. Nothing that another batch will send
    or has sent is taken twice. Raises NotFound, or ApprovalRefused when nothing can be taken or order would break.
    """
    name = _person(by)
    chosen = chosen or Slice()
    require_preview(store, preview_id)
    selection = select_changes(store, preview_id, chosen)
    if not selection.taken.num_rows:
        raise ApprovalRefused(_nothing_taken(preview_id, selection))
    batch_id = insert_batch(
        store,
        preview_id=preview_id,
        by=name,
        slice_json=chosen.as_json(),
        rows=selection.taken,
        nonce=uuid4().hex,
        state=BatchState.DRAFT,
    )
    if not draft:
        move_batch(store, read_batch(store, batch_id), BatchState.SUBMITTED, who=name)
    log.info("batch created", extra={"batch_id": batch_id, "rows": selection.taken.num_rows})
    return _report(store, batch_id, selection.reasons)


def submit_batch(store: Store, batch_id: int, *, by: str) -> BatchReport:
    """Hand a draft to the approvers."""
    move_batch(store, read_batch(store, batch_id), BatchState.SUBMITTED, who=_person(by))
    return _report(store, batch_id)


def approve_batch(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str,
    except_changes: Sequence[str] = (),
    reason: str = "",
) -> BatchReport:
    """Let a submitted batch go, whole or without some changes.

    Rows that another batch sends by now, and rows whose collision group would lose its order, are left out too and
    reported; the digest is pinned anew over what remains. Raises StaleBatch, naming what moved, and marks the batch;
    ApprovalRefused for the requester's own approval (unless four eyes are switched off) or when nothing remains.
    """
    name = _person(by)
    batch = read_batch(store, batch_id)
    check_transition(batch_id, batch.state, BatchState.APPROVED)
    is_four_eyes = folded(name) != folded(batch.requested_by)
    if settings.approval.four_eyes and not is_four_eyes:
        raise ApprovalRefused(
            f"{name} asked for batch {batch_id}, so somebody else has to approve it. A single-user installation "
            "switches this off with WORKBENCH_APPROVAL__FOUR_EYES=false; the batch then says so."
        )
    if moved := moved_since(store, batch):
        raise mark_stale(store, batch, moved, who=name)
    selection, left_out = _remaining(store, batch, except_changes, reason)
    if not selection.taken.num_rows:
        raise ApprovalRefused(_nothing_taken(batch.preview_id, selection))
    move_batch(
        store,
        batch,
        BatchState.APPROVED,
        who=name,
        reason=reason,
        approval=is_four_eyes,
        left_out=left_out_table(left_out),
    )
    return _report(store, batch_id, Counter(why for _, why in left_out))


def reject_batch(store: Store, batch_id: int, *, by: str, reason: str = "") -> BatchReport:
    """Refuse a submitted batch, with the reason."""
    move_batch(store, read_batch(store, batch_id), BatchState.REJECTED, who=_person(by), reason=reason)
    return _report(store, batch_id)


def cancel_batch(store: Store, batch_id: int, *, by: str, reason: str = "") -> BatchReport:
    """Give a batch up before or between pushes. Raises ApprovalRefused while a request of it has an unknown end."""
    batch = read_batch(store, batch_id)
    check_transition(batch_id, batch.state, BatchState.CANCELLED)
    if unknown := count_open_intents(store, batch_id):
        raise ApprovalRefused(
            f"Batch {batch_id} has {unknown} requests whose end is unknown. Push it again: that reads them back first."
        )
    move_batch(store, batch, BatchState.CANCELLED, who=_person(by), reason=reason)
    return _report(store, batch_id)


def show_batch(store: Store, batch_id: int) -> BatchReport:
    """A batch with its counts and every step it took. Raises NotFound."""
    return _report(store, batch_id)


def list_batches(store: Store, state: BatchState | None = None) -> list[BatchRow]:
    """Batches, newest first; only those in `state`, where one is given."""
    if state is None:
        return read_batches(store)
    return read_batches(store, "state = $state", {"state": state})


def mark_stale(store: Store, batch: BatchRow, moved: Sequence[str], *, who: str) -> StaleBatch:
    """Journal that a batch is stale; the error to raise."""
    what = "; ".join(moved)
    move_batch(store, batch, BatchState.STALE, who=who, reason=what)
    return StaleBatch(
        f"Batch {batch.batch_id} is stale: {what}. Preview again and make a new batch; nothing of this one is sent."
    )


def _person(name: str) -> str:
    if not name.strip():
        raise ConfigurationError("Name the person who takes this step (--by NAME); the journal keeps it.")
    return name.strip()


def _remaining(
    store: Store, batch: BatchRow, except_changes: Sequence[str], reason: str
) -> tuple[Selection, list[tuple[str, str]]]:
    """What an approval still takes, and (change_id, reason) of every row it drops."""
    rows = store.query(
        "SELECT change_id FROM journal.batch_change WHERE batch_id = $batch_id AND is_approved",
        {"batch_id": batch.batch_id},
    )
    own = rows["change_id"].to_pylist()
    unknown = sorted(set(except_changes) - set(own))
    if unknown:
        raise NotFound(f"Batch {batch.batch_id} has no change {', '.join(unknown[:5])} to leave out.")
    excepted = set(except_changes)
    selection = judge_again(store, batch.preview_id, [change_id for change_id in own if change_id not in excepted])
    because = f"left out by the approver: {reason}" if reason else "left out by the approver"
    dropped = [(change_id, because) for change_id in own if change_id in excepted]
    dropped += [(row["change_id"], row["left_out"]) for row in selection.left_out_rows.to_pylist()]
    return selection, dropped


def _nothing_taken(preview_id: int, selection: Selection) -> str:
    if not selection.left_out_rows.num_rows:
        return f"No change of preview {preview_id} fits this slice. Nothing to approve."
    counts = Counter(selection.left_out_rows["left_out"].to_pylist()).most_common()
    reasons = ", ".join(f"{reason}: {count}" for reason, count in counts)
    hint = " Predicted failures are taken with --all." if any("fail" in reason for reason, _ in counts) else ""
    return f"Nothing of preview {preview_id} can be taken ({reasons}).{hint}"


def _report(store: Store, batch_id: int, left_out: Mapping[str, int] | None = None) -> BatchReport:
    batch = read_batch(store, batch_id)
    counts = count_rows(store, batch_id)
    return BatchReport(
        batch=batch_id,
        preview=batch.preview_id,
        direction=batch.direction,
        state=batch.state,
        rows=batch.row_count,
        requested_by=batch.requested_by,
        approved_by=batch.approved_by,
        is_four_eyes=batch.is_four_eyes,
        left_out=dict(left_out if left_out is not None else counts.left_out),
        predicted=counts.predicted,
        outcomes=counts.outcomes,
        slice=batch.slice,
        digest=batch.digest,
        created_at=batch.created_at,
        events=read_events(store, batch_id),
    )
