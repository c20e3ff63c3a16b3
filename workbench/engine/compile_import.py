"""Import: the wide queries that one ImportMapping compiles to: what differs, and what is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from workbench.domain.fields import column_type
from workbench.domain.formula import kind_of, to_sql
from workbench.engine import compile_refusals as refusals
from workbench.engine.compile import (
    BothSides,
    Pair,
    either,
    field_change,
    fingerprint,
    joined,
    json_object,
    landed_rows,
    lines,
    members,
    row_hash,
)
from workbench.engine.compile_import_keys import incoming_value, record_text, record_value
from workbench.engine.plans import ImportPlan, Slice
from workbench.store.quoting import identifier, literal


def contact_hashes(plan: ImportPlan) -> dict[str, str]:
    """Slice -> hash of those values of a landed contact `c`, as Salesforce would keep them."""
    return _hashes(plan, incoming_value)


def record_hashes(plan: ImportPlan) -> dict[str, str]:
    """The same of a landed record `s`."""
    return _hashes(plan, record_value)


def _hashes(plan: ImportPlan, value: Callable[[Pair], str]) -> dict[str, str]:
    return {item.name: row_hash([value(pair) for pair in item.pairs]) for item in plan.slices()}


def differing(plan: ImportPlan, *, few: bool = False) -> str:
    """work.differing: seq of every contact that may differ from the record it reaches, and in which slices.

    `few`: whether rows are picked out of all that landed (landed_rows).
    """
    ours, theirs = contact_hashes(plan), record_hashes(plan)
    flags = [f"{plan.kept.of('c', ours[name])} <> {plan.kept.of('s', theirs[name])} AS {name}" for name in ours]
    reaching = "FROM work.verdict_incoming WHERE action IN ('update', 'link')"
    contacts = landed_rows("store.mainstay.contact", f"SELECT contact_row {reaching}", few=few)
    table = f"store.salesforce.{identifier(plan.sobject)}"
    records = landed_rows(table, f"SELECT record_row {reaching}", few=few)
    return f"""WITH compared AS (
    SELECT w.seq,
           {lines(flags)}
    FROM work.verdict_incoming AS w
    JOIN {contacts} AS c ON c.landed_row = w.contact_row
    JOIN {records} AS s ON s.landed_row = w.record_row
    WHERE w.action IN ('update', 'link')
)
SELECT * FROM compared
WHERE {either(list(ours))}"""


def landed_values(plan: ImportPlan, slices: Sequence[Slice]) -> dict[str, str]:
    """work.landed_contact and work.landed_record: what differs of few contacts and records, put down to be read again.

    To pick some thousand rows out of a million costs nearly the same for a few columns as for all of them.
    """
    pairs = [pair for item in slices for pair in item.pairs]
    contact = ["id", "last_modified_at", *(pair.mainstay.path for pair in pairs)]
    record = ["Id", "SystemModstamp", *(pair.salesforce.name for pair in pairs), *plan.inputs]
    records = f"store.salesforce.{identifier(plan.sobject)}"
    return {
        "landed_contact": _differing_rows("contact", "store.mainstay.contact", contact, slices),
        "landed_record": _differing_rows("record", records, record, slices),
    }


def _differing_rows(side: str, table: str, columns: Iterable[str], slices: Sequence[Slice]) -> str:
    where = f"WHERE seq IN (SELECT seq FROM work.differing WHERE {either([item.name for item in slices])})"
    rows = landed_rows(table, f"SELECT {side}_row FROM work.verdict_incoming {where}")
    return f"SELECT {lines(['landed_row', *map(identifier, dict.fromkeys(columns))])}\nFROM {rows}"


def payload_incoming(plan: ImportPlan, slices: Sequence[Slice], values: BothSides, *, has_new: bool = True) -> str:
    """work.payload_incoming: one row per work.receiving row: eligibility, request body, changed fields, refusals.

    Of records that are there only the values of those `slices` are read in which any of them differs.
    `has_new`: whether any record is made; asking for those of whom there are none costs as much as for few.
    `is_parent_open`: only Salesforce can tell whether a record named in it is there.
    `claims`: the unique values it would take, each with the one it gives up and its present holder.
    """
    looked_at = replace(plan, pairs=tuple(pair for item in slices for pair in item.pairs))
    made = _payload(plan, BothSides(plan.sobject), is_create=True)
    parts = [
        *([made] if has_new or not slices else []),
        *([_payload(looked_at, values, is_create=False)] if slices else []),
    ]
    return "\nUNION ALL\n".join(f"SELECT * FROM (\n{part}\n)" for part in parts)


def _payload(plan: ImportPlan, values: BothSides, *, is_create: bool) -> str:
    table = f"store.salesforce.{identifier(plan.sobject)}"
    wanted = [f"{incoming_value(pair)} AS {pair.column}" for pair in plan.pairs]
    now = [f"{record_value(pair)} AS {pair.now}" for pair in plan.pairs]
    held = [f"lower({record_text(p.salesforce)}) AS {refusals.held(p)}" for p in plan.pairs if p.salesforce.unique]
    inputs = [f"s.{identifier(path)} AS {_input(path)}" for path in plan.inputs]
    which = "is_create" if is_create else "NOT is_create"
    contacts = values.contacts(f"SELECT contact_row FROM work.receiving WHERE {which}")
    records = values.records(f"SELECT record_row FROM work.receiving WHERE {which}")
    # Nothing is joined to a record that is not there yet: its values are blank.
    record = (
        f"(SELECT * FROM {table} LIMIT 0) AS s ON true"
        if is_create
        else f"{records} AS s ON s.landed_row = w.record_row"
    )
    changes = [f"{_changes(plan, pair)} AS {pair.changes}" for pair in plan.pairs]
    beside, joins = _beside(plan, table)
    return f"""WITH side_by_side AS (
    SELECT w.contact_id,
           w.record_id AS target_id,
           w.is_create,
           w.meets_criteria,
           w.left_fields,
           w.cleared_fields,
           {lines([*wanted, *now, *held, *inputs])}
    FROM work.receiving AS w
    JOIN {contacts} AS c ON c.landed_row = w.contact_row
    {"LEFT JOIN" if is_create else "JOIN"} {record}
    WHERE {which}
),
changing AS (
    SELECT side_by_side.*,
           {lines([*changes, *beside])}
    FROM side_by_side{joins}
)
SELECT contact_id,
       {_eligible(plan)} AS is_eligible,
       {_open(plan)} AS is_eligibility_open,
       {refusals.unseen_parent(plan)} AS is_parent_open,
       {_body(plan)} AS body,
       {_fields(plan)} AS fields,
       {refusals.refusals(plan)} AS codes,
       {refusals.claims(plan)} AS claims
