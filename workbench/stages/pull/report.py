"""What a pull did: per object, what changed in the field catalogues, and what could not be fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

DriftKind = Literal["new", "vanished", "retyped"]
# progress(stage, done, total): rows fetched so far, and how many there will be where that is known.
Progress = Callable[[str, int, int | None], None]


def no_progress(_stage: str, _done: int, _total: int | None) -> None:
    """For callers that watch nothing."""


@dataclass(frozen=True)
class ObjectReport:
    """One object of a pull: rows fetched now, rows its table has now, and how they were read.

    mode: full | incremental | import. way: rest | bulk | api | file.
    """

    system: str
    object: str
    mode: str
    way: str
    fetched: int
    total: int
    seconds: float
    is_resumed: bool = False


@dataclass(frozen=True)
class FieldDrift:
    """A field that appeared, vanished or changed its type since the pull before."""

    system: str
    object: str
    field: str
    kind: DriftKind
    before: str | None
    after: str | None

    def __str__(self) -> str:
        what = {"new": "is new", "vanished": "has vanished", "retyped": f"was {self.before} and is {self.after} now"}
        return f"{self.object}.{self.field} {what[self.kind]}"


@dataclass(frozen=True)
class PullReport:
    """`problems` are sentences about fields, objects or values that could not be fetched as asked."""

    pull_id: int
    objects: tuple[ObjectReport, ...]
    drift: tuple[FieldDrift, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    api_usage: tuple[int, int] | None = None

    @property
    def rows(self) -> int:
        return sum(item.fetched for item in self.objects)


def field_drift(system: str, object_name: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[FieldDrift]:
    """Differences of two catalogues (field -> type); none where there is no earlier one."""
    if not before:
        return []
    names = list(dict.fromkeys([*after, *before]))
    kinds = {name: _drift_kind(before.get(name), after.get(name)) for name in names}
    return [
        FieldDrift(system, object_name, name, kind, before.get(name), after.get(name))
        for name, kind in kinds.items()
        if kind is not None
    ]


def _drift_kind(before: str | None, after: str | None) -> DriftKind | None:
    if before is None:
        return "new"
    if after is None:
        return "vanished"
    return "retyped" if before != after else None
