"""How a preview found a record's counterpart, in words: from what the preview kept.

Landed rows only fill in details while they are still those that the preview looked at; after another pull they are told
apart, as what stands there now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from workbench.domain import rules
from workbench.domain.mapping import SObjectMapping
from workbench.store.database import Store
from workbench.store.landing import KEPT_PREFIX
from workbench.store.quoting import identifier

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step: its name, what was found in one sentence, and the values that decided."""

    name: str
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)


def landed_row(store: Store, table: str, key: str, value: str | None) -> dict[str, Any]:
    """The landed row with this value, blanks and what is kept beside it left out; empty where there is none."""
    if value is None:
        return {}
    rows = store.rows(f"SELECT * FROM {table} WHERE {identifier(key)} = $value LIMIT 1", {"value": value})
    row = rows[0] if rows else {}
    return {
        name: found for name, found in row.items() if found not in (None, "", []) and not name.startswith(KEPT_PREFIX)
    }


def short_id_owner(store: Store, record_id: str | None) -> str | None:
    """The landed contact that carries an Id of 18 characters in its form of 15, which matches nothing."""
    if record_id is None or len(record_id) != 18:
        return None
    found: str | None = landed_row(store, "mainstay.contact", "crm_id", record_id[:15]).get("id")
    return found


def write_full_id(record_id: str) -> str:
    return f"Write the 18-character Id {record_id} into the contact's CRM ID in Mainstay, then pull and preview again."


def export_match(
    store: Store, mapping: SObjectMapping, change: Row, source: Row, *, is_current: bool, short_owner: str | None
) -> list[Step]:
    """CRM ID, then phone. `source` is the landed record, `is_current` whether the preview saw it so.

    `short_owner`: who carries the record's Id in its 15-character form.
    """
    is_linked = change["rule"] == "crm_id"
    who = f"Contact {change['mainstay_id']}" if is_linked else "No contact"
    told = f"{who} carried CRM ID {change['salesforce_id']}."
    values = {"contact": change["mainstay_id"] if is_linked else None}
    if short_owner is not None:
        told += f" Contact {short_owner} carries it in its 15-character form, which counts as another CRM ID."
        told += f" {write_full_id(change['salesforce_id'])}"
        values["short_id_contact"] = short_owner
    first = Step("Match by CRM ID", told, values)
    path = _phone_path(mapping)
    if path is None:
        return [first, Step("Match by phone", "The phone is not mapped, so it matches nothing.")]
    if is_current:
        return [first, _phone_as_landed(store, change, path, source.get(path), short_owner)]
    phone = _kept_phone(store, change)
    start = f"{path} was {phone}" if phone else f"{path} was"
    if is_linked:
        return [first, Step("Match by phone", "The CRM ID decided before any phone.")]
    if change["rule"] == "none" and phone is None:
        return [first, Step("Match by phone", "No contact was found by phone.")]
    return [first, Step("Match by phone", f"{start}{',' if phone else ''} held by {_holder(change)}.", {path: phone})]


def _phone_as_landed(store: Store, change: Row, path: str, raw: Any, short_owner: str | None) -> Step:
    if raw is None:
        return Step("Match by phone", f"{path} is blank.", {path: None})
    if raw == rules.UNSET:
        return Step("Match by phone", f"{path} is the word {raw}, which counts as blank.", {path: raw})
    text = _as_text(raw)
    phone = rules.normal_phone(text)
    if phone is None:
        return Step("Match by phone", f"{path} is {text!r}: not a phone Mainstay accepts.", {path: raw})
    values = {path: raw, "normalised": phone}
    if change["rule"] == "crm_id":
        owner = landed_row(store, "mainstay.contact", "phone", phone).get("id")
        holder = "no contact" if owner is None else f"contact {owner}"
        holder = "that contact itself" if owner == change["mainstay_id"] else holder
    else:
        holder = _holder(change, short_owner)
    return Step("Match by phone", f"{path} {text!r} is {phone}, held by {holder}.", values)


def _holder(change: Row, short_owner: str | None = None) -> str:
    """Who held the phone when the record's turn came."""
    if change["rule"] == "none":
        return "no contact"
    if change["action"] == "conflict" and "as its CRM ID" not in change["reason"]:
        return f"several contacts, {change['mainstay_id']} among them"
    if change["mainstay_id"] is None:
        who = "the contact that an earlier record of this preview makes"
    else:
        who = f"contact {change['mainstay_id']}"
    if _is_taken(change):
        return f"{who}, and a record of an object mapped before this one takes or gives up that phone"
    if change["action"] == "blocked" and short_owner is not None and change["mainstay_id"] == short_owner:
        return f"{who}, which carried the record's Id in its 15-character form"
    carried = {"link": ", which carried no CRM ID", "blocked": ", which carried another CRM ID"}
    return who + carried.get(change["action"], "")


