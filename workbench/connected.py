"""`Workbench`: one store with its connections, and what can be done with them in a notebook."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import operations, views
from workbench.cell import cell_progress
from workbench.domain.access import Person, person_named
from workbench.domain.changes import Status
from workbench.domain.known_names import require_known
from workbench.errors import ConfigurationError
from workbench.handles import Batch, Explained, Mapping, Preview, Undo, explained, read_mapping, several
from workbench.rows import Rows, html_table
from workbench.settings import Settings, hosts_of, is_sandbox
from workbench.store import Store
from workbench.store.mappings import mapping_history, require_mapping
from workbench.store.quoting import literal

if TYPE_CHECKING:
    from workbench.drafts import CsvDraft
    from workbench.operations.readings import Part

Columns = dict[str, str]  # header of a file -> the field it holds


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
            return Mapping(self)
        document = operations.sample_mapping() if file is None else read_mapping(file)
        source = "The starter mapping" if file is None else Path(file).name
        operations.import_mapping(self.store, self.settings, document, by=self.person(by), reason=reason, source=source)
        return Mapping(self)

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
        return Mapping(self)

    def pull(self, *, full: bool = False, only: Part | None = None) -> Rows:
        """Read both systems into the store; the pulls that were made."""
        with cell_progress() as progress:
            report = operations.pull_systems(self.store, self.settings, only=only, full=full, progress=progress)
        made = ", ".join(str(int(pull["pull_id"])) for pull in report["pulls"]) or "NULL"
        rows = Rows(self.store, f"SELECT * FROM view.pull WHERE pull_id IN ({made}) ORDER BY system DESC, object")  # noqa: S608  numbers
        return rows.select("system", "object", "mode", "row_count", "seconds", "finished_at", "pull_id", "state")

    def preview(
        self,
        direction: str,
        *,
        sobjects: str | Sequence[str] | None = None,
        only_record: str | None = None,
        only_changed: bool = False,
    ) -> Preview:
        """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent.

        `only_changed`: only records changed since the last full preview of this direction, and those they decide about.
        """
        if direction not in ("export", "import"):
            raise ConfigurationError(f"There is no direction {direction!r}: preview 'export' or 'import'.")
        with cell_progress() as progress:
            report = operations.make_preview(
                self.store,
                self.settings,
                direction,
                sobjects=None if sobjects is None else several(sobjects),
                only_record=only_record,
                only_changed=only_changed,
                progress=progress,
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
        """A batch made earlier, by its number. Raises NotFound, and ConfigurationError for what is no number."""
        found = _number(number)
        views.batch(self.store, found)
        return Batch(self, found)

    def approve(self, batch: Batch | int, *, by: str, reason: str = "", leave_out: str | Sequence[str] = ()) -> Batch:
        """Let a submitted batch go; by another person than the one who asked."""
        number = _number(batch)
        report = operations.approve_batch(
            self.store, self.settings, number, by=self.person(by), except_changes=several(leave_out), reason=reason
        )
        return Batch(self, number, dict(report.left_out))

    def push(self, batch: Batch | int, *, canary: int | None = None) -> Batch:
        """Send an approved batch, or go on with one that paused."""
        number = _number(batch)
        with cell_progress() as progress:
            operations.push_batch(self.store, self.settings, number, by=self.person(), canary=canary, progress=progress)
        return Batch(self, number)

    def undo(self, batch: Batch | int) -> Undo:
        """Preview what would put back what a batch wrote, and what cannot be undone. Nothing is sent.

        Raises ApprovalRefused while the batch is not at its end, or before a pull after its push.
        """
        report = operations.undo_batch(self.store, self.settings, _number(batch), by=self.person())
        return Undo(self, report.preview, report.direction, report)

    def results(self, batch: Batch | int | None = None, *, status: str | None = None) -> Rows:
        """Sync results, newest first; `status`: success, partial, fail or unknown.

        Raises ConfigurationError for another status, NotFound for an unknown batch.
        """
        require_known("status", status, list(Status))
        rows = Rows(self.store, "SELECT * FROM view.sync_result ORDER BY result_number DESC")
        if batch is not None:
            rows = rows.where(f"batch_id = {self.batch(_number(batch)).batch}")
        return rows if status is None else rows.where(f"status = {literal(status)}")

    def explain(self, record: str, preview: Preview | int | None = None) -> Explained:
        """Every step a record went through, in its latest preview unless one is named."""
        number = preview.preview if isinstance(preview, Preview) else preview
        return explained(self.store, record, None if number is None else _whole("preview", number))

    def sql(self, query: str) -> Rows:
        """A read-only question of your own, one SELECT; docs/views.md lists the names to rely on.

        Raises ConfigurationError for anything else.
        """
        views.check_sql(query)
        return Rows(self.store, query.strip().rstrip(";"))

    def _repr_html_(self) -> str:
        pulls = views.latest_pulls(self.store)
        head = f"<p>Store {escape(self.store.dsn)}</p>"
        columns = ["system", "object", "row_count", "finished_at"]
        return head + (html_table(pulls, columns) if pulls else "<p>Nothing pulled yet: workbench.pull()</p>")


def _number(batch: Batch | int) -> int:
    return batch.batch if isinstance(batch, Batch) else _whole("batch", batch)


def _whole(kind: str, number: int) -> int:
    """The number of a batch or preview. Raises ConfigurationError for what is no whole number."""
    try:
        return index(number)
    except TypeError:
        raise ConfigurationError(
            f"{number!r} is no number of a {kind}: name it by its whole number, as in 2."
        ) from None
