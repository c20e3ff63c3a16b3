"""Make a preview: every record of both systems in one named bucket, frozen in the store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from workbench.domain.fields import Direction
from workbench.domain.guards import GuardLimits
from workbench.domain.salesforce_ids import as_stored
from workbench.engine.agreed import look_at_pulls
from workbench.engine.compute import computed
from workbench.engine.freeze import freeze
from workbench.engine.ground import ground_of
from workbench.engine.guard_steps import guard_steps
from workbench.engine.keeping import is_kept, keep
from workbench.engine.run import Progress, Scope, Stages
from workbench.errors import NotFound
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision

DEFAULT_LIMITS: Final = GuardLimits()
ACTIONS: Final = ("update", "link", "create", "none", "excluded", "conflict", "blocked")

# Salesforce shows a row when its transaction commits, later than its stamp.
_OVERLAP: Final = "10 minutes"


@dataclass(frozen=True)
class PreviewReport:
    """A finished preview: rows per action (all seven present), rows per bucket of both systems, seconds per stage.

    guards: {"guard", "field", "row_count", "share", "sentence"} of changes that need a second look. conflicts: fields
    that wait for a person.
    """

    preview_id: int
    direction: Direction
    counts: dict[str, int]
    buckets: list[dict[str, Any]]
    seconds: float
    guards: list[dict[str, Any]] = field(default_factory=list)
    conflicts: int = 0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    stage_cpu_seconds: dict[str, float] = field(default_factory=dict)


def make_preview(
    store: Store,
    *,
    direction: Direction,
    revision: MappingRevision,
    sobjects: Sequence[str] | None = None,
    only_record: str | None = None,
    only_changed: bool = False,
    has_sms: bool = True,
    has_web_bot: bool = True,
    limits: GuardLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> PreviewReport:
    """Preview one direction of the mapped SObjects over the latest complete pulls.

    `only_record` limits it to one record of the sending side (export: a Salesforce Id of 15 or 18 characters,
    import: a Mainstay ID), `only_changed` to records that changed on either side since the last full preview of this
    direction.
    Raises ConfigurationError (mapping problems, nothing pulled, columns not pulled), NotFound (unknown record),
    StepFailed (a bug or a schema drift). Source: DESIGN section 6.
    """
    if only_record is not None and direction is Direction.EXPORT:
        only_record = as_stored(only_record)
    with store.reading():
        was_kept = is_kept(store, revision)  # and what was kept was looked at before
        ground = ground_of(store, has_sms=has_sms, has_web_bot=has_web_bot)
        baseline, since = _last_looked(store, direction, revision, sobjects, ground) if only_changed else (None, None)
    if not was_kept:
        look_at_pulls(store, revision)
        if only_record is None:
            keep(store, revision)
    started = time.perf_counter()
    stages = Stages(progress)
    scope = Scope(only_record, since, baseline)
    told = only_record or (f"changed since preview {baseline}" if since is not None else None)
    with computed(
        store,
        revision,
        direction,
        sobjects=sobjects,
        scope=scope,
        has_sms=has_sms,
        has_web_bot=has_web_bot,
        stages=stages,
    ) as work:
        found = work.con.execute("SELECT action, count(*) FROM work.all_changes GROUP BY action").fetchall()
        if only_record is not None and not found:
            raise NotFound(f"{only_record} is not among the records that were pulled. Check the id, or pull again.")
        with stages.stage("guards"):
            guard_steps(work, store, revision.mapping, limits)
        with stages.stage("freeze"):
            preview_id = freeze(work, store, revision=revision, ground=ground, only_record=told, started=started)
        buckets = work.con.execute("SELECT * FROM work.all_buckets").to_arrow_table().to_pylist()
        guards = work.con.execute("SELECT * FROM work.guard_count ORDER BY guard, field").to_arrow_table().to_pylist()
        asked = work.con.execute("SELECT count(*) FROM work.all_conflicts WHERE winner IS NULL").fetchone()
    counts = {action: dict(found).get(action, 0) for action in ACTIONS}
    seconds = time.perf_counter() - started
    open_conflicts = asked[0] if asked else 0
    return PreviewReport(
        preview_id, direction, counts, buckets, seconds, guards, open_conflicts, stages.seconds, stages.cpu_seconds
    )


def _last_looked(
    store: Store, direction: Direction, revision: MappingRevision, sobjects: Sequence[str] | None, ground: str
) -> tuple[int | None, datetime | None]:
    """The last full preview, by this mapping, of these objects and those before; when its pulls began, less an overlap.

    `ground`: what else decides (ground.py). (None, None) where there is none yet: look at all.
    """
    enabled = [item.sobject for item in revision.mapping.sobjects(direction)]
    last = max((place for place, name in enumerate(enabled) if name in (sobjects or enabled)), default=-1)
    rows = store.rows(
        f"SELECT min(pin.preview_id) AS baseline, min(pull.started_at) - INTERVAL '{_OVERLAP}' AS since "
        "FROM preview.pin AS pin "
        "JOIN journal.pull AS pull ON pull.pull_id = pin.pull_id AND pull.system = pin.system "
        "AND pull.object = pin.object WHERE pin.preview_id = (SELECT max(preview_id) FROM preview.preview "
        "WHERE direction = $direction AND only_record IS NULL AND mapping_digest = $digest "
        "AND preview_id IN (SELECT preview_id FROM preview.ground WHERE ground = $ground) "
        "AND list_has_all(sobjects, $sobjects))",
        {
            "direction": str(direction),
            "digest": revision.digest,
            "ground": ground,
            "sobjects": enabled[: last + 1],
        },
    )
    return rows[0]["baseline"], rows[0]["since"]
