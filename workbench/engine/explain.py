"""Every step one record went through, in plain words, with the values that decided.

Tells what the preview kept of one change; decides nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from workbench.domain.error_dictionary import ENTRIES, OUTSIDE_MESSAGES, family
from workbench.domain.mapping import SObjectMapping
from workbench.domain.prediction_rules import RULES
from workbench.domain.salesforce_ids import as_stored
from workbench.domain.second_reader import why_no_email, why_no_phone
from workbench.engine.explain_match import (
    Step,
    export_match,
    import_match,
    landed_row,
    short_id_owner,
    since_then,
    write_full_id,
)
from workbench.errors import NotFound
from workbench.store.database import Store
from workbench.store.mappings import mapping_at
from workbench.store.previews import require_preview
from workbench.store.quoting import identifier

_MISMATCH: Final = "phone-match-found-but-crmId-mismatch"
_VERDICT: Final = {True: "may be synced", False: "is left out"}


@dataclass(frozen=True)
class Explanation:
    """One record's way through a preview. `salesforce` and `mainstay` are the rows as landed now, blanks left out.

    `sides`: one row per mapped pair with its value on either side now and the one that would be sent.
    """

    change_id: str
    preview_id: int
    direction: str
    action: str
    steps: list[Step]
    salesforce: dict[str, Any]
    mainstay: dict[str, Any]
    sides: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def explain(store: Store, record: str, preview_id: int | None = None) -> Explanation:
    """Explain a record in a preview (default: its latest).

    It is named by Salesforce Id (of 15 or 18 characters), Mainstay ID or change id.
    Raises NotFound when no preview, or not the named one, holds the record.
    """
    with store.reading():
        return _explained(store, record, preview_id)


def _explained(store: Store, record: str, preview_id: int | None) -> Explanation:
    # By the narrow table first: view.change reads the requests of whatever it is asked for.
    found = store.rows(
        "SELECT preview_id, change_id FROM preview.change "
        "WHERE (salesforce_id IN ($record, $stored) OR mainstay_id = $record OR change_id = $record) "
        "AND ($preview_id IS NULL OR preview_id = $preview_id) ORDER BY preview_id DESC, seq LIMIT 1",
        {"record": record, "stored": as_stored(record), "preview_id": preview_id},
    )
    if not found and preview_id is not None:
        require_preview(store, preview_id)
        raise NotFound(f"Preview {preview_id} does not hold {record}. Check the id, or leave the preview out.")
    if not found:
        raise NotFound(f"No preview holds {record}. Check the id, or run `workbench preview export` first.")
    change = store.rows(
        "SELECT * FROM view.change WHERE preview_id = $preview_id AND change_id = $change_id", found[0]
    )[0]
    about = store.rows("SELECT * FROM preview.preview WHERE preview_id = $id", {"id": change["preview_id"]})[0]
    mapping = mapping_at(store, about["mapping_revision"]).mapping.find(change["sobject"])
    source = landed_row(store, f"salesforce.{identifier(change['sobject'])}", "Id", change["salesforce_id"])
    contact = landed_row(store, "mainstay.contact", "id", change["mainstay_id"])
    pins = _pins(store, change)
    is_current = _is_current(store, pins)
    steps = [_pulled(change, pins), _criteria(mapping, change, source, is_current=is_current)]
    is_unlinked_export = change["direction"] == "export" and change["rule"] != "crm_id"
    short_owner = short_id_owner(store, change["salesforce_id"]) if is_unlinked_export and is_current else None
    if change["direction"] == "export":
        steps += export_match(store, mapping, change, source, is_current=is_current, short_owner=short_owner)
    else:
        steps += import_match(mapping, change, contact, is_current=is_current)
    if not is_current:
        steps.append(since_then(store, mapping, change, source, contact))
    steps += [
        *_three_way(store, change),
        _decision(change),
        *_order(store, change),
        _fields(change),
        *_requests(store, change),
    ]
    steps += [*_predictions(store, change, short_owner), *_outcome(store, change)]
    sides = _sides(mapping, change, source, contact)
    return Explanation(
        change["change_id"], change["preview_id"], change["direction"], change["action"], steps, source, contact, sides
    )


def _sides(
    mapping: SObjectMapping, change: Mapping[str, Any], source: Mapping[str, Any], contact: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Both sides of every mapped pair, in the mapping's order, and what would be sent."""
    side = mapping.export if change["direction"] == "export" else mapping.import_
    receiving = "mainstay" if change["direction"] == "export" else "salesforce"
    sent = {item["field"]: item["after"] for item in json.loads(change["fields"] or "[]")}
    return [
        {
            "salesforce_field": pair.salesforce,
            "salesforce": source.get(pair.salesforce),
            "mainstay_field": pair.mainstay,
            "mainstay": contact.get(pair.mainstay),
            "sent": sent.get(getattr(pair, receiving)),
        }
        for pair in (side.fields if side is not None else ())
    ]


def _pins(store: Store, change: Mapping[str, Any]) -> list[dict[str, Any]]:
    return store.rows(
        "SELECT pin.system, pin.object, pin.pull_id, p.finished_at FROM preview.pin AS pin "
        "LEFT JOIN journal.pull AS p ON p.pull_id = pin.pull_id AND p.system = pin.system AND p.object = pin.object "
        "WHERE pin.preview_id = $id",
        {"id": change["preview_id"]},
    )


def _pulled(change: Mapping[str, Any], pins: list[dict[str, Any]]) -> Step:
    told = ", ".join(f"{p['system']} {p['object']} as of pull {p['pull_id']}" for p in pins)
    return Step("Pulled", f"Preview {change['preview_id']} ({change['direction']}) stands on {told}.", {"pulls": pins})


