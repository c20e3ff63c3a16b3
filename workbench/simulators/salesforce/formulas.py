"""Formula fields: a readable part of the formula language, as SQL expressions computed when a record is read.

Functions: NOT AND OR IF ISBLANK ISPICKVAL BLANKVALUE TEXT LEN CONTAINS BEGINS LOWER UPPER TRIM LEFT VALUE TODAY BR;
operators && || = == <> != < > <= >= + - * / &; texts, numbers, TRUE, FALSE, NULL; fields and lookup paths.
Texts compare with case, and a blank equals "". A division by zero is an error: what it reaches has no value.
Source: Salesforce wire reference, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlglot import exp


@dataclass(frozen=True)
class Term:
    """A part of a formula: its SQL, text | number | boolean | other, and when it is an error (None for never)."""

    sql: exp.Expr
    kind: str = "other"
    error: exp.Expr | None = None


Resolve = Callable[[tuple[str, ...]], Term]
_Make = Callable[[list[Term]], Term]

_WORD: Final = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      |(?P<sign>&&|\|\||==|<>|!=|<=|>=|[-=<>+*/&(),!]))""",
    re.VERBOSE,
)
# From the loosest to the tightest.
_LEVELS: Final[tuple[dict[str, type[exp.Binary]], ...]] = (
    {"||": exp.Or},
    {"&&": exp.And},
    {"=": exp.EQ, "==": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE},
    {"+": exp.Add, "-": exp.Sub, "&": exp.DPipe},
    {"*": exp.Mul, "/": exp.Div},
)
# The function of DuckDB, and the kind of its result.
_PLAIN: Final = {
    "LEN": ("length", "number"), "CONTAINS": ("contains", "boolean"), "BEGINS": ("starts_with", "boolean"),
    "LOWER": ("lower", "text"), "UPPER": ("upper", "text"), "TRIM": ("trim", "text"), "LEFT": ("left", "text"),
}  # fmt: skip
_CONSTANTS: Final = {
    "TRUE": Term(exp.true(), "boolean"), "FALSE": Term(exp.false(), "boolean"), "NULL": Term(exp.null()),
}  # fmt: skip


class FormulaError(ValueError):
    """The formula says something this sandbox cannot compute."""


def formula_sql(formula: str, resolve: Resolve) -> exp.Expr:
    """The SQL of a formula; `resolve` gives the SQL of a field or lookup path."""
    reader = _Reader(formula, resolve)
    found = reader.level(0)
    if reader.now is not None:
        raise FormulaError(f"{reader.now!r} is not understood in the formula {formula}")
    return found.sql if found.error is None else exp.If(this=found.error, true=exp.null(), false=found.sql)


class _Reader:
    def __init__(self, formula: str, resolve: Resolve) -> None:
        self._formula = formula
        self._resolve = resolve
        self._words: list[tuple[str, str]] = []
        place = 0
        while place < len(formula.rstrip()):
            match = _WORD.match(formula, place)
            if match is None:
                raise FormulaError(f"{formula[place:]!r} is not understood in the formula {formula}")
            kind = str(match.lastgroup)
            self._words.append((kind, match.group(kind)))
            place = match.end()
        self._index = 0

    @property
    def now(self) -> str | None:
        return self._words[self._index][1] if self._index < len(self._words) else None

    def _take(self) -> tuple[str, str]:
        if self.now is None:
            raise FormulaError(f"the formula {self._formula} ends too early")
        self._index += 1
        return self._words[self._index - 1]

    def _need(self, sign: str) -> None:
        if self._take()[1] != sign:
            raise FormulaError(f"{sign} is missing in the formula {self._formula}")

    def level(self, depth: int) -> Term:
        if depth == len(_LEVELS):
            return self._unary()
        left = self.level(depth + 1)
        while self.now in _LEVELS[depth]:
            kind = _LEVELS[depth][self._take()[1]]
            left = _operated(kind, left, self.level(depth + 1))
        return left

    def _unary(self) -> Term:
        if self.now in ("!", "-"):
            is_not = self._take()[1] == "!"
            inside = self._unary()
            return _negated(inside) if is_not else Term(exp.Neg(this=inside.sql), "number", inside.error)
        kind, word = self._take()
        if kind in ("text", "number"):
            return Term(exp.Literal.string(word[1:-1]) if kind == "text" else exp.Literal.number(word), kind)
        if kind == "name":
            if self.now == "(":
                return self._call(word.upper())
            return _CONSTANTS.get(word.upper()) or self._resolve(tuple(word.split(".")))
        if word != "(":
            raise FormulaError(f"{word!r} is not understood in the formula {self._formula}")
        inside = self.level(0)
        self._need(")")
        return Term(exp.paren(inside.sql), inside.kind, inside.error)

    def _call(self, function: str) -> Term:
        self._need("(")
        arguments: list[Term] = []
        while self.now != ")":
            if arguments:
                self._need(",")
            arguments.append(self.level(0))
        self._need(")")
        return _called(function, arguments, self._formula)


def _called(function: str, arguments: list[Term], formula: str) -> Term:
    if function in _PLAIN:
        name, kind = _PLAIN[function]
        given = [argument.sql if argument.kind == "number" else _text(argument) for argument in arguments]
        return Term(exp.Anonymous(this=name, expressions=given), kind, _error_of(arguments))
    make = _CALLS.get(function)
    if make is None:
        raise FormulaError(f"the function {function} is not computed here; it stands in the formula {formula}")
    return make(arguments)


