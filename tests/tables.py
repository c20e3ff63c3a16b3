"""Literal rows as a table of a DuckDB connection."""

import pyarrow as pa


def make_literal_table(con, name, rows, **columns):
    """`name` anew, from dictionaries; `columns` are its columns in order, name=Arrow type."""
    con.register("given", pa.Table.from_pylist(rows, pa.schema(columns.items())))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
    con.unregister("given")
