"""The verbs for notebooks. `workbench` forwards to this module; every result renders as a table in Jupyter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import operations
from workbench.cell import tell_errors_plainly
from workbench.connected import Columns, Workbench
from workbench.errors import ConfigurationError
from workbench.handles import Batch, Explained, Mapping, Preview, Undo
from workbench.rows import Rows
from workbench.settings import Settings, load_settings

if TYPE_CHECKING:
    from workbench.drafts import CsvDraft
    from workbench.operations.readings import Part

__all__ = [
    "Batch",
    "Explained",
    "Preview",
    "Rows",
    "Undo",
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
    "undo",
]

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


def preview(
    direction: str,
    *,
    sobjects: str | Sequence[str] | None = None,
    only_record: str | None = None,
    only_changed: bool = False,
) -> Preview:
    """Preview "export" (Salesforce to Mainstay) or "import" (the other way); nothing is sent.

    `only_changed`: only records changed since the last full preview of this direction, and those they decide about.

    >>> list(preview("export").counts)
    ['update', 'link', 'create', 'none', 'excluded', 'conflict', 'blocked']
    """
    return current().preview(direction, sobjects=sobjects, only_record=only_record, only_changed=only_changed)


def batch(number: int) -> Batch:
    """A batch made earlier, by its number. Raises NotFound."""
    return current().batch(number)


def approve(batch: Batch | int, *, by: str, reason: str = "", leave_out: str | Sequence[str] = ()) -> Batch:
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


def undo(batch: Batch | int) -> Undo:
    """Preview what would put back what a batch wrote, and what cannot be undone; a pull after the push comes first.

    >>> sent = push(approve(preview("export").batch(action="update", by="Dana"), by="Sam"))
    >>> _ = pull()
    >>> undo(sent).batch(by="Dana").state
    'submitted'
    """
    return current().undo(batch)


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
