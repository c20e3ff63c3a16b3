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


def outgoing(plan: ExportPlan, *, only: bool = False) -> str:
    """work.outgoing: one row per Salesforce record in FIFO order: seq, record_id, identity keys, mapped values.

    Values are what Mainstay would store, as text; NULL is blank. Binds $only when `only` is set.
    """
    values = [f"{canonical(p.mainstay, salesforce_text(p.salesforce))} AS {p.column}" for p in plan.pairs]
    phone = plan.pair("phone")
    raw_phone = salesforce_text(phone.salesforce) if phone else "CAST(NULL AS VARCHAR)"
    names = [plan.pair(name) for name in ("first_name", "last_name")]
    has_names = " AND ".join(f"{salesforce_text(p.salesforce)} IS NOT NULL" if p else "false" for p in names)
    criteria = f"coalesce(s.{identifier(plan.criteria)}, false)" if plan.criteria else "true"
    where = ' AND s."Id" = $only' if only else ""
    columns = [p.column for p in plan.pairs]
    return f"""SELECT *, {row_hash(columns)} AS row_hash
FROM (
    SELECT row_number() OVER (ORDER BY s."SystemModstamp", s."Id") AS seq,
           s."Id" AS record_id,
           s."SystemModstamp" AS modified_at,
           {criteria} AS is_eligible,
           {has_names} AS has_names,
           {raw_phone} IS NOT NULL AS has_phone,
           canon_phone({raw_phone}) AS phone_key,
           {("," + chr(10) + "           ").join(values)}
    FROM store.salesforce.{identifier(plan.sobject)} AS s
    WHERE NOT coalesce(s."IsDeleted", false){where}
)"""


def contact_now(plan: ExportPlan) -> str:
    """work.contact_now: one row per contact: identity keys and the mapped values as Mainstay stores them."""
    values = [f"{canonical(p.mainstay, mainstay_text(p.mainstay))} AS {p.column}" for p in plan.pairs]
    columns = [p.column for p in plan.pairs]
    return f"""SELECT *, {row_hash(columns)} AS row_hash
FROM (
    SELECT c.id AS contact_id,
           nullif(c.crm_id, '') AS crm_id_key,
           coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
           coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key,
           nullif(c.messaging_status_sms, '') AS sms_now,
           nullif(c.messaging_status_web_bot, '') AS web_now,
           nullif(c.preferred_name, '') AS preferred_now,
           {("," + chr(10) + "           ").join(values)}
    FROM store.mainstay.contact AS c
)"""


def payload(plan: ExportPlan) -> str:
    """work.payload: one row per work.sending row: request body, changed fields, partial codes.

    `is_full` rows send every filled value; the others what differs. Codes stand in the order of evaluation.
    """
    sends = {p.column: _sends(plan, p) for p in plan.pairs}
    return f"""SELECT w.record_id,
       {_body(plan, sends)} AS body,
       {_fields(plan)} AS fields,
       {_codes(plan, sends)} AS codes
FROM work.sending AS w
JOIN work.outgoing AS o USING (record_id)
LEFT JOIN work.contact_now AS n ON n.contact_id = w.contact_id"""


def _sends(plan: ExportPlan, pair: Pair) -> str:
    """Whether a value goes into the body: filled and full or different, or a clear where deletions are included."""
    column = pair.column
    filled = f"(o.{column} IS NOT NULL AND (w.is_full OR o.{column} IS DISTINCT FROM n.{column}))"
    return f"({filled} OR {_clears(plan, pair)})" if plan.include_field_deletions else filled


def _clears(plan: ExportPlan, pair: Pair) -> str:
    if not plan.include_field_deletions:
        return "false"
    return f"(w.method = 'PUT' AND o.{pair.column} IS NULL AND n.{pair.column} IS NOT NULL)"


def _changes(plan: ExportPlan, pair: Pair) -> str:
    column = pair.column
    differs = f"(o.{column} IS NOT NULL AND o.{column} IS DISTINCT FROM n.{column})"
    return f"({differs} OR {_clears(plan, pair)})" if plan.include_field_deletions else differs


def _body(plan: ExportPlan, sends: dict[str, str]) -> str:
    standard = ["CASE WHEN w.sends_crm_id THEN '\"crm_id\":' || json_text(w.record_id) END"]
    custom: list[str] = []
    for pair in plan.pairs:
        value = json_value(pair.mainstay, f"o.{pair.column}")
        if plan.include_field_deletions:
            value = f"CASE WHEN o.{pair.column} IS NULL THEN '\"UNSET\"' ELSE {value} END"
        part = f"CASE WHEN {sends[pair.column]} THEN {json_key(pair.mainstay.name)} || {value} END"
        (custom if pair.mainstay.is_custom else standard).append(part)
    if custom:
        standard.append("'\"custom\":{' || nullif(" + joined(custom) + ", '') || '}'")
    return "'{' || " + joined(standard) + " || '}'"


def _fields(plan: ExportPlan) -> str:
    crm_id = (
        'CASE WHEN w.sends_crm_id THEN \'{"field":"crm_id","before":\' || json_text(n.crm_id_key) '
        "|| ',\"after\":' || json_text(w.record_id) || '}' END"
    )
    parts = [crm_id]
    for pair in plan.pairs:
        head = literal('{"field":' + _json_text(pair.mainstay.path) + ',"before":')
        parts.append(
            f"CASE WHEN {_changes(plan, pair)} THEN {head} || json_text(n.{pair.column}) "
            f"|| ',\"after\":' || json_text(o.{pair.column}) || '}}' END"
        )
    return "'[' || " + joined(parts) + " || ']'"


def _json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _codes(plan: ExportPlan, sends: dict[str, str]) -> str:
    """Partial errors, each with its own field dropped. Source: API reference, section 4 (step 7) and section 8."""
    checks = [
        "CASE WHEN w.phone_fate = 'invalid' THEN 'invalid-phone' END",
        "CASE WHEN w.phone_fate = 'reverted' THEN 'contact-out-of-sync' END",
    ]
    statuses = [
        _status_check(plan, sends, "messaging_status_sms", _sms_after(), plan.has_sms),
        _status_check(plan, sends, "messaging_status_web_bot", "n.web_now", plan.has_web_bot),
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
        "CASE WHEN w.phone_fate = 'cleared' THEN NULL "
        "WHEN w.phone_fate = 'changes' AND n.phone_key IS NULL THEN 'opted-in' ELSE n.sms_now END"
    )


def _status_check(plan: ExportPlan, sends: dict[str, str], name: str, now: str, has_channel: bool) -> str | None:
    pair = plan.pair(name)
    if pair is None:
        return None
    wanted = f"o.{pair.column}"
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
        value, sent = f"o.{pair.column}", sends[pair.column]
        if name == "preferred_name":
            taken = f"(w.method = 'PUT' AND n.preferred_now IS NOT NULL AND {value} IS DISTINCT FROM n.preferred_now)"
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
            checks.append(f"CASE WHEN {sends[pair.column]} AND length(o.{pair.column}) > {NAME_LIMIT} THEN {code} END")
    return checks


def _custom_checks(plan: ExportPlan, sends: dict[str, str]) -> list[str]:
    custom = [pair for pair in plan.pairs if pair.mainstay.is_custom]
    checks: list[str] = []
    too_long: list[str] = []
    for pair in custom:
        value, sent = f"o.{pair.column}", sends[pair.column]
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
