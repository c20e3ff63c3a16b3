"""What a push did, and the rule that stops it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.changes import BatchState, Status
from workbench.domain.results import Outcome
from workbench.settings import PushSettings


@dataclass(frozen=True)
class PushReport:
    """A batch after a push. `counts` covers the whole batch, the rest this run.

    counts: status -> changes. scores: rows of code, predicted, actual, hit. requests: HTTP requests, reads included.
    pending: approved changes still without an outcome. planned: what a dry run would send, in order.
    reason: why the push paused, or "".
    """

    batch: int
    state: BatchState
    counts: Mapping[str, int]
    sent: int = 0
    requests: int = 0
    seconds: float = 0.0
    scores: Sequence[Mapping[str, Any]] = ()
    pending: int = 0
    reason: str = ""
    planned: Sequence[Mapping[str, Any]] = ()

    @property
    def requests_per_change(self) -> float:
        return self.requests / self.sent if self.sent else 0.0

    @property
    def predicted_vs_actual(self) -> Sequence[Mapping[str, Any]]:
        return self.scores


@dataclass
class StopRule:
    """Halts a push whose failures outrun the predicted ones.

    `minimum` changes have to be sent before it judges; a smaller canary is judged as soon as it is through.
    """

    settings: PushSettings
    canary: int | None = None
    sent: int = 0
    beyond: int = 0
    predicted: dict[str, int] = field(default_factory=dict)
    actual: dict[str, int] = field(default_factory=dict)

    def note(self, outcomes: Sequence[Outcome], predicted: Mapping[str, str | None]) -> None:
        """Count outcomes; `predicted` gives the predicted status per change id."""
        for outcome in outcomes:
            foreseen = predicted.get(outcome.change_id) or Status.UNKNOWN
            self.sent += 1
            self.predicted[foreseen] = self.predicted.get(foreseen, 0) + 1
            self.actual[outcome.status] = self.actual.get(outcome.status, 0) + 1
            if outcome.status in {Status.FAIL, Status.UNKNOWN} and foreseen != Status.FAIL:
                self.beyond += 1

    @property
    def reason(self) -> str:
        """Why to halt now, in a sentence; "" while all is well."""
        minimum = min(self.settings.stop_minimum, self.canary or self.settings.stop_minimum)
        if self.sent < minimum or self.beyond <= self.settings.stop_margin * self.sent:
            return ""
        return (
            f"{self.beyond} of {self.sent} sent changes failed although they were predicted to succeed, more than the "
            f"margin of {self.settings.stop_margin:.0%} allows. Look at the results; push again to go on, or cancel"
        )


def all_statuses(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by status, zeros included."""
    return {str(status): counts.get(str(status), 0) for status in Status}
