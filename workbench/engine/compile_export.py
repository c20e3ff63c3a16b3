"""Export: the wide queries that one ExportMapping compiles to."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine.compile import (
    Pair,
    canonical,
    either,
    field_change,
    fingerprint,
    joined,
    json_key,
    json_value,
    lines,
    mainstay_text,
    row_hash,
    salesforce_text,
)
from workbench.engine.compile_codes import partial_codes
from workbench.engine.plans import ExportPlan
from workbench.store.quoting import identifier


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


# On either side: the record itself, or the contact that carries its Id.
_CHANGED_SINCE = """
  AND (s."SystemModstamp" >= $since
       OR s."Id" IN (SELECT c.crm_id FROM store.mainstay.contact AS c WHERE c.last_modified_at >= $since))"""


def _outgoing_values(plan: ExportPlan) -> list[str]:
    return [canonical(pair.mainstay, salesforce_text(pair.salesforce)) for pair in plan.pairs]


def contact_values(plan: ExportPlan) -> list[str]:
    """The mapped values of a landed contact `c` as Mainstay stores them, in the plan's order."""
    return [canonical(pair.mainstay, mainstay_text(pair.mainstay)) for pair in plan.pairs]


def blank_counts(plan: ExportPlan) -> str:
    """One row: how many values of each pair are blank, first in Salesforce, then in Mainstay."""
    left = [f"count(*) - count(s.{identifier(pair.salesforce.name)})" for pair in plan.pairs]
    right = [f"count(*) - count(c.{identifier(pair.mainstay.path)})" for pair in plan.pairs]
    return f"""SELECT (SELECT [{", ".join(left)}] FROM store.salesforce.{identifier(plan.sobject)} AS s),
       (SELECT [{", ".join(right)}] FROM store.mainstay.contact AS c)"""


def split_pairs(plan: ExportPlan, blanks: tuple[list[int], list[int]], tolerance: int) -> tuple[list[Pair], list[Pair]]:
    """(dense, sparse): pairs that one hash may cover, and those compared one by one.

    A blank in Salesforce beside a value in Mainstay is no change, but it would make the whole row's hash differ;
    so pairs that are blank more often in Salesforce than in Mainstay keep a fingerprint of their own.
    """
    is_dense = [left <= right + tolerance for left, right in zip(*blanks, strict=True)]
    dense = [pair for pair, dense in zip(plan.pairs, is_dense, strict=True) if dense or plan.include_field_deletions]
    return dense, [pair for pair in plan.pairs if pair not in dense]


def _hashes(plan: ExportPlan, sparse: Sequence[Pair], values: Sequence[str]) -> str:
    by_pair = dict(zip(plan.pairs, values, strict=True))
    together = [value for pair, value in by_pair.items() if pair not in sparse]
    return lines([f"{row_hash(together)} AS row_hash", *(fingerprint(pair, by_pair[pair]) for pair in sparse)])


def outgoing(plan: ExportPlan, sparse: Sequence[Pair] = (), *, only: bool = False, since: bool = False) -> str:
    """work.outgoing: one row per Salesforce record in FIFO order: identity keys and hashes of the values.

    Narrow on purpose: a hash is eight bytes to compare, and only rows that differ are looked at value by value.
    Binds $only where `only` is set, $since where `since` is.
    """
    phone = plan.pair("phone")
    raw_phone = salesforce_text(phone.salesforce) if phone else "CAST(NULL AS VARCHAR)"
    names = [plan.pair(name) for name in ("first_name", "last_name")]
    has_names = " AND ".join(f"{salesforce_text(p.salesforce)} IS NOT NULL" if p else "false" for p in names)
    criteria = f"coalesce(s.{identifier(plan.criteria)}, false)" if plan.criteria else "true"
    where = ' AND s."Id" = $only' if only else ""
    where += _CHANGED_SINCE if since else ""
    return f"""SELECT row_number() OVER (ORDER BY s."SystemModstamp", s."Id") AS seq,
       s."Id" AS record_id,
       {criteria} AS is_eligible,
       {has_names} AS has_names,
       {raw_phone} IS NOT NULL AS has_phone,
       canon_phone({raw_phone}) AS phone_key,
       {_hashes(plan, sparse, _outgoing_values(plan))}
FROM store.salesforce.{identifier(plan.sobject)} AS s
WHERE NOT coalesce(s."IsDeleted", false){where}"""


