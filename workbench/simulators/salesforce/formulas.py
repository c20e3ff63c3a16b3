"""Formula fields: a readable part of the formula language, as SQL expressions computed when a record is read.

Functions: NOT AND OR IF ISBLANK ISPICKVAL BLANKVALUE TEXT LEN CONTAINS BEGINS LOWER UPPER TRIM LEFT VALUE TODAY BR;
operators && || = == <> != < > <= >= + - * / &; texts, numbers, TRUE, FALSE, NULL; fields and lookup paths.
Texts compare with case, and a blank equals "". Source: Salesforce wire reference, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sqlglot import exp

Resolve = Callable[[tuple[str, ...]], exp.Expr]
_Make = Callable[[list[exp.Expr]], exp.Expr]

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
_PLAIN: Final = {"LEN": "length", "CONTAINS": "contains", "BEGINS": "starts_with", "LOWER": "lower", "UPPER": "upper",
                 "TRIM": "trim", "LEFT": "left"}  # fmt: skip
_CONSTANTS: Final = {"TRUE": exp.true, "FALSE": exp.false, "NULL": exp.null}


class FormulaError(ValueError):
    """The formula says something this sandbox cannot compute."""


def formula_sql(formula: str, resolve: Resolve) -> exp.Expr:
    """The SQL of a formula; `resolve` gives the SQL of a field or lookup path."""
    reader = _Reader(formula, resolve)
    found = reader.level(0)
    if reader.now is not None:
        raise FormulaError(f"{reader.now!r} is not understood in the formula {formula}")
    return found


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

    def level(self, depth: int) -> exp.Expr:
        if depth == len(_LEVELS):
            return self._unary()
        left = self.level(depth + 1)
        while self.now in _LEVELS[depth]:
            kind = _LEVELS[depth][self._take()[1]]
            right = self.level(depth + 1)
            if kind is exp.DPipe or (kind in (exp.EQ, exp.NEQ) and (_is_text(left) or _is_text(right))):
                left, right = _text(left), _text(right)
            left = exp.paren(kind(this=left, expression=right))
        return left

    def _unary(self) -> exp.Expr:
        if self.now in ("!", "-"):
            is_not = self._take()[1] == "!"
            return _negated(self._unary()) if is_not else exp.Neg(this=self._unary())
        kind, word = self._take()
        if kind in ("text", "number"):
            return exp.Literal.string(word[1:-1]) if kind == "text" else exp.Literal.number(word)
        if kind == "name":
            if self.now == "(":
                return self._call(word.upper())
            constant = _CONSTANTS.get(word.upper())
            return constant() if constant else self._resolve(tuple(word.split(".")))
        if word != "(":
            raise FormulaError(f"{word!r} is not understood in the formula {self._formula}")
        inside = self.level(0)
        self._need(")")
        return exp.paren(inside)

    def _call(self, function: str) -> exp.Expr:
        self._need("(")
        arguments: list[exp.Expr] = []
        while self.now != ")":
            if arguments:
                self._need(",")
            arguments.append(self.level(0))
        self._need(")")
        return _called(function, arguments, self._formula)


def _called(function: str, arguments: list[exp.Expr], formula: str) -> exp.Expr:
    if function in _PLAIN:
        return exp.Anonymous(this=_PLAIN[function], expressions=[_text(arguments[0]), *arguments[1:]])
    make = _CALLS.get(function)
    if make is None:
        raise FormulaError(f"the function {function} is not computed here; it stands in the formula {formula}")
    return make(arguments)


def _negated(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.paren(_true_or_false(value)))


def _true_or_false(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=value, expressions=[exp.false()])


def _is_text(value: exp.Expr) -> bool:
    return isinstance(value, exp.Literal) and bool(value.is_string)


def _text(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=exp.cast(value, "varchar"), expressions=[exp.Literal.string("")])


def _all_or_any(join: Callable[..., exp.Expr]) -> _Make:
    return lambda arguments: exp.paren(join(*(_true_or_false(argument) for argument in arguments)))


_CALLS: Final[dict[str, _Make]] = {
    "AND": _all_or_any(exp.and_),
    "OR": _all_or_any(exp.or_),
    "NOT": lambda arguments: _negated(arguments[0]),
    "IF": lambda given: exp.If(this=_true_or_false(given[0]), true=given[1], false=given[2]),
    "ISBLANK": lambda given: exp.EQ(this=_text(given[0]), expression=exp.Literal.string("")),
    "ISPICKVAL": lambda given: exp.EQ(this=_text(given[0]), expression=_text(given[1])),
    "BLANKVALUE": lambda given: exp.Coalesce(this=given[0], expressions=[given[1]]),
    "TEXT": lambda given: exp.cast(given[0], "varchar"),
    "VALUE": lambda given: exp.TryCast(this=given[0], to=exp.DataType.build("double")),
    "TODAY": lambda _: exp.CurrentDate(),
    "BR": lambda _: exp.Literal.string("_BR_ENCODED_"),  # what the API shows for a line break in a formula
}
