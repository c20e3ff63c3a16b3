"""Import: the wide queries that one ImportMapping compiles to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine.compile import (
    Pair,
    field_change,
    joined,
    json_key,
    lines,
    mainstay_text,
    row_hash,
    salesforce_text,
)
from workbench.engine.plans import ImportPlan
from workbench.store.quoting import identifier, literal

_NUMERIC = ("double", "currency", "percent", "int")
_SEPARATOR = "chr(31)"
_UNION = "\n    UNION ALL\n"


def import_plan(mapping: SObjectMapping, catalogues: Catalogues) -> ImportPlan:
    """The plan of a checked mapping. Pairs keep the mapping's order."""
    side = mapping.import_
    if side is None:
        raise ValueError(f"{mapping.sobject} has no import mapping")
    known = catalogues.salesforce[mapping.sobject]
    pairs = tuple(
        Pair(known[field.salesforce], catalogues.mainstay[field.mainstay], identifier(field.salesforce), field.matching)
        for field in side.fields
    )
    required = tuple(name for name, field in known.items() if field.is_required_on_create and not field.is_lookup)
    criteria = known[side.criteria] if side.criteria else None
    return ImportPlan(mapping.sobject, pairs, criteria, side.create_unmatched, side.match, required)


def settled(pair: Pair, text: str) -> str:
    """Text as Salesforce would store and compare it for this pair."""
    kind, other = pair.salesforce.type, pair.mainstay.data_type
    if "phone" in (kind, other.lower()):
        return f"coalesce(canon_phone({text}), {text})"
    if "email" in (kind, other):
        return f"lower({text})"
    if kind == "datetime":
        moment = f"strftime(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
        return f"coalesce({moment}, {text})"
    macro = {"boolean": "canon_truth", "date": "canon_date"} | dict.fromkeys(_NUMERIC, "canon_number")
    return f"coalesce({macro[kind]}({text}), {text})" if kind in macro else text


def _match_keys(plan: ImportPlan, texts: dict[str, str]) -> list[str]:
    """Case does not count and a blank matches nothing: its key is NULL. Source: guide, "Matching Mapping"."""
    parts = [f"lower({texts[pair.column]})" for pair in plan.pairs if pair.is_matching]
    if plan.match == "all":
        return [f"{f' || {_SEPARATOR} || '.join(parts)} AS match_key_0"]
    return [f"{part} AS match_key_{index}" for index, part in enumerate(parts)]


def _incoming_values(plan: ImportPlan) -> dict[str, str]:
    return {pair.column: settled(pair, mainstay_text(pair.mainstay)) for pair in plan.pairs}


def _record_values(plan: ImportPlan) -> dict[str, str]:
    return {pair.column: settled(pair, salesforce_text(pair.salesforce)) for pair in plan.pairs}


def incoming(plan: ImportPlan, *, only: bool = False) -> str:
    """work.incoming: one row per Mainstay contact in order of change: keys and one hash of the mapped values."""
    texts = _incoming_values(plan)
    where = "\nWHERE c.id = $only" if only else ""
    return f"""SELECT row_number() OVER (ORDER BY c.last_modified_at, c.id) AS seq,
       c.id AS contact_id,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(c.test_user, false) AS is_test,
       {lines(_match_keys(plan, texts))},
       {row_hash(list(texts.values()))} AS row_hash
FROM store.mainstay.contact AS c{where}"""


def record_now(plan: ImportPlan) -> str:
    """work.record_now: one row per Salesforce record: keys, the stored criteria, one hash of the mapped values."""
    texts = _record_values(plan)
    stored = f"coalesce(s.{identifier(plan.criteria.name)}, false)" if plan.criteria else "true"
    return f"""SELECT s."Id" AS record_id,
       {stored} AS meets_criteria,
       {lines(_match_keys(plan, texts))},
       {row_hash(list(texts.values()))} AS row_hash
FROM store.salesforce.{identifier(plan.sobject)} AS s
WHERE NOT coalesce(s."IsDeleted", false)"""


