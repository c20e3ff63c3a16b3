"""What is kept beside landed rows is never stale: a preview that reads it says what one says that makes all anew."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_guardian import CONTACT, RECORD, build
from world import FIELDS, mapping, record_id

from workbench.domain.fields import STANDARD_FIELDS, Direction, mainstay_column_type
from workbench.engine import keeping
from workbench.engine.catalogues import fitting_catalogues
from workbench.engine.compile_compare import kept_sparse
from workbench.engine.compute import computed
from workbench.engine.keeping import keep
from workbench.engine.kept import NOTHING_KEPT, kept_columns
from workbench.engine.planning import export_plan
from workbench.engine.run import EVERYTHING, Scope
from workbench.store import Store
from workbench.store.landing import Column, Target, merge_rows, table_columns
from workbench.store.mappings import save_mapping

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

EXAMPLES = int(os.environ.get("GUARDIAN_EXAMPLES", "40")) // 4
KINDS = {"VARCHAR": pa.string(), "BOOLEAN": pa.bool_(), "TIMESTAMPTZ": pa.timestamp("us", "UTC")}
LATER = datetime.now(UTC) + timedelta(days=1)
RECORDS = Target(
    "salesforce",
    "Contact",
    "Id",
    (Column("Id"), Column("SystemModstamp", "TIMESTAMPTZ"), Column("IsDeleted", "BOOLEAN"), Column("Sync__c", "BOOLEAN"),
     *(Column(name, kind) for name, _, kind, _ in FIELDS)),
    stamp="SystemModstamp",
    deleted="IsDeleted",
)  # fmt: skip
CONTACTS = Target(
    "mainstay",
    "contact",
    "id",
    tuple(Column(f.path, mainstay_column_type(f)) for f in STANDARD_FIELDS if mainstay_column_type(f) in KINDS),
    stamp="last_modified_at",
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("land"), st.integers(0, 5), RECORD),
        st.tuples(st.just("merge"), st.integers(0, 5), RECORD),
        st.tuples(st.just("delete"), st.integers(0, 5), st.none()),
        st.tuples(st.just("contact"), st.integers(0, 4), st.sampled_from(["Moved", "Ana", ""])),
        st.tuples(st.just("mapping"), st.integers(0, len(FIELDS) - 1), st.booleans()),
        st.tuples(st.just("keep"), st.just(0), st.none()),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(autouse=True, scope="module")
def worth_keeping():
    """These worlds are small; keep their hashes all the same."""
    with mock.patch.object(keeping, "WORTH_KEEPING", 0):
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("kept") / "world.duckdb"))


def told(world, direction, scope=EVERYTHING):
    """Everything a preview says of every record, or of one."""
    with computed(world.store, world.revision, direction, scope=scope) as work:
        changes = work.con.execute("SELECT * FROM work.all_changes ORDER BY seq").fetchall()
        requests = work.con.execute("SELECT * FROM work.all_requests ORDER BY seq, ordinal").fetchall()
        conflicts = work.con.execute("SELECT * FROM work.all_conflicts ORDER BY ALL").fetchall()
    return changes, requests, conflicts


def merged(world, target, rows):
    """An incremental pull of a few rows. Columns that a row does not tell are blank."""
    schema = pa.schema([(c.name, KINDS[c.type]) for c in target.columns])
    found = pa.Table.from_pylist([{c.name: row.get(c.name) for c in target.columns} for row in rows], schema=schema)
    found = found.append_column("_pull_id", pa.array([2] * len(rows), pa.int32()))
    found = found.append_column("_row_hash", pa.array(range(7, 7 + len(rows)), pa.uint64()))
    world.pull_id += 1
    pulled = "INSERT INTO journal.pull SELECT $id, $system, $object, 'incremental', 'complete', 0, now(), now(), NULL"
    world.store.write(
        *merge_rows(target, table_columns(world.store, target)),
        (pulled, {"id": world.pull_id, "system": target.schema, "object": target.table}),
        tables={target.incoming: found},
    )


def move(world, kind, number, given):
    if kind == "keep":
        keep(world.store, world.revision)
    elif kind == "mapping":
        document = json.loads(world.document)
        fields = document["objects"][0]["export"]["fields"]
        document["objects"][0]["export"]["fields"] = [f for n, f in enumerate(fields) if n != number or given]
        document["objects"][0]["export"]["include_field_deletions"] = given
        world.document = json.dumps(document)
        world.revision, _ = save_mapping(world.store, world.document, author="test")
    elif kind == "contact" and number < len(world.contacts):
        contact = {k: v for k, v in world.contacts[number].items() if k != "custom"}
        merged(world, CONTACTS, [contact | {"last_name": given, "last_modified_at": LATER}])
    elif kind in {"merge", "delete"} and number < len(world.records):
        row = world.records[number] | (given or {}) | {"SystemModstamp": LATER, "IsDeleted": kind == "delete"}
        merged(world, RECORDS, [row])
    elif kind == "land":
        world.records = [*world.records[:number], *({**r, **given} for r in world.records[number : number + 1])]
        world.land()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(RECORD, min_size=1, max_size=6),
    contacts=st.lists(CONTACT, max_size=5),
    moves=MOVES,
    everything=st.booleans(),
)
def test_a_preview_of_kept_hashes_is_one_of_landed_values(store, records, contacts, moves, everything):
    world = build(store, records, contacts, mapping(everything=everything))
    world.land()
    keep(world.store, world.revision)
    for one in moves:
        move(world, *one)
    alone = Scope(only_record=world.records[0]["Id"])
    for asked in ((Direction.EXPORT, EVERYTHING), (Direction.IMPORT, EVERYTHING), (Direction.EXPORT, alone)):
        kept = told(world, *asked)
        with mock.patch("workbench.engine.compute.kept_columns", return_value=NOTHING_KEPT):
            assert kept == told(world, *asked)


def test_one_record_is_compared_by_kept_hashes_too(tmp_path):
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    for number in range(3):
        world.record(number, FirstName="Ann")
        world.contact(number, crm_id=record_id(number), first_name="Anna" if number == 1 else "Ann")
    world.land()
    keep(world.store, world.revision)
    looked_at = {}
    for number in (1, 2):
        with mock.patch("workbench.engine.compile_compare.everything", side_effect=AssertionError("all was looked at")):
            changes, _, _ = told(world, Direction.EXPORT, Scope(only_record=record_id(number)))
        looked_at[number] = changes
    assert [len(changes) for changes in looked_at.values()] == [1, 1]
    assert "update" in looked_at[1][0]
    assert "none" in looked_at[2][0]


def test_a_row_that_was_pulled_again_has_nothing_kept_until_it_is_made(tmp_path):
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    for number in range(3):
        world.record(number, Email=f"{number}@example.edu")
    world.land()

    def whole():
        with duckdb.connect() as con, world.store.attached(con):
            return len(kept_columns(con, "Contact").columns)

    assert whole() == 0
    assert keep(world.store, world.revision) > 0
    made = whole()
    assert made > 0
    assert keep(world.store, world.revision) == 0

    merged(world, RECORDS, [world.records[1] | {"Email": "new@example.edu", "IsDeleted": False}])
    assert whole() < made
    keep(world.store, world.revision)
    assert whole() == made

    world.land()
    assert whole() == 0


def test_what_is_kept_tells_which_pairs_have_a_hash_of_their_own(tmp_path):
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    for number in range(3):
        linked = world.record(number, Email=None, MobilePhone=None)
        world.contact(number, crm_id=linked, email=f"{number}@example.edu", phone=f"202555010{number}")
    world.land()
    (mapped,) = world.revision.mapping.objects
    plan = export_plan(mapped, fitting_catalogues(world.store, world.revision))

    def sparse():
        with duckdb.connect() as con, world.store.attached(con):
            known = replace(plan, kept=kept_columns(con, "Contact"))
            told = kept_sparse(known)
            return told and sorted(p.mainstay.path for p in told), sorted(
                p.mainstay.path for p in keeping.sparse_of(con, known)
            )

    told, sampled = sparse()
    assert told is None
    assert {"email", "phone"} <= set(sampled)
    keep(world.store, world.revision)
    assert sparse() == (sorted({*sampled} - {"phone"}), sampled)

    # Values that came since do not turn it: the hashes stand.
    for number in range(3):
        merged(world, RECORDS, [world.records[number] | {"Email": "now@example.edu"}])
    assert sparse()[0] is None
    with duckdb.connect() as con, world.store.attached(con):
        assert "email" not in {p.mainstay.path for p in keeping.sparse_of(con, plan)}


def test_of_a_small_pull_nothing_is_kept(tmp_path):
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    for number in range(9):
        world.record(number)
    world.land()
    with mock.patch.object(keeping, "WORTH_KEEPING", 10):
        assert keep(world.store, world.revision) == 0
    with mock.patch.object(keeping, "WORTH_KEEPING", 9):
        assert keep(world.store, world.revision) > 0


def test_a_failure_to_keep_costs_nothing_but_time(tmp_path):
    world = build(Store(str(tmp_path / "world.duckdb")), [], [], mapping())
    world.record(1, Email="1@example.edu")
    world.land()
    with mock.patch("workbench.engine.keeping._statements", side_effect=duckdb.ConversionException("no")):
        assert keep(world.store, world.revision) == 0
    assert keep(world.store, world.revision) > 0
