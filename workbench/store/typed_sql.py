"""SQL that a person typed: one question, never an order."""

from __future__ import annotations

import duckdb

from workbench.errors import ConfigurationError


def require_select(sql: str, told: str = "The query") -> None:
    """Raise ConfigurationError unless a text is one statement that only reads. `told` begins the sentence.

    A store opened read-only is no protection: COPY, EXPORT and ATTACH write files beside it, and over others.
    Raises duckdb.Error for a text that is no SQL.
    """
    # PIVOT becomes two statements: one of DuckDB's own, without a text, counts the values that become columns.
    found = [one for one in duckdb.extract_statements(sql) if one.query or one.type != duckdb.StatementType.CREATE]
    if not found:
        raise ConfigurationError(f"{told} is empty. Ask one SELECT, as in: SELECT * FROM view.preview")
    if len(found) > 1:
        raise ConfigurationError(
            f"{told} holds {len(found)} statements, and nothing was run. Ask one SELECT at a time."
        )
    if found[0].type != duckdb.StatementType.SELECT:
        raise ConfigurationError(
            f"{told} is no SELECT but {found[0].type.name}, and nothing was run: the store is read-only here."
        )
