"""A validated mapping becomes wide queries, one column per mapped field: the only dynamic SQL of the house.

Every name passes `identifier()`, every constant `literal()`, every value is bound. Both directions share the
expressions below: a value of either system as canonical text, so that equal things compare equal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.domain.fields import MainstayField, SalesforceField
from workbench.engine.rules_sql import CANON_MACROS
from workbench.store.quoting import identifier, literal

# Salesforce types that land as what they are; all others land as text.
TYPED: Final = ("boolean", "double", "currency", "percent", "date", "datetime", "int")
QUOTE: Final = '"'

# Types whose text Mainstay rewrites when it stores it; the others are kept as they came.
_CHANGING_MACROS: Final = {name: CANON_MACROS[name] for name in ("phone", "Phone", "Number", "True/False", "Date")}


@dataclass(frozen=True)
class Pair:
    """One mapped pair with both ends known. `column` is the receiving side's name, quoted."""

    salesforce: SalesforceField
    mainstay: MainstayField
    column: str
    is_matching: bool = False

    @property
    def now(self) -> str:
        """The column of the receiving side's present value, in the wide queries that hold both."""
        return self._named("now")

    @property
    def changes(self) -> str:
        """The column that says whether the value changes."""
        return self._named("changes")

    @property
    def sends(self) -> str:
        """The column that says whether the value goes into the request."""
        return self._named("sends")

    @property
    def fingerprint(self) -> str:
        """The column of the value's hash; 0 is blank."""
        return self._named("hash of")

    def _named(self, prefix: str) -> str:
        return f'"{prefix} {self.column[1:]}'


def landed_rows(table: str, wanted: str, *, few: bool = True) -> str:
    """Landed rows to be joined by their `landed_row`: those that `wanted` selects, or all where these are not `few`.

    `wanted` is a SELECT of row numbers, with a condition that DuckDB cannot see through. Of hardly any other row are
    the wide columns then read: DuckDB asks a Bloom filter of the row numbers first, which it makes for an IN whose
    side is filtered. From a quarter of the rows on that saves nothing any more (decision 30).
    Its `landed_row` is a DOUBLE: by whole numbers DuckDB joins through arrays as long as the table, one for each value
    beside (a perfect hash join), and a few thousand rows touch every page of them.
    """
    if not few:
        return f"(SELECT *, rowid AS landed_row FROM {table})"
    return f"""(
        SELECT *, CAST(rowid AS DOUBLE) AS landed_row FROM {table}
        WHERE rowid IN ({wanted})
    )"""


@dataclass(frozen=True)
class BothSides:
    """Where the values of a SObject's records and of contacts are read, to be joined by their `landed_row`.

    `is_put_down`: those of few that are asked for several times lie in work.landed_record and work.landed_contact.
    """

    sobject: str
    is_put_down: bool = False

    def records(self, wanted: str) -> str:
        """Records whose row numbers are selected by `wanted`."""
        table = f"store.salesforce.{identifier(self.sobject)}"
        return "work.landed_record" if self.is_put_down else landed_rows(table, wanted)

    def contacts(self, wanted: str) -> str:
        """Contacts whose row numbers are selected by `wanted`."""
        return "work.landed_contact" if self.is_put_down else landed_rows("store.mainstay.contact", wanted)


def salesforce_text(field: SalesforceField, source: str = "s") -> str:
    """A landed Salesforce value as text, blank as NULL; `UNSET` is a keyword of Mainstay and counts as blank."""
    value = f"{source}.{identifier(field.name)}"
    kind = field.type
    if kind == "boolean":
        return f"CAST({value} AS VARCHAR)"
    if kind in ("double", "currency", "percent"):
        return f"number_text({value})"
    if kind == "date":
        return f"strftime({value}, '%Y-%m-%d')"
    if kind == "datetime":
        return f"strftime({value} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    if kind == "int":
        return f"CAST({value} AS VARCHAR)"
    return f"filled({value})"


def mainstay_text(field: MainstayField, source: str = "c") -> str:
    """A landed Mainstay value as text, blank as NULL."""
    value = f"{source}.{identifier(field.path)}"
    if field.data_type == "datetime" and not field.is_custom:
        return f"strftime({value} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    if field.data_type in ("boolean", "integer") and not field.is_custom:
        return f"CAST({value} AS VARCHAR)"
    return f"nullif({value}, '')"