FROM changing"""


def _beside(plan: ImportPlan, table: str) -> tuple[list[str], str]:
    """What other records have to say: who holds an incoming unique value, and whether a named parent is there."""
    columns: list[str] = []
    joins: list[str] = []
    for pair in plan.pairs:
        if pair.salesforce.unique:
            owner = identifier("owner of " + pair.salesforce.name)
            held = f"lower({record_text(pair.salesforce)})"
            claimed = f"lower({pair.column})"
            columns.append(f"{owner}.record_id AS {refusals.holder(pair)}")
            joins.append(
                f"""
    LEFT JOIN (
        SELECT {held} AS value, min(s."Id") AS record_id
        FROM {table} AS s
        WHERE NOT coalesce(s."IsDeleted", false)
          AND {plan.kept.of("s", fingerprint(held))} IN (
            SELECT hash({claimed}) FROM side_by_side WHERE {claimed} IS DISTINCT FROM {refusals.held(pair)})
        GROUP BY ALL
    ) AS {owner} ON {owner}.value = {claimed}"""
            )
    for pair, target in refusals.parents_of(plan):
        parents, source = identifier("parents of " + pair.salesforce.name), f"store.salesforce.{identifier(target)}"
        columns.append(f"{parents}.state AS {refusals.parent(pair)}")
        columns.append(f'(SELECT min("Id"[1:3]) FROM {source}) AS {refusals.parent_prefix(pair)}')
        joins.append(
            f"""
    LEFT JOIN (SELECT "Id" AS record_id, CASE WHEN "IsDeleted" THEN 'deleted' ELSE 'living' END AS state
               FROM {source}) AS {parents} ON {parents}.record_id = {pair.column}"""
        )
    return columns, "".join(joins)


def _changes(plan: ImportPlan, pair: Pair) -> str:
    """Whether this value is written: filled, different, open to a create or an update, and not left to Salesforce.

    A blank is written only where the value that both sides last had says that Mainstay cleared it.
    """
    field, path = pair.salesforce, literal(pair.mainstay.path)
    allowed = {(True, True): "", (True, False): " AND is_create", (False, True): " AND NOT is_create"}
    may = allowed.get((field.createable, field.updateable), " AND false")
    if not plan.two_way.has(pair):
        return f"({pair.column} IS NOT NULL AND {pair.column} IS DISTINCT FROM {pair.now}{may})"
    may += f" AND CASE WHEN left_fields IS NULL THEN true ELSE NOT list_contains(left_fields, {path}) END"
    written = f"({pair.column} IS NOT NULL AND {pair.column} IS DISTINCT FROM {pair.now}{may})"
    if not (field.updateable and field.nillable and field.type != "boolean"):
        return written
    cleared = f"CASE WHEN cleared_fields IS NULL THEN false ELSE list_contains(cleared_fields, {path}) END"
    return f"({written} OR ({cleared} AND {pair.column} IS NULL AND {pair.now} IS NOT NULL AND NOT is_create))"


def _input(path: str) -> str:
    """The column of a value that the criteria's formula reads, as it is stored."""
    return identifier("input " + path)


