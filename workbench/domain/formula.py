"""A readable part of Salesforce's formula language: parsed, asked for its fields, and compiled to DuckDB.

Inside the subset: fields and lookup paths; texts, numbers, TRUE, FALSE, NULL; the operators = == <> != < <= > >=
&& || ! + - * / &; the functions AND OR NOT IF CASE ISBLANK ISNULL ISPICKVAL INCLUDES BLANKVALUE TEXT VALUE LEN
UPPER LOWER CONTAINS BEGINS. Everything else raises UnsupportedFormula, so that nobody acts on a guess.

A blank text is "" and equals another blank; a blank number or date is null, and every comparison with it is false; a
formula field may read blank numbers as zero instead.
Texts compare with case. A division by zero is an error, and a Boolean formula with an error in it false.
Source: Salesforce wire reference, section 4 (blanks); DESIGN section 6 (criteria).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from workbench.domain.fields import SalesforceField

Kind = Literal["text", "number", "boolean", "date", "datetime", "unknown"]

_WORD: Final = re.compile(
    r"""(?:\s|/\*.*?\*/)*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+(?:\.\d+)?|\.\d+)
      |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<sign>&&|\|\||==|<>|!=|<=|>=|[-=<>+*/&(),!])|(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
# From the loosest to the tightest; each operator is the call of this name.
_LEVELS: Final[tuple[Mapping[str, str], ...]] = (
    {"||": "OR"},
    {"&&": "AND"},
    {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="},
    {"+": "+", "-": "-", "&": "&"},
    {"*": "*", "/": "/"},
)
_CONSTANTS: Final[Mapping[str, bool | None]] = {"TRUE": True, "FALSE": False, "NULL": None}
_DEPTH_LIMIT: Final = 60
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}

_KIND_OF_TYPE: Final[Mapping[str, Kind]] = {
    "boolean": "boolean", "double": "number", "currency": "number", "percent": "number", "int": "number",
    "date": "date", "datetime": "datetime",
}  # fmt: skip
_NOT_COMPARED: Final = frozenset({"time", "address", "location", "base64", "anyType", "complexvalue"})


class UnsupportedFormula(ValueError):
    """The formula says something outside the subset; its value is known only to Salesforce."""


@dataclass(frozen=True)
class Constant:
    """A text, a number (kept as written), a truth value, or null."""

    value: str | bool | None
    kind: Kind


@dataclass(frozen=True)
class FieldRef:
    """A field or a lookup path, as the formula spells it."""

    path: str


@dataclass(frozen=True)
class Call:
    """A function or an operator, by its canonical name, and what it is given."""

    name: str
    arguments: tuple[Ast, ...]


Ast = Constant | FieldRef | Call


def parse_formula(text: str) -> Ast:
    """The formula as a tree. Raises UnsupportedFormula, naming what is not understood.

    >>> fields_of(parse_formula("AND(NOT(Do_Not_Contact__c), Account.Name <> '')"))
    ('Do_Not_Contact__c', 'Account.Name')
    """
    reader = _Reader(text)
    found = reader.level(0)
    if reader.now:
        raise UnsupportedFormula(f"{reader.now!r} is not understood here")
    return found


def fields_of(ast: Ast) -> tuple[str, ...]:
    """Every field path the formula reads, once each, in order of appearance."""
    return tuple(dict.fromkeys(_paths(ast)))


def _paths(ast: Ast) -> Iterator[str]:
    if isinstance(ast, FieldRef):
        yield ast.path
    elif isinstance(ast, Call):
        for argument in ast.arguments:
            yield from _paths(argument)


def formula_of(field: SalesforceField, known: Mapping[str, SalesforceField]) -> Ast:
    """What a record's criteria depend on: the field itself, or its formula with other own formulas written out.

    Paths are spelled as `known` (the own fields of the object, by name) spells them; a parent's formula stays a value.
    Raises UnsupportedFormula where a text is missing, outside the subset, or leads in a circle.
    """
    if not field.calculated or field.is_lookup:
        return FieldRef(field.name)
    by_name = {name.lower(): item for name, item in known.items()}
    return _written_out(field, by_name, (field.name,))


def _written_out(field: SalesforceField, by_name: Mapping[str, SalesforceField], seen: tuple[str, ...]) -> Ast:
    if field.formula is None:
        raise UnsupportedFormula(f"the formula of {field.name} is not known")

    def replace(ast: Ast) -> Ast:
        if isinstance(ast, Call):
            return Call(ast.name, tuple(replace(argument) for argument in ast.arguments))
        if isinstance(ast, Constant):
            return ast
        found = by_name.get(ast.path.lower())
        if found is None and "." not in ast.path:
            raise UnsupportedFormula(f"{ast.path} is no field that this user may see")
        if found is None or found.is_lookup:
            return _read_by(field, found, ast)
        if not found.calculated:
            return _read_by(field, found, FieldRef(found.name))
        if found.name in seen:
            raise UnsupportedFormula(f"{found.name} depends on itself")
        return _read_by(field, found, _written_out(found, by_name, (*seen, found.name)))

    return replace(parse_formula(field.formula))


def _read_by(formula_field: SalesforceField, found: SalesforceField | None, ast: Ast) -> Ast:
    """A value as a formula field reads it: blank numbers as zero where it says so."""
    is_number = found is not None and _KIND_OF_TYPE.get(found.type) == "number"
    return Call("BLANKVALUE", (ast, Constant("0", "number"))) if is_number and formula_field.blank_is_zero else ast


def criteria_inputs(field: SalesforceField, known: Mapping[str, SalesforceField]) -> list[str]:
    """The field paths a preview needs beside `field` to evaluate it after a change; none outside the subset.

    >>> opted_in = SalesforceField("Sync__c", type="boolean", calculated=True, formula="NOT(Out__c)")
    >>> criteria_inputs(opted_in, {"Out__c": SalesforceField("Out__c", type="boolean")})
    ['Out__c']
    """
    try:
        return [path for path in fields_of(formula_of(field, known)) if path != field.name]
    except UnsupportedFormula:
        return []


def kind_of(field: SalesforceField) -> Kind:
    """How a formula compares a field. Raises UnsupportedFormula for values that formulas do not compare."""
    if field.type in _NOT_COMPARED:
        raise UnsupportedFormula(f"{field.name} is a {field.type}")
    return _KIND_OF_TYPE.get(field.type, "text")


def to_sql(ast: Ast, column_of: Callable[[str], str], kind_at: Callable[[str], Kind] | None = None) -> str:
    """The formula as one DuckDB expression. A Boolean one is true or false, never null.

    `column_of` gives the SQL of a path, `kind_at` its kind (else it is taken from what it is compared with).
    Raises UnsupportedFormula where kinds do not go together.
    """
    found = _Compiler(column_of, kind_at or (lambda _: "unknown")).value(ast)
    if found.kind != "boolean":
        return found.sql
    return f"(NOT {found.fails} AND {_truth(found)})" if found.fails else _truth(found)


class _Reader:
    """Recursive descent over the words of a formula."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str]] = []
        self._depth = 0
        place = 0
        while place < len(text):
            match = _WORD.match(text, place)
            if match is None:
                raise UnsupportedFormula(f"{text[place : place + 40]!r} is not understood")
            if match.lastgroup != "end":
                self._words.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            place = max(match.end(), place + 1)
        self._index = 0

    @property
    def now(self) -> str:
        """The word to be read next, empty at the end."""
        return self._words[self._index][1] if self._index < len(self._words) else ""

    def level(self, depth: int) -> Ast:
        if depth == len(_LEVELS):
            return self._unary()
        left = self.level(depth + 1)
        while self._is_sign and self.now in _LEVELS[depth]:
            name = _LEVELS[depth][self._take()[1]]
            left = Call(name, (left, self.level(depth + 1)))
        return left

    @property
    def _is_sign(self) -> bool:
        return self._index < len(self._words) and self._words[self._index][0] == "sign"

    def _take(self) -> tuple[str, str]:
        if not self.now:
            raise UnsupportedFormula("the formula ends too early")
        self._index += 1
        return self._words[self._index - 1]

    def _need(self, sign: str) -> None:
        if self._take() != ("sign", sign):
            raise UnsupportedFormula(f"{sign} is missing")

    def _unary(self) -> Ast:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise UnsupportedFormula("the formula is nested too deeply")
        kind, word = self._take()
        if kind == "sign" and word in ("!", "-"):
            found: Ast = Call("NOT" if word == "!" else "NEGATED", (self._unary(),))
        elif kind == "sign" and word == "(":
            found = self.level(0)
            self._need(")")
        else:
            found = self._atom(kind, word)
        self._depth -= 1
        return found

    def _atom(self, kind: str, word: str) -> Ast:
        if kind == "text":
            return Constant(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), word[1:-1], flags=re.DOTALL), "text")
        if kind == "number":
            return Constant(word, "number")
        if kind == "name" and self._is_sign and self.now == "(":
            return self._call(word.upper())
        if kind == "name" and word.upper() in _CONSTANTS:
            value = _CONSTANTS[word.upper()]
            return Constant(value, "unknown" if value is None else "boolean")
        if kind == "name":
            return FieldRef(word)
        raise UnsupportedFormula(f"{word!r} is not understood here")

    def _call(self, name: str) -> Ast:
        self._need("(")
        arguments: list[Ast] = []
        while not (self._is_sign and self.now == ")"):
            if arguments:
                self._need(",")
            arguments.append(self.level(0))
        self._need(")")
        least, most = _ARITY.get(name, (0, -1))
        if not least <= len(arguments) <= most or (name == "CASE" and len(arguments) % 2):
            raise UnsupportedFormula(f"{name} with {len(arguments)} arguments is not computed here")
        return Call(name, tuple(arguments))


_MANY: Final = 1_000
_ARITY: Final[Mapping[str, tuple[int, int]]] = {
    "AND": (1, _MANY), "OR": (1, _MANY), "NOT": (1, 1), "IF": (3, 3), "CASE": (4, _MANY), "ISBLANK": (1, 1),
    "ISNULL": (1, 1), "ISPICKVAL": (2, 2), "INCLUDES": (2, 2), "BLANKVALUE": (2, 2), "TEXT": (1, 1), "VALUE": (1, 1),
    "LEN": (1, 1), "UPPER": (1, 1), "LOWER": (1, 1), "CONTAINS": (2, 2), "BEGINS": (2, 2),
}  # fmt: skip


@dataclass(frozen=True)
class _Value:
    """`fails`: the SQL of when this is an error, empty for never."""

    sql: str
    kind: Kind
    fails: str = ""


def _truth(value: _Value) -> str:
    if value.kind not in ("boolean", "unknown"):
        raise UnsupportedFormula(f"a {value.kind} stands where true or false is needed")
    return f"coalesce({value.sql}, false)"


def _text(value: _Value) -> str:
    if value.kind not in ("text", "unknown"):
        raise UnsupportedFormula(f"a {value.kind} stands where a text is needed")
    return value.sql if value.sql.startswith("'") else f"coalesce({value.sql}, '')"


def _number(value: _Value) -> str:
    if value.kind not in ("number", "unknown"):
        raise UnsupportedFormula(f"a {value.kind} stands where a number is needed")
    return value.sql


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class _Compiler:
    """One formula over columns that `column_of` names."""

    def __init__(self, column_of: Callable[[str], str], kind_at: Callable[[str], Kind]) -> None:
        self._column_of = column_of
        self._kind_at = kind_at

    def value(self, ast: Ast) -> _Value:
        if isinstance(ast, FieldRef):
            return _Value(self._column_of(ast.path), self._kind_at(ast.path))
        if isinstance(ast, Constant):
            return _constant(ast)
        given = [self.value(argument) for argument in ast.arguments]
        return replace(_called(ast.name, given), fails=_fails(ast.name, given))


def _called(name: str, given: list[_Value]) -> _Value:
    if name in _COMPARISONS:
        return _Value(_compared(name, *given), "boolean")
    if name in _OPERATIONS:
        return _arithmetic(name, *given)
    truth = _TRUTH_CALLS.get(name)
    return _CALLS[name](given) if truth is None else _Value(truth(given), "boolean")


def _fails(name: str, given: list[_Value]) -> str:
    """When a call is an error: where a part of it is that has to be looked at, and where zero divides."""
    fails = [value.fails for value in given]
    if name == "/":
        fails.append(f"coalesce({given[1].sql} = 0, false)")
    elif name in ("AND", "OR") and any(fails):
        sign = "" if name == "AND" else "NOT "
        before = [" AND ".join(f"{sign}{_truth(value)}" for value in given[:place]) for place in range(len(given))]
        fails = [f"({first} AND {then})" if first and then else then for first, then in zip(before, fails, strict=True)]
    elif name == "IF" and any(fails[1:]):
        fails = [fails[0], _either([given[0], *(_Value(then or "false", "boolean") for then in fails[1:])]).sql]
    elif name == "CASE" and any(fails[1:]):
        thens = [
            value if place % 2 and value is not given[-1] else _Value(value.fails or "false", "boolean")
            for place, value in enumerate(given)
        ]
        whens = [when.fails for when in given[1:-1:2]]
        fails = [fails[0], *whens, _chosen([given[0], *thens[1:]]).sql]
    found = [one for one in fails if one]
    return f"({' OR '.join(found)})" if found else ""


def _constant(ast: Constant) -> _Value:
    if ast.kind == "text":
        return _Value(_quoted(str(ast.value)), "text")
    if ast.kind == "number":
        return _Value(f"CAST({ast.value} AS DOUBLE)", "number")
    return _Value({True: "true", False: "false", None: "NULL"}[ast.value if isinstance(ast.value, bool) else None],
                  ast.kind)  # fmt: skip


def _common(values: list[_Value]) -> Kind:
    """The one kind of several values. Raises UnsupportedFormula where they are of different kinds."""
    kinds = {value.kind for value in values} - {"unknown"}
    if len(kinds) > 1:
        raise UnsupportedFormula(f"{' and '.join(sorted(kinds))} are compared")
    return next(iter(kinds), "unknown")


def _compared(sign: str, left: _Value, right: _Value) -> str:
    if "NULL" in (left.sql, right.sql) and sign in ("=", "<>"):
        other = right if left.sql == "NULL" else left
        return _blank([other]) if sign == "=" else f"(NOT {_blank([other])})"
    kind = _common([left, right])
    if kind == "text":
        return f"({_text(left)} {sign} {_text(right)})"
    if kind == "boolean":
        return f"({_truth(left)} {sign} {_truth(right)})"
    return f"coalesce({left.sql} {sign} {right.sql}, false)"


def _arithmetic(sign: str, left: _Value, right: _Value) -> _Value:
    if sign == "+" and "text" in (left.kind, right.kind):
        return _joined([left, right])
    divisor = f"nullif({_number(right)}, 0)" if sign == "/" else _number(right)
    return _Value(f"({_number(left)} {sign} {divisor})", "number")


def _joined(given: list[_Value]) -> _Value:
    return _Value("(" + " || ".join(_text(value) for value in given) + ")", "text")


def _blank(given: list[_Value]) -> str:
    (value,) = given
    if value.kind == "boolean":
        return "false"
    if value.kind == "text":
        return f"({_text(value)} = '')"
    return f"(coalesce(CAST({value.sql} AS VARCHAR), '') = '')"


def _null(given: list[_Value]) -> str:
    """A text is never null for ISNULL, not even a blank one."""
    return "false" if given[0].kind == "text" else _blank(given)


def _chosen(given: list[_Value]) -> _Value:
    """CASE(value, when, then, ..., otherwise)."""
    subject, *rest = given
    kind = _common([*rest[1:-1:2], rest[-1]])
    branches = [
        f"WHEN {_compared('=', subject, when)} THEN {then.sql}"
        for when, then in zip(rest[:-1:2], rest[1::2], strict=False)
    ]
    return _Value(f"CASE {' '.join(branches)} ELSE {rest[-1].sql} END", kind)


def _either(given: list[_Value]) -> _Value:
    condition, yes, no = given
    return _Value(f"CASE WHEN {_truth(condition)} THEN {yes.sql} ELSE {no.sql} END", _common([yes, no]))


def _or_else(given: list[_Value]) -> _Value:
    value, other = given
    return _Value(f"CASE WHEN {_blank([value])} THEN {other.sql} ELSE {value.sql} END", _common(given))


def _as_text(given: list[_Value]) -> _Value:
    """Whole numbers without a point, days as they are written everywhere; moments have their own form in TEXT."""
    (value,) = given
    if value.kind in ("boolean", "datetime"):
        raise UnsupportedFormula(f"TEXT of a {value.kind} is not computed here")
    if value.kind == "number":
        number = value.sql
        whole = f"{number} = trunc({number}) AND abs({number}) < 1e15"
        plain = f"CASE WHEN {whole} THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE CAST({number} AS VARCHAR) END"
        return _Value(f"coalesce({plain}, '')", "text")
    return _Value(f"coalesce(CAST({value.sql} AS VARCHAR), '')", "text")


_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_OPERATIONS: Final = frozenset({"+", "-", "*", "/"})
_TRUTH_CALLS: Final[Mapping[str, Callable[[list[_Value]], str]]] = {
    "AND": lambda given: "(" + " AND ".join(_truth(value) for value in given) + ")",
    "OR": lambda given: "(" + " OR ".join(_truth(value) for value in given) + ")",
    "NOT": lambda given: f"(NOT {_truth(given[0])})",
    "ISBLANK": _blank,
    "ISNULL": _null,
    "ISPICKVAL": lambda given: f"({_text(given[0])} = {_text(given[1])})",
    "INCLUDES": lambda given: f"list_contains(string_split({_text(given[0])}, ';'), {_text(given[1])})",
    "CONTAINS": lambda given: f"contains({_text(given[0])}, {_text(given[1])})",
    "BEGINS": lambda given: f"starts_with({_text(given[0])}, {_text(given[1])})",
}
_CALLS: Final[Mapping[str, Callable[[list[_Value]], _Value]]] = {
    "IF": _either,
    "CASE": _chosen,
    "BLANKVALUE": _or_else,
    "TEXT": _as_text,
    "VALUE": lambda given: _Value(f"TRY_CAST({_text(given[0])} AS DOUBLE)", "number"),
    "LEN": lambda given: _Value(f"length({_text(given[0])})", "number"),
    "UPPER": lambda given: _Value(f"upper({_text(given[0])})", "text"),
    "LOWER": lambda given: _Value(f"lower({_text(given[0])})", "text"),
    "NEGATED": lambda given: _Value(f"(-{_number(given[0])})", "number"),
    "&": _joined,
}
