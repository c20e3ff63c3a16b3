"""SOQL words into a statement: fields and lookup paths, WHERE, GROUP BY, ORDER BY, LIMIT, OFFSET.

Left out, and refused as MALFORMED_QUERY: child subqueries, TYPEOF, HAVING, geolocation functions.
Source: Salesforce wire reference, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.soql_words import Word, malformed, words_of

T = TypeVar("T")

STATEMENT_LIMIT: Final = 100_000
_OFFSET_LIMIT: Final = 2000
_COMPARISONS: Final = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_AGGREGATES: Final = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_VALUE_KINDS: Final = frozenset({"string", "number", "date", "datetime", "name"})
_CLAUSES: Final = frozenset({"WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "FOR", "WITH", "USING", "ALL", "HAVING"})


@dataclass(frozen=True)
class Path:
    """A field behind zero or more lookups; `parts` as written."""

    parts: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class Item:
    """One thing selected: a path, or a function over one (`path` None for COUNT())."""

    path: Path | None
    function: str | None = None
    alias: str | None = None
    place: int = 0


@dataclass(frozen=True)
class Comparison:
    """`path operator value`; IN and NOT IN have several values, or a subquery."""

    path: Path
    operator: str
    values: tuple[Word, ...]
    subquery: Statement | None = None


@dataclass(frozen=True)
class Joined:
    """Conditions joined by AND or OR."""

    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negated:
    condition: Condition


Condition: TypeAlias = "Comparison | Joined | Negated"


@dataclass(frozen=True)
class Order:
    path: Path
    is_descending: bool
    is_nulls_first: bool


@dataclass(frozen=True)
class Statement:
    """One SOQL query. `limit` None means all rows."""

    soql: str
    items: tuple[Item, ...]
    sobject: Word
    alias: str | None
    where: Condition | None
    group_by: tuple[Path, ...]
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def is_bare_count(self) -> bool:
        return len(self.items) == 1 and self.items[0].function == "COUNT" and self.items[0].path is None

    @property
    def is_aggregate(self) -> bool:
        return bool(self.group_by) or any(item.function in _AGGREGATES for item in self.items)


def parse(soql: str) -> Statement:
    """The statement a text says. Raises MALFORMED_QUERY with the place."""
    if len(soql) > STATEMENT_LIMIT:
        raise refused(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {STATEMENT_LIMIT} characters.")
    reader = _Reader(soql)
    statement = reader.statement()
    if reader.now.kind != "end":
        raise reader.unexpected()
    return statement


class _Reader:
    def __init__(self, soql: str) -> None:
        self.soql = soql
        self._words = words_of(soql)
        self._index = 0

    @property
    def now(self) -> Word:
        return self._words[self._index]

    def take(self) -> Word:
        word = self.now
        self._index = min(self._index + 1, len(self._words) - 1)
        return word

    def takes(self, *words: str) -> bool:
        """Take the next words if they are these."""
        following = self._words[self._index : self._index + len(words)]
        if len(following) == len(words) and all(word.says(text) for word, text in zip(following, words, strict=True)):
            self._index += len(words)
            return True
        return False

    def need(self, *words: str) -> None:
        if not self.takes(*words):
            raise self.unexpected()

    def unexpected(self) -> Exception:
        return malformed(self.soql, self.now.place, f"unexpected token: '{self.now.text}'")

    def name(self) -> Word:
        if self.now.kind != "name":
            raise self.unexpected()
        return self.take()

    def path(self) -> Path:
        word = self.name()
        return Path(tuple(word.text.split(".")), word.place)

    def statement(self) -> Statement:
        self.need("SELECT")
        items = self._items()
        self.need("FROM")
        sobject = self.name()
        alias = None
        if self.now.kind == "name" and self.now.text.upper() not in _CLAUSES:
            alias = self.take().text
        where = self.condition() if self.takes("WHERE") else None
        group_by = self._listed(self.path) if self.takes("GROUP", "BY") else ()
        order_by = self._listed(self._order) if self.takes("ORDER", "BY") else ()
        limit = self._count() if self.takes("LIMIT") else None
        offset_at = self.now.place
        offset = self._count() if self.takes("OFFSET") else 0
        if offset > _OFFSET_LIMIT:
            raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_OFFSET_LIMIT}")
        if any(item.function == "COUNT" and item.path is None for item in items) and len(items) > 1:
            raise malformed(self.soql, offset_at, "COUNT() must be the only element in the SELECT list")
        named = next((item for item in items if item.alias and item.function is None), None)
        if named is not None and not group_by:
            raise malformed(self.soql, named.place, f"unexpected token: '{named.alias}'")
        return Statement(self.soql, items, sobject, alias, where, group_by, order_by, limit, offset)

    def _listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self.takes(","):
            found.append(read())
        return tuple(found)

    def _items(self) -> tuple[Item, ...]:
        if self.now.says("FROM"):
            raise self.unexpected()
        return self._listed(self._item)

    def _item(self) -> Item:
        word = self.name()
        if not self.takes("("):
            return Item(Path(tuple(word.text.split(".")), word.place), None, self._alias(), word.place)
        function = word.text.upper()
        if function not in _AGGREGATES and function != "FIELDS":
            raise malformed(self.soql, word.place, f"unexpected token: '{word.text}'")
        path = None if self.now.says(")") else self.path()
        self.need(")")
        return Item(path, function, self._alias(), word.place)

    def _alias(self) -> str | None:
        return self.take().text if self.now.kind == "name" and not self.now.says("FROM") else None

    def _count(self) -> int:
        if self.now.kind != "number" or not self.now.text.isdigit():
            raise self.unexpected()
        return int(self.take().text)

    def _order(self) -> Order:
        path = self.path()
        is_descending = self.takes("DESC")
        if not is_descending:
            self.takes("ASC")
        is_nulls_first = not self.takes("NULLS", "LAST")
        if is_nulls_first:
            self.takes("NULLS", "FIRST")
        return Order(path, is_descending, is_nulls_first)

    def condition(self) -> Condition:
        first = self._simple()
        operator = next((text for text in ("AND", "OR") if self.now.says(text)), None)
        if operator is None:
            return first
        parts = [first]
        while self.takes(operator):
            parts.append(self._simple())
        if self.now.says("AND", "OR"):  # SOQL wants parentheses where the two are mixed
            raise self.unexpected()
        return Joined(operator, tuple(parts))

    def _simple(self) -> Condition:
        if self.takes("("):
            inside = self.condition()
            self.need(")")
            return inside
        if self.takes("NOT"):
            return Negated(self._simple())
        path = self.path()
        if self.takes("NOT", "IN"):
            return self._within(path, "NOT IN")
        for word in ("IN", "INCLUDES", "EXCLUDES"):
            if self.takes(word):
                return self._within(path, word)
        if self.takes("LIKE"):
            return Comparison(path, "LIKE", (self._value(),))
        if self.now.kind != "sign" or self.now.text not in _COMPARISONS:
            raise self.unexpected()
        return Comparison(path, _COMPARISONS[self.take().text], (self._value(),))

    def _within(self, path: Path, operator: str) -> Comparison:
        self.need("(")
        if self.now.says("SELECT") and operator in ("IN", "NOT IN"):
            subquery = self.statement()
            self.need(")")
            return Comparison(path, operator, (), subquery)
        values = self._listed(self._value)
        self.need(")")
        return Comparison(path, operator, values)

    def _value(self) -> Word:
        if self.now.kind not in _VALUE_KINDS:
            raise self.unexpected()
        return self.take()
