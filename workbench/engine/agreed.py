"""What both sides last agreed on, kept current: read from pulls that show both equal, and from finished pushes.

Nothing is decided here; the three-way steps of a preview read the result. Decision 40 tells why it is kept so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import pyarrow as pa
from pyarrow import compute

from workbench.domain.mapping_check import Catalogues
from workbench.engine.catalogues import fitting_catalogues
from workbench.engine.compile_agreed import agreement, changed_pairs, rearranged, written_value
from workbench.engine.plans import TwoWay, two_way
from workbench.engine.rules_sql import install_rules
from workbench.store.database import Statement, Store
from workbench.store.mappings import MappingRevision
from workbench.store.steps import make_table, run_step

_KEPT: Final = "sobject, record_id, contact_id, agreed, agreed_at, looked_at"
# Salesforce shows a row when its transaction commits, later than its stamp.
_OVERLAP: Final = timedelta(minutes=10)
_FIELDS: Final = pa.schema(
    [
        ("sobject", pa.string()),
        ("place", pa.int64()),
        *((name, pa.string()) for name in ("field", "salesforce_field", "rule")),
    ]
)
_LATEST_PULLS: Final = """
SELECT string_agg(pull.system || ' ' || pull.pull_id, ', ' ORDER BY pull.system) AS pulls,
       min(pull.started_at) AS pulled_at, max(pull.started_at) AS looked_at, count(*) AS systems
FROM journal.pull AS pull
WHERE pull.state = 'complete'
  AND (pull.system, pull.object) IN (('salesforce', $sobject), ('mainstay', 'contact'))
  AND pull.pull_id = (SELECT max(other.pull_id) FROM journal.pull AS other
                      WHERE other.state = 'complete' AND other.system = pull.system AND other.object = pull.object)
