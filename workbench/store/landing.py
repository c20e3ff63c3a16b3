"""Landing tables and the journal of pulls: the statements that make pulled rows visible, in one short transaction.

Each landing table has `_pull_id` (the pull that brought the row) and `_row_hash`, DuckDB's hash over the data columns,
which belongs to one version of the engine.
Source: lab notes, "Landing" and "Merge of 1 %"; DESIGN section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from workbench.domain.fields import MainstayField, SalesforceField
from workbench.store.database import Statement, Store
from workbench.store.quoting import identifier

SYSTEM_COLUMNS: Final = ("_pull_id", "_row_hash")
# What a preview keeps of a landed row stands in columns named so; a row lands with blanks in them.
KEPT_PREFIX: Final = "_kept_"
CATALOGUE: Final = "catalogue"
# Messages read from an export file carry ids of our own; a later pull through the API must not lose them.
EXPORT_ID_PREFIX: Final = "export:"

_TEXTS: Final = pa.list_(pa.string())
SALESFORCE_FIELD_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("sobject", "name", "label", "type")),
        ("length", pa.int64()),
        *((name, pa.bool_()) for name in ("nillable", "createable", "updateable", "calculated", "custom", "unique")),
        *((name, pa.bool_()) for name in ("external_id", "restricted_picklist")),
        *((name, _TEXTS) for name in ("picklist_values", "reference_to")),
        ("relationship_name", pa.string()),
        ("defaulted_on_create", pa.bool_()),
        ("formula", pa.string()),
        ("default_value", pa.string()),
        *((name, pa.int64()) for name in ("precision", "scale")),
        ("blank_is_zero", pa.bool_()),
    ]
)
MAINSTAY_FIELD_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "data_type")),
        *((name, pa.bool_()) for name in ("is_custom", "is_deprecated", "is_writable")),
        ("options", _TEXTS),
    ]
)


@dataclass(frozen=True)
class Column:
    """A landing column: its name as the API has it, and its DuckDB type."""

    name: str
    type: str = "VARCHAR"


@dataclass(frozen=True)
class Target:
    """One landing table. `stamp` is the modification column (watermarks, latest of duplicates), `deleted` a flag."""

    schema: str
    table: str
    key: str
    columns: tuple[Column, ...]
    stamp: str | None = None
    deleted: str | None = None

    @property
    def name(self) -> str:
        return f"{identifier(self.schema)}.{identifier(self.table)}"

    @property
    def incoming(self) -> str:
        """The name under which the pulled rows are readable in a landing transaction."""
        return f"incoming_{self.schema}_{self.table}"


@dataclass(frozen=True)
class PullKey:
    """What a row of journal.pull is about."""

    system: str
    object: str
    mode: str = "full"


def replace_rows(target: Target) -> list[Statement]:
    """The table becomes what was pulled."""
    return [f"CREATE OR REPLACE TABLE {target.name} AS SELECT {_all_columns(target)} FROM {target.incoming} AS i"]


def merge_rows(target: Target, known: Mapping[str, str]) -> list[Statement]:
    """Pulled rows that are new or differ replace their older ones; rows flagged deleted go.

    `known` are the columns the table has (name -> type); columns it lacks are added, null for older rows. Rows whose
    hash is unchanged keep the `_pull_id` that brought them.
    """
    has = {name.lower() for name in known}
    added = [column for column in target.columns if column.name.lower() not in has]
    is_deleted = f"coalesce(i.{identifier(target.deleted)}, false)" if target.deleted else "false"
    is_same = f"old.{identifier(target.key)} = i.{identifier(target.key)}"
    add = [f"ALTER TABLE {target.name} ADD COLUMN {identifier(item.name)} {item.type}" for item in added]
    delete = (
        f"DELETE FROM {target.name} AS old USING {target.incoming} AS i "
        f"WHERE {is_same} AND (old._row_hash <> i._row_hash OR {is_deleted})"
    )
    insert = (
        f"INSERT INTO {target.name} BY NAME SELECT {_all_columns(target)} FROM {target.incoming} AS i "
        f"WHERE NOT {is_deleted} AND NOT EXISTS (SELECT 1 FROM {target.name} AS old WHERE {is_same})"
    )
    return [*add, delete, insert]


def replace_messages(target: Target) -> list[Statement]:
    """The API's messages become those that were pulled; messages from export files stay."""
    api_rows = f"DELETE FROM {target.name} WHERE admithub_id NOT LIKE '{EXPORT_ID_PREFIX}%'"
    insert = f"INSERT INTO {target.name} BY NAME SELECT {_all_columns(target)} FROM {target.incoming} AS i"
    return [make_table(target), api_rows, insert]


