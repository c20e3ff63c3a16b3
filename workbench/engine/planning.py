"""Plans: what one checked mapping and both catalogues say of an export or an import of one SObject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from workbench.domain.fields import SalesforceField
from workbench.domain.formula import Ast, UnsupportedFormula, fields_of, formula_of, kind_of, to_sql
from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine.compile import Pair
from workbench.engine.plans import ExportPlan, ImportPlan, two_way
from workbench.store.quoting import identifier

# SObject -> its fields that are written.
Written = Mapping[str, AbstractSet[str]]
NOTHING_WRITTEN: Final[Written] = {}
_WRITTEN_AT_EACH_CHANGE: Final = ("LastModifiedById",)


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
        has_sms, has_web_bot, two_way(mapping, catalogues),
    )  # fmt: skip


def written_by(mappings: Iterable[SObjectMapping]) -> Written:
    """What the imports of one preview write."""
    return {item.sobject: {field.salesforce for field in item.import_.fields} for item in mappings if item.import_}


def import_plan(
    mapping: SObjectMapping, catalogues: Catalogues, *, earlier: int = 0, written: Written = NOTHING_WRITTEN
) -> ImportPlan:
    """The plan of a checked mapping. Pairs keep the mapping's order.

    `earlier`: objects decided before this one. `written`: what the preview this one is part of writes.
    """
    side = mapping.import_
    if side is None:
        raise ValueError(f"{mapping.sobject} has no import mapping")
    known = catalogues.salesforce[mapping.sobject]
    pairs = tuple(
        Pair(known[field.salesforce], catalogues.mainstay[field.mainstay], identifier(field.salesforce), field.matching)
        for field in side.fields
    )
    required = tuple(name for name, field in known.items() if field.is_required_on_create and not field.is_lookup)
    criteria = known[side.criteria] if side.criteria else None
    formula = _evaluable(criteria, known, pairs, creates=side.create_unmatched) if criteria else None
    inputs = {path: known[path] for path in fields_of(formula)} if formula else {}
    return ImportPlan(
        mapping.sobject, pairs, criteria, side.create_unmatched, side.match, required, formula, inputs,
        _parents(pairs, catalogues), earlier, two_way(mapping, catalogues),
        has_moving_parent=any(_moves(mapping.sobject, field, catalogues, written) for field in inputs.values()),
    )  # fmt: skip


def _evaluable(
    criteria: SalesforceField, known: Mapping[str, SalesforceField], pairs: Sequence[Pair], *, creates: bool
) -> Ast | None:
    """What the criteria depend on, where that can be evaluated on the record after its change; else None."""
    try:
        formula = formula_of(criteria, known)
        to_sql(formula, identifier, lambda path: kind_of(known[path]))
    except (UnsupportedFormula, KeyError):
        return None
    mapped = {pair.salesforce.name for pair in pairs}
    if criteria.blank_is_zero is None and any(kind_of(known[path]) == "number" for path in fields_of(formula)):
        return None
    is_known = all(_stands(known[path], known, mapped, creates=creates) for path in fields_of(formula))
    return formula if is_known else None


def _stands(field: SalesforceField, known: Mapping[str, SalesforceField], mapped: set[str], *, creates: bool) -> bool:
    """Whether an input's value after the change is the incoming one, the stored one, or a new record's default.

    Not so for a parent's field whose reference is itself written, for what Salesforce puts together (Name) or writes at
    each change (LastModifiedById), and, where records are created, for what it fills in by itself (OwnerId).
    """
    if field.is_lookup:
        step = field.name.split(".")[0]
        reference = next((item for item in known.values() if item.relationship_name == step), None)
        is_left = reference is not None and reference.name not in {*mapped, *_WRITTEN_AT_EACH_CHANGE}
        return is_left and not (creates and reference is not None and reference.defaulted_on_create)
    if field.name in mapped or field.type == "boolean":
        return True
    if not creates:
        return field.createable or (field.type in ("id", "reference") and field.name not in _WRITTEN_AT_EACH_CHANGE)
    return field.createable and not (field.defaulted_on_create and not field.default_value)


def _moves(sobject: str, field: SalesforceField, catalogues: Catalogues, written: Written) -> bool:
    """Whether another change of the preview may alter what a lookup path reaches: its end, or a reference on the way.

    What Salesforce computes may follow any change of its record. Behind an object without a catalogue any may stand.
    """
    *steps, last = field.name.split(".")
    here = {sobject}
    for step in steps:
        through = [
            (name, item)
            for name in here
            for item in catalogues.salesforce.get(name, {}).values()
            if item.relationship_name == step and not item.is_lookup
        ]
        if any(item.name in {*written[name], *_WRITTEN_AT_EACH_CHANGE} for name, item in through if name in written):
            return True
        here = {target for _, item in through for target in item.reference_to} or set(written)
    is_computed = field.type != "id" and not (field.createable or field.updateable)
    return field.is_lookup and any(is_computed or last in written[name] for name in here & written.keys())


def _parents(pairs: Sequence[Pair], catalogues: Catalogues) -> dict[str, str]:
    """Mapped references to one mapped object: its records were pulled, so a missing one is seen beforehand."""
    return {
        pair.salesforce.name: pair.salesforce.reference_to[0]
        for pair in pairs
        if pair.salesforce.type == "reference"
        and len(pair.salesforce.reference_to) == 1
        and pair.salesforce.reference_to[0] in catalogues.salesforce
    }
