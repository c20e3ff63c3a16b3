"""Export: the wide queries that one ExportMapping compiles to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues
from workbench.domain.rules import CUSTOM_VALUE_LIMIT, NAME_FIELDS, NAME_LIMIT
from workbench.engine.compile import (
    Pair,
    canonical,
    fits,
    joined,
    json_key,
    json_value,
    lines,
    mainstay_text,
    row_hash,
    salesforce_text,
)
from workbench.store.quoting import identifier, literal


@dataclass(frozen=True)
class ExportPlan:
    """One SObject's export with both ends of every pair known."""

    sobject: str
    pairs: tuple[Pair, ...]
    criteria: str | None
    include_field_deletions: bool
    include_all_fields: bool
    has_sms: bool = True
    has_web_bot: bool = True

    def pair(self, mainstay_path: str) -> Pair | None:
        return next((pair for pair in self.pairs if pair.mainstay.path == mainstay_path), None)


def export_plan(
    mapping: SObjectMapping, catalogues: Catalogues, *, has_sms: bool = True, has_web_bot: bool = True
) -> ExportPlan:
    """The plan of a checked mapping. Pairs keep the mapping's order."""
    export = mapping.export
    if export is None:
        raise ValueError(f"{mapping.sobject} has no export mapping")
    known = catalogues.salesforce[mapping.sobject]
    pairs = tuple(
        Pair(known[field.salesforce], catalogues.mainstay[field.mainstay], identifier(field.mainstay))
        for field in export.fields
    )
    return ExportPlan(
        mapping.sobject, pairs, export.criteria, export.include_field_deletions, export.include_all_fields,
        has_sms, has_web_bot,
    )  # fmt: skip


def _outgoing_values(plan: ExportPlan) -> list[str]:
    return [canonical(pair.mainstay, salesforce_text(pair.salesforce)) for pair in plan.pairs]


def contact_values(plan: ExportPlan) -> list[str]:
    """The mapped values of a landed contact `c` as Mainstay stores them, in the plan's order."""
    return [canonical(pair.mainstay, mainstay_text(pair.mainstay)) for pair in plan.pairs]


def outgoing(plan: ExportPlan, *, only: bool = False) -> str:
    """work.outgoing: one row per Salesforce record in FIFO order: identity keys and one hash of the mapped values.

    Narrow on purpose: most rows are equal on both sides, and only those that differ are looked at value by value.
    Binds $only when `only` is set.
    """
    phone = plan.pair("phone")
    raw_phone = salesforce_text(phone.salesforce) if phone else "CAST(NULL AS VARCHAR)"
    names = [plan.pair(name) for name in ("first_name", "last_name")]
    has_names = " AND ".join(f"{salesforce_text(p.salesforce)} IS NOT NULL" if p else "false" for p in names)
    criteria = f"coalesce(s.{identifier(plan.criteria)}, false)" if plan.criteria else "true"
    where = ' AND s."Id" = $only' if only else ""
    return f"""SELECT row_number() OVER (ORDER BY s."SystemModstamp", s."Id") AS seq,
       s."Id" AS record_id,
       {criteria} AS is_eligible,
       {has_names} AS has_names,
       {raw_phone} IS NOT NULL AS has_phone,
       canon_phone({raw_phone}) AS phone_key,
       {row_hash(_outgoing_values(plan))} AS row_hash
FROM store.salesforce.{identifier(plan.sobject)} AS s
WHERE NOT coalesce(s."IsDeleted", false){where}"""


def contact_now(plan: ExportPlan) -> str:
    """work.contact_now: one row per contact: identity keys and one hash of the mapped values."""
    return f"""SELECT c.id AS contact_id,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
       coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key,
       {row_hash(contact_values(plan))} AS row_hash
FROM store.mainstay.contact AS c"""


