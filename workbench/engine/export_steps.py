"""The steps of an export preview of one SObject, in order."""

from __future__ import annotations

from typing import Final

from workbench.engine import compile_compare, compile_export, compile_payload
from workbench.engine.affected import show_affected
from workbench.engine.keeping import sparse_of
from workbench.engine.plans import ExportPlan, Slice
from workbench.engine.run import Run, are_few, looked_at, must_add_up
from workbench.engine.sequence import label_groups, walk
from workbench.engine.three_way import judge_outgoing, judge_phones, recall_agreed
from workbench.store.steps import make_table, make_view, run_step, step_sql, view_step

# What one SObject leaves behind; the next one makes tables of the same names.
RESULT = (
    "settled_outgoing",
    "bucket_outgoing",
    "new_outgoing",
    "changed_outgoing",
    "walk_outgoing",
    "verdict_field",
    "two_way_field",
)
_REACHED_SEVERAL: Final = """
SELECT (SELECT count(*) FROM work.identity_outgoing)
     > (SELECT row_count FROM work.pulled_outgoing WHERE system = 'salesforce')
"""


def export_steps(run: Run, plan: ExportPlan) -> None:
    """From the landed tables to work.change_outgoing, work.bucket_outgoing and the requests."""
    con, stage = run.con, run.stages.stage
    with stage("keys"):
        _keys(run, plan)
        run_step(con, "outgoing", "pulled_outgoing")
    with stage("match"):
        _match(run, plan)
    with stage("verdict"):
        recall_agreed(run, plan.two_way, "SELECT record_id FROM work.identity_outgoing WHERE contact_row IS NOT NULL")
        judge_phones(run, plan.two_way)
        run_step(con, "threeway", "left_phone")
        view_step(con, "outgoing", "verdict_outgoing")
    with stage("collisions"):
        run_step(con, "outgoing", "touch_outgoing")
        run_step(con, "outgoing", "collision_outgoing")
        label_groups(con)
    with stage("hashes"):
        slices = _compare(run, plan)
    with stage("values"):
        slices = looked_at(con, slices, "differing")
        for item in slices:
            make_table(con, item.side, compile_compare.side(plan, item))
        judge_outgoing(run, plan.two_way, slices)
    with stage("payload"):
        run_step(con, "outgoing", "sending")
        make_table(
            con,
            "new_outgoing",
            compile_payload.new_outgoing(plan, few=are_few(run, plan.sobject, "sending WHERE is_new")),
        )
        for item in slices:
            make_table(con, item.name, compile_payload.slice_values(plan, item))
        make_table(con, "changed_outgoing", compile_payload.changed_outgoing(slices))
    with stage("sequence"):
        walk(con, plan)
    with stage("predict"):
        con.execute(f"CREATE OR REPLACE VIEW work.request_outgoing AS {compile_payload.requests()}")
        run_step(con, "outgoing", "opting_back")
        run_step(con, "outgoing", "settled_outgoing")
        view_step(con, "outgoing", "change_outgoing")
        run_step(con, "outgoing", "bucket_outgoing", run.scope.unreached("mainstay"))
        must_add_up(con, "outgoing_adds_up")


def take_phones(run: Run) -> None:
    """Add to work.taken_phone what the object that was just decided sends."""
    run.con.execute(f"INSERT INTO work.taken_phone {step_sql('outgoing', 'phone_taken')}")


def _keys(run: Run, plan: ExportPlan) -> None:
    """Make work.record_key and work.contact_now of whatever is looked at."""
    con, only = run.con, run.scope.only_record
    if run.scope.since is not None:
        show_affected(run, plan)
        return
    if only is not None:
        make_table(con, "record_key", compile_export.record_key(plan, where='s."Id" = $only'), {"only": only})
    else:
        make_view(con, "record_key", compile_export.record_key(plan))  # read once
    make_table(con, "contact_now", compile_export.contact_now(plan))


def _match(run: Run, plan: ExportPlan) -> None:
    """Make work.identity_outgoing.

    CRM IDs of several contacts are looked for only where a record has reached more than one contact: mostly none has.
    Not so phones: many records may share one, and many times many rows would come of it.
    """
    con = run.con
    clears_phone = plan.include_field_deletions and plan.pair("phone") is not None
    make_table(con, "misleading_phone", compile_export.misleading_phone(plan))
    run_step(con, "outgoing", "shared_phone")
    make_table(con, "shared_crm_id", f"SELECT * FROM ({step_sql('outgoing', 'shared_crm_id')}) LIMIT 0")
    for name in ("crm_id_owner", "phone_owner", "outgoing", "match_outgoing"):
        view_step(con, "outgoing", name)
    run_step(con, "outgoing", "identity_outgoing", {"clears_phone": clears_phone})
    found = con.execute(_REACHED_SEVERAL).fetchone()
    if found and found[0]:
        run_step(con, "outgoing", "shared_crm_id")
        run_step(con, "outgoing", "identity_outgoing", {"clears_phone": clears_phone})


def _compare(run: Run, plan: ExportPlan) -> tuple[Slice, ...]:
    """Make work.differing; return the slices it speaks of.

    Of a few records whose hashes are not kept, all values are looked at right away.
    """
    con = run.con
    view_step(con, "outgoing", "pair_outgoing")
    slices = plan.slices() if run.scope.only_record else plan.slices(sparse_of(con, plan))
    if run.scope.is_narrow and not compile_compare.is_kept(plan, slices):
        make_table(con, "differing", compile_compare.everything(slices))
    else:
        if (had := compile_compare.had_value(plan, slices)) is not None:
            make_table(con, "had_value", had)
        few = run.scope.is_narrow and are_few(run, plan.sobject, "record_key")
        make_table(con, "differing", compile_compare.differing(plan, slices, few=few))
    return slices
