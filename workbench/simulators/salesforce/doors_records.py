"""Single records: create, read, update, upsert, delete, and which changed in a window of time.

Source: Salesforce wire reference, sections 7 and 11.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workbench.simulators.salesforce.doors_objects import named_object
from workbench.simulators.salesforce.field_values import json_value
from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.reading import given_from_json
from workbench.simulators.salesforce.refusals import RecordRefused, RequestRefused, not_found, refused
from workbench.simulators.salesforce.saving import Saved
from workbench.simulators.salesforce.schema import Field, SObject
from workbench.simulators.salesforce.wire import Call, Reply

_UPDATED_WINDOW: Final = timedelta(days=30)
_DELETED_WINDOW: Final = timedelta(days=15)
_ID_LIMIT: Final = 600_000


def create(org: SalesforceOrg, call: Call) -> Reply:
    sobject = named_object(org, call.parts["object"])
    if not sobject.info["createable"]:
        raise refused(405, "METHOD_NOT_ALLOWED", f"{sobject.name} records cannot be created here")
    given = given_from_json(org.schema, sobject, None, _body_without_id(call))
    [saved] = org.save([given], allows_duplicates=call.allows_duplicates)
    _raise_refusals(saved)
    return Reply(201, {"id": saved.record_id, "success": True, "errors": []}, record_ids=(saved.record_id,))


def update(org: SalesforceOrg, call: Call) -> Reply:
    sobject, record_id = _addressed(org, call)
    given = given_from_json(org.schema, sobject, record_id, _body_without_id(call))
    [saved] = org.save([given], allows_duplicates=call.allows_duplicates)
    _raise_refusals(saved)
    return Reply(204, record_ids=(record_id,))


def delete(org: SalesforceOrg, call: Call) -> Reply:
    sobject, record_id = _addressed(org, call)
    [saved] = org.delete(sobject, [record_id])
    _raise_refusals(saved)
    return Reply(204, record_ids=(record_id,))


def read(org: SalesforceOrg, call: Call) -> Reply:
    """One record, all its fields or those of `?fields=`."""
    sobject, record_id = _addressed(org, call)
    return _one(org, call, sobject, record_id)


def read_by_key(org: SalesforceOrg, call: Call) -> Reply:
    sobject, key, value = _keyed(org, call)
    ids = owners_of_key(org, sobject, key, value)
    if not ids:
        raise not_found()
    if len(ids) > 1:
        return _several(call, sobject, ids)
    return _one(org, call, sobject, ids[0])


def upsert(org: SalesforceOrg, call: Call) -> Reply:
    """PATCH sobjects/Contact/<key field>/<value>: 201 created, 200 updated, 300 where several records match."""
    sobject, key, value = _keyed(org, call)
    body = _body_without_id(call)
    if any(name.lower() == key.name.lower() for name in body):
        message = f"The {key.name} field should not be specified in the sobject data."
        raise refused(400, "INVALID_FIELD", message)
    with org.lock:
        ids = owners_of_key(org, sobject, key, value)
        if len(ids) > 1:
            return _several(call, sobject, ids)
        if not ids and call.query.get("updateOnly", "").lower() == "true":
            raise not_found()
        record_id = ids[0] if ids else None
        given = given_from_json(org.schema, sobject, record_id, {**body, **({} if ids else {key.name: value})})
        [saved] = org.save([given], allows_duplicates=call.allows_duplicates)
    _raise_refusals(saved)
    answer: dict[str, Any] = {"id": saved.record_id, "success": True, "errors": [], "created": saved.is_created}
    if float(call.version) < 46 and not saved.is_created:
        return Reply(204, record_ids=(saved.record_id,))
    return Reply(201 if saved.is_created else 200, answer, record_ids=(saved.record_id,))


def delete_by_key(org: SalesforceOrg, call: Call) -> Reply:
    sobject, key, value = _keyed(org, call)
    ids = owners_of_key(org, sobject, key, value)
    if len(ids) != 1:
        return _several(call, sobject, ids) if ids else _missing()
    [saved] = org.delete(sobject, ids)
    _raise_refusals(saved)
    return Reply(204, record_ids=(ids[0],))


def _missing() -> Reply:
    raise not_found()


def owners_of_key(org: SalesforceOrg, sobject: SObject, key: Field, value: Any) -> list[str]:
    """Ids of the living records whose key field has the value."""
    if key.type == "id":
        value = parsed_id(value)
    typed = None if value is None else json_value(key, value)
    if typed is None:
        return []
    with org.lock:
        rows = org.tables.where(sobject, key.name, [typed])
    return sorted(row["Id"] for row in rows if not row.get("IsDeleted"))


def _keyed(org: SalesforceOrg, call: Call) -> tuple[SObject, Field, str]:
    sobject = named_object(org, call.parts["object"])
    key = sobject.field(call.parts["key"])
    if key is None or not key.is_upsert_key:
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['key']}"
        raise refused(404, "NOT_FOUND", message)
    return sobject, key, call.parts["value"]


def _several(call: Call, sobject: SObject, ids: list[str]) -> Reply:
    return Reply(300, [f"{call.data_path}/sobjects/{sobject.name}/{record_id}" for record_id in ids])


def _addressed(org: SalesforceOrg, call: Call) -> tuple[SObject, str]:
    """The record a path names; a 15-character id will do."""
    sobject = named_object(org, call.parts["object"])
    record_id = parsed_id(call.parts["id"])
    if record_id is None:
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['id']}"
        raise refused(404, "NOT_FOUND", message)
    with org.lock:
        row = org.tables.rows(sobject, [record_id]).get(record_id)
    if row is None:
        raise not_found()
    if row.get("IsDeleted"):
        raise refused(404, "ENTITY_IS_DELETED", "entity is deleted")
    return sobject, record_id


def _one(org: SalesforceOrg, call: Call, sobject: SObject, record_id: str) -> Reply:
    asked = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    names = asked or [field.name for field in sobject.visible]
    names += [] if any(name.lower() == "id" for name in names) else ["Id"]
    result = org.query(f"SELECT {', '.join(names)} FROM {sobject.name} WHERE Id = '{record_id}'")
    return Reply(200, result.records(call.data_path)[0])


def _body_without_id(call: Call) -> dict[str, Any]:
    body = call.json_object()
    if any(name.lower() == "id" for name in body):
        raise refused(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    return body


def _raise_refusals(saved: Saved) -> None:
    if not saved.is_success:
        raise RecordRefused(saved.refusals, saved.status)


def updated(org: SalesforceOrg, call: Call) -> Reply:
    """GET sobjects/Contact/updated?start=&end=: the ids saved in a window of at most 30 days."""
    sobject, start, end = _window(org, call, _UPDATED_WINDOW)
    rows = _stamped(org, sobject, start, end, is_deleted=False)
    return Reply(200, {"ids": [record_id for record_id, _ in rows], "latestDateCovered": _wire_moment(end)})


def deleted(org: SalesforceOrg, call: Call) -> Reply:
    """GET sobjects/Contact/deleted?start=&end=: the ids deleted in the last 15 days."""
    sobject, start, end = _window(org, call, _DELETED_WINDOW)
    rows = _stamped(org, sobject, start, end, is_deleted=True)
    return Reply(
        200,
        {
            "deletedRecords": [{"id": record_id, "deletedDate": _wire_moment(moment)} for record_id, moment in rows],
            "earliestDateAvailable": _wire_moment(org.now() - _DELETED_WINDOW),
            "latestDateCovered": _wire_moment(end),
        },
    )


def _window(org: SalesforceOrg, call: Call, longest: timedelta) -> tuple[SObject, datetime, datetime]:
    sobject = named_object(org, call.parts["object"])
    start, end = (_asked_moment(call, name) for name in ("start", "end"))
    if start >= end or end - start > timedelta(days=30):
        raise refused(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate, at most 30 days apart")
    if start < org.now() - longest - timedelta(days=1):
        message = f"startDate before org replication enabled date or more than {longest.days} days ago"
        raise refused(400, "INVALID_REPLICATION_DATE", message)
    return sobject, start, end


def _asked_moment(call: Call, name: str) -> datetime:
    text = call.query.get(name, "")
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise refused(400, "MALFORMED_QUERY", f"{name} is no dateTime with a time zone: {text}") from None
    if moment.tzinfo is None:
        raise refused(400, "MALFORMED_QUERY", f"{name} is no dateTime with a time zone: {text}")
    return moment.astimezone(UTC).replace(tzinfo=None)


def _stamped(
    org: SalesforceOrg, sobject: SObject, start: datetime, end: datetime, *, is_deleted: bool
) -> list[tuple[str, datetime]]:
    sql = f"""SELECT "Id", "SystemModstamp" FROM "{sobject.name}"
              WHERE "IsDeleted" = $is_deleted AND "SystemModstamp" >= $start AND "SystemModstamp" < $end
              ORDER BY "SystemModstamp", "Id" """
    if "isdeleted" not in sobject.by_name:
        return []
    with org.lock:
        rows = org.tables.frame(sql, {"is_deleted": is_deleted, "start": start, "end": end}).rows()
    if len(rows) > _ID_LIMIT:
        raise RequestRefused(400, *refused(400, "EXCEEDED_ID_LIMIT", "exceeded id limit").refusals)
    return [(str(record_id), moment) for record_id, moment in rows]


def _wire_moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
