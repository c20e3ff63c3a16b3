"""From describe to the field catalogue, and lookup paths through several objects.

Source: Salesforce wire reference, section 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from workbench.domain.fields import SalesforceField
from workbench.errors import ConfigurationError, RemoteError

MAX_PARENTS: Final = 5
NAME_PATTERN: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,119}$")


@dataclass(frozen=True)
class SObject:
    """One object of the org. `fields` keep describe's order; `formulas` holds the text of formula fields by name."""

    name: str
    label: str
    is_queryable: bool
    is_createable: bool
    is_updateable: bool
    fields: tuple[SalesforceField, ...]
    formulas: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_name(self) -> dict[str, SalesforceField]:
        return {item.name.lower(): item for item in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, SalesforceField]:
        return {item.relationship_name.lower(): item for item in self.fields if item.relationship_name}

    def field(self, name: str) -> SalesforceField | None:
        """The field of this name, in any case, as the API ignores it too."""
        return self._by_name.get(name.lower())

    def reference(self, relationship: str) -> SalesforceField | None:
        """The reference field behind a relationship (`Account` gives AccountId)."""
        return self._by_relationship.get(relationship.lower())


@dataclass(frozen=True)
class ResolvedPath:
    """A field path with what stands on it: each step's object and reference field, then the field at its end.

    `field.name` is the whole path in the spelling of describe.
    """

    field: SalesforceField
    steps: tuple[tuple[str, SalesforceField, str], ...] = ()  # (object, its reference field, the parent object)


def read_describe(document: Mapping[str, Any]) -> SObject:
    """An SObject from the JSON of `sobjects/<name>/describe`. Raises RemoteError where it is none."""
    fields = document.get("fields")
    if not isinstance(document.get("name"), str) or not isinstance(fields, list):
        raise RemoteError("Salesforce described an object in a form that cannot be read. Try again, then ask support.")
    return SObject(
        name=document["name"],
        label=str(document.get("label") or document["name"]),
        is_queryable=bool(document.get("queryable", True)),
        is_createable=bool(document.get("createable", True)),
        is_updateable=bool(document.get("updateable", True)),
        fields=tuple(_field(item) for item in fields),
        formulas={item["name"]: item["calculatedFormula"] for item in fields if item.get("calculatedFormula")},
    )


def _field(item: Mapping[str, Any]) -> SalesforceField:
    return SalesforceField(
        name=item["name"],
        label=item.get("label") or item["name"],
        type=item.get("type") or "string",
        length=int(item.get("length") or 0),
        nillable=bool(item.get("nillable", True)),
        createable=bool(item.get("createable", False)),
        updateable=bool(item.get("updateable", False)),
        calculated=bool(item.get("calculated", False)),
        custom=bool(item.get("custom", False)),
        unique=bool(item.get("unique", False)),
        external_id=bool(item.get("externalId", False)),
        restricted_picklist=bool(item.get("restrictedPicklist", False)),
        picklist_values=_active_values(item.get("picklistValues")),
        reference_to=tuple(item.get("referenceTo") or ()),
        relationship_name=item.get("relationshipName") or None,
        defaulted_on_create=bool(item.get("defaultedOnCreate", False)),
        default_value=_default_value(item),
        precision=int(item.get("precision") or 0),
        scale=int(item.get("scale") or 0),
        blank_is_zero=bool(item.get("formulaTreatNullNumberAsZero", False)),
    )


def _default_value(item: Mapping[str, Any]) -> str | None:
    """A literal default as text, "" for none; None for a formula. A picklist may mark it on its values alone."""
    value = item.get("defaultValue")
    if value is None:
        marked = [one for one in item.get("picklistValues") or () if one.get("defaultValue")]
        return ";".join(_active_values(marked)) if not item.get("defaultValueFormula") else None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _active_values(values: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...]:
    return tuple(str(item["value"]) for item in values or () if item.get("active", True))


def resolve_path(path: str, sobject: str, describe: Callable[[str], SObject]) -> ResolvedPath:
    """Follow a field path from an object; `describe` is asked for each object on the way (let it remember).

    Raises ConfigurationError saying which part of the path does not exist, or why it cannot be followed.
    """
    *relationships, name = path.split(".")
    if len(relationships) > MAX_PARENTS:
        raise ConfigurationError(f"{path} goes through {len(relationships)} parents; Salesforce follows {MAX_PARENTS}.")
    here = describe(sobject)
    steps: list[tuple[str, SalesforceField, str]] = []
    for relationship in relationships:
        reference = here.reference(relationship)
        if reference is None:
            raise ConfigurationError(f"{path}: {here.name} has no relationship {relationship}.")
        parent = _parent_with(path, reference, describe, [*relationships, name][len(steps) + 1])
        steps.append((here.name, reference, parent.name))
        here = parent
    found = here.field(name)
    if found is None:
        raise ConfigurationError(f"{path}: {here.name} has no field {name}, or this user may not see it.")
    spelled = ".".join([*(reference.relationship_name or "" for _, reference, _ in steps), found.name])
    return ResolvedPath(replace(found, name=spelled), tuple(steps))


def _parent_with(path: str, reference: SalesforceField, describe: Callable[[str], SObject], wanted: str) -> SObject:
    """The parent object; of several (an owner is a user or a queue) the first that has what is wanted."""
    parents = [describe(name) for name in reference.reference_to]
    for parent in parents:
        if parent.field(wanted) is not None or parent.reference(wanted) is not None:
            return parent
    if not parents:
        raise ConfigurationError(f"{path}: {reference.name} refers to no object.")
    return parents[0]
