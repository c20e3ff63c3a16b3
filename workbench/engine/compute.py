"""The steps of a preview in a scratch database, from the landed tables to one bucket per record.

All of it runs within one reading of the store: what it reads is of one moment, other readers go on, writers wait for
the seconds it takes.
Nothing is written to the store; `preview` freezes the result, `impact` compares two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.fields import Direction
from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues, catalogue_problems, shape_problems
from workbench.engine import compile_export, compile_import, export_steps, import_steps
from workbench.engine.affected import find_affected
from workbench.engine.affected_contacts import find_affected_contacts
from workbench.engine.gather import gather, keep
from workbench.engine.kept import kept_columns
from workbench.engine.planning import export_plan, import_plan, written_by
from workbench.engine.plans import ExportPlan, ImportPlan
from workbench.engine.run import EVERYTHING, Run, Scope, Stages, require_columns, scratch
from workbench.errors import ConfigurationError
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision


@dataclass(frozen=True)
class Computation:
    """A finished computation: work.all_changes, all_requests and all_buckets; the objects and their pulls."""

    con: duckdb.DuckDBPyConnection
    direction: Direction
    sobjects: list[str]
    pins: list[dict[str, Any]]


@contextmanager
def computed(
    store: Store,
    revision: MappingRevision,
    direction: Direction,
    *,
    sobjects: Sequence[str] | None = None,
    scope: Scope = EVERYTHING,
    has_sms: bool = True,
    has_web_bot: bool = True,
    stages: Stages | None = None,
) -> Iterator[Computation]:
    """Run every step of one direction over the latest complete pulls; the scratch database lives inside the block.

    Raises ConfigurationError (mapping problems, nothing pulled, columns not pulled), StepFailed.
    """
    with scratch() as con:
        with store.attached(con):
            catalogues = _checked_catalogues(con, revision)
            told = [item.sobject for item in _chosen(revision, direction, sobjects)]
            mapped = _decided(revision, direction, told)
            names = [item.sobject for item in mapped]
            pins = _pins(con, names)
            run = Run(con, scope, stages or Stages())
            if direction is Direction.EXPORT:
                plans = [export_plan(item, catalogues, has_sms=has_sms, has_web_bot=has_web_bot) for item in mapped]
                _export(run, plans)
            else:
                written = written_by([item for item in mapped if item.sobject in told])
                _import(
                    run,
                    [import_plan(item, catalogues, earlier=n, written=written) for n, item in enumerate(mapped)],
                )
            gather(run, direction, names, told)
        yield Computation(con, direction, told, pins)


def _export(run: Run, plans: Sequence[ExportPlan]) -> None:
    """The export of one object after the other: what an earlier one sends, a later one finds taken (decision 15)."""
    run.con.execute("CREATE TABLE work.taken_phone (phone UBIGINT)")
    for plan in plans:
        require_columns(run.con, plan.sobject, compile_export.required_columns(plan))
    plans = [replace(plan, kept=kept_columns(run.con, plan.sobject)) for plan in plans]
    if run.scope.since is not None:
        with run.stages.stage("keys"):
            find_affected(run, plans)
    for index, plan in enumerate(plans):
        export_steps.export_steps(run, plan)
        if plan is not plans[-1]:
            export_steps.take_phones(run)
        keep(run.con, export_steps.RESULT, index)


def _import(run: Run, plans: Sequence[ImportPlan]) -> None:
    """The import of one object after the other: a contact that an earlier one decides about is left to it."""
    for plan in plans:
        require_columns(run.con, plan.sobject, compile_import.required_columns(plan))
    plans = [replace(plan, kept=kept_columns(run.con, plan.sobject)) for plan in plans]
    if run.scope.since is not None:
        with run.stages.stage("keys"):
            find_affected_contacts(run, plans)
    for index, plan in enumerate(plans):
        import_steps.import_steps(run, plan)
        keep(run.con, import_steps.RESULT, index)


def _checked_catalogues(con: duckdb.DuckDBPyConnection, revision: MappingRevision) -> Catalogues:
    """Both catalogues. A mapping that names a vanished or unfitting field is refused with every problem."""
    known = salesforce_fields(_rows(con, "FROM store.salesforce.field"))
    if not known:
        raise ConfigurationError("Nothing has been pulled from Salesforce yet. Run `workbench pull` first.")
    catalogues = catalogues_for(revision.mapping, known, mainstay_fields(_rows(con, "FROM store.mainstay.field")))
    problems = [*shape_problems(revision.mapping), *catalogue_problems(revision.mapping, catalogues)]
    if problems:
        raise ConfigurationError(
            f"Mapping revision {revision.revision} does not fit the fields that exist now:",
            [problem.text() for problem in problems],
        )
    return catalogues


def _chosen(revision: MappingRevision, direction: Direction, sobjects: Sequence[str] | None) -> list[SObjectMapping]:
    enabled = revision.mapping.sobjects(direction)
    if sobjects is not None:
        named = [revision.mapping.find(name) for name in sobjects]
        off = [item.sobject for item in named if not item.is_enabled(direction)]
        if off:
            raise ConfigurationError(f"The mapping has no enabled {direction} for: {', '.join(off)}.")
        return named
    if not enabled:
        raise ConfigurationError(f"The mapping enables no object for {direction}. Set `enabled: true` on one of them.")
    return enabled


def _decided(revision: MappingRevision, direction: Direction, told: Sequence[str]) -> list[SObjectMapping]:
    """The objects told and those mapped before them: what these take, a later one cannot have."""
    enabled = revision.mapping.sobjects(direction)
    last = max(index for index, item in enumerate(enabled) if item.sobject in told)
    return enabled[: last + 1]


def _pins(con: duckdb.DuckDBPyConnection, sobjects: Sequence[str]) -> list[dict[str, Any]]:
    """The latest complete pull of each object the preview reads."""
    latest = _rows(
        con,
        "SELECT system, object, max(pull_id) AS pull_id FROM store.journal.pull WHERE state = 'complete' GROUP BY ALL",
    )
    found = {(row["system"], row["object"]): row["pull_id"] for row in latest}
    wanted = [*(("salesforce", sobject) for sobject in sobjects), ("mainstay", "contact")]
    missing = [f"{system} {name}" for system, name in wanted if (system, name) not in found]
    if missing:
        raise ConfigurationError(f"Not pulled yet: {', '.join(missing)}. Run `workbench pull` first.")
    return [{"system": system, "object": name, "pull_id": found[system, name]} for system, name in wanted]


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Rows of the attached `store`, as the steps see it."""
    found: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
    return found
