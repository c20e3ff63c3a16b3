"""The verbs for notebooks. `workbench` forwards to this module; every result renders as a table in Jupyter."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import operations, views
from workbench.cell import cell_progress, tell_errors_plainly
from workbench.domain.access import Person, person_named
from workbench.errors import ConfigurationError
from workbench.rows import SHOWN_ROWS, Bar, Counts, Rows, cell, html_table
from workbench.settings import Settings, hosts_of, is_sandbox, load_settings
from workbench.store import Store
from workbench.store.changes import first_changes
from workbench.store.mappings import mapping_history, require_mapping
from workbench.store.quoting import literal

if TYPE_CHECKING:
    from workbench.drafts import CsvDraft
    from workbench.engine.explain import Explanation
    from workbench.operations.readings import Part

Columns = dict[str, str]  # header of a file -> the field it holds

__all__ = [
    "Batch",
    "Explained",
    "Preview",
    "Rows",
    "Workbench",
    "approve",
    "batch",
    "connect",
    "explain",
    "import_csv",
    "import_mapping",
    "mapping",
    "preview",
    "pull",
    "push",
    "results",
    "sql",
]


@dataclass(frozen=True)
class Explained:
    """One record's way through a preview, in words. `steps` hold name, sentence and values."""

    found: Explanation = field(repr=False)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """name, sentence and the values that decided, in order."""
        return [{"step": item.name, "sentence": item.sentence, "values": item.values} for item in self.found.steps]

    def __str__(self) -> str:
        return "\n".join(f"{item.name}: {item.sentence}" for item in self.found.steps)

    def _repr_html_(self) -> str:
        told = "".join(f"<li><b>{escape(item.name)}</b><br>{escape(item.sentence)}</li>" for item in self.found.steps)
        head = f"{self.found.action} in preview {self.found.preview_id} ({self.found.direction})"
        return f"<p><b>{escape(head)}</b></p><ol>{told}</ol>"


@dataclass(frozen=True)
class Batch:
    """A batch; its state is read from the store whenever it is looked at."""

    workbench: Workbench = field(repr=False)
    batch: int

    @property
    def state(self) -> str:
        """`submitted`, `approved`, `done` ...: docs/views.md, view.batch."""
        return str(self._row["state"])

    @property
    def rows(self) -> int:
        """How many changes are approved, or proposed."""
        return int(self._row["approved_count"])

    @property
    def results(self) -> Rows:
        """The sync results of this batch, newest first."""
        return self.workbench.results(self)

    @property
    def _row(self) -> dict[str, Any]:
        return views.batch(self.workbench.store, self.batch)

    def scores(self) -> list[dict[str, Any]]:
        """Predicted against actual, per code: code, predicted, actual, hits, hit_rate."""
        return views.scores(self.workbench.store, [self.batch])

    def _repr_html_(self) -> str:
        row = self._row
        shown = {name: value for name, value in row.items() if name not in ("events", "digest", "slice")}
        table = html_table([{"": name, "batch": cell(value)} for name, value in shown.items()], ["", "batch"])
        scores = [{**score, "": Bar(score["hit_rate"] or 0.0)} for score in self.scores()]
        columns = ["code", "predicted", "actual", "hits", "hit_rate", ""]
        return table + (f"<p>Predicted against actual</p>{html_table(scores, columns)}" if scores else "")