def _is_current(store: Store, pins: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the landed rows are still those that the preview looked at."""
    found = store.rows(
        "SELECT system, object, max(pull_id) AS pull_id FROM journal.pull WHERE state = 'complete' GROUP BY ALL"
    )
    latest = {(row["system"], row["object"]): row["pull_id"] for row in found}
    return all(latest.get((pin["system"], pin["object"])) == pin["pull_id"] for pin in pins)


def _criteria(
    mapping: SObjectMapping, change: Mapping[str, Any], source: Mapping[str, Any], *, is_current: bool
) -> Step:
    name, side = "Record sync criteria", mapping.export if change["direction"] == "export" else mapping.import_
    if side is None or side.criteria is None:
        return Step(name, "The mapping names none: every record is eligible.")
    if change["direction"] == "import":
        is_met = not change["reason"].startswith("The record sync criteria")
        told = "is not false" if is_met else "would be false"
        return Step(name, f"{side.criteria} {told} after the change: the contact {_VERDICT[is_met]}.")
    is_met = change["action"] != "excluded"
    if not is_current:
        told = "was true" if is_met else "was not true"
        return Step(name, f"{side.criteria} {told}: the record {_VERDICT[is_met]}.")
    value = source.get(side.criteria)
    return Step(name, f"{side.criteria} is {value}: the record {_VERDICT[is_met]}.", {side.criteria: value})


def _three_way(store: Store, change: Mapping[str, Any]) -> list[Step]:
    """Fields that differ and were not simply changed by the sending side: both values, and the one both last had."""
    found = store.rows(
        "SELECT field, salesforce_field, has_baseline, baseline, salesforce_value, mainstay_value, winner, reason "
        "FROM view.conflict "
        "WHERE preview_id = $preview AND change_id = $change ORDER BY field",
        {"preview": change["preview_id"], "change": change["change_id"]},
    )
    return [
        Step(
            "Three values",
            f"{item['field']}: Salesforce has {_said(item['salesforce_value'])}, "
            f"Mainstay {_said(item['mainstay_value'])}"
            + (f"; both last had {_said(item['baseline'])}" if item["has_baseline"] else "")
            + f". {item['reason']}."
            + (" A blank is not sent: it stays as it is." if _is_unsent_blank(change, item) else ""),
            dict(item),
        )
        for item in found
    ]


def _is_unsent_blank(change: Mapping[str, Any], field: Mapping[str, Any]) -> bool:
    """Whether the sending side's blank counts, but the mapping clears no fields."""
    sender, receiving = ("salesforce", "field") if change["direction"] == "export" else ("mainstay", "salesforce_field")
    is_blank = field[f"{sender}_value"] is None and field["winner"] == sender
    return is_blank and field[receiving] not in (change["field_names"] or ())


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
    (counted,) = store.rows(
        "SELECT count(*) AS records, count(*) FILTER (seq < $seq) AS before FROM preview.change "
        "WHERE preview_id = $id AND group_id = $group",
        {"id": change["preview_id"], "group": change["group_id"], "seq": change["seq"]},
    )
    told = (
        f"{counted['records']} records share a phone and are decided in order of their last change, then Id; "
        f"{counted['before']} come before this one."
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


def _predictions(store: Store, change: Mapping[str, Any], short_owner: str | None) -> list[Step]:
    if change["predicted_status"] is None:
        return []
    found = store.rows(
        "SELECT code, entry, failure, certainty, rules_version FROM preview.prediction WHERE change_id = $id",
        {"id": change["change_id"]},
    )
    steps = [Step("Prediction", f"{change['predicted_status']}, {change['certainty']}.")]
    for item in found:
        told = f"{item['code']} ({item['failure']}, {item['certainty']})"
        is_short = short_owner is not None and change["mainstay_id"] == short_owner and item["code"] == _MISMATCH
        meaning = _short_id(change["salesforce_id"]) if is_short else _meaning(item["code"], item["entry"])
        told += f"{meaning}{_rule(item['code'])}{_why(item['code'], change)}"
        steps.append(Step("Expected code", told, dict(item)))
    return steps


def _meaning(code: str, number: int | None) -> str:
    entry = next((e for e in ENTRIES if e.number == number), None)
    entry = entry or next((e for e in ENTRIES if e.code == family(code)), None)
    if entry is not None:
        return f": {entry.meaning} Next: {entry.next_step}"
    return f": {OUTSIDE_MESSAGES[code]}" if code in OUTSIDE_MESSAGES else "."


def _short_id(record_id: str) -> str:
    return (
        ": The contact carries the record's Id in its 15-character form, which counts as another CRM ID. "
        f"Next: {write_full_id(record_id)}"
    )


def _rule(code: str) -> str:
    """What the prediction hangs on, from the one table of rules."""
    rule = next((rule for rule in RULES if rule.code == family(code)), None)
    return "" if rule is None else f" Its rule looks at {rule.hangs_on}."


def _why(code: str, change: Mapping[str, Any]) -> str:
    """What is wrong with a refused phone or address."""
    values = {item["field"]: item["after"] for item in json.loads(change["fields"] or "[]")}
    readers = {"invalid-phone": ("phone", why_no_phone), "invalid-email": ("email", why_no_email)}
    if code not in readers:
        return ""
    field, reader = readers[code]
    why = reader(values[field]) if values.get(field) else None
    return f" {values[field]!r}: {why}" if why else ""


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
