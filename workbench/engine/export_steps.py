"""The steps of an export preview of one SObject, in order."""

from __future__ import annotations

from typing import Final

import duckdb

from workbench.engine import compile_compare, compile_export, compile_payload
from workbench.engine.affected import keep_affected
from workbench.engine.compile import Pair
from workbench.engine.plans import ExportPlan, Slice
from workbench.engine.run import Run, must_add_up, require_columns
from workbench.engine.sequence import label_groups, walk
from workbench.engine.three_way import judge_outgoing, judge_phones
from workbench.store.quoting import identifier
from workbench.store.steps import make_table, run_step, view_step

_COUNTED_ROWS: Final = 50_000
# What one SObject leaves behind; the next one makes tables of the same names.
RESULT = (
    "change_outgoing",
    "bucket_outgoing",
    "new_outgoing",
    "changed_outgoing",
    "walk_outgoing",
    "verdict_field",
)


def export_steps(run: Run, plan: ExportPlan) -> None:
    """From the landed tables to work.change_outgoing, work.bucket_outgoing and the requests."""
    con, stage = run.con, run.stages.stage
    require_columns(run.store, plan.sobject, compile_export.required_columns(plan))
    with run.store.attached(con):
        with stage("keys"):
            only = run.scope.only_record
            make_table(
                con,
                "record_key",
                compile_export.record_key(plan, only=only is not None),
                {"only": only} if only else {},
            )
            make_table(con, "contact_now", compile_export.contact_now())
            if run.scope.since is not None:
                keep_affected(run, plan.sobject)
            run_step(con, "outgoing", "outgoing")
        with stage("match"):
            run_step(con, "outgoing", "crm_id_owner")
            run_step(con, "outgoing", "phone_owner")
            run_step(con, "outgoing", "match_outgoing")
            judge_phones(run, plan.two_way)
        with stage("verdict"):
            clears_phone = plan.include_field_deletions and plan.pair("phone") is not None
            run_step(con, "outgoing", "verdict_outgoing", {"clears_phone": clears_phone})
        with stage("collisions"):
            run_step(con, "outgoing", "touch_outgoing")
            run_step(con, "outgoing", "collision_outgoing")
            label_groups(con)
        with stage("hashes"):
            slices = _compare(run, plan)
        with stage("values"):
            run_step(con, "outgoing", "looked_at")
            for item in slices:
                make_table(con, item.side, compile_compare.side(plan, item))
            judge_outgoing(run, plan.two_way, slices)
        with stage("payload"):
            run_step(con, "outgoing", "sending")
            make_table(con, "new_outgoing", compile_payload.new_outgoing(plan))
            for item in slices:
                make_table(con, item.name, compile_payload.slice_values(plan, item))
            make_table(con, "changed_outgoing", compile_payload.changed_outgoing(slices))
        with stage("sequence"):
            walk(con, plan)
    with stage("predict"):
        con.execute(f"CREATE OR REPLACE VIEW work.request_outgoing AS {compile_payload.requests()}")
        run_step(con, "outgoing", "change_outgoing")
        run_step(con, "outgoing", "bucket_outgoing")
        must_add_up(con, "outgoing_adds_up")


def _compare(run: Run, plan: ExportPlan) -> tuple[Slice, ...]:
    """Make work.differing; return the slices it speaks of. Of a few records all values are looked at right away."""
    con = run.con
    view_step(con, "outgoing", "pair_outgoing")
    if run.scope.is_narrow:
        make_table(con, "differing", compile_compare.everything(plan.slices()))
        return plan.slices()
    slices = plan.slices(_sparse(con, plan))
    if not plan.include_all_fields:
        make_table(con, "hash_outgoing", compile_compare.hash_outgoing(plan, slices))
    make_table(con, "differing", compile_compare.differing(plan, slices))
    return slices


def _sparse(con: duckdb.DuckDBPyConnection, plan: ExportPlan) -> list[Pair]:
    """A handful of rows may look different for nothing; so of many rows a sample will do."""
    pulled = con.execute(f"SELECT count(*) FROM store.salesforce.{identifier(plan.sobject)}").fetchone()
    if not plan.pairs or plan.include_field_deletions or pulled is None:
        return []
    is_large = pulled[0] > _COUNTED_ROWS
    sample = f" TABLESAMPLE SYSTEM ({100 * _COUNTED_ROWS // pulled[0] + 1} PERCENT) REPEATABLE (1)" if is_large else ""
    found = con.execute(compile_compare.blank_counts(plan, sample)).fetchone()
    if found is None:
        return []
    return compile_compare.sparse_pairs(plan, (found[0], found[1]), tolerance=min(pulled[0], _COUNTED_ROWS) // 200)