@dataclass(frozen=True)
class Preview:
    """A finished preview: `counts` per action, `buckets` of both systems, `changes` row by row."""

    workbench: Workbench = field(repr=False)
    preview: int
    direction: str

    @property
    def counts(self) -> Counts:
        """Records per action, all seven actions."""
        return Counts(views.preview_counts(self.workbench.store, self.preview))

    @property
    def buckets(self) -> Rows:
        """system, object, bucket, row_count; the buckets of one system and object add up to its pull."""
        return self._of("view.bucket", "system DESC, object, row_count DESC, bucket").select(
            "system", "object", "bucket", "row_count"
        )

    @property
    def changes(self) -> Rows:
        """One row per record of the sending side; docs/views.md describes the columns of view.change."""
        first = first_changes(self.preview, SHOWN_ROWS)
        return replace(self._of("view.change", "preview_id, seq"), first=first)

    @property
    def conflicts(self) -> Rows:
        """The records about which a person has to decide, with the reason."""
        return self.changes.where("action = 'conflict'")

    @property
    def requests(self) -> Rows:
        """The exact requests, in order per change."""
        return self._of("view.request", "change_id, ordinal")

    @property
    def codes(self) -> Rows:
        """The error codes expected, how many changes expect each, and how certainly."""
        expected = f"SELECT unnest(codes) AS code, predicted_status, certainty FROM ({self.changes.sql}\n) AS change"  # noqa: S608  our own query
        return Rows(self.workbench.store, expected).count_by("code", "predicted_status", "certainty")

    def explain(self, record: str) -> Explained:
        """Every step a record went through, in words; named by Salesforce Id, Mainstay ID or change id."""
        return Explained(operations.explain_record(self.workbench.store, record, self.preview))

    def batch(
        self,
        *,
        action: str | Sequence[str] = (),
        code: str | Sequence[str] = (),
        guard: str | Sequence[str] = (),
        change: str | Sequence[str] = (),
        sql: str | None = None,
        everything: bool = False,
        by: str | None = None,
        draft: bool = False,
    ) -> Batch:
        """Submit a slice of this preview for approval; without a filter, what is predicted to succeed unguarded."""
        chosen = operations.Slice(
            actions=_several(action),
            codes=_several(code),
            guards=_several(guard),
            change_ids=_several(change),
            sql=sql,
            all=everything,
        )
        report = operations.create_batch(
            self.workbench.store, self.preview, by=self.workbench.person(by), chosen=chosen, draft=draft
        )
        return Batch(self.workbench, report.batch)

    def _of(self, view: str, order: str) -> Rows:
        rows = Rows(self.workbench.store, f"SELECT * FROM {view} ORDER BY {order}")  # noqa: S608  names of our own
        return rows.where(f"preview_id = {self.preview}")

    def _repr_html_(self) -> str:
        systems = {"salesforce": "Salesforce", "mainstay": "Mainstay"}
        found = self.buckets.pl().to_dicts()
        parts = [f"<p>Preview {self.preview} ({self.direction}): nothing is sent yet</p>", self.counts._repr_html_()]
        for system, title in systems.items():
            held = Counts(
                {f"{row['object']}: {row['bucket']}": row["row_count"] for row in found if row["system"] == system}
            )
            parts.append(f"<p>{title}: {sum(held.values()):,} records, each in one bucket</p>{held._repr_html_()}")
        return "".join(parts)


@dataclass(frozen=True)
class Mapping:
    """The mapping that counts now: its pairs, its text, its history."""

    store: Store = field(repr=False)

    @property
    def fields(self) -> list[dict[str, Any]]:
        """One row per object, direction and field pair."""
        found = []
        for item in require_mapping(self.store).mapping.objects:
            pairs = [] if item.export is None else list(item.export.fields)
            found += [_pair(item.sobject, "export", pair) for pair in pairs]
            coming = [] if item.import_ is None else list(item.import_.fields)
            found += [{**_pair(item.sobject, "import", pair), "matching": pair.matching} for pair in coming]
        return found

    @property
    def history(self) -> list[dict[str, Any]]:
        """revision, author, reason, created_at; the last one counts."""
        saved = mapping_history(self.store)
        names = ("revision", "author", "reason", "created_at")
        return [{name: getattr(item, name) for name in names} for item in saved]

    def _repr_html_(self) -> str:
        last = max(self.history, key=lambda item: item["revision"])
        head = f"<p>Mapping revision {last['revision']} by {escape(last['author'])}</p>"
        return head + html_table(self.fields, ["object", "direction", "salesforce", "mainstay", "required", "matching"])


def _pair(sobject: str, direction: str, pair: Any) -> dict[str, Any]:
    return {
        "object": sobject,
        "direction": direction,
        "salesforce": pair.salesforce,
        "mainstay": pair.mainstay,
        "required": getattr(pair, "required", None),
        "matching": None,
    }


