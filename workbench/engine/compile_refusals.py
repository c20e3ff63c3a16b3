"""Which values Salesforce will refuse, one condition per rule, in the order Salesforce checks them.

A value it cannot read ends the record (and poisons the other records of its call), so does a missing required field;
then every field is checked, each with its first problem. Unique values come last: who holds one depends on the order
of the changes, so they leave this query as claims and `change_incoming` decides.
Source: Salesforce wire reference, sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workbench.engine.compile import Pair, lines
from workbench.engine.plans import ImportPlan
from workbench.store.quoting import identifier, literal

NUMERIC: Final = ("double", "currency", "percent", "int")
_WORDED: Final = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox", "encryptedstring"}
)
# Our reading of "invalid email address": no quoted or bracketed parts, a dotted host of ASCII letters and digits.
# White space in Unicode's sense, as RE2's \s knows ASCII alone.
_SPACES: Final = r"\s\x0b\x1c-\x1f\x{85}\p{Z}"
_EMAIL: Final = rf'[^{_SPACES}@<>(),;:\\"\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{{2,}}'  # fmt: skip
_MOMENT: Final = r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_SUFFIX_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# No Salesforce number has more than 18 digits, and an int has 32 bits.
_MOST_DIGITS: Final = 18
_LARGEST_INT: Final = "2147483647"
_CLAIM_TYPE: Final = "STRUCT(field VARCHAR, claimed VARCHAR, held VARCHAR, holder VARCHAR)[]"


def refusals(plan: ImportPlan) -> str:
    """A list of codes, empty where every value will be taken; unique values are not among them."""
    # A cleared value is a blank, which fits every field that takes one.
    unreadable = [f"({_fills(pair)} AND {found})" for pair in plan.pairs if (found := _unreadable(pair)) is not None]
    missing = _missing(plan)
    # One CASE per field, so that a field is refused for its first problem alone.
    per_field = [f"CASE WHEN {_fills(pair)} THEN {found} END" for pair in plan.pairs if (found := _unfit(plan, pair))]
    # As one text until the end: most records are refused nothing, and a text costs nothing then.
    branches = []
    if unreadable:
        branches.append(f"WHEN {' OR '.join(unreadable)} THEN ['JSON_PARSER_ERROR']")
    if missing is not None:
        branches.append(f"WHEN is_create{missing} THEN ['REQUIRED_FIELD_MISSING']")
    otherwise = "CAST([] AS VARCHAR[])"
    if per_field:
        otherwise = f"distinct_codes(nullif(concat_ws(chr(31),\n           {lines(per_field)}), ''))"
    return f"CASE {' '.join(branches)} ELSE {otherwise} END" if branches else otherwise


def _fills(pair: Pair) -> str:
    return f"({pair.changes} AND {pair.column} IS NOT NULL)"


def claims(plan: ImportPlan) -> str:
    """Per unique field that changes: the value claimed, the one given up, and the record that holds it now."""
    parts = [
        f"CASE WHEN {pair.changes} THEN {{'field': {literal(pair.salesforce.name)}, 'claimed': lower({pair.column}), "
        f"'held': {held(pair)}, 'holder': {holder(pair)}}} END"
        for pair in plan.pairs
        if pair.salesforce.unique
    ]
    if not parts:
        return f"CAST([] AS {_CLAIM_TYPE})"
    return f"list_filter([\n           {lines(parts)}], lambda claim : claim IS NOT NULL)"


def held(pair: Pair) -> str:
    """The column with the unique value that the record has now, in lower case: Salesforce compares it so."""
    return identifier("held " + pair.salesforce.name)


def holder(pair: Pair) -> str:
    """The column with the record that holds the incoming unique value now."""
    return identifier("holder " + pair.salesforce.name)


def parent(pair: Pair) -> str:
    """The column that says whether the record an incoming id names is there: 'living', 'deleted' or NULL."""
    return identifier("parent " + pair.salesforce.name)


def parent_prefix(pair: Pair) -> str:
    """The column with the first three characters of the ids that this reference takes."""
    return identifier("prefix " + pair.salesforce.name)


def parents_of(plan: ImportPlan) -> list[tuple[Pair, str]]:
    """The mapped references whose target was pulled, so that a missing record is seen beforehand."""
    return [(pair, plan.parents[pair.salesforce.name]) for pair in plan.pairs if pair.salesforce.name in plan.parents]


def unseen_parent(plan: ImportPlan) -> str:
    """Whether an id is written that nobody looked up: its object is not mapped, or it is one of several."""
    unseen = [
        f"({_fills(pair)} AND {long_id(pair.column)} IS NOT NULL)"
        for pair in plan.pairs
        if pair.salesforce.type == "reference" and pair.salesforce.name not in plan.parents
    ]
    return " OR ".join(unseen) or "false"


def long_id(text: str) -> str:
    """The 18 characters of an id told with 15 or 18; NULL where the text is no id.

    The last three say which of each five characters are capitals. Source: Salesforce wire reference, section 4.
    """
    suffix = " || ".join(
        f"substr({literal(_SUFFIX_LETTERS)}, CAST(1 + list_sum(list_transform(range(5), "
        f"lambda k : CASE WHEN {text}[{start} + k] BETWEEN 'A' AND 'Z' THEN 1 << k ELSE 0 END)) AS BIGINT), 1)"
        for start in (1, 6, 11)
    )
    whole = f"({text}[1:15] || {suffix})"
    return (
        f"CASE WHEN regexp_full_match({text}, '[A-Za-z0-9]{{15}}(?:[A-Za-z0-9]{{3}})?') "
        f"AND (length({text}) = 15 OR upper({text}[16:18]) = {whole}[16:18]) THEN {whole} END"
    )


def _unreadable(pair: Pair) -> str | None:
    """The value is no number, day, moment or truth value: Salesforce cannot parse the request that holds it."""
    kind, text = pair.salesforce.type, pair.column
    if kind == "int":
        number = f"TRY_CAST({text} AS DOUBLE)"
        is_int = f"{number} = trunc({number}) AND {number} BETWEEN -{_LARGEST_INT} - 1 AND {_LARGEST_INT}"
        return f"(canon_number({text}) IS NULL OR NOT ({is_int}))"
    conditions = {
        "boolean": f"{text} NOT IN ('true', 'false')",
        "date": f"canon_date({text}) IS NULL",
        "datetime": f"NOT regexp_full_match({text}, {literal(_MOMENT)})",
        **dict.fromkeys(NUMERIC, f"canon_number({text}) IS NULL"),
    }
    return conditions.get(kind)


def _missing(plan: ImportPlan) -> str | None:
    """A condition on new records: a required field is blank, or not mapped at all; None where nothing is required."""
    columns = {pair.salesforce.name: pair.column for pair in plan.pairs}
    if any(name not in columns for name in plan.required):
        return ""
    blanks = [f"{columns[name]} IS NULL" for name in plan.required]
    return f" AND ({' OR '.join(blanks)})" if blanks else None


def _unfit(plan: ImportPlan, pair: Pair) -> str | None:
    """The code of a field's first problem, None where nothing can be wrong with it."""
    checks: tuple[tuple[str, Callable[[ImportPlan, Pair], str | None]], ...] = (
        ("MALFORMED_ID", _is_no_id),
        ("FIELD_INTEGRITY_EXCEPTION", _is_other_kind),
        ("ENTITY_IS_DELETED", _is_deleted),
        ("INVALID_CROSS_REFERENCE_KEY", _is_nobody),
        ("INVALID_EMAIL_ADDRESS", _is_no_email),
        ("STRING_TOO_LONG", _is_too_long),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", _is_not_listed),
        ("NUMBER_OUTSIDE_VALID_RANGE", _is_too_large),
    )
    branches = [
        f"WHEN {found} THEN {literal(code)}" for code, check in checks if (found := check(plan, pair)) is not None
    ]
    return f"CASE {' '.join(branches)} END" if branches else None


