"""A SOQL statement as one DuckDB query, with a plan of how its columns nest on the wire.

Source: Salesforce wire reference, section 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from sqlglot import exp

from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.schema import Field, Schema, SObject
from workbench.simulators.salesforce.scope import ROOT, Reached, Scope, UnknownPath
from workbench.simulators.salesforce.soql_filter import Filter
from workbench.simulators.salesforce.soql_parse import Item, Order, Path, Statement
from workbench.simulators.salesforce.soql_words import invalid_field, malformed

Wire = Literal["rest", "bulk"]
_MOMENTS: Final = {"rest": "%Y-%m-%dT%H:%M:%S.%g+0000", "bulk": "%Y-%m-%dT%H:%M:%S.%gZ"}
_AGGREGATE_SQL: Final = {"COUNT": "count", "COUNT_DISTINCT": "count", "MIN": "min", "MAX": "max", "SUM": "sum",
                         "AVG": "avg"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One selected field: its canonical path, and whether its text is a JSON object to be unpacked."""

    path: tuple[str, ...]
    is_compound: bool = False


@dataclass(frozen=True)
class Translated:
    """The query and its plan: `columns` first, then the Id of the record and of each parent in `parents`."""

    sql: str
    sobject: SObject
    columns: tuple[Column, ...]
    parents: tuple[tuple[tuple[str, ...], SObject], ...]
    kind: Literal["rows", "count", "aggregate"]


def translate(
    statement: Statement, schema: Schema, *, today: date, has_deleted: bool = False, wire: Wire = "rest"
) -> Translated:
    """Raises INVALID_TYPE, INVALID_FIELD or MALFORMED_QUERY as a whole-request refusal."""
    return _Translation(statement, schema, today, has_deleted=has_deleted, wire=wire).translated()