"""


def look_at_pulls(store: Store, revision: MappingRevision) -> int:
    """Keep what the latest pulls show equal on both sides; how many linked pairs changed in what they agree on.

    Looks at records changed since the last look; at all after the first pull or a change of the two-way pairs. Does
    nothing where these pulls were looked at before, or the mapping does not fit the fields that exist.
    """
    catalogues = fitting_catalogues(store, revision)
    if catalogues is None:
        return 0
    return sum(_look(store, both) for both in _two_ways(revision, catalogues))


def keep_pushed(store: Store, revision: MappingRevision, batch_id: int) -> int:
    """Keep the values that a finished push wrote (changes that ended `success`); how many linked pairs.

    What an undo or a resend wrote is forgotten instead: nobody said that both sides hold it.
    """
    catalogues = fitting_catalogues(store, revision)
    both = [item for item in _two_ways(revision, catalogues) if item.pairs] if catalogues else []
    if not both:
        return 0
    for item in both:
        _look(store, item)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        make_field_table(con, both)
        with store.attached(con):
            run_step(con, "threeway", "written_field", {"batch_id": batch_id})
            make_table(
                con, "written_value", f"SELECT * REPLACE ({written_value(both)} AS after) FROM work.written_field"
            )
            run_step(con, "threeway", "agreement_pushed")
        found = con.execute("SELECT * FROM work.agreement_pushed").to_arrow_table()
    if found.num_rows:
        store.write(
            *_replace("new_agreed"), tables={"new_agreed": found.append_column("looked_at", found["agreed_at"])}
        )
    return int(found.num_rows)


def make_field_table(con: duckdb.DuckDBPyConnection, both: Sequence[TwoWay]) -> None:
    """work.two_way_field: sobject, place (from 1), field (Mainstay name), salesforce_field, rule."""
    rows = [
        {
            "sobject": item.sobject,
            "place": place,
            "field": pair.mainstay.path,
            "salesforce_field": pair.salesforce.name,
            "rule": rule,
        }
        for item in both
        for pair, rule, place in zip(item.pairs, item.rules, item.places, strict=True)
    ]
    con.register("two_way_field", pa.Table.from_pylist(rows, _FIELDS))
    con.execute("CREATE OR REPLACE TABLE work.two_way_field AS SELECT * FROM two_way_field")
    con.unregister("two_way_field")


def _look(store: Store, both: TwoWay) -> int:
    if not both.pairs:
        return 0
    with store.reading():
        latest = store.rows(_LATEST_PULLS, {"sobject": both.sobject})[0]
        looks = store.rows("SELECT * FROM journal.agreed_look WHERE sobject = $sobject", {"sobject": both.sobject})
    if latest["systems"] < 2:  # one of each system is needed
        return 0
    before = looks[0] if looks else None
    fields = [pair.mainstay.path for pair in both.pairs]
    named = [f"{pair.salesforce.name} {pair.mainstay.path}" for pair in both.pairs]
    since = None
    if before is not None and (before["fields"], before["pairs"]) == (fields, named):
        if before["pulls"] == latest["pulls"]:
            return 0
        since = before["pulled_at"] - _OVERLAP
    elif before is not None:
        _rearrange(store, both, before)
    found = _agreement(store, both, {"pulled_at": latest["pulled_at"]}, since=since, is_first=before is None)
    tables = {"new_agreed": _stamped(found, both.sobject, latest["looked_at"])} if found.num_rows else {}
    store.write(
        *(_replace("new_agreed") if found.num_rows else []),
        ("DELETE FROM journal.agreed_look WHERE sobject = $sobject", {"sobject": both.sobject}),
        (
            "INSERT INTO journal.agreed_look VALUES ($sobject, $fields, $pairs, $pulls, $pulled_at, now())",
            {
                "sobject": both.sobject,
                "fields": fields,
                "pairs": named,
                "pulls": latest["pulls"],
                "pulled_at": latest["pulled_at"],
            },
        ),
        tables=tables,
    )
    return int(compute.sum(found["is_new"]).as_py() or 0)


def _rearrange(store: Store, both: TwoWay, before: dict[str, Any]) -> None:
    """Bring what is kept into the order of the present pairs; fields that are mapped anew start without a value."""
    same = {
        pair.mainstay.path for pair in both.pairs if f"{pair.salesforce.name} {pair.mainstay.path}" in before["pairs"]
    }
    kept = [path if path in same else "" for path in before["fields"]]
    store.write(
        (
            f"UPDATE journal.last_agreed SET agreed = {rearranged(both, kept)} WHERE sobject = $sobject",
            {"sobject": both.sobject},
        ),
        ("DELETE FROM journal.agreed_look WHERE sobject = $sobject", {"sobject": both.sobject}),
    )


def _agreement(
    store: Store, both: TwoWay, params: dict[str, Any], *, since: datetime | None, is_first: bool
) -> pa.Table:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        with store.attached(con):
            if since is not None:
                make_table(con, "changed_pair", changed_pairs(both), {"since": since})
            make_table(con, "agreement", agreement(both, since=since is not None, first=is_first), params)
        return con.execute("SELECT * FROM work.agreement").to_arrow_table()


def _stamped(found: pa.Table, sobject: str, at: Any) -> pa.Table:
    count = found.num_rows
    return found.append_column("sobject", pa.array([sobject]).take(pa.array([0] * count))).append_column(
        "looked_at", pa.repeat(pa.scalar(at, pa.timestamp("us", "UTC")), count)
    )


def _replace(table: str) -> list[Statement]:
    """The rows of a table in the place of older ones about the same pairs."""
    same = "old.sobject = new.sobject AND old.record_id = new.record_id AND old.contact_id = new.contact_id"
    return [
        f"DELETE FROM journal.last_agreed AS old USING {table} AS new WHERE {same}",
        f"INSERT INTO journal.last_agreed BY NAME SELECT {_KEPT} FROM {table}",
    ]


def _two_ways(revision: MappingRevision, catalogues: Catalogues) -> list[TwoWay]:
    return [two_way(item, catalogues) for item in revision.mapping.objects if item.sobject in catalogues.salesforce]
