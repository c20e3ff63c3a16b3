"""The records of the organisation: one DuckDB table per object, loaded in one statement each, saved in sets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import duckdb
import polars as pl
import pyarrow as pa

from workbench.simulators.salesforce.ids import long_id
from workbench.simulators.salesforce.schema import Field, Schema, SObject
from workbench.simulators.spool import spooled

# What a large organisation may take of memory; the rest of its records lies in a temporary folder.
_MEMORY: Final = "2GB"
_ROWS_AT_ONCE: Final = 50_000
Row = dict[str, Any]

_ARROW_TYPES: Final = {
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "VARCHAR": pa.string(),
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Tables:
    """All records in memory. `user_id` fills owner and creator, `now` the stamps, where loaded records lack them."""

    def __init__(self, schema: Schema, records: Mapping[str, pl.DataFrame], *, user_id: str, now: datetime) -> None:
        self._schema = schema
        self._connection = duckdb.connect(":memory:")
        self._overflow = tempfile.TemporaryDirectory(prefix="sandbox-", ignore_cleanup_errors=True)
        self._connection.execute(f"SET temp_directory = '{self._overflow.name}'")
        self._connection.execute(f"SET memory_limit = '{_MEMORY}'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET preserve_insertion_order = true")
        self._defaults = {"OwnerId": user_id, "CreatedById": user_id, "LastModifiedById": user_id}
        self._now = now
        for sobject in schema:
            self._load(sobject, records.get(sobject.name, pl.DataFrame({"Id": pl.Series([], dtype=pl.String)})))

    def close(self) -> None:
        self._connection.close()
        self._overflow.cleanup()

    def begin(self) -> None:
        self._connection.begin()

    def end(self, *, is_kept: bool) -> None:
        """Keep or take back everything since `begin`."""
        if is_kept:
            self._connection.commit()
        else:
            self._connection.rollback()

    def frame(self, sql: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """All rows of a query, on disk where they are many."""
        return _frame(self._connection.execute(sql, dict(params or {})))

    def snapshot(self, sql: str) -> pl.DataFrame:
        """`frame` beside other work: what has been saved when it begins."""
        with self._connection.cursor() as beside:
            return _frame(beside.execute(sql))

    def arrow(self, sobject: SObject) -> pa.Table:
        """All records, deleted ones too."""
        return self._connection.execute(f"SELECT * FROM {quoted(sobject.name)}").to_arrow_table()

    def replace(self, sobject: SObject, table: pa.Table) -> None:
        """Put back what `arrow` gave."""
        self._connection.register("given", table)
        self._connection.execute(f"CREATE OR REPLACE TABLE {quoted(sobject.name)} AS SELECT * FROM given")
        self._connection.unregister("given")

    def rows(self, sobject: SObject, ids: Iterable[str]) -> dict[str, Row]:
        """Stored fields of the records that exist, by id; deleted ones too."""
        return {row["Id"]: row for row in self.where(sobject, "Id", ids)}

    def where(self, sobject: SObject, column: str, values: Iterable[Any]) -> list[Row]:
        """Stored fields of the records with one of these values; texts without regard to case, save ids."""
        wanted = list(dict.fromkeys(values))
        if not wanted:
            return []
        name = quoted(column)
        if isinstance(wanted[0], str) and column != "Id" and not sobject.by_name[column.lower()].is_id:
            wanted, name = [value.lower() for value in wanted], f"lower({name})"
        if len(wanted) == 1:
            found = self._connection.execute(f"SELECT * FROM {quoted(sobject.name)} WHERE {name} = ?", wanted)
        else:
            self._connection.register("wanted", pa.table({"value": wanted}))
            found = self._connection.execute(
                f"SELECT * FROM {quoted(sobject.name)} WHERE {name} IN (SELECT value FROM wanted)"
            )
        rows = found.fetchall()
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def insert(self, sobject: SObject, rows: Sequence[Row]) -> None:
        fields = sobject.stored
        if not rows:
            return
        self._connection.register("given", _arrow_rows(fields, rows))
        names = ", ".join(quoted(field.name) for field in fields)
        self._connection.execute(f"INSERT INTO {quoted(sobject.name)} ({names}) SELECT {names} FROM given")
        self._connection.unregister("given")

    def update(self, sobject: SObject, rows: Sequence[Row], names: Iterable[str]) -> None:
        """Set the named fields of each row's record; every row gives a value for every name."""
        fields = [sobject.by_name[name.lower()] for name in names if name != "Id"]
        if not rows or not fields:
            return
        self._connection.register("given", _arrow_rows([sobject.by_name["id"], *fields], rows))
        changes = ", ".join(f"{quoted(field.name)} = given.{quoted(field.name)}" for field in fields)
        self._connection.execute(
            f'UPDATE {quoted(sobject.name)} AS kept SET {changes} FROM given WHERE kept."Id" = given."Id"'
        )
        self._connection.unregister("given")

    def remove(self, sobject: SObject, ids: Iterable[str | None]) -> None:
        """Delete for good."""
        self._connection.register("wanted", pa.table({"value": pa.array(list(ids), type=pa.string())}))
        self._connection.execute(f'DELETE FROM {quoted(sobject.name)} WHERE "Id" IN (SELECT value FROM wanted)')
        self._connection.unregister("wanted")

    def add_column(self, sobject: SObject, field: Field) -> None:
        default = " DEFAULT FALSE" if field.type == "boolean" else ""
        self._connection.execute(
            f"ALTER TABLE {quoted(sobject.name)} ADD COLUMN {quoted(field.name)} {field.stored_type}{default}"
        )

    def _load(self, sobject: SObject, frame: pl.DataFrame) -> None:
        if "Id" not in frame.columns:
            raise ValueError(f"the records of {sobject.name} have no Id column")
        if frame["Id"].null_count() or frame["Id"].n_unique() < frame.height:
            raise ValueError(f"the records of {sobject.name} need one Id each, and each its own")
        given = {column.lower(): column for column in frame.columns}
        stored = sobject.stored
        long_ids = {field.name for field in stored if field.is_id} & set(frame.columns)
        frame = frame.with_columns(_with_long_ids(frame, name) for name in long_ids)
        columns = ", ".join(f"{self._loaded(sobject, field, given, frame)} AS {quoted(field.name)}" for field in stored)
        self._connection.register("given", frame.to_arrow(compat_level=pl.CompatLevel.newest()))
        self._connection.execute(
            f"CREATE TABLE {quoted(sobject.name)} AS SELECT {columns} FROM given",
        )
        self._connection.unregister("given")

    def _loaded(self, sobject: SObject, field: Field, given: Mapping[str, str], frame: pl.DataFrame) -> str:
        """The SQL that reads one field from given records: typed, blanks null, e-mails in lower case."""
        name = given.get(field.name.lower())
        kind = field.stored_type
        is_named_by_id = field.name == "Name" and sobject.has_default_name
        default = '"Id"' if is_named_by_id else self._default(field, given)
        if name is None:
            return default
        value = quoted(name)
        if frame.schema[name] == pl.String:
            value = f"nullif({value}, '')"
        if kind == "TIMESTAMP":
            value = f"CAST({value} AS TIMESTAMPTZ)"
        value = f"CAST({value} AS {kind})"
        if field.type == "email":
            value = f"lower({value})"
        return value if default.startswith("CAST(NULL") else f"coalesce({value}, {default})"

    def _default(self, field: Field, given: Mapping[str, str]) -> str:
        if field.type == "boolean":
            return "TRUE" if field.default is True else "FALSE"
        if field.name in self._defaults:
            return "'" + self._defaults[field.name] + "'"
        if field.name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
            others = [other for other in ("lastmodifieddate", "systemmodstamp", "createddate") if other in given]
            kept = [f"CAST(CAST({quoted(given[other])} AS TIMESTAMPTZ) AS TIMESTAMP)" for other in others]
            return f"coalesce({', '.join([*kept, f'TIMESTAMP {self._now.isoformat(sep=chr(32))!r}'])})"
        return f"CAST(NULL AS {field.stored_type})"


def _frame(found: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    batches = found.to_arrow_reader(_ROWS_AT_ONCE)
    return spooled(_blocks(batches))


def _blocks(batches: pa.RecordBatchReader) -> Iterator[pl.DataFrame]:
    """The batches as frames, after one without rows."""
    yield pl.DataFrame(batches.schema.empty_table())
    for batch in batches:
        yield pl.DataFrame(batch)


def _with_long_ids(frame: pl.DataFrame, name: str) -> pl.Expr:
    ids = pl.col(name).cast(pl.String)
    if not (frame[name].cast(pl.String).str.len_chars() == 15).any():
        return ids
    return pl.when(ids.str.len_chars() == 15).then(ids.map_elements(long_id, return_dtype=pl.String)).otherwise(ids)


def _arrow_rows(fields: Sequence[Field], rows: Sequence[Row]) -> pa.Table:
    return pa.table(
        {
            field.name: pa.array([row.get(field.name) for row in rows], type=_ARROW_TYPES[field.stored_type])
            for field in fields
        }
    )