def _eligible(plan: ImportPlan) -> str:
    """The criteria as they would be after the change. Source: guide, "this field value will be computed"."""
    if plan.criteria is None:
        return "true"
    told = "CASE WHEN is_create THEN true ELSE coalesce(meets_criteria, false) END"
    if plan.formula is None:
        return told
    computed = to_sql(plan.formula, lambda path: _after(plan, path), lambda path: kind_of(plan.inputs[path]))
    # Salesforce's own answer stands as long as nothing it depends on is written (decision 2).
    is_moved = _any(pair.changes for pair in plan.pairs if pair.salesforce.name in plan.inputs)
    is_computed = f"(is_create AND NOT {_lacks_default(plan)}) OR (NOT is_create AND {is_moved})"
    return f"CASE WHEN {is_computed} THEN {computed} ELSE {told} END"


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions) or 'false'})"


def _lacks_default(plan: ImportPlan) -> str:
    """Whether a new record is not given a field that the criteria read, and whose default value is not known."""
    given = {pair.salesforce.name: f"NOT {pair.changes}" for pair in plan.pairs}
    unknown = [field.name for field in plan.inputs.values() if field.default_value is None and not field.is_lookup]
    return _any(given.get(name, "true") for name in unknown)


def _after(plan: ImportPlan, path: str) -> str:
    """A field's value once the change is made; what a new record is not given has its default value, or is blank.

    Formulas see 60 % as 0.6.
    """
    field, kind = plan.inputs[path], column_type(plan.inputs[path])

    def typed(text: str) -> str:
        return text if kind == "VARCHAR" else f"TRY_CAST({text} AS {kind})"

    value = f"coalesce({_input(path)}, false)" if kind == "BOOLEAN" else _input(path)
    if field.default_value and not field.is_lookup:
        value = f"CASE WHEN is_create THEN {typed(literal(field.default_value))} ELSE {value} END"
    pair = next((pair for pair in plan.pairs if pair.salesforce.name == path), None)
    if pair is not None:
        value = f"CASE WHEN {pair.changes} THEN {typed(pair.column)} ELSE {value} END"
    return f"({value} / 100)" if field.type == "percent" else value


def _open(plan: ImportPlan) -> str:
    """Whether nobody but Salesforce can tell the criteria: of a new record, or of one whose values change."""
    if plan.criteria is None:
        return "false"
    changes = _any(pair.changes for pair in plan.pairs)
    if plan.formula is None:
        return f"(is_create OR {changes})"
    moves = changes if plan.has_moving_parent else "false"
    return f"CASE WHEN is_create THEN {_lacks_default(plan)} ELSE {moves} END"


def _json(pair: Pair) -> str:
    text = pair.column
    # json_text(NULL) is null: a cleared value.
    if pair.salesforce.type == "boolean":
        return f"CASE WHEN {text} IN ('true', 'false') THEN {text} ELSE json_text({text}) END"
    if pair.salesforce.type in refusals.NUMERIC:
        return f"CASE WHEN canon_number({text}) IS NOT NULL THEN {text} ELSE json_text({text}) END"
    return f"json_text({text})"


def _body(plan: ImportPlan) -> str:
    return json_object(members([(pair.changes, pair.salesforce.name, _json(pair)) for pair in plan.pairs]))


def _fields(plan: ImportPlan) -> str:
    """What changes, as a JSON list of {"field", "before", "after"} in Salesforce's names."""
    parts = [f"CASE WHEN {p.changes} THEN {field_change(p.salesforce.name, p.now, p.column)} END" for p in plan.pairs]
    return "'[' || " + joined(parts) + " || ']'"


def required_columns(plan: ImportPlan) -> tuple[Sequence[str], Sequence[str]]:
    """The landed columns this plan reads: of the SObject, of mainstay.contact."""
    salesforce = ["Id", "IsDeleted", "SystemModstamp", *(p.salesforce.name for p in plan.pairs), *plan.inputs]
    mainstay = ["id", "crm_id", "last_modified_at", "test_user", *(p.mainstay.path for p in plan.pairs)]
    return [*salesforce, *([plan.criteria.name] if plan.criteria else [])], mainstay