@dataclass(frozen=True)
class Workbench:
    """One store with its connections. `workbench.connect()` makes one; several may live side by side."""

    settings: Settings = field(repr=False)
    store: Store

    def person(self, by: str | None = None) -> Person:
        """Who acts in this notebook: the name given, else the login name, in the role that the settings give it."""
        return person_named(self.settings.access, by or getpass.getuser())

    def import_mapping(self, file: Path | str | None = None, *, by: str | None = None, reason: str = "") -> Mapping:
        """Check a mapping file and save it as the next revision; without a file, the starter mapping for a new store.

        A mapping that is there already is never replaced by the starter mapping.
        """
        if file is None and mapping_history(self.store):
            return Mapping(self.store)
        path = None if file is None else Path(file)
        if path is not None and not path.is_file():
            raise ConfigurationError(f"There is no mapping file {path}.")
        document = operations.sample_mapping() if path is None else path.read_text()
        source = "The starter mapping" if path is None else path.name
        operations.import_mapping(self.store, self.settings, document, by=self.person(by), reason=reason, source=source)
        return Mapping(self.store)

    def import_csv(
        self,
        salesforce: Path | str,
        mainstay: Path | str,
        *,
        sobject: str = "Contact",
        salesforce_columns: Columns | None = None,
        mainstay_columns: Columns | None = None,
    ) -> CsvDraft:
        """Guess what the columns of two exported files are; header -> field settles one, `-` leaves it out."""
        from workbench.drafts import draft_csv  # noqa: PLC0415  the lab is heavy, and few notebooks need it

        columns = (salesforce_columns, mainstay_columns)
        return draft_csv(self, salesforce, mainstay, sobject=sobject, columns=columns)

    def mapping(self) -> Mapping:
        """The mapping that counts now. Raises ConfigurationError where there is none yet."""
        require_mapping(self.store)
        return Mapping(self.store)

    def pull(self, *, full: bool = False, only: Part | None = None) -> Rows:
        """Read both systems into the store; the pulls that were made."""
        with cell_progress() as progress:
            report = operations.pull_systems(self.store, self.settings, only=only, full=full, progress=progress)
        made = ", ".join(str(int(pull["pull_id"])) for pull in report["pulls"]) or "NULL"
        rows = Rows(self.store, f"SELECT * FROM view.pull WHERE pull_id IN ({made}) ORDER BY system DESC, object")  # noqa: S608  numbers
        return rows.select("system", "object", "mode", "row_count", "seconds", "finished_at", "pull_id", "state")

    def preview(
        self, direction: str, *, sobjects: Sequence[str] | None = None, only_record: str | None = None
    ) -> Preview:
        """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent."""
        if direction not in ("export", "import"):
            raise ConfigurationError(f"There is no direction {direction!r}: preview 'export' or 'import'.")
        with cell_progress() as progress:
            report = operations.make_preview(
                self.store, self.settings, direction, sobjects=sobjects, only_record=only_record, progress=progress
            )
        return Preview(self, report.preview_id, str(report.direction))

    @property
    def is_sandbox(self) -> bool:
        """Whether both systems run on this machine, as those of `workbench lab --sandbox` do."""
        return is_sandbox(self.settings)

    def require_sandbox(self) -> None:
        """Stop a notebook that pushes, unless both systems run on this machine.

        Raises ConfigurationError naming where a push would go.
        """
        if not self.is_sandbox:
            hosts = ", ".join(sorted(set(hosts_of(self.settings).values()))) or "nowhere: no system is connected"
            raise ConfigurationError(
                f"This would write to {hosts}. It is meant for the sandbox: workbench lab --sandbox. "
                "To push to your own systems, take this line out knowingly."
            )

    def batch(self, number: int) -> Batch:
        """A batch made earlier, by its number. Raises NotFound."""
        views.batch(self.store, number)
        return Batch(self, number)

    def approve(self, batch: Batch | int, *, by: str, reason: str = "", leave_out: Sequence[str] = ()) -> Batch:
        """Let a submitted batch go; by another person than the one who asked."""
        number = _number(batch)
        operations.approve_batch(
            self.store, self.settings, number, by=self.person(by), except_changes=tuple(leave_out), reason=reason
        )
        return Batch(self, number)

    def push(self, batch: Batch | int, *, canary: int | None = None) -> Batch:
        """Send an approved batch, or go on with one that paused."""
        number = _number(batch)
        with cell_progress() as progress:
            operations.push_batch(self.store, self.settings, number, by=self.person(), canary=canary, progress=progress)
        return Batch(self, number)

    def results(self, batch: Batch | int | None = None, *, status: str | None = None) -> Rows:
        """Sync results, newest first."""
        rows = Rows(self.store, "SELECT * FROM view.sync_result ORDER BY result_number DESC")
        if batch is not None:
            rows = rows.where(f"batch_id = {_number(batch)}")
        return rows if status is None else rows.where(f"status = {literal(status)}")

    def explain(self, record: str, preview: Preview | int | None = None) -> Explained:
        """Every step a record went through, in its latest preview unless one is named."""
        number = preview.preview if isinstance(preview, Preview) else preview
        return Explained(operations.explain_record(self.store, record, number))

    def sql(self, query: str) -> Rows:
        """A read-only question of your own; docs/views.md lists the names to rely on."""
        return Rows(self.store, query.strip().rstrip(";"))

    def _repr_html_(self) -> str:
        pulls = views.latest_pulls(self.store)
        head = f"<p>Store {escape(self.store.dsn)}</p>"
        columns = ["system", "object", "row_count", "finished_at"]
        return head + (html_table(pulls, columns) if pulls else "<p>Nothing pulled yet: workbench.pull()</p>")


