"""What the verbs for notebooks give back: each reads the store when it is looked at, and renders as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import operations, views
from workbench.errors import ConfigurationError
from workbench.rows import SHOWN_ROWS, Bar, Counts, Rows, cell, html_table
from workbench.store.changes import first_changes
from workbench.store.mappings import mapping_document, mapping_history, require_mapping

if TYPE_CHECKING:
    from workbench.connected import Workbench
    from workbench.engine.explain import Explanation
    from workbench.engine.impact import Impact
    from workbench.operations import UndoReport
    from workbench.store import Store


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
    """A batch; its state is read from the store whenever it is looked at.

    left_out: reason -> changes that the request or the approval it comes from did not take.
    """

    workbench: Workbench = field(repr=False)
    batch: int
    left_out: dict[str, int] = field(default_factory=dict, compare=False)

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
        left_out = [{"left out": count, "why": reason} for reason, count in self.left_out.items()]
        return (
            table
            + (html_table(left_out, ["left out", "why"]) if left_out else "")
            + (f"<p>Predicted against actual</p>{html_table(scores, columns)}" if scores else "")
        )


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
        return explained(self.workbench.store, record, self.preview)

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
            actions=several(action),
            codes=several(code),
            guards=several(guard),
            change_ids=several(change),
            sql=sql,
            all=everything,
        )
        report = operations.create_batch(
            self.workbench.store, self.preview, by=self.workbench.person(by), chosen=chosen, draft=draft
        )
        return Batch(self.workbench, report.batch, dict(report.left_out))

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
            if held:  # an undo has none
                parts.append(f"<p>{title}: {sum(held.values()):,} records, each in one bucket</p>{held._repr_html_()}")
        return "".join(parts)


@dataclass(frozen=True)
class Undo(Preview):
    """What would put back what a batch wrote: a preview like any other, and what stays as it is.

    report: how many changes would be put back; `cannot` and `needless` say why others would not.
    """

    report: UndoReport = field(repr=False)

    def _repr_html_(self) -> str:
        told = self.report
        counted = f"{told.restored:,} of {told.changes:,} changes of batch {told.batch} would be put back"
        parts = [f"<p>{counted}, {told.partly:,} of them in part.</p>"]
        if told.cannot:
            columns = ["changes", "why", "fields", "examples"]
            parts.append(f"<p>What cannot be undone</p>{html_table(told.cannot, columns)}")
        if told.needless:
            parts.append(f"<p>What needs no undoing</p>{html_table(told.needless, ['changes', 'why'])}")
        return "".join([*parts, super()._repr_html_()])


@dataclass(frozen=True)
class Mapping:
    """The mapping that counts now: its pairs, its text, its history, and what another one would change."""

    workbench: Workbench = field(repr=False)

    @property
    def fields(self) -> list[dict[str, Any]]:
        """One row per object, direction and field pair."""
        found = []
        for item in require_mapping(self.workbench.store).mapping.objects:
            pairs = [] if item.export is None else list(item.export.fields)
            found += [_pair(item.sobject, "export", pair) for pair in pairs]
            coming = [] if item.import_ is None else list(item.import_.fields)
            found += [{**_pair(item.sobject, "import", pair), "matching": pair.matching} for pair in coming]
        return found

    @property
    def text(self) -> str:
        """The mapping as it was saved, YAML."""
        store = self.workbench.store
        return mapping_document(store, require_mapping(store).revision)

    @property
    def history(self) -> list[dict[str, Any]]:
        """revision, author, reason, created_at; the last one counts."""
        saved = mapping_history(self.workbench.store)
        names = ("revision", "author", "reason", "created_at")
        return [{name: getattr(item, name) for name in names} for item in saved]

    def impact(self, file: Path | str) -> Impacts:
        """What a mapping file would change over the current pulls; nothing is saved.

        Raises ConfigurationError with every problem of the file.
        """
        document = read_mapping(file)
        found = operations.impact_of_mapping(
            self.workbench.store, self.workbench.settings, document, source=Path(file).name
        )
        return Impacts(found)

    def _repr_html_(self) -> str:
        last = max(self.history, key=lambda item: item["revision"])
        head = f"<p>Mapping revision {last['revision']} by {escape(last['author'])}</p>"
        return head + html_table(self.fields, ["object", "direction", "salesforce", "mainstay", "required", "matching"])


@dataclass(frozen=True)
class Impacts:
    """What another mapping would change, per direction: counts of records, and a few of them by id."""

    found: list[Impact] = field(repr=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per direction: direction, records, altered_payloads, newly_fails, newly_matches, examples ..."""
        return [{**item.as_dict(), "direction": str(item.direction)} for item in self.found]

    def __str__(self) -> str:
        return "\n".join(item.sentence for item in self.found)

    def _repr_html_(self) -> str:
        sentences = "".join(f"<p>{escape(item.sentence)}</p>" for item in self.found)
        names = [name for name in self.rows[0] if name != "direction"] if self.found else []
        table = [
            {"": name.replace("_", " "), **{row["direction"]: cell(row[name]) for row in self.rows}} for name in names
        ]
        return sentences + html_table(table, ["", *(row["direction"] for row in self.rows)])


def explained(store: Store, record: str, preview: int | None) -> Explained:
    """A record explained. Raises NotFound, and ConfigurationError for what is no id."""
    if not isinstance(record, str):
        raise ConfigurationError(
            f"{record!r} is no id of a record. Name it in quotes, by Salesforce Id, Mainstay ID or change id."
        )
    return Explained(operations.explain_record(store, record, preview))


def _pair(sobject: str, direction: str, pair: Any) -> dict[str, Any]:
    return {
        "object": sobject,
        "direction": direction,
        "salesforce": pair.salesforce,
        "mainstay": pair.mainstay,
        "required": getattr(pair, "required", None),
        "matching": None,
    }


def read_mapping(file: Path | str) -> str:
    """The text of a mapping file. Raises ConfigurationError where there is none."""
    path = Path(file)
    if not path.is_file():
        raise ConfigurationError(f"There is no mapping file {path}.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as text: {error}") from None


def several(named: str | Sequence[str]) -> tuple[str, ...]:
    """One name, or several: a text is one name, not its letters."""
    return (named,) if isinstance(named, str) else tuple(named)
