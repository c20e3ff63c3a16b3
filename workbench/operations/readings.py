"""Pulling both systems, and previewing what a sync would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.domain.fields import Direction
from workbench.domain.guards import GuardLimits
from workbench.engine.agreed import look_at_pulls
from workbench.engine.explain import Explanation, explain
from workbench.engine.keeping import keep
from workbench.engine.preview import PreviewReport
from workbench.engine.preview import make_preview as preview_records
from workbench.errors import ConfigurationError
from workbench.operations.catalogues import columns_to_pull
from workbench.operations.wanted import is_pulled_for, wanted_columns
from workbench.settings import Settings
from workbench.stages.pull import PullReport, pull
from workbench.stages.pull import import_messages as import_message_file
from workbench.store import Store
from workbench.store.mappings import current_mapping, require_mapping

Progress = Callable[[str, int, int | None], None]
Part = Literal["salesforce", "mainstay", "messages", "campaigns"]


def pull_systems(
    store: Store,
    settings: Settings,
    *,
    only: Part | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Read both systems (or `only` one part) into the store.

    {"pulls": [{"system", "object", "pull_id", "rows", "fetched", "mode", "seconds"}], "drift": [sentence], "problems"}
    Raises ConfigurationError, AuthenticationFailed, RemoteError, StoreBusy.
    """
    revision = current_mapping(store)
    mapping = revision.mapping if revision is not None else None
    reads_salesforce = only in (None, "salesforce")
    wanted = columns_to_pull(store, settings, mapping) if reads_salesforce else wanted_columns(mapping)
    report = pull(store, settings, wanted=wanted, only=only, full=full, **_told(progress))
    if revision is not None:
        look_at_pulls(store, revision)
        keep(store, revision)
    return describe_pull(report)


def describe_pull(report: PullReport) -> dict[str, Any]:
    """A pull report as plain values, for printing."""
    return {
        "pulls": [
            {
                "system": item.system,
                "object": item.object,
                "pull_id": report.pull_id,
                "rows": item.total,
                "fetched": item.fetched,
                "mode": item.mode,
                "seconds": round(item.seconds, 3),
            }
            for item in report.objects
        ],
        "drift": [str(item) for item in report.drift],
        "problems": list(report.problems),
    }


def make_preview(
    store: Store,
    settings: Settings,
    direction: str,
    *,
    sobjects: Sequence[str] | None = None,
    only_record: str | None = None,
    only_changed: bool = False,
    progress: Progress | None = None,
) -> PreviewReport:
    """Preview one direction with the current mapping. Nothing is sent.

    Raises ConfigurationError (no mapping, nothing pulled, a mapping newer than the pull), NotFound, StepFailed.
    """
    revision = require_mapping(store)
    if store.rows("SELECT 1 AS found FROM salesforce.field LIMIT 1") and not is_pulled_for(store, revision.mapping):
        raise ConfigurationError(
            f"Mapping revision {revision.revision} is newer than the latest pull and needs more of Salesforce: "
            "workbench pull, then preview again."
        )
    return preview_records(
        store,
        direction=Direction(direction),
        revision=revision,
        sobjects=sobjects or None,
        only_record=only_record,
        has_sms=settings.mainstay.has_sms,
        has_web_bot=settings.mainstay.has_web_bot,
        only_changed=only_changed,
        limits=GuardLimits(**settings.guard.model_dump()),
        progress=progress,
    )


def explain_record(store: Store, record: str, preview_id: int | None = None) -> Explanation:
    """Every step a record went through in a preview (its latest unless named), in words. Raises NotFound."""
    return explain(store, record, preview_id)


def import_messages(store: Store, file: Path) -> int:
    """Read messages from a Conversations Export, CSV; how many."""
    return import_message_file(store, file).rows


def _told(progress: Progress | None) -> dict[str, Any]:
    return {} if progress is None else {"progress": progress}