def payload(plan: ExportPlan) -> str:
    """work.payload: one row per work.sending row: request body, changed fields, partial codes.

    `is_full` rows send every filled value; the others what differs. Codes stand in the order of evaluation.
    """
    sends = {pair.column: _sends(plan, pair) for pair in plan.pairs}
    wanted = [f"{value} AS {pair.column}" for value, pair in zip(_outgoing_values(plan), plan.pairs, strict=True)]
    now = [f"{value} AS {pair.now}" for value, pair in zip(contact_values(plan), plan.pairs, strict=True)]
    return f"""WITH side_by_side AS (
    SELECT w.*,
           nullif(c.crm_id, '') AS crm_id_now,
           nullif(c.phone, '') AS phone_now,
           nullif(c.messaging_status_sms, '') AS sms_now,
           nullif(c.messaging_status_web_bot, '') AS web_now,
           nullif(c.preferred_name, '') AS preferred_now,
           {lines([*wanted, *now])}
    FROM work.sending AS w
    JOIN store.salesforce.{identifier(plan.sobject)} AS s ON s."Id" = w.record_id
    LEFT JOIN store.mainstay.contact AS c ON c.id = w.contact_id
)
SELECT record_id,
       {_body(plan, sends)} AS body,
       {_fields(plan)} AS fields,
       {_codes(plan, sends)} AS codes
FROM side_by_side"""


def _sends(plan: ExportPlan, pair: Pair) -> str:
    """Whether a value goes into the body: filled and full or different, or a clear where deletions are included."""
    column = pair.column
    filled = f"({column} IS NOT NULL AND (is_full OR {column} IS DISTINCT FROM {pair.now}))"
    return f"({filled} OR {_clears(plan, pair)})" if plan.include_field_deletions else filled


def _clears(plan: ExportPlan, pair: Pair) -> str:
    if not plan.include_field_deletions:
        return "false"
    return f"(method = 'PUT' AND {pair.column} IS NULL AND {pair.now} IS NOT NULL)"


def _changes(plan: ExportPlan, pair: Pair) -> str:
    column = pair.column
    differs = f"({column} IS NOT NULL AND {column} IS DISTINCT FROM {pair.now})"
    return f"({differs} OR {_clears(plan, pair)})" if plan.include_field_deletions else differs


def _body(plan: ExportPlan, sends: dict[str, str]) -> str:
    standard = ["CASE WHEN sends_crm_id THEN '\"crm_id\":' || json_text(record_id) END"]
    custom: list[str] = []
    for pair in plan.pairs:
        value = json_value(pair.mainstay, f"{pair.column}")
        if plan.include_field_deletions:
            value = f"CASE WHEN {pair.column} IS NULL THEN '\"UNSET\"' ELSE {value} END"
        part = f"CASE WHEN {sends[pair.column]} THEN {json_key(pair.mainstay.name)} || {value} END"
        (custom if pair.mainstay.is_custom else standard).append(part)
    if custom:
        standard.append("'\"custom\":{' || nullif(" + joined(custom) + ", '') || '}'")
    return "'{' || " + joined(standard) + " || '}'"


def _fields(plan: ExportPlan) -> str:
    crm_id = (
        'CASE WHEN sends_crm_id THEN \'{"field":"crm_id","before":\' || json_text(crm_id_now) '
        "|| ',\"after\":' || json_text(record_id) || '}' END"
    )
    parts = [crm_id]
    for pair in plan.pairs:
        head = literal('{"field":' + _json_text(pair.mainstay.path) + ',"before":')
        parts.append(
            f"CASE WHEN {_changes(plan, pair)} THEN {head} || json_text({pair.now}) "
            f"|| ',\"after\":' || json_text({pair.column}) || '}}' END"
        )
    return "'[' || " + joined(parts) + " || ']'"


def _json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _codes(plan: ExportPlan, sends: dict[str, str]) -> str:
    """Partial errors, each with its own field dropped. Source: API reference, section 4 (step 7) and section 8."""
    checks = [
        "CASE WHEN phone_fate = 'invalid' THEN 'invalid-phone' END",
        "CASE WHEN phone_fate = 'reverted' THEN 'contact-out-of-sync' END",
    ]
    statuses = [
        _status_check(plan, sends, "messaging_status_sms", _sms_after(), plan.has_sms),
        _status_check(plan, sends, "messaging_status_web_bot", "web_now", plan.has_web_bot),
    ]
    wrong = [check for check in statuses if check]
    if wrong:
        checks.append(f"CASE WHEN {' OR '.join(wrong)} THEN 'invalid-messaging-status' END")
    checks += _plain_checks(plan, sends)
    checks += _custom_checks(plan, sends)
    return f"list_filter([{', '.join(checks)}], lambda code : code IS NOT NULL)"