def drop_known_exports(target: Target) -> Statement:
    """Messages of an export file that came through the API as well count once, as the API has them."""
    return (
        f"DELETE FROM {target.name} AS old USING {target.name} AS api "
        f"WHERE old.admithub_id LIKE '{EXPORT_ID_PREFIX}%' AND api.admithub_id NOT LIKE '{EXPORT_ID_PREFIX}%' "
        "AND old.admithub_contact_id = api.admithub_contact_id AND old.incoming = api.incoming "
        "AND date_trunc('second', old.created_at) = date_trunc('second', api.created_at) "
        "AND old.body IS NOT DISTINCT FROM api.body"
    )


def make_table(target: Target) -> Statement:
    """The empty table, where it does not exist yet."""
    columns = [*target.columns, Column("_pull_id", "INTEGER"), Column("_row_hash", "UBIGINT")]
    listed = ", ".join(f"{identifier(column.name)} {column.type}" for column in columns)
    return f"CREATE TABLE IF NOT EXISTS {target.name} ({listed})"


def table_columns(store: Store, target: Target) -> dict[str, str]:
    """Data columns of a landing table as the store has it, name -> type in order; empty where there is none."""
    found = store.rows(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = $schema AND table_name = $table ORDER BY ordinal_position",
        {"schema": target.schema, "table": target.table},
    )
    return {
        row["column_name"]: row["data_type"]
        for row in found
        if row["column_name"] not in SYSTEM_COLUMNS and not row["column_name"].startswith(KEPT_PREFIX)
    }


def open_pull(store: Store, keys: Sequence[PullKey], started_at: datetime) -> int:
    """Begin a pull of these objects; rows that an earlier, killed pull left as running become interrupted."""
    opening = pa.table(
        {
            "system": [key.system for key in keys],
            "object": [key.object for key in keys],
            "mode": [key.mode for key in keys],
        }
    )
    abandon = "UPDATE journal.pull SET state = 'interrupted' WHERE state = 'running'"
    begin = (
        "INSERT INTO journal.pull SELECT (SELECT coalesce(max(pull_id), 0) + 1 FROM journal.pull) AS pull_id, "
        "o.system, o.object, o.mode, 'running' AS state, NULL AS row_count, $started_at AS started_at, "
        "NULL AS finished_at, NULL AS watermark FROM opening AS o"
    )
    store.write(abandon, (begin, {"started_at": started_at}), tables={"opening": opening})
    found = store.rows("SELECT max(pull_id) AS pull_id FROM journal.pull WHERE state = 'running'")
    return int(found[0]["pull_id"])


def complete_pull(
    pull_id: int, key: PullKey, target: Target, finished_at: datetime, watermark: datetime | None
) -> Statement:
    """Part of the landing transaction: from here on previews see these rows. `row_count` is the whole table's."""
    sql = (
        "UPDATE journal.pull SET state = 'complete', mode = $mode, finished_at = $finished_at, "
        f"watermark = $watermark, row_count = (SELECT count(*) FROM {target.name}) "
        "WHERE pull_id = $pull_id AND system = $system AND object = $object"
    )
    params = {"mode": key.mode, "finished_at": finished_at, "watermark": watermark}
    return sql, {**params, "pull_id": pull_id, "system": key.system, "object": key.object}


