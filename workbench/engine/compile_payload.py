"""Export: what is sent. Bodies, changed fields and codes, from the values of just the records that need them."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.compile import (
    Pair,
    either,
    field_change,
    joined,
    json_value,
    landed_rows,
    lines,
    members,
    plain_members,
    salesforce_text,
    without_comma,
)
from workbench.engine.compile_codes import (
    any_too_long,
    code_list,
    custom_checks,
    phone_checks,
    standard_checks,
    too_long_check,
)
from workbench.engine.compile_export import wanted_value
from workbench.engine.compile_verbatim import is_bare, verbatim
from workbench.engine.plans import ExportPlan, Slice
from workbench.store.quoting import identifier, literal

_NEWLINE = "\n"
_CRM_ID = "json_text(record_id)"
_LINKS = "w.rule = 'phone'"
_PATH = """CASE WHEN w.rule = 'crm_id' THEN 'contacts/' || url_encode(w.record_id) || '/'
                ELSE 'contacts/' || phone_text(w.phone_key) || '/' END"""


def new_outgoing(plan: ExportPlan, *, few: bool = True) -> str:
    """work.new_outgoing: one row per work.sending row that is new or walked: every filled value, and its codes.

    A walked record's body is the ladder's input: what it lacks of it depends on the contact it finds in its turn, and
    what is left to that contact (`left_fields`) is still in it.
    """
    values = [f"{_new_value(pair)} AS {pair.column}" for pair in plan.pairs]
    sends = [f"{pair.column} IS NOT NULL AS {pair.sends}" for pair in plan.pairs]
    checks = [*phone_checks(), *standard_checks(plan), *custom_checks(plan.custom)]
    codes = code_list([*checks, too_long_check(any_too_long(plan.custom))])
    is_verbatim = verbatim(plan)
    table = f"store.salesforce.{identifier(plan.sobject)}"
    records = landed_rows(table, "SELECT record_row FROM work.sending WHERE is_new", few=few)
    return f"""WITH value AS (
    SELECT w.seq,
           {f"{plan.kept.of('s', is_verbatim)} = 1" if plan.kept.has([is_verbatim]) else "false"} AS is_verbatim,
           w.record_id,
           'POST' AS method,
           w.phone_fate,
           w.is_walked,
           w.left_fields,
           CAST(NULL AS VARCHAR) AS phone_now,
           CAST(NULL AS VARCHAR) AS sms_now,
           CAST(NULL AS VARCHAR) AS web_now,
           CAST(NULL AS VARCHAR) AS preferred_now,
           {lines(values)}
    FROM work.sending AS w
    JOIN {records} AS s ON s.landed_row = w.record_row
    WHERE w.is_new
),
leaving AS (
    SELECT *,
           {lines(sends)}
    FROM value
),
told AS (
    SELECT seq,
           is_walked,
           left_fields,
           concat(',"crm_id":', {_CRM_ID}, {_new_members(plan.standard)}) AS members,
           {_new_members(plan.custom)} AS custom,
           CASE WHEN is_verbatim THEN '' ELSE {codes} END AS codes
    FROM leaving
)
SELECT seq,
       is_walked,
       left_fields,
       {_body("members", "custom")} AS body,
       nullif(codes, '') AS codes
FROM told"""


def slice_values(plan: ExportPlan, item: Slice) -> str:
    """work.slice_N: one row per work.sending row whose slice differs by value: members of its body, changes, codes."""
    changes = [f"{_changes(plan, pair)} AS {pair.changes}" for pair in item.pairs]
    sends = [f"{_sends(plan, pair)} AS {pair.sends}" for pair in item.pairs]
    is_standard = not item.pairs[0].mainstay.is_custom
    checks = standard_checks(plan) if is_standard else custom_checks(item.pairs)
    shown = [f"CASE WHEN {p.changes} THEN {field_change(p.mainstay.path, p.now, p.column)} END" for p in item.pairs]
    return f"""WITH side_by_side AS (
    SELECT 'PUT' AS method, w.phone_fate, w.left_fields, side.*
    FROM work.{item.side} AS side
    JOIN work.sending AS w ON w.seq = side.seq
    WHERE w.{item.name}
),
changing AS (
    SELECT *,
           {lines(changes)}
    FROM side_by_side
),
leaving AS (
    SELECT *,
           {lines(sends)}
    FROM changing
),
told AS (
    SELECT seq,
           {members([_member(plan, pair) for pair in item.pairs])} AS members,
           {joined(shown)} AS fields,
           {code_list(checks)} AS codes,
           {any_too_long(item.pairs)} AS is_too_long,
           {either(_clears(plan, item))} AS clears
    FROM leaving
    WHERE {either([pair.sends for pair in item.pairs])}
)
SELECT seq, members, nullif(fields, '') AS fields, nullif(codes, '') AS codes, is_too_long, clears
FROM told"""


def changed_outgoing(slices: Sequence[Slice]) -> str:
    """work.changed_outgoing: one row per work.sending row that goes to a contact and has something to say.

    An update whose mapped values are all equal is not among them, even where all fields are included.
    """
    standard = [item for item in slices if not item.pairs[0].mainstay.is_custom]
    custom = [item for item in slices if item not in standard]
    crm_id = members([(_LINKS, "crm_id", _CRM_ID)])
    body = f"concat({', '.join([crm_id, *(f'{item.name}.members' for item in standard)])})"
    custom_body = f"concat({', '.join(f'{item.name}.members' for item in custom)})" if custom else "''"
    linked = field_change("crm_id", "held_crm_id", "record_id")
    shown = [f"CASE WHEN {_LINKS} THEN {linked} END", *(f"{item.name}.fields" for item in slices)]
    codes = [*phone_checks(), *(f"{item.name}.codes" for item in slices)]
    codes += [too_long_check(" OR ".join(f"{item.name}.is_too_long" for item in custom))] if custom else []
    joins = [f"    LEFT JOIN work.{item.name} AS {item.name} ON {item.name}.seq = w.seq" for item in slices]
    changed = [f"{item.name}.fields IS NOT NULL" for item in slices]
    clears = [f"coalesce({item.name}.clears, false)" for item in slices]
    return f"""WITH told AS (
    SELECT w.seq,
           {_PATH} AS path,
           {body} AS members,
           {custom_body} AS custom,
           {joined(shown)} AS fields,
           {code_list(codes)} AS codes,
           {either(clears)} AS clears
    FROM work.sending AS w
{_NEWLINE.join(joins)}
    WHERE NOT w.is_new
      AND ({either(["w.action <> 'update'", *changed])})
)
SELECT seq,
       path,
       {_body("members", "custom")} AS body,
       '[' || fields || ']' AS fields,
       nullif(codes, '') AS codes,
       clears
