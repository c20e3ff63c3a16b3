"""The verbs for notebooks. `workbench` forwards to this module; every result renders as a table in Jupyter."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from workbench import operations, views
from workbench.errors import ConfigurationError
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.store.quoting import literal

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from workbench.operations.readings import Part


@dataclass(frozen=True)
class Batch:
    """A batch as it stands; ask again with `workbench.batch` after a step."""

    workbench: Workbench = field(repr=False)
    batch: int

    @property
    def state(self) -> str:
        return str(self._row["state"])

    @property
    def rows(self) -> int:
        """How many changes are approved, or proposed."""
        return int(self._row["approved_count"])

    @property
    def _row(self) -> dict[str, Any]:
        return views.batch(self.workbench.store, self.batch)

    def scores(self) -> list[dict[str, Any]]:
        """Predicted against actual, per code: code, predicted, actual, hits, hit_rate."""
        return views.scores(self.workbench.store, [self.batch])

    def _repr_html_(self) -> str:
        shown = {name: value for name, value in self._row.items() if name not in ("events", "digest", "slice")}
        table = html_table([{"": name, "batch": value} for name, value in shown.items()], ["", "batch"])
        scores = self.scores()
        return table + (html_table(scores, list(scores[0])) if scores else "")


@dataclass(frozen=True)
class Preview:
    """A finished preview: `counts` per action, `buckets` of both systems, `changes` row by row."""

    workbench: Workbench = field(repr=False)
    preview: int
    direction: str

    @property
    def counts(self) -> dict[str, int]:
        return views.preview_counts(self.workbench.store, self.preview)

    @property
    def buckets(self) -> list[dict[str, Any]]:
        return views.buckets(self.workbench.store, self.preview)

    @property
    def changes(self) -> Rows:
        rows = Rows(self.workbench.store, "SELECT * FROM view.change ORDER BY preview_id, seq")
        return rows.where(f"preview_id = {self.preview}")

    def batch(
        self,
        *,
        action: str | Sequence[str] = (),
        code: str | Sequence[str] = (),
        change: str | Sequence[str] = (),
        sql: str | None = None,
        everything: bool = False,
        by: str | None = None,
        draft: bool = False,
    ) -> Batch:
        """Submit a slice of this preview for approval; without a filter, what is predicted to succeed."""
        chosen = operations.Slice(
            actions=_several(action), codes=_several(code), change_ids=_several(change), sql=sql, all=everything
        )
        report = operations.create_batch(
            self.workbench.store, self.preview, by=by or getpass.getuser(), chosen=chosen, draft=draft
        )
        return Batch(self.workbench, report.batch)

    def _repr_html_(self) -> str:
        counts = [{"action": name, "records": count} for name, count in self.counts.items()]
        buckets = html_table(self.buckets, ["system", "object", "bucket", "row_count"])
        return f"<p>Preview {self.preview} ({self.direction})</p>{html_table(counts, ['action', 'records'])}{buckets}"


@dataclass(frozen=True)
class Workbench:
    """One store with its connections. `workbench.connect()` makes one; several may live side by side."""

    settings: Settings = field(repr=False)
    store: Store

    def pull(self, *, full: bool = False, only: Part | None = None) -> Rows:
        """Read both systems into the store; the pulls that were made."""
        report = operations.pull_systems(self.store, self.settings, only=only, full=full)
        made = ", ".join(str(int(pull["pull_id"])) for pull in report["pulls"]) or "NULL"
        return Rows(self.store, f"SELECT * FROM view.pull WHERE pull_id IN ({made}) ORDER BY system DESC, object")  # noqa: S608  numbers

    def preview(
        self, direction: str, *, sobjects: Sequence[str] | None = None, only_record: str | None = None
    ) -> Preview:
        """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent."""
        report = operations.make_preview(
            self.store, self.settings, direction, sobjects=sobjects, only_record=only_record
        )
        return Preview(self, report.preview_id, str(report.direction))

    def approve(self, batch: Batch | int, *, by: str, reason: str = "", leave_out: Sequence[str] = ()) -> Batch:
        """Let a submitted batch go; by another person than the one who asked."""
        number = _number(batch)
        operations.approve_batch(
            self.store, self.settings, number, by=by, except_changes=tuple(leave_out), reason=reason
        )
        return Batch(self, number)

    def push(self, batch: Batch | int, *, canary: int | None = None) -> Batch:
        """Send an approved batch, or go on with one that paused."""
        number = _number(batch)
        operations.push_batch(self.store, self.settings, number, canary=canary)
        return Batch(self, number)

    def results(self, batch: Batch | int | None = None, *, status: str | None = None) -> Rows:
        """Sync results, newest first."""
        rows = Rows(self.store, "SELECT * FROM view.sync_result ORDER BY result_number DESC")
        if batch is not None:
            rows = rows.where(f"batch_id = {_number(batch)}")
        return rows if status is None else rows.where(f"status = {literal(status)}")

    def sql(self, query: str) -> Rows:
        """A read-only question of your own; docs/views.md lists the names to rely on."""
        return Rows(self.store, query)

    def _repr_html_(self) -> str:
        pulls = views.latest_pulls(self.store)
        head = f"<p>Store {escape(self.store.dsn)}</p>"
        columns = ["system", "object", "row_count", "finished_at"]
        return head + (html_table(pulls, columns) if pulls else "<p>Nothing pulled yet: workbench.pull()</p>")


_connected: dict[str, Workbench] = {}


def connect(database: str | None = None, *, settings: Settings | None = None) -> Workbench:
    """Open the store and remember it for the other verbs. Settings come from the environment unless given."""
    chosen = settings or load_settings()
    if database is not None:
        chosen = chosen.model_copy(update={"database": database})
    _connected["current"] = Workbench(chosen, operations.open_store(chosen))
    return _connected["current"]


def _current() -> Workbench:
    if "current" not in _connected:
        raise ConfigurationError("Not connected yet: workbench.connect() first.")
    return _connected["current"]


def pull(*, full: bool = False, only: Part | None = None) -> Rows:
    """Read both systems into the store; the pulls that were made."""
    return _current().pull(full=full, only=only)


def preview(direction: str, *, sobjects: Sequence[str] | None = None, only_record: str | None = None) -> Preview:
    """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent."""
    return _current().preview(direction, sobjects=sobjects, only_record=only_record)


def approve(batch: Batch | int, *, by: str, reason: str = "", leave_out: Sequence[str] = ()) -> Batch:
    """Let a submitted batch go; by another person than the one who asked."""
    return _current().approve(batch, by=by, reason=reason, leave_out=leave_out)


def push(batch: Batch | int, *, canary: int | None = None) -> Batch:
    """Send an approved batch, or go on with one that paused."""
    return _current().push(batch, canary=canary)


def results(batch: Batch | int | None = None, *, status: str | None = None) -> Rows:
    """Sync results, newest first."""
    return _current().results(batch, status=status)


def sql(query: str) -> Rows:
    """A read-only question of your own to the store."""
    return _current().sql(query)


def _number(batch: Batch | int) -> int:
    return batch.batch if isinstance(batch, Batch) else batch


def _several(named: str | Sequence[str]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else tuple(named)
