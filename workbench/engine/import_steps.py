"""The steps of an import preview of one SObject, in order."""

from __future__ import annotations

from workbench.engine import compile_import, compile_import_keys
from workbench.engine.affected_contacts import show_keys
from workbench.engine.compile import BothSides
from workbench.engine.plans import ImportPlan
from workbench.engine.run import Run, are_few, looked_at, must_add_up
from workbench.engine.three_way import judge_incoming, recall_agreed
from workbench.store.steps import make_table, make_view, run_step

RESULT = ("change_incoming", "bucket_incoming", "payload_incoming", "verdict_field", "two_way_field")


def import_steps(run: Run, plan: ImportPlan) -> None:
    """From the landed tables to work.change_incoming, work.bucket_incoming and the requests."""
    con, stage = run.con, run.stages.stage
    with stage("keys"):
        if run.scope.since is not None:
            show_keys(run, plan)
        else:
            make_view(con, "contact_key", compile_import_keys.contact_key(plan))
            make_table(con, "record_now", compile_import_keys.record_now(plan))
        make_table(con, "incoming", compile_import_keys.incoming(plan, **run.scope.conditions), run.scope.params)
        make_view(con, "record_prefix", compile_import_keys.record_prefix(plan))
    with stage("match"):
        run_step(con, "incoming", "contact_link")
        run_step(con, "incoming", "record_link")
        run_step(con, "incoming", "unlinked")
        make_table(con, "match_incoming", compile_import_keys.match_incoming(plan))
    with stage("verdict"):
        run_step(con, "incoming", "verdict_incoming", {"create_unmatched": plan.create_unmatched})
    with stage("compare"):
        few = run.scope.is_narrow and are_few(run, plan.sobject, "verdict_incoming")
        make_table(con, "differing", compile_import.differing(plan, few=few))
        slices = looked_at(con, plan.slices(), "differing")
        recall_agreed(run, plan.two_way, "SELECT record_id FROM work.verdict_incoming WHERE action = 'update'")
        values = BothSides(plan.sobject, is_put_down=few and bool(slices))
        if values.is_put_down:
            for name, query in compile_import.landed_values(plan, slices).items():
                make_table(con, name, query)
        judge_incoming(run, plan.two_way, slices, values)
    with stage("payload"):
        run_step(con, "incoming", "receiving")
        made = con.execute("SELECT bool_or(is_create) FROM work.receiving").fetchone()
        has_new = bool(made and made[0])
        make_table(con, "payload_incoming", compile_import.payload_incoming(plan, slices, values, has_new=has_new))
    with stage("predict"):
        run_step(con, "incoming", "change_incoming")
        run_step(con, "incoming", "bucket_incoming", run.scope.unreached("salesforce"))
        must_add_up(con, "incoming_adds_up")
