"""The steps of a preview in a scratch database, from the landed tables to one bucket per record.

All work runs with the store attached read-only: other readers go on, writers wait for the seconds it takes.
Nothing is written to the store; `preview` freezes the result, `impact` compares two of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.fields import Direction
from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues, catalogue_problems, shape_problems
from workbench.engine import compile_export, compile_import
from workbench.engine.compile import Pair
from workbench.engine.plans import ExportPlan, ImportPlan
from workbench.engine.rules_sql import install_rules
from workbench.engine.sequence import label_groups, walk
from workbench.errors import ConfigurationError, StepFailed
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision
from workbench.store.quoting import identifier, literal
from workbench.store.steps import make_table, run_step, step_sql

Progress = Callable[[str, int, int | None], None]

_CHANGE_COLUMNS = (
    "seq, sobject, salesforce_id, mainstay_id, rule, action, group_id, codes, body, fields, predicted_status, is_open, "
    "method, path, reason, guards"
)


@dataclass(frozen=True)
class Scope:
    """Which records of the sending side are looked at: one by its id, those changed since a moment, or all."""

    only_record: str | None = None
    since: datetime | None = None

    @property
    def params(self) -> dict[str, Any]:
        named = {"only": self.only_record, "since": self.since}
        return {name: value for name, value in named.items() if value is not None}


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


@dataclass(frozen=True)
class Computation:
    """A finished computation: views work.all_changes and work.all_buckets, the pins it stands on, the objects."""

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
    scope: Scope = Scope(),
    has_sms: bool = True,
    has_web_bot: bool = True,
    stages: Stages | None = None,
) -> Iterator[Computation]:
    """Run every step of one direction over the latest complete pulls; the scratch database lives inside the block.

    Raises ConfigurationError (mapping problems, nothing pulled, columns not pulled), StepFailed.
    """
    stages = stages or Stages()
    catalogues = _checked_catalogues(store, revision)
    mapped = _chosen(revision, direction, sobjects)
    pins = _pins(store, [item.sobject for item in mapped])
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        for index, item in enumerate(mapped):
            if direction is Direction.EXPORT:
                plan = compile_export.export_plan(item, catalogues, has_sms=has_sms, has_web_bot=has_web_bot)
                _export_steps(con, store, plan, scope, stages)
            else:
                _import_steps(con, store, compile_import.import_plan(item, catalogues, earlier=index), scope, stages)
            _keep(con, direction, index)
        _gather(con, direction, [item.sobject for item in mapped])
        yield Computation(con, direction, [item.sobject for item in mapped], pins)
    finally:
        con.close()


def _export_steps(con: duckdb.DuckDBPyConnection, store: Store, plan: ExportPlan, scope: Scope, stages: Stages) -> None:
    _require_columns(store, plan.sobject, compile_export.required_columns(plan))
    clears_phone = plan.include_field_deletions and plan.pair("phone") is not None
    with store.attached(con):
        with stages.stage("compile"):
            sparse = _sparse(con, plan)
            make_table(con, "outgoing", compile_export.outgoing(plan, sparse, **_scoped(scope)), scope.params)
            make_table(con, "contact_now", compile_export.contact_now(plan, sparse))
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
            make_table(con, "differing", compile_export.differing(sparse))
            run_step(con, "outgoing", "sending", {"include_all_fields": plan.include_all_fields})
            make_table(con, "payload", compile_export.payload(plan))
        with stages.stage("sequence"):
            walk(con, plan)
    with stages.stage("predict"):
        run_step(con, "outgoing", "change_outgoing")
        run_step(con, "outgoing", "bucket_outgoing")
        _must_add_up(con, "outgoing_adds_up")


def _sparse(con: duckdb.DuckDBPyConnection, plan: ExportPlan) -> Sequence[Pair]:
    """The pairs whose blanks would make whole rows look different; a handful of rows may do so for nothing."""
    if not plan.pairs:
        return ()
    found = con.execute(compile_export.blank_counts(plan)).fetchone()
    pulled = con.execute(f"SELECT count(*) FROM store.salesforce.{identifier(plan.sobject)}").fetchone()
    assert found is not None
    assert pulled is not None
    _, sparse = compile_export.split_pairs(plan, (found[0], found[1]), tolerance=pulled[0] // 1000)
    return sparse


def _import_steps(con: duckdb.DuckDBPyConnection, store: Store, plan: ImportPlan, scope: Scope, stages: Stages) -> None:
    _require_columns(store, plan.sobject, compile_import.required_columns(plan))
    with store.attached(con):
        with stages.stage("compile"):
            make_table(con, "incoming", compile_import.incoming(plan, **_scoped(scope)), scope.params)
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


def _scoped(scope: Scope) -> dict[str, bool]:
    return {"only": scope.only_record is not None, "since": scope.since is not None}


def _side(direction: Direction) -> str:
    return "outgoing" if direction is Direction.EXPORT else "incoming"


def _keep(con: duckdb.DuckDBPyConnection, direction: Direction, index: int) -> None:
    """Put one SObject's result aside, since the next object makes tables of the same names."""
    for kind in ("change", "bucket"):
        con.execute(f"ALTER TABLE work.{kind}_{_side(direction)} RENAME TO {kind}_of_{index}")


def _gather(con: duckdb.DuckDBPyConnection, direction: Direction, sobjects: Sequence[str]) -> None:
    """Views over all SObjects: work.all_changes (seq goes on counting from object to object), work.all_buckets."""
    is_open = "false" if direction is Direction.EXPORT else "is_open"
    request = "method, path" if direction is Direction.EXPORT else "CAST(NULL AS VARCHAR) AS method, NULL AS path"
    changes, buckets, offset = [], [], 0
    for index, sobject in enumerate(sobjects):
        changes.append(
            f"SELECT {offset} + seq AS seq, {literal(sobject)} AS sobject, salesforce_id, mainstay_id, rule, action, "
            f"{offset} + group_id AS group_id, codes, body, fields, predicted_status, {is_open} AS is_open, {request}, "
            f"reason, guards FROM work.change_of_{index}"
        )
        buckets.append(
            f"SELECT system, CASE system WHEN 'salesforce' THEN {literal(sobject)} ELSE 'contact' END AS object, "
            f"bucket, row_count FROM work.bucket_of_{index}"
        )
        found = con.execute(f"SELECT coalesce(max(seq), 0) FROM work.change_of_{index}").fetchone()
        offset += int(found[0]) if found else 0
    con.execute(f"CREATE VIEW work.all_changes AS SELECT {_CHANGE_COLUMNS} FROM ({' UNION ALL '.join(changes)})")
    con.execute(
        "CREATE VIEW work.all_buckets AS SELECT system, object, bucket, CAST(sum(row_count) AS BIGINT) AS row_count "
        f"FROM ({' UNION ALL '.join(buckets)}) GROUP BY ALL"
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