def _is_taken(change: Row) -> bool:
    """Whether another object of the preview, and no CRM ID, is what blocks the record."""
    return change["action"] == "blocked" and str(change["reason"]).startswith("A record of an object mapped before")


def _kept_phone(store: Store, change: Row) -> str | None:
    """The phone that the preview sends or asks for, where it kept it."""
    fields = {item["field"]: item["after"] for item in json.loads(change["fields"] or "[]")}
    if change["rule"] != "phone":
        return fields.get("phone")
    found = store.rows(
        "SELECT path FROM preview.request WHERE change_id = $id AND ordinal = 1", {"id": change["change_id"]}
    )
    return unquote(found[0]["path"].split("/")[1]) if found else None


def import_match(mapping: SObjectMapping, change: Row, contact: Row, *, is_current: bool) -> list[Step]:
    """CRM ID, then the matching fields. `contact` is the landed contact."""
    found = change["salesforce_id"]
    if change["rule"] == "id":
        return [Step("Match by CRM ID", f"The contact's CRM ID {found} was a {change['sobject']} record.")]
    values = _matching_values(mapping, contact) if is_current else {}
    names = ", ".join(item.mainstay for item in mapping.import_.matching_fields) if mapping.import_ else ""
    crm_id = contact.get("crm_id") if is_current else None
    if crm_id:
        start = f"Its CRM ID {crm_id} is no pulled {change['sobject']} record, and no other field is asked."
        return [Step("Match by fields", start, {"crm_id": crm_id})]
    blanks = [name for name, value in values.items() if not value]
    told = f"reached record {found}" if found else "gave no single record to write to"
    blank = f" Blank and therefore no match: {', '.join(blanks)}." if blanks else ""
    start = "The contact carried no CRM ID. " if is_current else ""
    return [Step("Match by fields", f"{start}Matching on {names} {told}.{blank}", values)]


def since_then(store: Store, mapping: SObjectMapping, change: Row, source: Row, contact: Row) -> Step:
    """What a later pull brought in place of the values that the preview looked at."""
    now = _export_now(store, mapping, change, source) if change["direction"] == "export" else []
    if change["direction"] == "import":
        values = {"crm_id": contact.get("crm_id"), **_matching_values(mapping, contact)}
        told = [f"{'CRM ID' if name == 'crm_id' else name} {_said(value)}" for name, value in values.items()]
        now = [", ".join(told)] if contact else [f"contact {change['mainstay_id']} is gone"]
    return Step("Since then", f"Pulled again since this preview; what stands there now: {'; '.join(now)}.")


def _export_now(store: Store, mapping: SObjectMapping, change: Row, source: Row) -> list[str]:
    record = change["salesforce_id"]
    if not source:
        return [f"record {record} is gone"]
    criteria = mapping.export.criteria if mapping.export else None
    told = [f"{criteria} is {source.get(criteria)}"] if criteria else []
    linked = landed_row(store, "mainstay.contact", "crm_id", record).get("id")
    told.append(f"contact {linked} carries CRM ID {record}" if linked else f"no contact carries CRM ID {record}")
    short_owner = None if linked else short_id_owner(store, record)
    if short_owner is not None:
        told.append(f"contact {short_owner} carries it in its 15-character form")
    path = _phone_path(mapping)
    raw = source.get(path) if path else None
    phone = rules.normal_phone(_as_text(raw)) if raw is not None else None
    if phone is not None:
        owner = landed_row(store, "mainstay.contact", "phone", phone).get("id")
        told.append(f"contact {owner} holds {phone}" if owner else f"no contact holds {phone}")
    return told


def _phone_path(mapping: SObjectMapping) -> str | None:
    pairs = mapping.export.fields if mapping.export else ()
    return next((pair.salesforce for pair in pairs if pair.mainstay == "phone"), None)


def _matching_values(mapping: SObjectMapping, contact: Row) -> dict[str, Any]:
    matching = mapping.import_.matching_fields if mapping.import_ else ()
    return {item.mainstay: contact.get(item.mainstay) for item in matching}


def _as_text(value: Any) -> str:
    """A phone as it is read: one from a number field without a point."""
    return rules.number_text(value) if isinstance(value, int | float) else str(value)


def _said(value: Any) -> str:
    return "blank" if value is None else repr(value)
