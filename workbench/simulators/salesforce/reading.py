"""Records of a request's body as typed changes, before any of them is judged.

Source: Salesforce wire reference, sections 4 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.simulators.salesforce.field_values import json_value
from workbench.simulators.salesforce.refusals import RecordRefused, Refusal
from workbench.simulators.salesforce.saving import Given
from workbench.simulators.salesforce.schema import Field, Schema, SObject


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
