"""Keep hashes of the mapped values in the store, per pull and mapping, so that a preview reads narrow columns alone.

Made when a pull has landed, or by the first preview after it; of rows that are new since, only theirs are made. Where
something is not kept, a preview makes it on the way: it says the same, only later. Decision 30.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import duckdb

from workbench.domain.fields import Direction
from workbench.domain.mapping_check import Catalogues
from workbench.engine import compile_export, compile_import, compile_import_keys
from workbench.engine.catalogues import fitting_catalogues
from workbench.engine.compile import Pair
from workbench.engine.compile_compare import blank_counts, kept_sparse, mainstay_hashes, salesforce_hashes, sparse_pairs
from workbench.engine.compile_verbatim import verbatim
from workbench.engine.kept import RULES_DIGEST, column_of, unkept_counts
from workbench.engine.planning import export_plan, import_plan
from workbench.engine.plans import ExportPlan
from workbench.engine.run import missing_columns, scratch
from workbench.logs import get_logger
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision
from workbench.store.quoting import identifier, literal

log = get_logger(__name__)

# Where neither side has so many rows, hashing them on the way is quicker than keeping hashes.
WORTH_KEEPING: Final = 10_000

_CONTACT: Final = "store.mainstay.contact AS c"
_COUNTED_ROWS: Final = 10_000


def keep(store: Store, revision: MappingRevision) -> int:
    """Bring what is kept in line with the latest pulls and a mapping; how many statements that took.

    Does nothing where nothing is missing or few rows were pulled, or where the mapping does not fit the fields that
    exist or were pulled.
    """
    with store.reading():
        if _most_rows(store, revision) < WORTH_KEEPING:
            return 0
        if is_kept(store, revision):
            return 0
        asked = _asked(store, revision)
    catalogues = fitting_catalogues(store, revision)
    if catalogues is None:
        return 0
    try:
        made = _make(store, revision, catalogues)
    except duckdb.Error as error:
        # Nothing of it is kept then, and previews do without. DuckDB quotes values: only the kind of error is told.
        log.warning("hashes not kept", extra={"error": type(error).__name__})
        return 0
    store.write("DELETE FROM journal.kept_look", ("INSERT INTO journal.kept_look VALUES ($asked)", {"asked": asked}))
    return made


def is_kept(store: Store, revision: MappingRevision) -> bool:
    """Whether `keep` has ended for the latest pulls and this mapping."""
    with store.reading():
        found = store.rows(
            "SELECT asked FROM journal.kept_look WHERE asked = $asked", {"asked": _asked(store, revision)}
        )
    return bool(found)


def _make(store: Store, revision: MappingRevision, catalogues: Catalogues) -> int:
    """Run what is missing in one transaction; how many statements it took."""
    with scratch() as con:
        with store.attached(con):
            wanted = _wanted(con, revision, catalogues)
            statements = list(_statements(con, wanted))
        if statements:
            with store.filled(con):
                statements = list(_statements(con, wanted))  # another process may have been faster
                for statement in statements:
                    con.execute(statement)
    return len(statements)


def sparse_of(con: duckdb.DuckDBPyConnection, plan: ExportPlan) -> list[Pair]:
    """Pairs that are blank more often in Salesforce than in Mainstay, in the attached `store`.

    A handful of rows may look different for nothing; so of many rows a sample will do. Where hashes are kept, it was
    taken then: but for the phone, which is in none of them.
    """
    pulled = con.execute(f"SELECT count(*) FROM store.salesforce.{identifier(plan.sobject)}").fetchone()
    if not plan.pairs or plan.include_field_deletions or pulled is None:
        return []
    known = kept_sparse(plan)
    if known is not None:
        plan = replace(plan, pairs=tuple(pair for pair in plan.pairs if pair.mainstay.path == "phone"))
        if not plan.pairs:
            return known
    is_large = pulled[0] > _COUNTED_ROWS
    sample = f" TABLESAMPLE SYSTEM ({100 * _COUNTED_ROWS // pulled[0] + 1} PERCENT) REPEATABLE (1)" if is_large else ""
    found = con.execute(blank_counts(plan, sample)).fetchone()
    left, right = found or ([], [])
    tolerance = min(pulled[0], _COUNTED_ROWS) // 200
    return [*(known or ()), *sparse_pairs(plan, (left, right), tolerance)]


def _most_rows(store: Store, revision: MappingRevision) -> int:
    """Rows of the largest landed table that the mapping reads."""
    names = [("salesforce", item.sobject) for item in revision.mapping.objects] + [("mainstay", "contact")]
    named = " OR ".join(f"(schema_name = {literal(schema)} AND table_name = {literal(name)})" for schema, name in names)
    found = store.rows(f"SELECT max(estimated_size) AS most FROM duckdb_tables() WHERE {named}")
    return int(found[0]["most"] or 0)


def _asked(store: Store, revision: MappingRevision) -> str:
    """What decides about everything that is kept: the latest pulls, the mapping, and our rules."""
    found = store.rows(
        "SELECT string_agg(system || ' ' || object || ' ' || pull_id, ', ' ORDER BY system, object) AS pulls "
        "FROM (SELECT system, object, max(pull_id) AS pull_id FROM journal.pull WHERE state = 'complete' GROUP BY ALL)"
    )
    return f"{found[0]['pulls']}; {revision.digest}; {RULES_DIGEST}"


def _wanted(con: duckdb.DuckDBPyConnection, revision: MappingRevision, catalogues: Catalogues) -> dict[str, list[str]]:
    """Landed table with its alias -> the expressions to keep of its rows."""
    wanted: dict[str, list[str]] = {_CONTACT: []}
    for item in revision.mapping.objects:
        records = wanted.setdefault(f"store.salesforce.{identifier(item.sobject)} AS s", [])
        if item.is_enabled(Direction.EXPORT):
            plan = export_plan(item, catalogues)
            if not missing_columns(con, item.sobject, compile_export.required_columns(plan)):
                slices = plan.slices(sparse_of(con, plan))
                records += [compile_export.record_phone(plan), verbatim(plan), *salesforce_hashes(slices).values()]
                wanted[_CONTACT] += [*compile_export.contact_phones(), compile_export.crm_id_phone()]
                wanted[_CONTACT] += mainstay_hashes(slices).values()
        if item.is_enabled(Direction.IMPORT):
            back = import_plan(item, catalogues)
            if not missing_columns(con, item.sobject, compile_import.required_columns(back)):
                records += (compile_import.record_hashes(back) | compile_import_keys.record_numbers(back)).values()
                wanted[_CONTACT] += compile_import.contact_hashes(back).values()
                wanted[_CONTACT] += compile_import_keys.contact_numbers(back).values()
    return {table: list(dict.fromkeys(found)) for table, found in wanted.items()}


def _statements(con: duckdb.DuckDBPyConnection, wanted: dict[str, list[str]]) -> Iterator[str]:
    """What has to be done to the landed tables: columns nobody asks for go, new ones come, blanks are filled."""
    for named, expressions in wanted.items():
        table, alias = named.split(" AS ")
        unkept = unkept_counts(con, table)
        columns = {column_of(text): text for text in expressions}
        for name in unkept.keys() - columns.keys():
            yield f"ALTER TABLE {table} DROP COLUMN {identifier(name)}"
        new = {name: text for name, text in columns.items() if name not in unkept}
        for name in new:
            yield f"ALTER TABLE {table} ADD COLUMN {identifier(name)} UBIGINT"
        if new:
            yield f"UPDATE {named} SET {_set(new)}"
        partly = {name: columns[name] for name, blanks in unkept.items() if blanks and name in columns}
        if partly:
            blank = " AND ".join(f"{alias}.{identifier(name)} IS NULL" for name in partly)
            yield f"UPDATE {named} SET {_set(partly)} WHERE {blank}"


def _set(columns: dict[str, str]) -> str:
    return ", ".join(f"{identifier(name)} = {text}" for name, text in columns.items())
