"""How each direction runs: off, observe, queue, auto. Append-only; a direction nobody has set queues for approval."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workbench.domain.changes import DirectionState
from workbench.domain.fields import Direction
from workbench.store.database import Store


def read_directions(store: Store) -> dict[Direction, dict[str, Any]]:
    """Direction -> state, who, reason, changed_at (the last three None where nobody has set it)."""
    return {Direction(row["direction"]): row for row in store.rows("SELECT * FROM view.direction")}


def direction_state(store: Store, direction: Direction) -> DirectionState:
    """How a direction runs now."""
    return DirectionState(read_directions(store)[direction]["state"])


def write_direction(
    store: Store, direction: Direction, state: DirectionState, *, who: str, reason: str, now: datetime
) -> None:
    """Journal a new state."""
    store.write(
        (
            "INSERT INTO config.direction_state VALUES ($direction, $state, $who, $reason, $now)",
            {"direction": str(direction), "state": str(state), "who": who, "reason": reason, "now": now},
        )
    )
