"""The guards of a finished computation: those that look at a preview as a whole, and what all of them count."""

from __future__ import annotations

from workbench.domain.catalogue import salesforce_fields
from workbench.domain.fields import Direction
from workbench.domain.guards import GuardLimits
from workbench.domain.mapping import Mapping
from workbench.domain.mapping_graph import reaches, shows_parents
from workbench.engine.compile_reach import NOBODY, reach_sql
from workbench.engine.compute import Computation
from workbench.store.database import Store
from workbench.store.steps import make_table, run_step


def guard_steps(work: Computation, store: Store, mapping: Mapping, limits: GuardLimits) -> None:
    """Make work.guarded (seq, guards), work.guard_count and work.fan_out from work.all_changes."""
    con = work.con
    # Only imports write to Salesforce, where records show their parents' fields.
    if work.direction is Direction.EXPORT or not shows_parents(mapping):
        make_table(con, "reach", NOBODY)
    else:
        with store.attached(con):
            make_table(con, "reach", _reach(work, store, mapping))
    run_step(con, "guards", "replaced_value")
    mass = {"share": limits.mass_change_share, "minimum": limits.mass_change_minimum}
    run_step(con, "guards", "mass_field", mass)
    run_step(con, "guards", "fan_out")
    run_step(con, "guards", "guarded", {"cap": limits.fan_out_cap})
    run_step(con, "guards", "guard_count", {"cap": limits.fan_out_cap, "share": limits.mass_change_share})


def _reach(work: Computation, store: Store, mapping: Mapping) -> str:
    """The query of the records that show a field which this import writes to their parent."""
    known = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    found = [reach for reach in reaches(mapping, known) if reach.parent in work.sobjects]
    if not found:
        return NOBODY
    rows = store.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'salesforce'"
    )
    return reach_sql(found, {(row["table_name"], row["column_name"]) for row in rows})