def match_incoming(plan: ImportPlan) -> str:
    """work.match_incoming: per unlinked contact, the records its matching fields reach, and who else reaches them.

    Each side is counted by key before anything is joined, so that a value which thousands share costs one row.
    match_count: records reached; rival_count: unlinked contacts with the same key, itself included.
    """
    keys = plan.match_keys
    parts = [
        f"""    SELECT u.contact_id, r.record_id, r.row_count AS match_count, rivals.row_count AS rival_count
    FROM work.unlinked AS u
    JOIN (SELECT {key}, min(record_id) AS record_id, count(*) AS row_count
          FROM work.record_now WHERE {key} IS NOT NULL GROUP BY {key}) AS r ON r.{key} = u.{key}
    JOIN (SELECT {key}, count(*) AS row_count
          FROM work.unlinked WHERE {key} IS NOT NULL GROUP BY {key}) AS rivals ON rivals.{key} = u.{key}"""
        for key in keys
    ]
    lonely = [
        f"""    SELECT u.contact_id, NULL AS record_id, 0 AS match_count, rivals.row_count AS rival_count
    FROM work.unlinked AS u
    JOIN (SELECT {key}, count(*) AS row_count
          FROM work.unlinked WHERE {key} IS NOT NULL GROUP BY {key}) AS rivals ON rivals.{key} = u.{key}"""
        for key in keys
    ]
    return f"""WITH reached AS (
{_UNION.join(parts + lonely)}
),
per_contact AS (
    SELECT contact_id,
           min(record_id) AS record_id,
           CASE WHEN count(DISTINCT record_id) > 1 THEN count(DISTINCT record_id) ELSE max(match_count) END
               AS match_count,
           max(rival_count) AS rival_count
    FROM reached
    GROUP BY contact_id
),
per_record AS (
    SELECT record_id, count(*) AS contact_count
    FROM per_contact
    WHERE record_id IS NOT NULL
    GROUP BY record_id
)
SELECT per_contact.contact_id,
       per_contact.record_id,
       per_contact.match_count,
       greatest(per_contact.rival_count, coalesce(per_record.contact_count, 0)) AS rival_count
FROM per_contact
LEFT JOIN per_record ON per_record.record_id = per_contact.record_id"""


def payload_incoming(plan: ImportPlan) -> str:
    """work.payload_incoming: one row per work.receiving row: request body, changed fields, expected refusals."""
    table = f"store.salesforce.{identifier(plan.sobject)}"
    wanted = [f"{text} AS {column}" for column, text in _incoming_values(plan).items()]
    now = [f"{_record_values(plan)[pair.column]} AS {pair.now}" for pair in plan.pairs]
    owners = [
        f'LEFT JOIN (SELECT {_record_values(plan)[p.column]} AS value, min(s."Id") AS record_id FROM {table} AS s '
        f"GROUP BY ALL) AS {_owner(p)} ON {_owner(p)}.value = {p.column}"
        for p in plan.pairs
        if p.salesforce.unique
    ]
    return f"""WITH side_by_side AS (
    SELECT w.contact_id,
           w.record_id AS target_id,
           w.is_create,
           w.meets_criteria,
           {lines([*wanted, *now])}
    FROM work.receiving AS w
    JOIN store.mainstay.contact AS c ON c.id = w.contact_id
    LEFT JOIN {table} AS s ON s."Id" = w.record_id
)
SELECT contact_id,
       {_eligible(plan)} AS is_eligible,
       {"true" if _is_open(plan) else "false"} AND is_create AS is_eligibility_open,
       {_body(plan)} AS body,
       {_fields(plan)} AS fields,
       {_codes(plan)} AS codes
FROM side_by_side
{chr(10).join(owners)}"""


def _owner(pair: Pair) -> str:
    return identifier("owner of " + pair.salesforce.name)


def _criteria_pair(plan: ImportPlan) -> Pair | None:
    if plan.criteria is None:
        return None
    return next((pair for pair in plan.pairs if pair.salesforce.name == plan.criteria.name), None)


def _is_open(plan: ImportPlan) -> bool:
    """A formula over a record that does not exist yet: its value is known only afterwards."""
    return plan.criteria is not None and plan.criteria.calculated


def _eligible(plan: ImportPlan) -> str:
    """The criteria as they would be after the change. Source: guide, "this field value will be computed"."""
    if plan.criteria is None:
        return "true"
    pair = _criteria_pair(plan)
    stored = "coalesce(meets_criteria, false)"
    if pair is not None:
        return f"coalesce({pair.column} = 'true', {stored})"
    return f"CASE WHEN is_create THEN {'true' if plan.criteria.calculated else 'false'} ELSE {stored} END"


