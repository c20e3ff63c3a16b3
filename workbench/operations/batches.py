"""From a preview to sent changes: batches, their approval, and the push."""

from __future__ import annotations

from workbench.stages.approve import (
    BatchReport,
    Slice,
    approve_batch,
    cancel_batch,
    create_batch,
    list_batches,
    reject_batch,
    show_batch,
    submit_batch,
)
from workbench.stages.push import PushReport, pause_batch, push_batch

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