def _sms_after() -> str:
    """The SMS status the contact has once this request's phone is applied (section 10, items 3 and 4)."""
    return (
        "CASE WHEN phone_fate = 'cleared' THEN NULL "
        "WHEN phone_fate = 'changes' AND phone_now IS NULL THEN 'opted-in' ELSE sms_now END"
    )


def _status_check(plan: ExportPlan, sends: dict[str, str], name: str, now: str, has_channel: bool) -> str | None:
    pair = plan.pair(name)
    if pair is None:
        return None
    wanted = f"{pair.column}"
    if not has_channel:
        return f"({sends[pair.column]})"
    is_forbidden = f"{wanted} = 'paused' OR ({wanted} = 'opted-in' AND ({now}) = 'opted-out')"
    learners_own = f"({wanted} IS DISTINCT FROM ({now}) AND ({is_forbidden}))"
    is_unknown = f"{wanted} IS NULL OR canon_status({wanted}) IS NULL OR ({now}) IS NULL"
    return f"({sends[pair.column]} AND ({is_unknown} OR {learners_own}))"


def _plain_checks(plan: ExportPlan, sends: dict[str, str]) -> list[str]:
    checks: list[str] = []
    for name, code in (("email", "invalid-email"), ("preferred_name", ""), ("language", "invalid-language")):
        pair = plan.pair(name)
        if pair is None:
            continue
        value, sent = f"{pair.column}", sends[pair.column]
        if name == "preferred_name":
            taken = f"(method = 'PUT' AND preferred_now IS NOT NULL AND {value} IS DISTINCT FROM preferred_now)"
            checks.append(f"CASE WHEN {sent} AND {taken} THEN 'invalid-preferred-name' END")
            too_long = f"{sent} AND NOT {taken} AND length({value}) > {NAME_LIMIT}"
            checks.append(f"CASE WHEN {too_long} THEN 'invalid-attribute-data: preferred_name' END")
        else:
            is_wrong = f"{value} IS NOT NULL AND NOT ({fits(pair.mainstay, value)})"
            checks.append(f"CASE WHEN {sent} AND {is_wrong} THEN {literal(code)} END")
    for name in NAME_FIELDS[:2]:
        pair = plan.pair(name)
        if pair is not None:
            code = literal(f"invalid-attribute-data: {name}")
            checks.append(f"CASE WHEN {sends[pair.column]} AND length({pair.column}) > {NAME_LIMIT} THEN {code} END")
    return checks


def _custom_checks(plan: ExportPlan, sends: dict[str, str]) -> list[str]:
    custom = [pair for pair in plan.pairs if pair.mainstay.is_custom]
    checks: list[str] = []
    too_long: list[str] = []
    for pair in custom:
        value, sent = f"{pair.column}", sends[pair.column]
        fitting = fits(pair.mainstay, value)
        code = literal(f"invalid-attribute-data: {pair.mainstay.name}")
        if fitting != "true":
            checks.append(f"CASE WHEN {sent} AND {value} IS NOT NULL AND NOT ({fitting}) THEN {code} END")
        if pair.mainstay.data_type in ("Text", "URL", "Multi-Choice"):
            too_long.append(f"({sent} AND length({value}) > {CUSTOM_VALUE_LIMIT} AND {fitting})")
    if too_long:
        checks.append(f"CASE WHEN {' OR '.join(too_long)} THEN 'custom-values-too-long' END")
    return checks


_STATUS_COLUMNS = ("messaging_status_sms", "messaging_status_web_bot", "preferred_name")


def required_columns(plan: ExportPlan) -> tuple[Sequence[str], Sequence[str]]:
    """The landed columns this plan reads: of the SObject, of mainstay.contact."""
    salesforce = ["Id", "SystemModstamp", "IsDeleted", *(p.salesforce.name for p in plan.pairs)]
    mainstay = ["id", "crm_id", "phone", "previous_phone", *_STATUS_COLUMNS, *(p.mainstay.path for p in plan.pairs)]
    return [*salesforce, *([plan.criteria] if plan.criteria else [])], mainstay
