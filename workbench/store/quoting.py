"""Names and texts inside SQL. Values are bound; only names and compile-time constants pass through here."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A quoted SQL identifier, whatever the name holds. Raises ValueError for an empty name or a NUL.

    >>> identifier('custom.Odd "name"; drop table x')
    '"custom.Odd ""name""; drop table x"'
    """
    if not name or "\0" in name:
        raise ValueError("a column name is neither empty nor does it hold a NUL character")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted SQL text constant.

    >>> literal("O'Brien")
    "'O''Brien'"
    """
    if "\0" in text:
        raise ValueError("a text constant holds no NUL character")
    return "'" + text.replace("'", "''") + "'"
