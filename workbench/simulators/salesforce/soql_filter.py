"""WHERE conditions as SQL that is never null: a comparison with a null field is false, and `!=` then true.

Texts compare without case, ids exactly. Source: Salesforce wire reference, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from sqlglot import exp

from workbench.simulators.salesforce.date_words import DayRange, day_range
from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.schema import Field
from workbench.simulators.salesforce.scope import Reached
from workbench.simulators.salesforce.soql_parse import Comparison, Condition, Negated, Path, Statement
from workbench.simulators.salesforce.soql_values import date_value, is_null, typed_value
from workbench.simulators.salesforce.soql_words import Word, invalid_field, unescaped

_ORDERED: Final[dict[str, type[exp.Binary]]] = {"<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


class Filter:
    """Conditions of one statement. `reach` finds a path's SQL; `subselect` turns a nested statement into SQL."""

    def __init__(
        self,
        soql: str,
        reach: Callable[[Path], Reached],
        subselect: Callable[[Statement], exp.Expr],
        today: date,
    ) -> None:
        self._soql = soql
        self._reach = reach
        self._subselect = subselect
        self._today = today

    def sql(self, condition: Condition) -> exp.Expr:
        if isinstance(condition, Negated):
            return exp.Not(this=exp.paren(self.sql(condition.condition)))
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        join = exp.and_ if condition.operator == "AND" else exp.or_
        return exp.paren(join(*(self.sql(part) for part in condition.parts), copy=False))

    def _comparison(self, condition: Comparison) -> exp.Expr:
        reached = self._reach(condition.path)
        field = reached.field
        if not field.info["filterable"] or field.is_compound:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise invalid_field(self._soql, condition.path.place, message)
        if condition.subquery is not None:
            return self._in_subquery(condition, reached)
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            return self._multiple(condition, reached)
        if condition.operator in ("IN", "NOT IN"):
            return self._in_list(condition, reached)
        word = condition.values[0]
        if condition.operator == "LIKE":
            return self._like(field, reached.sql, word, condition.path)
        days = day_range(word.text, self._today) if word.kind == "name" and field.type in ("date", "datetime") else None
        if days is not None:
            return _within_days(condition.operator, reached.sql, days)
        return self._compared(condition.operator, reached, word)

    def _compared(self, operator: str, reached: Reached, word: Word) -> exp.Expr:
        left = _comparable(reached)
        right = exp.null() if is_null(word) else typed_value(self._soql, reached.field, word)
        if operator == "=":
            return exp.NullSafeEQ(this=left, expression=right)
        if operator == "!=":
            return exp.NullSafeNEQ(this=left, expression=right)
        if reached.field.is_id or reached.field.type == "boolean":
            message = f"{reached.field.type} fields cannot be compared with {operator}"
            raise refused(400, "INVALID_QUERY_FILTER_OPERATOR", message)
        return _known(_ORDERED[operator](this=left, expression=right))

    def _in_list(self, condition: Comparison, reached: Reached) -> exp.Expr:
        given = [typed_value(self._soql, reached.field, word) for word in condition.values if not is_null(word)]
        found: exp.Expr = exp.false()
        if given:
            found = _known(exp.In(this=_comparable(reached), expressions=given))
        if len(given) < len(condition.values):
            found = exp.or_(found, exp.Is(this=reached.sql.copy(), expression=exp.null()))
        return exp.Not(this=exp.paren(found)) if condition.operator == "NOT IN" else exp.paren(found)

    def _in_subquery(self, condition: Comparison, reached: Reached) -> exp.Expr:
        assert condition.subquery is not None
        found = _known(exp.In(this=reached.sql, query=exp.Subquery(this=self._subselect(condition.subquery))))
        return exp.Not(this=found) if condition.operator == "NOT IN" else found

    def _like(self, field: Field, left: exp.Expr, word: Word, path: Path) -> exp.Expr:
        if word.kind != "string" or not field.is_text:
            raise refused(400, "INVALID_QUERY_FILTER_OPERATOR", f"field '{path.parts[-1]}' cannot be compared by LIKE")
        pattern = exp.Literal.string(unescaped(word.text, for_like=True))
        return _known(exp.Escape(this=exp.ILike(this=left, expression=pattern), expression=exp.Literal.string("\\")))

    def _multiple(self, condition: Comparison, reached: Reached) -> exp.Expr:
        """INCLUDES ('A;B', 'C'): the record's values hold A and B, or C."""
        if reached.field.type != "multipicklist":
            raise refused(400, "INVALID_QUERY_FILTER_OPERATOR", "INCLUDES and EXCLUDES are for multipicklists only")
        chosen = exp.Anonymous(this="string_split", expressions=[_comparable(reached), exp.Literal.string(";")])
        options = []
        for word in condition.values:
            wanted = [exp.Literal.string(value) for value in unescaped(word.text).lower().split(";")]
            holds = (exp.Anonymous(this="list_contains", expressions=[chosen.copy(), value]) for value in wanted)
            options.append(exp.and_(*holds))
        found = _known(exp.paren(exp.or_(*options)))
        return exp.Not(this=found) if condition.operator == "EXCLUDES" else found


def _comparable(reached: Reached) -> exp.Expr:
    return exp.Lower(this=reached.sql.copy()) if reached.field.is_text else reached.sql.copy()


def _known(condition: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=condition, expressions=[exp.false()])


def _within_days(operator: str, left: exp.Expr, days: DayRange) -> exp.Expr:
    first, after = (date_value(day.isoformat()) for day in days)
    from_first, before_end = exp.GTE(this=left, expression=first), exp.LT(this=left.copy(), expression=after)
    inside = _known(exp.paren(exp.and_(from_first, before_end)))
    by_operator = {
        "=": inside,
        "!=": exp.Not(this=inside.copy()),
        "<": _known(exp.LT(this=left.copy(), expression=first.copy())),
        "<=": _known(before_end.copy()),
        ">": _known(exp.GTE(this=left.copy(), expression=after.copy())),
        ">=": _known(from_first.copy()),
    }
    return by_operator[operator]
