"""Switching a direction between off, observe, queue and auto; a direction that does not send stops running pushes too.

Source: DESIGN section 9; guide, "Sync status".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from workbench.domain.access import Person, allowed
from workbench.domain.changes import SENDING_STATES as SENDING
from workbench.domain.changes import BatchState, DirectionState
from workbench.domain.fields import Direction
from workbench.errors import ApprovalRefused, ConfigurationError
from workbench.stages.approve import list_batches
from workbench.stages.push import pause_batch
from workbench.store import Store
from workbench.store.directions import direction_state, read_directions, write_direction

__all__ = ["DirectionState", "check_sends", "list_directions", "set_direction"]

_NAMES: Final = {Direction.EXPORT: "Salesforce to Mainstay", Direction.IMPORT: "Mainstay to Salesforce"}


def list_directions(store: Store) -> dict[Direction, dict[str, Any]]:
    """Direction -> state, who, reason, changed_at (the last three None where nobody has set it)."""
    return read_directions(store)


def set_direction(
    store: Store, direction: str, state: str, *, by: str | Person, reason: str = "", now: datetime | None = None
) -> DirectionState:
    """Change how a direction runs, with who and why; the state before.

    Off and observe pause a push that is at work in it. Raises ConfigurationError for a name that does not exist, and
    for auto, which takes a written policy in the mapping that no mapping has by now; NotAllowed below approver.
    """
    name = allowed(by, "switch").strip()
    if not name:
        raise ConfigurationError("Name the person who takes this step (--by NAME); the journal keeps it.")
    if direction not in list(Direction):
        raise ConfigurationError(f"There is no direction {direction!r}. Directions: {', '.join(Direction)}.")
    if state not in list(DirectionState):
        raise ConfigurationError(f"There is no state {state!r}. States: {', '.join(DirectionState)}.")
    chosen, wanted = Direction(direction), DirectionState(state)
    if wanted is DirectionState.AUTO:
        raise ConfigurationError(
            f"{_NAMES[chosen]} cannot run by itself: that takes an approval policy written in the mapping, and the "
            "current mapping has none. Queue lets a person approve each batch."
        )
    before = direction_state(store, chosen)
    if wanted is before:
        return before
    write_direction(store, chosen, wanted, who=name, reason=reason.strip(), now=now or datetime.now(UTC))
    if wanted not in SENDING:
        for batch in list_batches(store, BatchState.PUSHING):
            if batch.direction == chosen:
                pause_batch(store, batch.batch_id, by=name, reason=f"{_NAMES[chosen]} was set to {wanted}")
    return before


def check_sends(store: Store, direction: str) -> None:
    """Raises ApprovalRefused, naming who switched it when, where nothing may leave in a direction."""
    found = read_directions(store)[Direction(direction)]
    if found["state"] in SENDING:
        return
    when = f"{found['changed_at']:%Y-%m-%d %H:%M} UTC"
    raise ApprovalRefused(
        f"{_NAMES[Direction(direction)]} is set to {found['state']} ({found['who']}, {when}), so nothing is requested "
        f"or sent in it. To change that: workbench direction {direction} queue"
    )
