"""Approve: slices of a preview become batches, and a second person lets them go."""

from workbench.stages.approve.batch import (
    BatchReport,
    approve_batch,
    cancel_batch,
    create_batch,
    list_batches,
    reject_batch,
    show_batch,
    submit_batch,
)
from workbench.stages.approve.selection import Slice

__all__ = [
    "BatchReport",
    "Slice",
    "approve_batch",
    "cancel_batch",
    "create_batch",
    "list_batches",
    "reject_batch",
    "show_batch",
    "submit_batch",
]
