"""Make a preview: the ordered steps that put every record of both systems into one named bucket.

All work runs in a scratch database with the store attached read-only: other readers go on, writers wait for the
seconds it takes. The result is written in one short transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.fields import Direction
from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues, catalogue_problems, shape_problems
from workbench.engine import compile_export, compile_import
from workbench.engine.freeze import freeze
from workbench.engine.plans import ExportPlan, ImportPlan
from workbench.engine.rules_sql import install_rules
from workbench.engine.sequence import label_groups, walk
from workbench.errors import ConfigurationError, NotFound, StepFailed
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision
from workbench.store.steps import make_table, run_step, step_sql

ACTIONS: Final = ("update", "link", "create", "none", "excluded", "conflict", "blocked")
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class PreviewReport:
    """A finished preview: rows per action (all seven present), rows per bucket of both systems, seconds per stage."""

    preview_id: int
    direction: Direction
    counts: dict[str, int]
    buckets: list[dict[str, Any]]
    seconds: float
    stage_seconds: dict[str, float] = field(default_factory=dict)
    stage_cpu_seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class Stages:
    """Wall and CPU seconds per named stage of one preview, told to `progress` as they start."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name, len(self.seconds), None)
        started, started_cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + time.process_time() - started_cpu


def make_preview(
    store: Store,
    *,
    direction: Direction,
    revision: MappingRevision,
    sobjects: Sequence[str] | None = None,
    only_record: str | None = None,
    has_sms: bool = True,
    has_web_bot: bool = True,
    progress: Progress | None = None,
) -> PreviewReport:
    """Preview one direction of the mapped SObjects over the latest complete pulls.

    `only_record` limits it to one record of the sending side (export: a Salesforce Id, import: a Mainstay ID).
    Raises ConfigurationError (mapping problems, nothing pulled, columns not pulled), NotFound (unknown record),
    StepFailed (a bug or a schema drift). Source: DESIGN section 6.
    """
    started = time.perf_counter()
    stages = Stages(progress)
    catalogues = _checked_catalogues(store, revision)
    mapped = _chosen(revision, direction, sobjects)
    pins = _pins(store, [item.sobject for item in mapped])
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        for item in mapped:
            if direction is Direction.EXPORT:
                plan = compile_export.export_plan(item, catalogues, has_sms=has_sms, has_web_bot=has_web_bot)
                _export_steps(con, store, plan, only_record, stages)
            else:
                _import_steps(con, store, compile_import.import_plan(item, catalogues), only_record, stages)
            _collect(con, item.sobject, direction)
        if only_record is not None and not _count(con, "SELECT count(*) FROM work.all_changes"):
            raise NotFound(f"{only_record} is not among the records that were pulled. Check the id, or pull again.")
        with stages.stage("freeze"):
            preview_id = freeze(
                con, store, direction=direction, revision=revision, only_record=only_record, pins=pins,
                sobjects=[item.sobject for item in mapped], started=started,
            )  # fmt: skip
        counts = dict(con.execute("SELECT action, count(*) FROM work.all_changes GROUP BY action").fetchall())
        buckets = con.execute("SELECT * FROM work.all_buckets").to_arrow_table().to_pylist()
    finally:
        con.close()
    seconds = time.perf_counter() - started
    every = {action: counts.get(action, 0) for action in ACTIONS}
    return PreviewReport(preview_id, direction, every, buckets, seconds, stages.seconds, stages.cpu_seconds)


def _export_steps(
    con: duckdb.DuckDBPyConnection, store: Store, plan: ExportPlan, only: str | None, stages: Stages
) -> None:
    wanted = {"only": only} if only is not None else {}
    _require_columns(store, plan.sobject, compile_export.required_columns(plan))
    clears_phone = plan.include_field_deletions and plan.pair("phone") is not None
    with store.attached(con):
        with stages.stage("compile"):
            make_table(con, "outgoing", compile_export.outgoing(plan, only=only is not None), wanted)
            make_table(con, "contact_now", compile_export.contact_now(plan))
        with stages.stage("match"):
            run_step(con, "outgoing", "crm_id_owner")
            run_step(con, "outgoing", "phone_owner")
            run_step(con, "outgoing", "match_outgoing")
        with stages.stage("verdict"):
            run_step(con, "outgoing", "verdict_outgoing", {"clears_phone": clears_phone})
        with stages.stage("collisions"):
            run_step(con, "outgoing", "touch_outgoing")
            run_step(con, "outgoing", "collision_outgoing")
            label_groups(con)
        with stages.stage("diff"):
            make_table(con, "differing", compile_export.differing(plan))
            run_step(con, "outgoing", "sending", {"include_all_fields": plan.include_all_fields})
            make_table(con, "payload", compile_export.payload(plan))
        with stages.stage("sequence"):
            walk(con, plan)
    with stages.stage("predict"):
        run_step(con, "outgoing", "change_outgoing")
        run_step(con, "outgoing", "bucket_outgoing")
        _must_add_up(con, "outgoing_adds_up")


