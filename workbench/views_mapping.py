"""Read models of the mapping: every pair with both types and, where it cannot be used, the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.fields import MainstayField, SalesforceField
from workbench.domain.mapping import Mapping, SObjectMapping
from workbench.domain.mapping_check import Catalogues, catalogue_problems, shape_problems
from workbench.store import Store
from workbench.store.mappings import SavedRevision, mapping_at, mapping_document, mapping_history


def pairs(store: Store, revision: int) -> list[dict[str, Any]]:
    """The field pairs of a revision against the fields as last pulled, each mapped object's locked CRM ID pair first.

    Columns: sobject, direction, salesforce, salesforce_type, mainstay, mainstay_type, is_lookup, is_formula,
    is_matching, is_required, is_locked, problem (why the pair cannot be used, else null). Types are null before a pull.
    """
    return pairs_of(store, mapping_at(store, revision).mapping)


def pairs_of(store: Store, mapping: Mapping) -> list[dict[str, Any]]:
    """The pairs of a mapping, saved or not, in the shape of `pairs`; `position` counts within a direction."""
    known = _catalogues(store, mapping)
    problems = problems_by_place(mapping, known)
    found: list[dict[str, Any]] = []
    for index, item in enumerate(mapping.objects):
        for direction, sides in _sides(item):
            found.append(_row(item.sobject, direction, ("Id", "crm_id"), known, is_locked=True))
            for position, (salesforce, mainstay, is_matching, is_required) in enumerate(sides):
                row = _row(item.sobject, direction, (salesforce, mainstay), known)
                place = ("objects", index, direction, "fields", position)
                row |= {"is_matching": is_matching, "is_required": is_required, "problem": problems.get(place)}
                row["position"] = position
                found.append(row)
    return found


def problems_by_place(mapping: Mapping, known: Catalogues | None) -> dict[tuple[str | int, ...], str]:
    """Place in the document -> what is wrong there."""
    problems = shape_problems(mapping) + (catalogue_problems(mapping, known) if known is not None else [])
    found: dict[tuple[str | int, ...], str] = {}
    for problem in problems:
        found[problem.path] = "; ".join(filter(None, [found.get(problem.path), problem.sentence]))
    return found


def other_problems(store: Store, revision: int) -> list[str]:
    """Problems of a revision that belong to no single pair: criteria, missing objects, no matching field."""
    return other_problems_of(store, mapping_at(store, revision).mapping)


def other_problems_of(store: Store, mapping: Mapping) -> list[str]:
    """The same of a mapping, saved or not."""
    found = problems_by_place(mapping, _catalogues(store, mapping))
    return [sentence for place, sentence in found.items() if len(place) < 5]


def _catalogues(store: Store, mapping: Mapping) -> Catalogues | None:
    pulled = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    contact_fields = store.rows("SELECT * FROM mainstay.field")
    return catalogues_for(mapping, pulled, mainstay_fields(contact_fields)) if pulled and contact_fields else None


def _sides(item: SObjectMapping) -> list[tuple[str, list[tuple[str, str, bool, bool]]]]:
    sides: list[tuple[str, list[tuple[str, str, bool, bool]]]] = []
    if item.export is not None:
        sides.append(("export", [(one.salesforce, one.mainstay, False, one.required) for one in item.export.fields]))
    if item.import_ is not None:
        sides.append(("import", [(one.salesforce, one.mainstay, one.matching, False) for one in item.import_.fields]))
    return sides


def _row(
    sobject: str, direction: str, pair: tuple[str, str], known: Catalogues | None, *, is_locked: bool = False
) -> dict[str, Any]:
    salesforce, mainstay = pair
    source = known.salesforce.get(sobject, {}).get(salesforce) if known is not None else None
    goal = known.mainstay.get(mainstay) if known is not None else None
    return {
        "sobject": sobject,
        "direction": direction,
        "salesforce": salesforce,
        "salesforce_type": None if source is None else source.type,
        "mainstay": mainstay,
        "mainstay_type": None if goal is None else goal.data_type,
        "is_lookup": "." in salesforce,
        "is_formula": source is not None and source.calculated,
        "is_matching": False,
        "is_required": False,
        "is_locked": is_locked,
        "is_custom": (source is not None and source.custom) or (goal is not None and goal.is_custom),
        "is_deprecated": goal is not None and goal.is_deprecated,
        "position": None,
        "problem": None,
    }


def salesforce_choices(store: Store, sobject: str, *, depth: int = 2) -> dict[str, SalesforceField]:
    """Path -> field: an object's own fields, then those of the parents it looks up to, `depth` steps up.

    Only what was pulled: a parent's fields are known once a path through it is mapped.
    """
    known = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    found = dict(known.get(sobject, {}))
    level = [("", sobject)]
    for _ in range(depth):
        level = [
            (f"{before}{field.relationship_name}.", target)
            for before, here in level
            for field in known.get(here, {}).values()
            for target in field.reference_to
            if field.relationship_name and target in known and target != sobject
        ]
        found |= {
            f"{before}{name}": replace(field, name=f"{before}{name}")
            for before, target in level
            for name, field in known[target].items()
        }
    return found


def mainstay_choices(store: Store) -> dict[str, MainstayField]:
    """Path -> field of Mainstay's contact, standard and custom."""
    return mainstay_fields(store.rows("SELECT * FROM mainstay.field"))


def history(store: Store) -> list[SavedRevision]:
    """Every revision, newest first."""
    return mapping_history(store)


def document(store: Store, revision: int) -> str:
    """The text of a revision exactly as it was saved."""
    return mapping_document(store, revision)