def _writes(pair: Pair) -> str:
    """Whether this value is written: filled, different, and open to a create or an update."""
    field = pair.salesforce
    allowed = {(True, True): "true", (True, False): "is_create", (False, True): "NOT is_create"}
    may = allowed.get((field.createable, field.updateable), "false")
    return f"({pair.column} IS NOT NULL AND {pair.column} IS DISTINCT FROM {pair.now} AND {may})"


def _json(pair: Pair) -> str:
    text = f"{pair.column}"
    if pair.salesforce.type == "boolean":
        return f"CASE WHEN {text} IN ('true', 'false') THEN {text} ELSE json_text({text}) END"
    if pair.salesforce.type in _NUMERIC:
        return f"CASE WHEN canon_number({text}) IS NOT NULL THEN {text} ELSE json_text({text}) END"
    return f"json_text({text})"


def _body(plan: ImportPlan) -> str:
    parts = [f"CASE WHEN {_writes(p)} THEN {json_key(p.salesforce.name)} || {_json(p)} END" for p in plan.pairs]
    return "'{' || " + joined(parts) + " || '}'"


def _fields(plan: ImportPlan) -> str:
    """What changes, as a JSON list of {"field", "before", "after"} in Salesforce's names."""
    parts = [f"CASE WHEN {_writes(p)} THEN {field_change(p.salesforce.name, p.now, p.column)} END" for p in plan.pairs]
    return "'[' || " + joined(parts) + " || ']'"


def _codes(plan: ImportPlan) -> str:
    """Refusals of Salesforce that describe foretells. Source: Salesforce wire reference, section 3."""
    columns = {pair.salesforce.name: pair.column for pair in plan.pairs}
    missing = [f"{columns[name]} IS NULL" if name in columns else "true" for name in plan.required]
    checks = []
    if missing:
        checks.append(f"CASE WHEN is_create AND ({' OR '.join(missing)}) THEN 'REQUIRED_FIELD_MISSING' END")
    checks += _any(plan, "STRING_TOO_LONG", _too_long)
    checks += _any(plan, "INVALID_EMAIL_ADDRESS", _bad_email)
    checks += _any(plan, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", _not_listed)
    checks += _any(plan, "DUPLICATE_VALUE", _taken)
    return f"list_filter([{', '.join(checks)}], lambda code : code IS NOT NULL)" if checks else "CAST([] AS VARCHAR[])"


def _any(plan: ImportPlan, code: str, check: Callable[[Pair], str | None]) -> list[str]:
    """One code where any written value fails the check; none where the check concerns no field."""
    conditions = [f"({_writes(pair)} AND {found})" for pair in plan.pairs if (found := check(pair)) is not None]
    return [f"CASE WHEN {' OR '.join(conditions)} THEN {literal(code)} END"] if conditions else []


def _too_long(pair: Pair) -> str | None:
    field = pair.salesforce
    return f"length({pair.column}) > {field.length}" if field.length and field.type not in _NUMERIC else None


def _bad_email(pair: Pair) -> str | None:
    return f"canon_email({pair.column}) IS NULL" if pair.salesforce.type == "email" else None


def _not_listed(pair: Pair) -> str | None:
    if not pair.salesforce.restricted_picklist:
        return None
    values = ", ".join(literal(value) for value in pair.salesforce.picklist_values)
    return f"{pair.column} NOT IN ({values})" if values else "true"


def _taken(pair: Pair) -> str | None:
    if not pair.salesforce.unique:
        return None
    owner = _owner(pair)
    return f"{owner}.record_id IS DISTINCT FROM target_id AND {owner}.record_id IS NOT NULL"


def required_columns(plan: ImportPlan) -> tuple[Sequence[str], Sequence[str]]:
    """The landed columns this plan reads: of the SObject, of mainstay.contact."""
    salesforce = ["Id", "IsDeleted", *(p.salesforce.name for p in plan.pairs)]
    mainstay = ["id", "crm_id", "last_modified_at", "test_user", *(p.mainstay.path for p in plan.pairs)]
    return [*salesforce, *([plan.criteria.name] if plan.criteria else [])], mainstay
