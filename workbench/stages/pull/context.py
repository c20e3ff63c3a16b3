"""What every part of one pull shares: the store, the spool, the clock, and what is known from the pulls before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from workbench.settings import Settings
from workbench.stages.pull.report import Progress
from workbench.stages.pull.spool import Spool
from workbench.store.database import Statement, Store
from workbench.store.landing import PullKey, Target, complete_pull, merge_rows, replace_rows, table_columns
from workbench.store.spooled import Prepared

# Rows appear when their transaction commits, later than their stamp.
OVERLAP: Final = timedelta(seconds=600)


@dataclass(frozen=True)
class Context:
    """One pull. `marks` are the watermarks of earlier pulls; `is_full` ignores them."""

    store: Store
    settings: Settings
    spool: Spool
    clock: Callable[[], datetime]
    progress: Progress
    marks: Mapping[tuple[str, str], datetime]
    is_full: bool

    def since(self, system: str, object_name: str) -> datetime | None:
        """From when on changes have to be asked for; None where only a full pull will do."""
        mark = self.marks.get((system, object_name))
        return None if self.is_full or mark is None else mark - OVERLAP

    def has_columns(self, target: Target) -> bool:
        """Whether the store's table has exactly these columns, so that changes can be merged into it."""
        known = {name.lower(): kind for name, kind in table_columns(self.store, target).items()}
        asked = {column.name.lower(): column.type for column in target.columns}
        same = {name: kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for name, kind in known.items()}
        return same == asked

    def watermark(self, prepared: Prepared, key: PullKey, started_at: datetime) -> datetime:
        """Changes are known up to the latest stamp seen, but never past the moment the reading began.

        An incremental pull never steps back behind the one before it.
        """
        mark = min(prepared.latest, started_at) if prepared.latest is not None else started_at
        before = self.marks.get((key.system, key.object))
        if prepared.latest is None and before is not None:
            mark = before
        return max(mark, before) if before is not None and key.mode == "incremental" else mark

    def landing(self, pull_id: int, prepared: Prepared, key: PullKey, started_at: datetime) -> list[Statement]:
        """The statements that make prepared rows visible and complete their row of the journal."""
        target = prepared.target
        if key.mode == "incremental":
            statements = merge_rows(target, table_columns(self.store, target))
        else:
            statements = replace_rows(target)
        return [*statements, self.completing(pull_id, prepared, key, started_at)]

    def completing(self, pull_id: int, prepared: Prepared, key: PullKey, started_at: datetime) -> Statement:
        watermark = self.watermark(prepared, key, started_at)
        return complete_pull(pull_id, key, prepared.target, self.clock(), watermark)