class _Translation:
    def __init__(self, statement: Statement, schema: Schema, today: date, *, has_deleted: bool, wire: Wire) -> None:
        name = statement.sobject.text
        sobject = schema.get(name)
        if sobject is None:
            raise refused(
                400,
                "INVALID_TYPE",
                f"\n{statement.soql[:60]}\nsObject type '{name}' is not supported. If you are attempting to use a "
                "custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the "
                "describe call for the appropriate names.",
            )
        self.statement = statement
        self.schema = schema
        self.today = today
        self.wire = wire
        self.has_deleted = has_deleted
        self.scope = Scope(schema, sobject, has_deleted=has_deleted)

    def translated(self) -> Translated:
        if self.statement.is_bare_count:
            return Translated(self._select([exp.Count(this=exp.Star())]), self.scope.sobject, (), (), "count")
        if self.statement.is_aggregate:
            return self._aggregate()
        return self._rows()

    def subselect(self) -> exp.Select:
        """The values of the one selected field, for `IN (SELECT ...)`."""
        items = self._items()
        if len(items) != 1:
            raise malformed(self.statement.soql, self.statement.items[0].place, "a subquery selects one field")
        return self._query([exp.alias_(items[0].sql, "c0")])

    def _rows(self) -> Translated:
        reached = self._items()
        columns, seen = [], set()
        for item, place in zip(reached, self._places(len(reached)), strict=True):
            if item.path in seen:
                message = f"duplicate field selected: {'.'.join(item.path)}"
                raise invalid_field(self.statement.soql, place, message)
            seen.add(item.path)
            columns.append(Column(item.path, item.field.is_compound))
        if self.wire == "bulk" and any(column.is_compound for column in columns):
            raise refused(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
        wanted = sorted(
            {path[:size] for path in seen for size in range(1, len(path))}, key=lambda path: (len(path), path)
        )
        parents = tuple((path, self.scope.parents[path].sobject) for path in wanted)
        values = [self._on_wire(item) for item in reached]
        ids = [self.scope.id_of(()), *(self.scope.id_of(path) for path, _ in parents)]
        return Translated(self._select([*values, *ids]), self.scope.sobject, tuple(columns), parents, "rows")

    def _aggregate(self) -> Translated:
        if self.wire == "bulk":
            raise refused(400, "FUNCTIONALITY_NOT_ENABLED", "Aggregate Relationships not supported in Bulk Query")
        grouped = [self._reach(path) for path in self.statement.group_by]
        columns, values = [], []
        for item in self.statement.items:
            if item.path is None:
                raise malformed(self.statement.soql, item.place, "COUNT() cannot be grouped; use COUNT(Id)")
            reached = self._reach(item.path)
            if item.function is None:
                if reached.path not in {group.path for group in grouped}:
                    message = f"Field must be grouped or aggregated: {reached.field.name}"
                    raise malformed(self.statement.soql, item.place, message)
                values.append(self._on_wire(reached))
                columns.append(Column((item.alias or reached.field.name,)))
                continue
            unnamed = sum(column.path[0].startswith("expr") for column in columns)
            columns.append(Column((item.alias or f"expr{unnamed}",)))
            values.append(self._aggregated(item.function, reached))
        sql = self._select(values, [group.sql for group in grouped])
        return Translated(sql, self.scope.sobject, tuple(columns), (), "aggregate")

    def _aggregated(self, function: str, reached: Reached) -> exp.Expr:
        argument: exp.Expr = reached.sql.copy()
        if function == "COUNT_DISTINCT":
            argument = exp.Distinct(expressions=[argument])
        value = exp.Anonymous(this=_AGGREGATE_SQL[function], expressions=[argument])
        is_same_type = function in ("MIN", "MAX")
        return self._wire_value(value, reached.field) if is_same_type else value

    def _items(self) -> list[Reached]:
        found: list[Reached] = []
        for item in self.statement.items:
            found += self._all_fields(item) if item.function == "FIELDS" else [self._selected(item)]
        return found

    def _selected(self, item: Item) -> Reached:
        assert item.path is not None
        return self._reach(item.path)

    def _all_fields(self, item: Item) -> list[Reached]:
        """FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM); the unbounded two need a LIMIT of at most 200."""
        which = item.path.parts[0].upper() if item.path else ""
        if which not in ("ALL", "STANDARD", "CUSTOM"):
            raise malformed(self.statement.soql, item.place, f"unexpected token: '{which}'")
        if which != "STANDARD" and (self.statement.limit is None or self.statement.limit > 200):
            message = f"The SOQL FIELDS function must have a LIMIT of at most 200: FIELDS({which})"
            raise refused(400, "MALFORMED_QUERY", message)
        is_custom = {"STANDARD": (False,), "CUSTOM": (True,), "ALL": (False, True)}[which]
        return [
            self.scope.reach((field.name,)) for field in self.scope.sobject.visible if field.info["custom"] in is_custom
        ]

    def _places(self, count: int) -> list[int]:
        places = [item.place for item in self.statement.items]
        return places if len(places) == count else [places[0]] * count

    def _reach(self, path: Path) -> Reached:
        parts = path.parts
        own_names = {(self.statement.alias or "").lower(), self.scope.sobject.name.lower()} - {""}
        if len(parts) > 1 and parts[0].lower() in own_names and self.scope.sobject.related(parts[0]) is None:
            parts = parts[1:]
        try:
            return self.scope.reach(parts)
        except UnknownPath as unknown:
            raise invalid_field(self.statement.soql, path.place, str(unknown)) from None

    def _on_wire(self, reached: Reached) -> exp.Expr:
        return self._wire_value(reached.sql, reached.field)

    def _wire_value(self, value: exp.Expr, field: Field) -> exp.Expr:
        if field.type == "datetime":
            moment = exp.Literal.string(_MOMENTS[self.wire])
            return exp.Anonymous(this="strftime", expressions=[value, moment])
        return exp.cast(value, "varchar") if field.type == "date" else value

    def _select(self, values: list[exp.Expr], group_by: list[exp.Expr] | None = None) -> str:
        named = [exp.alias_(value, f"c{index}") for index, value in enumerate(values)]
        query = self._query(named)
        if group_by:
            query = query.group_by(*(value.copy() for value in group_by))
        return query.sql(dialect="duckdb")

    def _query(self, values: list[exp.Expr]) -> exp.Select:
        statement = self.statement
        sobject = self.scope.sobject
        conditions: list[exp.Expr] = []
        if statement.where is not None:
            filtering = Filter(statement.soql, self._reach, self._nested, self.today)
            conditions.append(filtering.sql(statement.where))
        if "isdeleted" in sobject.by_name and not self.has_deleted:
            conditions.append(exp.Not(this=exp.column("IsDeleted", table=ROOT, quoted=True)))
        order = [self._ordered(wanted) for wanted in statement.order_by]
        query = exp.select(*values, copy=False).from_(exp.table_(sobject.name, quoted=True, alias=ROOT))
        for join in self.scope.joins():
            query.append("joins", join)
        if conditions:
            query = query.where(*conditions, copy=False)
        if order and not statement.is_bare_count:
            query = query.order_by(*order, copy=False)
        if statement.limit is not None and not statement.is_bare_count:
            query = query.limit(statement.limit, copy=False)
        return query.offset(statement.offset, copy=False) if statement.offset else query

    def _nested(self, statement: Statement) -> exp.Expr:
        nested = _Translation(statement, self.schema, self.today, has_deleted=self.has_deleted, wire=self.wire)
        return nested.subselect()

    def _ordered(self, order: Order) -> exp.Ordered:
        reached = self._reach(order.path)
        if not reached.field.info["sortable"] or reached.field.is_compound:
            message = f"field '{reached.field.name}' can not be sorted in a query call"
            raise malformed(self.statement.soql, order.path.place, message)
        key = exp.Lower(this=reached.sql.copy()) if reached.field.is_text else reached.sql.copy()
        return exp.Ordered(this=key, desc=order.is_descending, nulls_first=order.is_nulls_first)
