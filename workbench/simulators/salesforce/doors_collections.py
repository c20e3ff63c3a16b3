"""Up to 200 records in one call, each with its own result, in the order of the request.

Source: Salesforce wire reference, section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from workbench.simulators.salesforce.doors_objects import named_object
from workbench.simulators.salesforce.field_values import json_value
from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.reading import given_from_json, upsert_given
from workbench.simulators.salesforce.refusals import Refusal, refused
from workbench.simulators.salesforce.saving import ROLLED_BACK, Given, Saved
from workbench.simulators.salesforce.schema import SObject
from workbench.simulators.salesforce.wire import Call, Reply, is_true

RECORD_LIMIT: Final = 200
_RETRIEVE_LIMIT: Final = 2000
_CHUNK_LIMIT: Final = 10


def create_many(org: SalesforceOrg, call: Call) -> Reply:
    return _write(
        org, call, lambda sobject, records: [given_from_json(org.schema, sobject, None, record) for record in records]
    )


def update_many(org: SalesforceOrg, call: Call) -> Reply:
    return _write(org, call, lambda sobject, records: [_update_of(org, sobject, record) for record in records])


def upsert_many(org: SalesforceOrg, call: Call) -> Reply:
    """PATCH composite/sobjects/Contact/<key field>; with Id as the key field, null creates."""
    sobject = named_object(org, call.parts["object"])
    key = sobject.field(call.parts["key"])
    if key is None or not key.is_upsert_key:
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['key']}"
        raise refused(404, "NOT_FOUND", message)

    def read(_: SObject, records: list[dict[str, Any]]) -> list[Given]:
        return upsert_given(org.schema, org.tables, sobject, key, records, typed=json_value)

    return _write(org, call, read, only=sobject, has_created=True)


def delete_many(org: SalesforceOrg, call: Call) -> Reply:
    ids = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    _check_count(ids, RECORD_LIMIT)
    chunks = [(org.schema.by_prefix(prefix), list(part)) for prefix, part in groupby(ids, key=lambda text: text[:3])]

    def delete_chunk(index: int, all_or_none: bool) -> list[Saved]:
        sobject, part = chunks[index]
        if sobject is None:
            refusal = Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            return [Saved(text, refusals=(refusal,)) for text in part]
        return org.delete(sobject, [parsed_id(text) or text for text in part], all_or_none=all_or_none)

    saved = _in_chunks(org, len(chunks), delete_chunk, all_or_none=is_true(call.query.get("allOrNone")))
    return _answer(saved)


def retrieve_many(org: SalesforceOrg, call: Call) -> Reply:
    """POST {ids, fields} or GET ?ids=&fields=: null for a missing record."""
    sobject = named_object(org, call.parts["object"])
    if call.method == "POST":
        body = call.json_object()
        ids, names = list(body.get("ids") or []), list(body.get("fields") or [])
    else:
        ids, names = (call.query.get(key, "").split(",") for key in ("ids", "fields"))
    _check_count(ids, _RETRIEVE_LIMIT)
    known = [parsed_id(text) for text in ids]
    for text, record_id in zip(ids, known, strict=True):
        if record_id is None:
            raise refused(400, "MALFORMED_ID", f"malformed id {text}")
    selected = names if any(name.lower() == "id" for name in names) else [*names, "Id"]
    listed = ", ".join(f"'{record_id}'" for record_id in known)
    result = org.query(f"SELECT {', '.join(selected)} FROM {sobject.name} WHERE Id IN ({listed})")
    found = {record["Id"]: record for record in result.records(call.data_path)}
    return Reply(200, [found.get(record_id or "") for record_id in known])


def _write(
    org: SalesforceOrg,
    call: Call,
    read: Callable[[SObject, list[dict[str, Any]]], list[Given]],
    *,
    only: SObject | None = None,
    has_created: bool = False,
) -> Reply:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise refused(400, "JSON_PARSER_ERROR", "The request needs a list of records at [line:1, column:1]")
    _check_count(records, RECORD_LIMIT)
    typed = [(_type_of(org, record), record) for record in records]
    if only is not None and any(sobject is not only for sobject, _ in typed):
        raise refused(400, "INVALID_TYPE", f"every record's type must be {only.name}")
    chunks = [(name, [record for _, record in part]) for name, part in groupby(typed, key=lambda pair: pair[0].name)]

    def save_chunk(index: int, all_or_none: bool) -> list[Saved]:
        name, part = chunks[index]
        given = read(org.schema[name], part)
        return org.save(given, all_or_none=all_or_none, allows_duplicates=call.allows_duplicates)

    saved = _in_chunks(org, len(chunks), save_chunk, all_or_none=body.get("allOrNone") is True)
    return _answer(saved, has_created=has_created)


def _type_of(org: SalesforceOrg, record: dict[str, Any]) -> SObject:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise refused(400, "INVALID_INPUT", "Include a type attribute in each record")
    found = org.schema.get(name)
    if found is None:
        raise refused(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return found


def _update_of(org: SalesforceOrg, sobject: SObject, record: dict[str, Any]) -> Given:
    text = next((value for name, value in record.items() if name.lower() == "id"), None)
    if text is None:
        refusal = Refusal("MISSING_ARGUMENT", "Id not specified in an update call")
        return Given(sobject, None, refusals=(refusal,))
    record_id = parsed_id(text)
    if record_id is None:
        return Given(sobject, None, refusals=(Refusal("MALFORMED_ID", f"malformed id {text}", ("Id",)),))
    return given_from_json(org.schema, sobject, record_id, record)


def _in_chunks(
    org: SalesforceOrg, count: int, run: Callable[[int, bool], list[Saved]], *, all_or_none: bool
) -> list[Saved]:
    """Run the chunks (runs of one type) in order; with `all_or_none` a refused chunk takes the earlier ones back."""
    if count > _CHUNK_LIMIT:
        message = f"Cannot have more than {_CHUNK_LIMIT} chunks in a single operation. Please rearrange the data."
        raise refused(400, "TOO_MANY_CHUNKS", message)
    with org.undoable() as undo:
        parts = [run(index, all_or_none) for index in range(count)]
        flat = [saved for part in parts for saved in part]
        if all_or_none and not all(saved.is_success for saved in flat):
            undo()
            flat = [Saved(None, refusals=(ROLLED_BACK,)) if saved.is_success else saved for saved in flat]
    return flat


def _answer(saved: Sequence[Saved], *, has_created: bool = False) -> Reply:
    results = []
    for outcome in saved:
        if outcome.is_success:
            result: dict[str, Any] = {"id": outcome.record_id, "success": True, "errors": []}
            results.append({**result, "created": outcome.is_created} if has_created else result)
        else:
            results.append({"success": False, "errors": [refusal.of_record() for refusal in outcome.refusals]})
    ids = tuple(outcome.record_id if outcome.is_success else None for outcome in saved)
    return Reply(200, results, record_ids=ids)


def _check_count(records: Sequence[Any], limit: int) -> None:
    if len(records) > limit:
        message = f"record limit reached. cannot submit more than {limit} records into this call"
        raise refused(400, "EXCEEDED_ID_LIMIT", message)