def contact_now(plan: ExportPlan, sparse: Sequence[Pair] = ()) -> str:
    """work.contact_now: one row per contact: identity keys and hashes of the values."""
    return f"""SELECT c.id AS contact_id,
       nullif(c.crm_id, '') AS crm_id_key,
       coalesce(canon_phone(c.phone), nullif(c.phone, '')) AS phone_key,
       coalesce(canon_phone(c.previous_phone), nullif(c.previous_phone, '')) AS previous_phone_key,
       {_hashes(plan, sparse, contact_values(plan))}
FROM store.mainstay.contact AS c"""


def differing(sparse: Sequence[Pair] = ()) -> str:
    """work.differing: record_id of every update that may change a value; the payload decides by value."""
    unequal = ["o.row_hash IS DISTINCT FROM n.row_hash"]
    unequal += [
        f"(o.{pair.fingerprint} IS NOT NULL AND o.{pair.fingerprint} IS DISTINCT FROM n.{pair.fingerprint})"
        for pair in sparse
    ]
    return f"""SELECT v.record_id
FROM work.verdict_outgoing AS v
JOIN work.outgoing AS o ON o.record_id = v.record_id
JOIN work.contact_now AS n ON n.contact_id = v.contact_id
WHERE v.action = 'update'
  AND ({either(unequal)})"""


def payload(plan: ExportPlan) -> str:
    """work.payload: one row per work.sending row: request body, changed fields, partial codes.

    `is_full` rows send every filled value; the others what differs. Codes stand in the order of evaluation.
    """
    wanted = [f"{value} AS {pair.column}" for value, pair in zip(_outgoing_values(plan), plan.pairs, strict=True)]
    now = [f"{value} AS {pair.now}" for value, pair in zip(contact_values(plan), plan.pairs, strict=True)]
    changes = [f"{_changes(plan, pair)} AS {pair.changes}" for pair in plan.pairs]
    sends = [f"({pair.changes} OR (is_full AND {pair.column} IS NOT NULL)) AS {pair.sends}" for pair in plan.pairs]
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
)
SELECT record_id,
       {_body(plan)} AS body,
       {_fields(plan)} AS fields,
       {partial_codes(plan)} AS codes
FROM leaving"""


def _changes(plan: ExportPlan, pair: Pair) -> str:
    """Filled and different, or blank and cleared where the mapping includes field deletions."""
    differs = f"({pair.column} IS NOT NULL AND {pair.column} IS DISTINCT FROM {pair.now})"
    if not plan.include_field_deletions:
        return differs
    return f"({differs} OR (method = 'PUT' AND {pair.column} IS NULL AND {pair.now} IS NOT NULL))"


def _body(plan: ExportPlan) -> str:
    """The request as JSON: standard fields, then `custom`; a clear is the keyword UNSET."""
    standard = ["CASE WHEN sends_crm_id THEN '\"crm_id\":' || json_text(record_id) END"]
    custom: list[str] = []
    for pair in plan.pairs:
        value = json_value(pair.mainstay, pair.column)
        if plan.include_field_deletions:
            value = f"CASE WHEN {pair.column} IS NULL THEN '\"UNSET\"' ELSE {value} END"
        part = f"CASE WHEN {pair.sends} THEN {json_key(pair.mainstay.name)} || {value} END"
        (custom if pair.mainstay.is_custom else standard).append(part)
    if custom:
        standard.append("'\"custom\":{' || nullif(" + joined(custom) + ", '') || '}'")
    return "'{' || " + joined(standard) + " || '}'"


def _fields(plan: ExportPlan) -> str:
    """What changes, as a JSON list of {"field", "before", "after"} in Mainstay's names."""
    crm_id = field_change("crm_id", "crm_id_now", "record_id")
    parts = [f"CASE WHEN sends_crm_id THEN {crm_id} END"]
    parts += [
        f"CASE WHEN {pair.changes} THEN {field_change(pair.mainstay.path, pair.now, pair.column)} END"
        for pair in plan.pairs
    ]
    return "'[' || " + joined(parts) + " || ']'"


_STATUS_COLUMNS = ("messaging_status_sms", "messaging_status_web_bot", "preferred_name")


def required_columns(plan: ExportPlan) -> tuple[Sequence[str], Sequence[str]]:
    """The landed columns this plan reads: of the SObject, of mainstay.contact."""
    salesforce = ["Id", "SystemModstamp", "IsDeleted", *(p.salesforce.name for p in plan.pairs)]
    mainstay = [
        "id",
        "crm_id",
        "phone",
        "previous_phone",
        "last_modified_at",
        *_STATUS_COLUMNS,
        *(p.mainstay.path for p in plan.pairs),
    ]
    return [*salesforce, *([plan.criteria] if plan.criteria else [])], mainstay