def _is_reference(pair: Pair) -> bool:
    return pair.salesforce.type in ("id", "reference") and bool(pair.salesforce.reference_to)


def _is_no_id(_: ImportPlan, pair: Pair) -> str | None:
    return f"{long_id(pair.column)} IS NULL" if _is_reference(pair) else None


def _is_other_kind(plan: ImportPlan, pair: Pair) -> str | None:
    return f"{pair.column}[1:3] <> {parent_prefix(pair)}" if pair.salesforce.name in plan.parents else None


def _is_deleted(plan: ImportPlan, pair: Pair) -> str | None:
    return f"{parent(pair)} = 'deleted'" if pair.salesforce.name in plan.parents else None


def _is_nobody(plan: ImportPlan, pair: Pair) -> str | None:
    return f"{parent(pair)} IS NULL" if pair.salesforce.name in plan.parents else None


def _is_no_email(_: ImportPlan, pair: Pair) -> str | None:
    is_email = pair.salesforce.type == "email"
    return f"NOT regexp_full_match({pair.column}, {literal(_EMAIL)})" if is_email else None


def _is_too_long(_: ImportPlan, pair: Pair) -> str | None:
    field = pair.salesforce
    return f"length({pair.column}) > {field.length}" if field.length and field.type in _WORDED else None


def _is_not_listed(_: ImportPlan, pair: Pair) -> str | None:
    field = pair.salesforce
    if not field.restricted_picklist or field.type not in _WORDED:
        return None
    values = f"[{', '.join(literal(value) for value in field.picklist_values)}]"
    given = f"string_split({pair.column}, ';')" if field.type == "multipicklist" else f"[{pair.column}]"
    return f"NOT list_has_all(CAST({values} AS VARCHAR[]), {given})"


def _is_too_large(_: ImportPlan, pair: Pair) -> str | None:
    """Digits after the point are never too many: the API keeps them all.

    Source: Salesforce help, "Salesforce Number Field Stores More Decimal Places Than Defined When Set via API or Apex".
    """
    field = pair.salesforce
    if field.type not in NUMERIC or (field.type == "int" and not field.precision):
        return None
    digits = field.precision - field.scale if field.precision else _MOST_DIGITS
    return f"abs(TRY_CAST({pair.column} AS DOUBLE)) >= 1e{digits}"
