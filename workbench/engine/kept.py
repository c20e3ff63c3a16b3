"""Which expressions over a landed row are kept in a column of their own, beside the row's values.

Such a column is named by a digest of what defines it: the expression, the value rules behind it and the engine that
hashes. An edited mapping asks for other names, so a kept column cannot speak of an older rule; a landed row comes
without kept values, so it cannot speak of an older row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import duckdb

from workbench.engine.rules_sql import MACROS
from workbench.store.landing import KEPT_PREFIX
from workbench.store.quoting import identifier

RULES_DIGEST: Final = sha256("\n".join((duckdb.__version__, *MACROS)).encode()).hexdigest()


def column_of(expression: str) -> str:
    """The name of the column that keeps an expression."""
    return KEPT_PREFIX + sha256(f"{expression}\n{RULES_DIGEST}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Kept:
    """The kept columns that have a value for every landed row."""

    columns: frozenset[str] = frozenset()

    def of(self, source: str, expression: str) -> str:
        """The expression over the landed rows `source`, from its column where it is kept."""
        name = column_of(expression)
        return f"{source}.{identifier(name)}" if name in self.columns else expression

    def has(self, expressions: Iterable[str]) -> bool:
        """Whether all of these are kept."""
        return all(column_of(expression) in self.columns for expression in expressions)


NOTHING_KEPT: Final = Kept()


def kept_columns(con: duckdb.DuckDBPyConnection, sobject: str) -> Kept:
    """What is kept whole of an SObject's and of Mainstay's landed rows, in the attached `store`."""
    whole: set[str] = set()
    for table in (f"store.salesforce.{identifier(sobject)}", "store.mainstay.contact"):
        whole |= {name for name, blanks in unkept_counts(con, table).items() if not blanks}
    return Kept(frozenset(whole))


def unkept_counts(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """Kept column -> how many rows have no value in it yet.

    Costs next to nothing where every row has one: each column is asked for its blanks alone, and by itself, so that
    statistics of blocks tell DuckDB where there are none.
    """
    described = con.execute(f"FROM {table} LIMIT 0").description or ()
    found: dict[str, int] = {}
    for name in (column[0] for column in described if column[0].startswith(KEPT_PREFIX)):
        counted = con.execute(f"SELECT count(*) FROM {table} WHERE {identifier(name)} IS NULL").fetchone()
        found[name] = counted[0] if counted else 0
    return found
