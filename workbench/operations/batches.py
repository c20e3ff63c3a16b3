"""From a preview to sent changes: batches, their approval, the push. A direction that is off lets nothing through."""

from __future__ import annotations

from typing import Any

from workbench.operations.directions import check_sends
from workbench.settings import Settings
from workbench.stages import approve, push
from workbench.stages.approve import (
    BatchReport,
    Slice,
    approve_batch,
    cancel_batch,
    list_batches,
    reject_batch,
    show_batch,
    submit_batch,
)
from workbench.stages.push import PushReport, pause_batch
from workbench.store import Store

__all__ = [
    "BatchReport",
    "PushReport",
    "Slice",
    "approve_batch",
    "cancel_batch",
    "create_batch",
    "list_batches",
    "pause_batch",
    "push_batch",
    "reject_batch",
    "show_batch",
    "submit_batch",
]


def create_batch(
    store: Store, preview_id: int, *, by: str, chosen: Slice | None = None, draft: bool = False
) -> BatchReport:
    """As `stages.approve.create_batch`, in a direction that may send. Raises ApprovalRefused otherwise."""
    found = store.rows("SELECT direction FROM view.preview WHERE preview_id = $id", {"id": preview_id})
    if found:  # the stage names a preview that does not exist
        check_sends(store, found[0]["direction"])
    return approve.create_batch(store, preview_id, by=by, chosen=chosen, draft=draft)


def push_batch(store: Store, settings: Settings, batch_id: int, **options: Any) -> PushReport:
    """As `stages.push.push_batch`, in a direction that may send. Raises ApprovalRefused otherwise."""
    check_sends(store, show_batch(store, batch_id).direction)
    return push.push_batch(store, settings, batch_id, **options)