def _import_steps(
    con: duckdb.DuckDBPyConnection, store: Store, plan: ImportPlan, only: str | None, stages: Stages
) -> None:
    wanted = {"only": only} if only is not None else {}
    _require_columns(store, plan.sobject, compile_import.required_columns(plan))
    with store.attached(con):
        with stages.stage("compile"):
            make_table(con, "incoming", compile_import.incoming(plan, only=only is not None), wanted)
            make_table(con, "record_now", compile_import.record_now(plan))
        with stages.stage("match"):
            run_step(con, "incoming", "record_link")
            run_step(con, "incoming", "unlinked")
            make_table(con, "match_incoming", compile_import.match_incoming(plan))
        with stages.stage("verdict"):
            run_step(con, "incoming", "verdict_incoming", {"create_unmatched": plan.create_unmatched})
        with stages.stage("diff"):
            run_step(con, "incoming", "receiving")
            make_table(con, "payload_incoming", compile_import.payload_incoming(plan))
    with stages.stage("predict"):
        run_step(con, "incoming", "change_incoming")
        run_step(con, "incoming", "bucket_incoming")
        _must_add_up(con, "incoming_adds_up")


def _collect(con: duckdb.DuckDBPyConnection, sobject: str, direction: Direction) -> None:
    """Append one SObject's changes and buckets to those of the whole preview; seq goes on counting."""
    side = "outgoing" if direction is Direction.EXPORT else "incoming"
    is_open = "false" if direction is Direction.EXPORT else "is_open"
    method = "method, path" if direction is Direction.EXPORT else "NULL AS method, NULL AS path"
    con.execute(
        "CREATE TABLE IF NOT EXISTS work.all_changes (seq BIGINT, sobject VARCHAR, salesforce_id VARCHAR, "
        "mainstay_id VARCHAR, rule VARCHAR, action VARCHAR, group_id BIGINT, codes VARCHAR[], body VARCHAR, "
        "fields VARCHAR, predicted_status VARCHAR, is_open BOOLEAN, method VARCHAR, path VARCHAR, reason VARCHAR, "
        "guards VARCHAR[])"
    )
    con.execute(
        "CREATE TABLE IF NOT EXISTS work.all_buckets (system VARCHAR, object VARCHAR, bucket VARCHAR, row_count BIGINT)"
    )
    con.execute(
        f"INSERT INTO work.all_changes WITH before AS (SELECT coalesce(max(seq), 0) AS n FROM work.all_changes) "
        f"SELECT before.n + c.seq AS seq, $sobject AS sobject, salesforce_id, mainstay_id, rule, action, "
        f"before.n + group_id AS group_id, codes, body, fields, predicted_status, {is_open} AS is_open, {method}, "
        f"reason, guards FROM work.change_{side} AS c CROSS JOIN before",
        {"sobject": sobject},
    )
    con.execute(
        f"INSERT INTO work.all_buckets SELECT system, CASE system WHEN 'salesforce' THEN $sobject ELSE 'contact' END "
        f"AS object, bucket, row_count FROM work.bucket_{side}",
        {"sobject": sobject},
    )


def _checked_catalogues(store: Store, revision: MappingRevision) -> Catalogues:
    """Both catalogues. A mapping that names a vanished or unfitting field is refused with every problem."""
    known = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    if not known:
        raise ConfigurationError("Nothing has been pulled from Salesforce yet. Run `workbench pull` first.")
    catalogues = catalogues_for(revision.mapping, known, mainstay_fields(store.rows("SELECT * FROM mainstay.field")))
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


def _pins(store: Store, sobjects: Sequence[str]) -> list[dict[str, Any]]:
    """The latest complete pull of each object the preview reads."""
    latest = store.rows(
        "SELECT system, object, max(pull_id) AS pull_id FROM journal.pull WHERE state = 'complete' GROUP BY ALL"
    )
    found = {(row["system"], row["object"]): row["pull_id"] for row in latest}
    wanted = [*(("salesforce", sobject) for sobject in sobjects), ("mainstay", "contact")]
    missing = [f"{system} {name}" for system, name in wanted if (system, name) not in found]
    if missing:
        raise ConfigurationError(f"Not pulled yet: {', '.join(missing)}. Run `workbench pull` first.")
    return [{"system": system, "object": name, "pull_id": found[system, name]} for system, name in wanted]


def _require_columns(store: Store, sobject: str, wanted: tuple[Sequence[str], Sequence[str]]) -> None:
    """Every column a plan reads was landed; the mapping may be newer than the pull."""
    rows = store.rows(
        "SELECT table_schema, column_name FROM information_schema.columns "
        "WHERE (table_schema = 'salesforce' AND table_name = $sobject) "
        "OR (table_schema = 'mainstay' AND table_name = 'contact')",
        {"sobject": sobject},
    )
    landed = {(row["table_schema"], row["column_name"]) for row in rows}
    missing = [f"{sobject}.{name}" for name in wanted[0] if ("salesforce", name) not in landed]
    missing += [f"Mainstay {name}" for name in wanted[1] if ("mainstay", name) not in landed]
    if missing:
        raise ConfigurationError(
            f"The mapping names fields that the latest pull did not bring: {', '.join(dict.fromkeys(missing))}. "
            "Run `workbench pull` again."
        )


def _must_add_up(con: duckdb.DuckDBPyConnection, check: str) -> None:
    """The first law: the buckets add up to the pull."""
    sql = step_sql("checks", check)
    wrong = con.execute(sql).fetchall()
    if wrong:
        system, pulled, named = wrong[0]
        raise StepFailed(check, sql, f"{system} has {pulled} records but {named} in buckets")


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0]) if row else 0