FROM told"""


def requests(suffix: str = "outgoing") -> str:
    """Every request of one SObject with its changes and codes. `fields` is NULL where all of the body is new."""
    return f"""SELECT seq, 'POST' AS method, 'contacts/' AS path, body, CAST(NULL AS VARCHAR) AS fields, codes,
       false AS clears
FROM work.new_{suffix}
WHERE NOT is_walked
UNION ALL
SELECT seq, 'PUT' AS method, path, body, fields, codes, clears
FROM work.changed_{suffix}
UNION ALL
SELECT seq, method, path, body, fields, codes, clears
FROM work.walk_{suffix}"""


def _changes(plan: ExportPlan, pair: Pair) -> str:
    """Filled and different, or blank and cleared where the mapping includes field deletions."""
    ours = _unless_left(plan, pair)
    if plan.include_field_deletions:
        return f"({pair.column} IS DISTINCT FROM {pair.now}{ours})"
    return f"({pair.column} IS NOT NULL AND {pair.column} IS DISTINCT FROM {pair.now}{ours})"


def _sends(plan: ExportPlan, pair: Pair) -> str:
    if not plan.include_all_fields:
        return pair.changes
    return f"({pair.changes} OR ({pair.column} IS NOT NULL{_unless_left(plan, pair)}))"


def _unless_left(plan: ExportPlan, pair: Pair) -> str:
    """A field that Mainstay wins is left alone; only pairs mapped both ways can be."""
    if not plan.two_way.has(pair):
        return ""
    # Most records have none; a CASE looks into the list of those alone that have.
    path = literal(pair.mainstay.path)
    return f" AND CASE WHEN left_fields IS NULL THEN true ELSE NOT list_contains(left_fields, {path}) END"


def _clears(plan: ExportPlan, item: Slice) -> list[str]:
    return [f"({p.sends} AND {p.column} IS NULL)" for p in item.pairs] if plan.include_field_deletions else []


def _member(plan: ExportPlan, pair: Pair) -> tuple[str, str, str]:
    """Whether a value is sent, its name, and the value as JSON; a clear is the keyword UNSET."""
    value = json_value(pair.mainstay, pair.column)
    if plan.include_field_deletions:
        value = f"coalesce({value}, '\"UNSET\"')"
    return pair.sends, pair.mainstay.name, value


def _new_value(pair: Pair) -> str:
    """The value as Mainstay would store it, in a landed record `s` with its keys `w`."""
    text, stored = salesforce_text(pair.salesforce), wanted_value(pair)
    if stored == text or pair.mainstay.path == "phone":
        return stored
    return f"CASE WHEN is_verbatim THEN {text} ELSE {stored} END"


def _new_members(pairs: Sequence[Pair]) -> str:
    """The members of a new contact; of a verbatim record they are the values as they are, with quotes around."""
    if not pairs:
        return "''"
    plain = plain_members([(pair.sends, pair.mainstay.name, pair.column, is_bare(pair)) for pair in pairs])
    looked_at = members([_filled_member(pair) for pair in pairs], blanks=True)
    return f"CASE WHEN is_verbatim THEN {plain}\n           ELSE {looked_at} END"


def _filled_member(pair: Pair) -> tuple[str, str, str]:
    """A value that is sent wherever it is filled, its name, and the value as JSON, NULL where it is blank."""
    return pair.sends, pair.mainstay.name, json_value(pair.mainstay, pair.column)


def _body(standard: str, custom: str) -> str:
    """The object of members that each have a comma before them, and of those of its member `custom`, if any.

    One `concat` of pieces copies a long text once; nested ones would copy it at every step.
    """
    return f"""concat('{{', {without_comma(standard)},
           CASE WHEN {custom} <> '' THEN CASE WHEN {standard} <> '' THEN ',' ELSE '' END || '"custom":{{' END,
           {without_comma(custom)}, CASE WHEN {custom} <> '' THEN '}}' END, '}}')"""
