"""SOQL text into words: names, strings, numbers, dates, signs, each with its place for error messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workbench.simulators.salesforce.refusals import RequestRefused, refused

_WORD: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)(?!\w))
      | (?P<date>\d{4}-\d\d-\d\d(?!\w))
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::\d+)?)
      | (?P<sign><=|>=|!=|<>|[=<>(),])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SHOWN: Final = 60  # characters of the statement that an error message quotes around its place


@dataclass(frozen=True)
class Word:
    """`kind` is a group name of the pattern, or `end`; `place` counts characters from 0."""

    kind: str
    text: str
    place: int

    def says(self, *words: str) -> bool:
        return self.kind in ("name", "sign") and self.text.upper() in words


def words_of(soql: str) -> list[Word]:
    """All words of a statement and an `end`. Raises MALFORMED_QUERY for what is no word of SOQL."""
    found: list[Word] = []
    place = 0
    while place < len(soql):
        match = _WORD.match(soql, place)
        if match is None:
            raise malformed(soql, place, f"unexpected token: '{soql[place]}'")
        if match.lastgroup != "space":
            found.append(Word(str(match.lastgroup), match.group(), place))
        place = match.end()
    found.append(Word("end", "<EOF>", len(soql)))
    return found


def unescaped(text: str, *, for_like: bool = False) -> str:
    r"""The value of a quoted string; for LIKE the escaped `\%` and `\_` stay escaped, and a backslash is doubled."""
    value = ""
    letters = iter(text[1:-1])
    for letter in letters:
        if letter != "\\":
            value += letter
            continue
        escaped = next(letters)
        if for_like and escaped in "%_\\":
            value += "\\" + escaped
        else:
            value += _ESCAPES.get(escaped, escaped)
    return value


def located(soql: str, place: int, message: str) -> str:
    """A message with the excerpt, caret and place that Salesforce puts before it."""
    start = soql.rfind("\n", 0, place) + 1
    row = soql.count("\n", 0, place) + 1
    column = place - start + 1
    shown_from = max(start, place - _SHOWN // 2)
    excerpt = soql[shown_from : shown_from + _SHOWN].split("\n", maxsplit=1)[0]
    return f"\n{excerpt}\n{' ' * (place - shown_from)}^\nERROR at Row:{row}:Column:{column}\n{message}"


def malformed(soql: str, place: int, message: str) -> RequestRefused:
    return refused(400, "MALFORMED_QUERY", located(soql, place, message))


def invalid_field(soql: str, place: int, message: str) -> RequestRefused:
    return refused(400, "INVALID_FIELD", located(soql, place, message))
