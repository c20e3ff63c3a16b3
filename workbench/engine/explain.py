"""Every step one record went through, in plain words, with the values that decided.

Reads one frozen change and the landed rows of that one record; decides nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.domain import rules
from workbench.domain.error_dictionary import ENTRIES, family
from workbench.domain.mapping import SObjectMapping
from workbench.errors import NotFound
from workbench.store.database import Store
from workbench.store.mappings import mapping_at
from workbench.store.quoting import identifier


@dataclass(frozen=True)
class Step:
    """One step: its name, what was found in one sentence, and the values that decided."""

    name: str
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """One record's way through a preview. `salesforce` and `mainstay` are the landed rows, blanks left out."""

    change_id: str
    preview_id: int
    direction: str
    action: str
    steps: list[Step]
    salesforce: dict[str, Any]
    mainstay: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def explain(store: Store, record: str, preview_id: int | None = None) -> Explanation:
    """Explain a record, named by Salesforce Id, Mainstay ID or change id, in a preview (default: its latest).

    Raises NotFound when no preview holds the record.
    """
    found = store.rows(
        "SELECT * FROM view.change WHERE (salesforce_id = $record OR mainstay_id = $record OR change_id = $record) "
        "AND ($preview_id IS NULL OR preview_id = $preview_id) ORDER BY preview_id DESC, seq LIMIT 1",
        {"record": record, "preview_id": preview_id},
    )
    if not found:
        raise NotFound(f"No preview holds {record}. Check the id, or run `workbench preview export` first.")
    change = found[0]
    about = store.rows("SELECT * FROM preview.preview WHERE preview_id = $id", {"id": change["preview_id"]})[0]
    mapping = mapping_at(store, about["mapping_revision"]).mapping.find(change["sobject"])
    source = _row(store, f"salesforce.{identifier(change['sobject'])}", '"Id"', change["salesforce_id"])
    contact = _row(store, "mainstay.contact", "id", change["mainstay_id"])
    steps = [_pulled(store, change), _criteria(mapping, change, source)]
    steps += _match(store, mapping, change, source, contact)
    steps += [
        *_three_way(store, change),
        _decision(change),
        *_order(store, change),
        _fields(change),
        *_requests(store, change),
    ]
    steps += [*_predictions(store, change), *_outcome(store, change)]
    return Explanation(
        change["change_id"], change["preview_id"], change["direction"], change["action"], steps, source, contact
    )