def canonical(field: MainstayField, text: str) -> str:
    """Text as Mainstay stores and compares it; a value that does not fit stays as it is."""
    if field.data_type == "email":
        return f"small({text})"
    if field.data_type == "messaging status":
        return f"replace(small({text}), ' ', '-')"
    macro = _CHANGING_MACROS.get(field.data_type)
    return text if macro is None else f"coalesce({macro}({text}), {text})"


def fits(field: MainstayField, text: str) -> str:
    """Whether Mainstay takes this (non-null) text for the field."""
    if field.data_type == "Multi-Choice":
        options = ", ".join(literal(option) for option in field.options)
        return f"{text} IN ({options})" if options else "false"
    macro = CANON_MACROS.get(field.data_type)
    return "true" if macro is None else f"{macro}({text}) IS NOT NULL"


def json_value(field: MainstayField, text: str) -> str:
    """The value as JSON: numbers and truth values bare where they fit, everything else as text; NULL stays NULL."""
    if field.data_type == "Number" and field.is_custom:
        return f"coalesce(canon_number({text}), json_of({text}))"
    if field.data_type == "True/False" and field.is_custom:
        return f"CASE WHEN {text} IN ('true', 'false') THEN {text} ELSE json_of({text}) END"
    return f"json_of({text})"


def row_hash(columns: Sequence[str]) -> str:
    """One hash over all mapped columns: rows that hash alike need no comparison value by value."""
    return f"hash({', '.join(columns)})" if columns else "CAST(0 AS UBIGINT)"


def fingerprint(value: str) -> str:
    """The hash of one value; 0 is blank."""
    return f"CASE WHEN {value} IS NOT NULL THEN hash({value}) ELSE 0 END"


def either(conditions: Sequence[str]) -> str:
    """Any of the conditions, one a line."""
    return "\n    OR ".join(conditions) or "false"


def lines(parts: Sequence[str]) -> str:
    """Select-list items, one a line."""
    return ",\n           ".join(parts)


def joined(parts: Sequence[str]) -> str:
    """The non-null parts joined by commas; an empty text where there is none."""
    return f"concat_ws(',',\n           {lines(parts)})" if parts else "''"


def members(parts: Sequence[tuple[str, str, str]], *, blanks: bool = False) -> str:
    """JSON members with a comma before each, of the parts (condition, name, JSON value) whose condition holds.

    `blanks`: where a condition does not hold, its value is NULL anyway, and is not asked twice.
    One `concat` of many small pieces copies each text once; `||` would copy it at every step.
    """
    pieces = [
        f"CASE WHEN {condition} THEN {literal(',' + json.dumps(name, ensure_ascii=False) + ':')} END,"
        f" {value if blanks else f'CASE WHEN {condition} THEN {value} END'}"
        for condition, name, value in parts
    ]
    return f"concat(\n           {lines(pieces)})" if pieces else "''"


def plain_members(parts: Sequence[tuple[str, str, str, bool]]) -> str:
    """The same of texts that stand in JSON as they are: (whether there is one, name, text, whether it stands bare)."""
    pieces = []
    for condition, name, text, is_bare in parts:
        head = "," + json.dumps(name, ensure_ascii=False) + ":"
        if is_bare:
            pieces.append(f"CASE WHEN {condition} THEN {literal(head)} END, {text}")
        else:
            quote = f"CASE WHEN {condition} THEN {literal(head + QUOTE)} END"
            pieces.append(f"{quote}, {text}, CASE WHEN {condition} THEN {literal(QUOTE)} END")
    return f"concat(\n           {lines(pieces)})" if pieces else "''"


def json_object(members_text: str) -> str:
    """An object of members that each have a comma before them."""
    return f"concat('{{', {without_comma(members_text)}, '}}')"


def without_comma(members_text: str) -> str:
    """Members less the first comma. `substr` would count the characters of a text that was just made, one by one."""
    return f"ltrim({members_text}, ',')"


def field_change(name: str, before: str, after: str) -> str:
    """One {"field", "before", "after"} as JSON text."""
    head = literal('{"field":' + json.dumps(name, ensure_ascii=False) + ',"before":')
    return f"{head} || json_text({before}) || ',\"after\":' || json_text({after}) || '}}'"
