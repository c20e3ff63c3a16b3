"""From a preview to sent changes: batches, their approval, and the push.

Each step asks for the role of who takes it, and a direction that is off lets nothing through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.domain.access import Person, allowed
from workbench.operations.directions import check_sends
from workbench.settings import Settings
from workbench.stages import approve, push
from workbench.stages.approve import BatchReport, Slice, list_batches, show_batch
from workbench.stages.push import PushReport
from workbench.store import Store

__all__ = [
    "BatchReport",
    "PushReport",
    "Slice",
    "approve_batch",
    "cancel_batch",
    "check_push",
    "create_batch",
    "list_batches",
    "pause_batch",
    "push_batch",
    "reject_batch",
    "show_batch",
    "submit_batch",
]


def create_batch(
    store: Store, preview_id: int, *, by: str | Person, chosen: Slice | None = None, draft: bool = False
) -> BatchReport:
    """Make a batch of a slice of a preview; see `stages.approve`.

    Raises NotAllowed below analyst, ApprovalRefused in a direction that is off.
    """
    name = allowed(by, "request")
    found = store.rows("SELECT direction FROM view.preview WHERE preview_id = $id", {"id": preview_id})
    if found:  # the stage names a preview that does not exist
        check_sends(store, found[0]["direction"])
    return approve.create_batch(store, preview_id, by=name, chosen=chosen, draft=draft)


def submit_batch(store: Store, batch_id: int, *, by: str | Person) -> BatchReport:
    """Hand a draft to the approvers. Raises NotAllowed below analyst."""
    return approve.submit_batch(store, batch_id, by=allowed(by, "request"))


def approve_batch(
    store: Store,
    settings: Settings,
    batch_id: int,
    *,
    by: str | Person,
    except_changes: Sequence[str] = (),
    reason: str = "",
) -> BatchReport:
    """Let a batch go, whole or without some changes; see `stages.approve`. Raises NotAllowed below approver."""
    name = allowed(by, "decide")
    return approve.approve_batch(store, settings, batch_id, by=name, except_changes=except_changes, reason=reason)


def reject_batch(store: Store, batch_id: int, *, by: str | Person, reason: str = "") -> BatchReport:
    """Refuse a submitted batch. Raises NotAllowed below approver."""
    return approve.reject_batch(store, batch_id, by=allowed(by, "decide"), reason=reason)


def cancel_batch(store: Store, batch_id: int, *, by: str | Person, reason: str = "") -> BatchReport:
    """Give a batch up, which analysts may, too: it only takes something back. Raises NotAllowed below analyst."""
    return approve.cancel_batch(store, batch_id, by=allowed(by, "request"), reason=reason)


def pause_batch(store: Store, batch_id: int, *, by: str | Person, reason: str = "") -> bool:
    """Ask a running push to let nothing more leave; see `stages.push`. Raises NotAllowed below analyst."""
    return push.pause_batch(store, batch_id, by=allowed(by, "request"), reason=reason)


def check_push(settings: Settings, by: str | Person) -> str:
    """The name under which a person may push now. Raises NotAllowed below approver and after an old sign-in."""
    return allowed(by, "push", within_minutes=settings.access.sign_in_minutes)


def push_batch(
    store: Store, settings: Settings, batch_id: int, *, by: str | Person | None = None, **options: Any
) -> PushReport:
    """Send what is approved and not yet sent; options as in `stages.push.push_batch`.

    Raises as `check_push`, too, and ApprovalRefused in a direction that is off.
    """
    name = check_push(settings, by) if by is not None and not options.get("dry_run") else None
    check_sends(store, show_batch(store, batch_id).direction)
    return push.push_batch(store, settings, batch_id, by=name, **options)