def _row(store: Store, table: str, key: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {}
    rows = store.rows(f"SELECT * FROM {table} WHERE {key} = $value LIMIT 1", {"value": value})
    return {name: found for name, found in (rows[0] if rows else {}).items() if found not in (None, "", [])}


def _pulled(store: Store, change: Mapping[str, Any]) -> Step:
    pins = store.rows(
        "SELECT pin.system, pin.object, pin.pull_id, p.finished_at FROM preview.pin AS pin "
        "LEFT JOIN journal.pull AS p ON p.pull_id = pin.pull_id AND p.system = pin.system AND p.object = pin.object "
        "WHERE pin.preview_id = $id",
        {"id": change["preview_id"]},
    )
    told = ", ".join(f"{p['system']} {p['object']} as of pull {p['pull_id']}" for p in pins)
    return Step("Pulled", f"Preview {change['preview_id']} ({change['direction']}) stands on {told}.", {"pulls": pins})


def _criteria(mapping: SObjectMapping, change: Mapping[str, Any], source: Mapping[str, Any]) -> Step:
    side = mapping.export if change["direction"] == "export" else mapping.import_
    if side is None or side.criteria is None:
        return Step("Record sync criteria", "The mapping names none: every record is eligible.")
    value = source.get(side.criteria)
    verdict = "may be synced" if value else "is left out"
    return Step("Record sync criteria", f"{side.criteria} is {value}: the record {verdict}.", {side.criteria: value})


def _match(
    store: Store,
    mapping: SObjectMapping,
    change: Mapping[str, Any],
    source: Mapping[str, Any],
    contact: Mapping[str, Any],
) -> list[Step]:
    if change["direction"] == "export":
        return _match_export(store, mapping, change, source)
    return [_match_import(mapping, change, contact)]


def _match_export(
    store: Store, mapping: SObjectMapping, change: Mapping[str, Any], source: Mapping[str, Any]
) -> list[Step]:
    linked = _row(store, "mainstay.contact", "crm_id", change["salesforce_id"])
    first = (
        f"Contact {linked['id']} carries CRM ID {change['salesforce_id']}."
        if linked
        else f"No contact carries CRM ID {change['salesforce_id']}."
    )
    steps = [Step("Match by CRM ID", first, {"contact": linked.get("id")})]
    path = (
        next((f.salesforce for f in mapping.export.fields if f.mainstay == "phone"), None) if mapping.export else None
    )
    if path is None:
        return [*steps, Step("Match by phone", "The phone is not mapped, so it matches nothing.")]
    raw = source.get(path)
    phone = rules.normal_phone(raw) if raw else None
    if phone is None:
        told = f"{path} is blank." if not raw else f"{path} is {raw!r}: not a phone Mainstay accepts."
        return [*steps, Step("Match by phone", told, {path: raw})]
    owner = _row(store, "mainstay.contact", "phone", phone)
    values = {path: raw, "normalised": phone, "holder": owner.get("id"), "holder_crm_id": owner.get("crm_id")}
    if not owner:
        return [*steps, Step("Match by phone", f"{path} {raw!r} is {phone}; no contact holds it.", values)]
    carries = f"carries CRM ID {owner['crm_id']}" if owner.get("crm_id") else "carries no CRM ID"
    told = f"{path} {raw!r} is {phone}; contact {owner['id']} holds it and {carries}."
    return [*steps, Step("Match by phone", told, values)]


def _match_import(mapping: SObjectMapping, change: Mapping[str, Any], contact: Mapping[str, Any]) -> Step:
    crm_id = contact.get("crm_id")
    if change["rule"] == "id":
        return Step("Match by CRM ID", f"The contact's CRM ID {crm_id} is a {change['sobject']} record.")
    matching = mapping.import_.matching_fields if mapping.import_ else ()
    values = {item.mainstay: contact.get(item.mainstay) for item in matching}
    blanks = [name for name, value in values.items() if not value]
    found = change["salesforce_id"]
    told = f"reaches record {found}" if found else "reaches no single free record"
    blank = f" Blank and therefore no match: {', '.join(blanks)}." if blanks else ""
    start = f"Its CRM ID {crm_id} is no pulled record. " if crm_id else "The contact carries no CRM ID. "
    return Step("Match by fields", f"{start}Matching on {', '.join(values)} {told}.{blank}", values)


def _three_way(store: Store, change: Mapping[str, Any]) -> list[Step]:
    """Fields that differ and were not simply changed by the sending side: both values, and the one both last had."""
    found = store.rows(
        "SELECT field, has_baseline, baseline, salesforce_value, mainstay_value, winner, reason FROM view.conflict "
        "WHERE preview_id = $preview AND change_id = $change ORDER BY field",
        {"preview": change["preview_id"], "change": change["change_id"]},
    )
    return [
        Step(
            "Three values",
            f"{item['field']}: Salesforce has {_said(item['salesforce_value'])}, "
            f"Mainstay {_said(item['mainstay_value'])}; "
            + (f"both last had {_said(item['baseline'])}. " if item["has_baseline"] else "")
            + f"{item['reason']}.",
            dict(item),
        )
        for item in found
    ]


def _said(value: str | None) -> str:
    return "nothing" if value is None else repr(value)


def _decision(change: Mapping[str, Any]) -> Step:
    guards = f" Guards: {', '.join(change['guards'])}." if change["guards"] else ""
    return Step("Decision", f"{change['action']}: {change['reason']}.{guards}", {"action": change["action"]})


def _order(store: Store, change: Mapping[str, Any]) -> list[Step]:
    if change["group_id"] is None:
        return []
    members = store.rows(
        "SELECT seq, salesforce_id, action FROM preview.change WHERE preview_id = $id AND group_id = $group "
        "ORDER BY seq LIMIT 50",
        {"id": change["preview_id"], "group": change["group_id"]},
    )
    before = sum(member["seq"] < change["seq"] for member in members)
    told = (
        f"{len(members)} records share a phone and are decided in order of their last change, then Id; "
        f"{before} come before this one."
    )
    return [Step("Sequence", told, {"group": members})]


def _fields(change: Mapping[str, Any]) -> Step:
    fields = json.loads(change["fields"] or "[]")
    if not fields:
        return Step("Fields", "No mapped value would change.")
    names = ", ".join(item["field"] for item in fields)
    return Step("Fields", f"{len(fields)} would change: {names}.", {"changes": fields})


def _requests(store: Store, change: Mapping[str, Any]) -> list[Step]:
    requests = store.rows(
        "SELECT system, method, path, body FROM preview.request WHERE change_id = $id ORDER BY ordinal",
        {"id": change["change_id"]},
    )
    if not requests:
        return [Step("Request", "Nothing is sent.")]
    return [
        Step("Request", f"{item['method']} {item['path']} to {item['system']}.", {"body": json.loads(item["body"])})
        for item in requests
    ]


def _predictions(store: Store, change: Mapping[str, Any]) -> list[Step]:
    if change["predicted_status"] is None:
        return []
    found = store.rows(
        "SELECT code, entry, failure, certainty FROM preview.prediction WHERE change_id = $id",
        {"id": change["change_id"]},
    )
    steps = [Step("Prediction", f"{change['predicted_status']}, {change['certainty']}.")]
    for item in found:
        entry = next((e for e in ENTRIES if e.number == item["entry"]), None)
        entry = entry or next((e for e in ENTRIES if e.code == family(item["code"])), None)
        told = f"{item['code']} ({item['failure']}, {item['certainty']})"
        told += f": {entry.meaning} Next: {entry.next_step}" if entry else ": the other system's own check."
        steps.append(Step("Expected code", told, dict(item)))
    return steps


def _outcome(store: Store, change: Mapping[str, Any]) -> list[Step]:
    found = store.rows(
        "SELECT result_number, status, codes FROM journal.outcome WHERE change_id = $id ORDER BY result_number",
        {"id": change["change_id"]},
    )
    return [
        Step(
            "What happened",
            f"SR-{item['result_number']:07d}: {item['status']}"
            + (f" with {', '.join(item['codes'])}." if item["codes"] else "."),
        )
        for item in found
    ]
