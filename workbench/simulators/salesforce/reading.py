"""Records of a request's body as typed changes, before any of them is judged.

Source: Salesforce wire reference, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.simulators.salesforce.field_values import json_value
from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.refusals import RecordRefused, Refusal
from workbench.simulators.salesforce.saving import Given
from workbench.simulators.salesforce.schema import Field, Schema, SObject
from workbench.simulators.salesforce.tables import Tables


def given_from_json(schema: Schema, sobject: SObject, record_id: str | None, body: Mapping[str, Any]) -> Given:
    """One JSON record; `attributes` and `Id` are the caller's business. Problems are kept in the result."""
    return given_from(schema, sobject, record_id, body, json_value)


def given_from(
    schema: Schema,
    sobject: SObject,
    record_id: str | None,
    body: Mapping[str, Any],
    typed: Callable[[Field, Any], Any],
) -> Given:
    """One record whose values `typed` reads; a parent may be told as {relationship: {its external id: value}}."""
    changes: dict[str, Any] = {}
    parents: list[tuple[Field, Field, Any]] = []
    try:
        for name, value in body.items():
            if name == "attributes" or name.lower() == "id":
                continue
            found = sobject.field(name)
            if found is not None:
                changes[found.name] = typed(found, value)
                continue
            parents.append(_parent(schema, sobject, name, value))
    except RecordRefused as refusal:
        return Given(sobject, record_id, refusals=refusal.refusals)
    return Given(sobject, record_id, changes, tuple(parents))


def _parent(schema: Schema, sobject: SObject, name: str, value: Any) -> tuple[Field, Field, Any]:
    reference = sobject.related(name)
    target = schema.target(reference) if reference else None
    keys = {key: told for key, told in value.items() if key != "attributes"} if isinstance(value, dict) else {}
    key = target.field(next(iter(keys))) if target is not None and len(keys) == 1 else None
    if reference is None or key is None or not key.is_upsert_key:
        message = f"No such column '{name}' on sobject of type {sobject.name}"
        raise RecordRefused([Refusal("INVALID_FIELD", message)])
    return reference, key, next(iter(keys.values()))


def upsert_given(
    schema: Schema,
    tables: Tables,
    sobject: SObject,
    key: Field,
    bodies: Sequence[Mapping[str, Any]],
    *,
    typed: Callable[[Field, Any], Any],
) -> list[Given]:
    """Records of an upsert: the key's owner is updated, nobody's value is created with it.

    With Id as the key, a record without one is created. A value told twice in one call is refused the second time.
    """
    told = [next((value for name, value in body.items() if name.lower() == key.name.lower()), None) for body in bodies]
    rests = [{name: value for name, value in body.items() if name.lower() != key.name.lower()} for body in bodies]
    if key.type == "id":
        return [_upsert_by_id(schema, sobject, value, rest, typed) for value, rest in zip(told, rests, strict=True)]
    owners: dict[Any, list[str]] = {}
    values = [_typed_key(key, value, typed) for value in told]
    for row in tables.where(sobject, key.name, [value for value in values if not isinstance(value, Refusal)]):
        if not row.get("IsDeleted"):
            owners.setdefault(_folded(row[key.name]), []).append(row["Id"])
    seen: set[Any] = set()
    given = []
    for value, rest in zip(values, rests, strict=True):
        refusal = value if isinstance(value, Refusal) else _key_problem(key, value, owners, seen)
        ids = owners.get(_folded(value), [])
        if refusal is not None:
            given.append(Given(sobject, None, refusals=(refusal,)))
        elif ids:
            given.append(given_from(schema, sobject, ids[0], rest, typed))
        else:
            given.append(given_from(schema, sobject, None, {**rest, key.name: value}, _typed_unless(key, typed)))
        seen.add(_folded(value))
    return given


def _typed_key(key: Field, value: Any, typed: Callable[[Field, Any], Any]) -> Any:
    """The key's value, or the Refusal that stands for it."""
    try:
        read = None if value in (None, "") else typed(key, value)
    except RecordRefused as refusal:
        return refusal.refusals[0]
    return Refusal("MISSING_ARGUMENT", f"{key.name} not specified") if read is None else read


def _key_problem(key: Field, value: Any, owners: Mapping[Any, list[str]], seen: set[Any]) -> Refusal | None:
    ids = owners.get(_folded(value), [])
    if len(ids) > 1:
        listed = ", ".join(sorted(ids))
        message = f"{key.name}: more than one record found for external id field: [{listed}]"
        return Refusal("DUPLICATE_EXTERNAL_ID", message, (key.name,))
    if _folded(value) in seen:
        return Refusal("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", (key.name,))
    return None


def _typed_unless(key: Field, typed: Callable[[Field, Any], Any]) -> Callable[[Field, Any], Any]:
    """The reader of values, which leaves the key's alone: it has been read already."""
    return lambda found, value: value if found is key else typed(found, value)


def _upsert_by_id(
    schema: Schema, sobject: SObject, value: Any, rest: Mapping[str, Any], typed: Callable[[Field, Any], Any]
) -> Given:
    if value in (None, ""):
        return given_from(schema, sobject, None, rest, typed)
    record_id = parsed_id(value)
    if record_id is None:
        return Given(sobject, None, refusals=(Refusal("MALFORMED_ID", f"malformed id {value}", ("Id",)),))
    return given_from(schema, sobject, record_id, rest, typed)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
