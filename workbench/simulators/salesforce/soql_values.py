"""Words of a WHERE clause as typed SQL values: a quoted date, a bare text or a bad id is refused as Salesforce does.

Source: Salesforce wire reference, section 6 (literals).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlglot import exp

from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.schema import Field
from workbench.simulators.salesforce.soql_words import Word, invalid_field, unescaped

_WIRE_NAMES: Final = {"datetime": "dateTime", "id": "ID", "reference": "ID"}
_TEXT_LIMIT: Final = 4000


def is_null(word: Word) -> bool:
    """null, or the empty text, which Salesforce stores as null."""
    return (word.kind == "name" and word.text.upper() == "NULL") or word.text == "''"


def typed_value(soql: str, field: Field, word: Word) -> exp.Expr:
    """The SQL value of a word that is neither null nor a word for days."""
    if field.is_id:
        return _id_value(soql, field, word)
    if field.type == "boolean":
        if word.kind == "name" and word.text.upper() in ("TRUE", "FALSE"):
            return exp.true() if word.text.upper() == "TRUE" else exp.false()
        raise _mistyped(soql, field, word, is_quoted=False)
    if field.is_number:
        if word.kind == "number":
            return exp.Literal.number(word.text.removeprefix("+"))
        raise _mistyped(soql, field, word, is_quoted=False)
    if field.type in ("date", "datetime"):
        if word.kind != field.type:
            raise _mistyped(soql, field, word, is_quoted=False)
        return date_value(word.text) if field.type == "date" else moment_value(soql, word)
    if word.kind != "string":
        raise _mistyped(soql, field, word, is_quoted=True)
    text = unescaped(word.text)
    if len(text) > _TEXT_LIMIT:
        raise invalid_field(soql, word.place, f"String literal exceeds the limit of {_TEXT_LIMIT} characters")
    return exp.Literal.string(text.lower())


def date_value(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), "date")


def moment_value(soql: str, word: Word) -> exp.Expr:
    """A moment with any offset as UTC without one, as it is stored."""
    try:
        moment = datetime.fromisoformat(word.text).astimezone(UTC)
    except ValueError:
        raise invalid_field(soql, word.place, f"invalid dateTime: {word.text}") from None
    return exp.cast(exp.Literal.string(moment.strftime("%Y-%m-%d %H:%M:%S.%f")), "timestamp")


def _id_value(soql: str, field: Field, word: Word) -> exp.Expr:
    if word.kind != "string":
        raise _mistyped(soql, field, word, is_quoted=True)
    record_id = parsed_id(unescaped(word.text))
    if record_id is None:
        raise refused(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {unescaped(word.text)}")
    return exp.Literal.string(record_id)


def _mistyped(soql: str, field: Field, word: Word, *, is_quoted: bool) -> Exception:
    kind = _WIRE_NAMES.get(field.type, field.type if field.type in ("boolean", "date", "int") else "string")
    kind = "double" if field.is_number and field.type != "int" else kind
    rule = "should be enclosed in quotes" if is_quoted else "should not be enclosed in quotes"
    return invalid_field(
        soql, word.place, f"value of filter criterion for field '{field.name}' must be of type {kind} and {rule}"
    )
