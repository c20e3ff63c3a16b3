"""Ask a running push to pause. Only the push itself lets go of its batch, when what is under way is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused, ConfigurationError
from workbench.stages.claim import check_free
from workbench.stages.exchange import utc_now
from workbench.store.batches import move_batch, read_batch
from workbench.store.database import Store
from workbench.store.journal import ask_to_pause


def pause_batch(
    store: Store, batch_id: int, *, by: str, reason: str = "", clock: Callable[[], datetime] = utc_now
) -> bool:
    """Pause a batch that is being pushed; True when it is paused at once, because its push is no longer there.

    Otherwise the push pauses as soon as what is under way is answered. Raises NotFound; ApprovalRefused for a batch
    that no push is at.
    """
    if not by.strip():
        raise ConfigurationError("Name the person who asks for this (--by NAME); the journal keeps it.")
    batch = read_batch(store, batch_id)
    if batch.state is not BatchState.PUSHING:
        raise ApprovalRefused(f"Batch {batch_id} is {batch.state}; no push is at work that could pause.")
    try:
        check_free(batch, clock())
    except ApprovalRefused:
        ask_to_pause(store, batch_id, by.strip(), reason)
        return False
    move_batch(store, batch, BatchState.PAUSED, who=by.strip(), reason=reason or "its push had died")
    return True
