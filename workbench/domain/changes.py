"""What may happen to one record, how it may end, and the states a batch may pass through."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from workbench.errors import ApprovalRefused


class Action(StrEnum):
    """What a change would do to its record. Every record of the sending side has exactly one."""

    UPDATE = "update"
    LINK = "link"
    CREATE = "create"
    NONE = "none"
    EXCLUDED = "excluded"
    CONFLICT = "conflict"
    BLOCKED = "blocked"


class Status(StrEnum):
    """How a change is predicted to end, and how it ended; only an ended one can be unknown."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAIL = "fail"
    UNKNOWN = "unknown"


class BatchState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    STALE = "stale"
    PUSHING = "pushing"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class DirectionState(StrEnum):
    """How a direction runs. Nothing leaves one that is off or observed, whoever approved it."""

    OFF = "off"
    OBSERVE = "observe"
    QUEUE = "queue"
    AUTO = "auto"


SENDING_STATES: Final = (DirectionState.QUEUE, DirectionState.AUTO)
WRITING_ACTIONS: Final = (Action.UPDATE, Action.LINK, Action.CREATE)
WRITTEN: Final = (Status.SUCCESS, Status.PARTIAL)

# The one transition table. `pushing` leads to itself when a push takes over from one that was killed.
TRANSITIONS: Final[dict[BatchState, frozenset[BatchState]]] = {
    BatchState.DRAFT: frozenset({BatchState.SUBMITTED, BatchState.CANCELLED}),
    BatchState.SUBMITTED: frozenset({BatchState.APPROVED, BatchState.REJECTED, BatchState.STALE, BatchState.CANCELLED}),
    BatchState.APPROVED: frozenset({BatchState.PUSHING, BatchState.STALE, BatchState.CANCELLED}),
    BatchState.PUSHING: frozenset({BatchState.PUSHING, BatchState.PAUSED, BatchState.DONE, BatchState.STALE}),
    BatchState.PAUSED: frozenset({BatchState.PUSHING, BatchState.STALE, BatchState.CANCELLED}),
    BatchState.DONE: frozenset(),
    BatchState.REJECTED: frozenset(),
    BatchState.STALE: frozenset(),
    BatchState.CANCELLED: frozenset(),
}

_NEXT_STEP: Final = {
    BatchState.DRAFT: "Submit it first",
    BatchState.SUBMITTED: "It waits for an approver",
    BatchState.APPROVED: "It waits for its push",
    BatchState.PUSHING: "A push is at work on it",
    BatchState.PAUSED: "Push it again to go on, or cancel it",
    BatchState.DONE: "Everything in it has been sent",
    BatchState.REJECTED: "Make a new batch",
    BatchState.STALE: "Pull and preview again, then make a new batch",
    BatchState.CANCELLED: "Make a new batch",
}


def check_transition(batch_id: int, before: BatchState, after: BatchState) -> None:
    """Raise ApprovalRefused, in a sentence, when a batch may not go from one state to another.

    >>> check_transition(3, BatchState.DONE, BatchState.PUSHING)
    Traceback (most recent call last):
    workbench.errors.ApprovalRefused: Batch 3 is done and cannot become pushing. Everything in it has been sent.
    """
    if after not in TRANSITIONS[before]:
        raise ApprovalRefused(f"Batch {batch_id} is {before} and cannot become {after}. {_NEXT_STEP[before]}.")
