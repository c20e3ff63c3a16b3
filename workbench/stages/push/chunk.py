"""Send one chunk and say how each change ended, which answers are missing, and whether the push has to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from workbench.domain.changes import Status
from workbench.domain.results import Outcome, PlannedChange
from workbench.errors import RemoteError, TransientError, WorkbenchError
from workbench.stages.exchange import Exchange

ORIGIN: Final = "push"
# So many missing answers in a row, across all that is in flight, mean that the system itself is away.
SILENCE_LIMIT: Final = 10


@dataclass
class ChunkResult:
    """Outcomes; changes without a usable answer (with the error); the fault that stops the push, where there is one."""

    outcomes: list[Outcome] = field(default_factory=list)
    lost: dict[str, RemoteError] = field(default_factory=dict)
    refused: list[tuple[PlannedChange, RemoteError]] = field(default_factory=list)
    fault: WorkbenchError | None = None
    silent_in_a_row: int = 0

    def end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.silent_in_a_row = 0

    def miss(self, changes: Sequence[PlannedChange], error: WorkbenchError) -> None:
        """Note the changes of one request without outcome; a fault of the connection, or silence all around, stops all.

        A transient error leaves the change open. A refusal of one request in no form of this API (a firewall's page)
        is its end only if other requests are answered; `settle_refused` decides.
        """
        if isinstance(error, TransientError):
            self.lost |= {change.change_id: error for change in changes}
        elif isinstance(error, RemoteError) and is_refusal(error):
            self.refused += [(change, error) for change in changes]
        else:
            self.stop(error)
            return
        self.silent_in_a_row += 1
        if self.silent_in_a_row >= SILENCE_LIMIT:
            self.stop(error)

    def stop(self, error: WorkbenchError) -> None:
        """Note what ends the push after this chunk; the first reason counts."""
        self.fault = self.fault or error

    async def settle_refused(self, exchange: Exchange) -> None:
        """End the changes whose request was refused outside of the API's own forms, when others were answered."""
        if self.refused and (self.fault is not None or not self.outcomes):
            self.stop(self.refused[0][1])
            return
        for change, error in self.refused:
            self.outcomes.append(
                await exchange.silent_outcome(
                    change,
                    change.requests[0],
                    Status.FAIL,
                    origin=ORIGIN,
                    codes=(error.code or f"http-{error.status}",),
                    message=str(error),
                    response_status=error.status,
                )
            )


def is_refusal(error: WorkbenchError) -> bool:
    """Whether one request was refused in no form of the API's own: it did not happen, another one may."""
    status = error.status if isinstance(error, RemoteError) else None
    return not isinstance(error, TransientError) and status is not None and 400 <= status < 500


def in_order(changes: Sequence[PlannedChange]) -> list[list[PlannedChange]]:
    """Changes that may travel side by side, each with those that must follow it: one list per identity group.

    >>> in_order([])
    []
    """
    lines: dict[object, list[PlannedChange]] = {}
    for change in changes:
        key = change.change_id if change.group_id is None else ("group", change.sobject, change.group_id)
        lines.setdefault(key, []).append(change)
    return list(lines.values())


def in_waves(changes: Sequence[PlannedChange]) -> list[list[PlannedChange]]:
    """The same for requests that carry many records: wave n holds the n-th change of every identity group."""
    ranked = sorted(
        ((rank, change) for line in in_order(changes) for rank, change in enumerate(line)),
        key=lambda pair: (pair[0], pair[1].seq),
    )
    return [[change for _, change in wave] for _, wave in groupby(ranked, key=lambda pair: pair[0])]