_connected: dict[str, Workbench] = {}


def connect(database: str | Path | None = None, *, settings: Settings | None = None) -> Workbench:
    """Open the store and remember it for the other verbs. Settings come from the environment unless given.

    >>> connect().mapping().fields[0]["mainstay"]
    'first_name'
    """
    tell_errors_plainly()
    chosen = settings or load_settings()
    if database is not None:
        chosen = chosen.model_copy(update={"database": str(database)})
    _connected["current"] = Workbench(chosen, operations.open_store(chosen))
    return _connected["current"]


def current() -> Workbench:
    """What `connect` opened last. Raises ConfigurationError before that."""
    if "current" not in _connected:
        tell_errors_plainly()
        raise ConfigurationError("Not connected yet: workbench.connect() first.")
    return _connected["current"]


def import_mapping(file: Path | str | None = None, *, by: str | None = None, reason: str = "") -> Mapping:
    """Check a mapping file and save it as the next revision; without a file, the starter mapping for a new store."""
    return current().import_mapping(file, by=by, reason=reason)


def import_csv(
    salesforce: Path | str,
    mainstay: Path | str,
    *,
    sobject: str = "Contact",
    salesforce_columns: Columns | None = None,
    mainstay_columns: Columns | None = None,
) -> CsvDraft:
    """Guess what the columns of two exported files are; header -> field settles one, `-` leaves it out."""
    return current().import_csv(
        salesforce,
        mainstay,
        sobject=sobject,
        salesforce_columns=salesforce_columns,
        mainstay_columns=mainstay_columns,
    )


def mapping() -> Mapping:
    """The mapping that counts now. Raises ConfigurationError where there is none yet."""
    return current().mapping()


def pull(*, full: bool = False, only: Part | None = None) -> Rows:
    """Read both systems into the store; the pulls that were made.

    >>> sorted(row["object"] for row in pull() if row["system"] == "mainstay")
    ['campaign', 'contact', 'message']
    """
    return current().pull(full=full, only=only)


def preview(direction: str, *, sobjects: Sequence[str] | None = None, only_record: str | None = None) -> Preview:
    """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent.

    >>> list(preview("export").counts)
    ['update', 'link', 'create', 'none', 'excluded', 'conflict', 'blocked']
    """
    return current().preview(direction, sobjects=sobjects, only_record=only_record)


def batch(number: int) -> Batch:
    """A batch made earlier, by its number. Raises NotFound."""
    return current().batch(number)


def approve(batch: Batch | int, *, by: str, reason: str = "", leave_out: Sequence[str] = ()) -> Batch:
    """Let a submitted batch go; by another person than the one who asked.

    >>> asked = preview("export").batch(action="link", by="Dana")
    >>> approve(asked, by="Sam").state
    'approved'
    """
    return current().approve(batch, by=by, reason=reason, leave_out=leave_out)


def push(batch: Batch | int, *, canary: int | None = None) -> Batch:
    """Send an approved batch, or go on with one that paused.

    >>> push(approve(preview("export").batch(action="create", by="Dana"), by="Sam")).state
    'done'
    """
    return current().push(batch, canary=canary)


def results(batch: Batch | int | None = None, *, status: str | None = None) -> Rows:
    """Sync results, newest first.

    >>> len(results(status="unknown"))
    0
    """
    return current().results(batch, status=status)


def explain(record: str, preview: Preview | int | None = None) -> Explained:
    """Every step a record went through, in words; named by Salesforce Id, Mainstay ID or change id.

    >>> first = next(iter(preview("export").changes))
    >>> explain(first["salesforce_id"]).steps[0]["step"]
    'Pulled'
    """
    return current().explain(record, preview)


def sql(query: str) -> Rows:
    """A read-only question of your own to the store.

    >>> next(iter(sql("SELECT 1 AS one")))
    {'one': 1}
    """
    return current().sql(query)


def _number(batch: Batch | int) -> int:
    return batch.batch if isinstance(batch, Batch) else batch


def _several(named: str | Sequence[str]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else tuple(named)
