"""The fields of both systems as the latest pull found them, with lookup paths resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workbench.domain.fields import STANDARD_FIELDS, MainstayField, SalesforceField, field_from_row
from workbench.domain.formula import criteria_inputs
from workbench.domain.mapping import Mapping as MappingDocument
from workbench.domain.mapping import SObjectMapping, salesforce_paths
from workbench.domain.mapping_check import Catalogues

SObjectFields = Mapping[str, Mapping[str, SalesforceField]]


def resolve_path(sobject: str, path: str, known: SObjectFields) -> SalesforceField | None:
    """The field that a path of any depth reaches (`Account.Parent.Name`), named by the path; None where it breaks.

    `known` maps SObject -> field name -> field. A custom lookup `Foo__c` is walked as `Foo__r`.
    """
    *steps, last = path.split(".")
    here = sobject
    for step in steps:
        through = next((f for f in known.get(here, {}).values() if f.relationship_name == step), None)
        if through is None or not through.reference_to:
            return None
        here = next((name for name in through.reference_to if name in known), through.reference_to[0])
    found = known.get(here, {}).get(last)
    return replace(found, name=path) if found is not None else None


def salesforce_fields(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, SalesforceField]]:
    """SObject -> field name -> field, from rows of salesforce.field."""
    known: dict[str, dict[str, SalesforceField]] = {}
    for row in rows:
        known.setdefault(row["sobject"], {})[row["name"]] = SalesforceField(
            name=row["name"],
            label=row["label"] or "",
            type=row["type"],
            length=row["length"] or 0,
            nillable=row["nillable"],
            createable=row["createable"],
            updateable=row["updateable"],
            calculated=row["calculated"],
            custom=row["custom"],
            unique=row["unique"],
            external_id=row["external_id"],
            restricted_picklist=row["restricted_picklist"],
            picklist_values=tuple(row["picklist_values"] or ()),
            reference_to=tuple(row["reference_to"] or ()),
            relationship_name=row["relationship_name"],
            defaulted_on_create=row["defaulted_on_create"],
            formula=row.get("formula"),
            default_value=row.get("default_value"),
            precision=row.get("precision") or 0,
            scale=row.get("scale") or 0,
            blank_is_zero=row.get("blank_is_zero"),
        )
    return known


def mainstay_fields(rows: Iterable[Mapping[str, Any]]) -> dict[str, MainstayField]:
    """Path -> field, from rows of mainstay.field; the standard fields are known without being listed."""
    known = {field.path: field for field in STANDARD_FIELDS}
    for row in rows:
        field = field_from_row(dict(row))
        if field.is_custom or field.path not in known:
            known[field.path] = field
    return known


def catalogues_for(
    mapping: MappingDocument, salesforce: SObjectFields, mainstay: Mapping[str, MainstayField]
) -> Catalogues:
    """Both catalogues as a mapping sees them: own fields of each mapped SObject and every lookup path it needs."""
    seen: dict[str, dict[str, SalesforceField]] = {}
    for item in mapping.objects:
        if item.sobject not in salesforce:
            continue
        fields = dict(salesforce[item.sobject])
        for path in [*salesforce_paths(item), *formula_paths(item, fields)]:
            found = resolve_path(item.sobject, path, salesforce)
            if found is not None:
                fields[path] = found
        seen[item.sobject] = fields
    return Catalogues(seen, mainstay)


def formula_paths(mapping: SObjectMapping, known: Mapping[str, SalesforceField]) -> list[str]:
    """What the formula behind an object's import criteria reads; `known` are the object's own fields by name."""
    side = mapping.import_
    criteria = known.get(side.criteria) if side is not None and side.enabled and side.criteria else None
    return [] if criteria is None else criteria_inputs(criteria, known)