def interrupt_pull(store: Store, pull_id: int) -> None:
    """Mark what a pull did not finish; what it had landed stays."""
    store.write(
        (
            "UPDATE journal.pull SET state = 'interrupted' WHERE pull_id = $pull_id AND state = 'running'",
            {"pull_id": pull_id},
        )
    )


def journal_total(store: Store, pull_id: int, key: PullKey) -> int:
    """Rows an object's table had when its pull was completed."""
    found = store.rows(
        "SELECT p.row_count FROM journal.pull AS p "
        "WHERE p.pull_id = $pull_id AND p.system = $system AND p.object = $object",
        {"pull_id": pull_id, "system": key.system, "object": key.object},
    )
    return int(found[0]["row_count"])


def latest_pulls(store: Store) -> dict[tuple[str, str], int]:
    """(system, object) -> the id of its latest complete pull."""
    found = store.rows(
        "SELECT p.system, p.object, max(p.pull_id) AS pull_id FROM journal.pull AS p "
        "WHERE p.state = 'complete' GROUP BY p.system, p.object"
    )
    return {(row["system"], row["object"]): int(row["pull_id"]) for row in found}


def watermarks(store: Store) -> dict[tuple[str, str], datetime]:
    """(system, object) -> up to when its changes are known; objects never pulled through the API are left out."""
    found = store.rows(
        "SELECT p.system, p.object, max(p.watermark) AS watermark FROM journal.pull AS p "
        "WHERE p.state = 'complete' AND p.watermark IS NOT NULL GROUP BY p.system, p.object"
    )
    return {(row["system"], row["object"]): row["watermark"] for row in found}


def land_salesforce_fields(
    sobjects: Mapping[str, Sequence[SalesforceField]], formulas: Mapping[tuple[str, str], str], pull_id: int
) -> tuple[list[Statement], pa.Table]:
    """The statements that replace the catalogue of these objects, and the `catalogue` table they read.

    `formulas` holds the text of formula fields by (object, field).
    """
    rows = [
        {
            "sobject": sobject,
            **{name: getattr(item, name) for name in SALESFORCE_FIELD_SCHEMA.names if hasattr(item, name)},
            "formula": formulas.get((sobject, item.name)),
        }
        for sobject, fields in sobjects.items()
        for item in fields
    ]
    catalogue = pa.Table.from_pylist(rows, schema=SALESFORCE_FIELD_SCHEMA)
    delete: Statement = (
        "DELETE FROM salesforce.field WHERE sobject IN (SELECT unnest($sobjects))",
        {"sobjects": list(sobjects)},
    )
    return [delete, _insert_catalogue("salesforce.field", SALESFORCE_FIELD_SCHEMA.names, pull_id)], catalogue


def land_mainstay_fields(fields: Sequence[MainstayField], pull_id: int) -> tuple[list[Statement], pa.Table]:
    """The statements that replace Mainstay's catalogue, and the `catalogue` table they read."""
    rows = [{name: getattr(item, name) for name in MAINSTAY_FIELD_SCHEMA.names} for item in fields]
    catalogue = pa.Table.from_pylist(rows, schema=MAINSTAY_FIELD_SCHEMA)
    insert = _insert_catalogue("mainstay.field", MAINSTAY_FIELD_SCHEMA.names, pull_id)
    return ["DELETE FROM mainstay.field", insert], catalogue


def _insert_catalogue(table: str, names: Sequence[str], pull_id: int) -> Statement:
    columns = ", ".join(f"c.{identifier(name)}" for name in names)
    sql = (
        f"INSERT INTO {table} BY NAME SELECT {columns}, $pull_id AS _pull_id, hash({columns}) AS _row_hash "
        f"FROM {CATALOGUE} AS c"
    )
    return sql, {"pull_id": pull_id}


def _all_columns(target: Target) -> str:
    names = [*(column.name for column in target.columns), *SYSTEM_COLUMNS]
    return ", ".join(f"i.{identifier(name)}" for name in names)