def _operated(kind: type[exp.Binary], left: Term, right: Term) -> Term:
    if kind in (exp.And, exp.Or):
        return _all_or_any(kind)([left, right])
    error = _error_of([left, right])
    is_text = "text" in (left.kind, right.kind)
    if kind is exp.DPipe or (kind is exp.Add and is_text):
        return Term(exp.paren(exp.DPipe(this=_text(left), expression=_text(right))), "text", error)
    if kind is exp.Div:
        is_zero = exp.paren(exp.EQ(this=right.sql.copy(), expression=exp.Literal.number(0)))
        error = _error_of([left, right, Term(exp.null(), error=exp.Coalesce(this=is_zero, expressions=[exp.false()]))])
    if kind in (exp.Add, exp.Sub, exp.Mul, exp.Div):
        return Term(exp.paren(kind(this=left.sql, expression=right.sql)), "number", error)
    return Term(_compared(kind, left, right, is_text=is_text), "boolean", error)


def _compared(kind: type[exp.Binary], left: Term, right: Term, *, is_text: bool) -> exp.Expr:
    if kind in (exp.EQ, exp.NEQ) and exp.null() in (left.sql, right.sql):
        found = _blank(right if left.sql == exp.null() else left)
        return found if kind is exp.EQ else exp.Not(this=found)
    if is_text:
        return exp.paren(kind(this=_text(left), expression=_text(right)))
    if "boolean" in (left.kind, right.kind):
        return exp.paren(kind(this=_true_or_false(left), expression=_true_or_false(right)))
    return exp.Coalesce(this=exp.paren(kind(this=left.sql, expression=right.sql)), expressions=[exp.false()])


def _error_of(terms: list[Term]) -> exp.Expr | None:
    """An error in a part is one of the whole."""
    errors = [term.error for term in terms if term.error is not None]
    return exp.paren(exp.or_(*errors)) if errors else None


def _negated(value: Term) -> Term:
    return Term(exp.Not(this=exp.paren(_true_or_false(value))), "boolean", value.error)


def _true_or_false(value: Term) -> exp.Expr:
    return exp.Coalesce(this=value.sql.copy(), expressions=[exp.false()])


def _text(value: Term) -> exp.Expr:
    return exp.Coalesce(this=exp.cast(value.sql, "varchar"), expressions=[exp.Literal.string("")])


def _blank(value: Term) -> exp.Expr:
    return exp.paren(exp.EQ(this=_text(value), expression=exp.Literal.string("")))


def _all_or_any(kind: type[exp.Binary]) -> _Make:
    """What the first ones settle, errors of later ones do not touch."""

    def made(arguments: list[Term]) -> Term:
        found, error = _true_or_false(arguments[0]), arguments[0].error
        for argument in arguments[1:]:
            if argument.error is not None:
                looked_at = found.copy() if kind is exp.And else exp.Not(this=exp.paren(found.copy()))
                later = exp.paren(exp.and_(looked_at, argument.error))
                error = later if error is None else exp.paren(exp.or_(error, later))
            found = exp.paren(kind(this=found, expression=_true_or_false(argument)))
        return Term(found, "boolean", error)

    return made


def _either(given: list[Term]) -> Term:
    condition, yes, no = given
    kind = no.kind if yes.sql == exp.null() else yes.kind
    error = _error_of([condition])
    if yes.error is not None or no.error is not None:
        chosen = exp.If(this=_true_or_false(condition), true=yes.error or exp.false(), false=no.error or exp.false())
        error = _error_of([condition, Term(exp.null(), error=chosen)])
    return Term(exp.If(this=_true_or_false(condition), true=yes.sql, false=no.sql), kind, error)


def _or_else(given: list[Term]) -> Term:
    value, other = given
    return Term(exp.If(this=_blank(value), true=other.sql, false=value.sql), value.kind, _error_of(given))


def _as_text(given: list[Term]) -> Term:
    """Whole numbers without a point."""
    text: exp.Expr = exp.cast(given[0].sql, "varchar")
    if given[0].kind == "number":
        text = exp.Anonymous(
            this="regexp_replace", expressions=[text, exp.Literal.string(r"\.0$"), exp.Literal.string("")]
        )
    return Term(text, "text", _error_of(given))


def _same(given: list[Term]) -> Term:
    return Term(exp.paren(exp.EQ(this=_text(given[0]), expression=_text(given[1]))), "boolean", _error_of(given))


_CALLS: Final[dict[str, _Make]] = {
    "AND": _all_or_any(exp.And),
    "OR": _all_or_any(exp.Or),
    "NOT": lambda given: _negated(given[0]),
    "IF": _either,
    "ISBLANK": lambda given: Term(_blank(given[0]), "boolean", _error_of(given)),
    "ISPICKVAL": _same,
    "BLANKVALUE": _or_else,
    "TEXT": _as_text,
    "VALUE": lambda given: Term(
        exp.TryCast(this=given[0].sql, to=exp.DataType.build("double")), "number", _error_of(given)
    ),
    "TODAY": lambda _: Term(exp.CurrentDate()),
    "BR": lambda _: Term(exp.Literal.string("_BR_ENCODED_"), "text"),  # what the API shows for a formula's line break
}
