"""What a mapping needs from Salesforce: the columns to fetch, and the objects that have to be described."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from typing import Final

from workbench.domain.catalogue import formula_paths, salesforce_fields
from workbench.domain.fields import SalesforceField
from workbench.domain.mapping import Mapping, salesforce_paths
from workbench.store import Store

# What screens show of a person, whether mapped or not.
SCREEN_FIELDS: Final = ("Id", "Name", "FirstName", "LastName", "Email", "Phone", "MobilePhone", "HomePhone")
PEOPLE: Final = frozenset({"Contact", "Lead"})


def wanted_columns(
    mapping: Mapping | None, known: Dict[str, Dict[str, SalesforceField]] | None = None
) -> dict[str, list[str]]:
    """SObject -> the field paths to fetch: what the mapping reads or writes, and what screens show of a person.

    With the `known` fields, by SObject and name, also what the formulas behind import criteria read. Without a
    mapping: a basic set of Contact.
    """
    if mapping is None:
        return {"Contact": list(SCREEN_FIELDS)}
    wanted: dict[str, list[str]] = {}
    for item in mapping.objects:
        shown = SCREEN_FIELDS if item.sobject in PEOPLE else ("Id",)
        inputs = formula_paths(item, (known or {}).get(item.sobject, {}))
        wanted[item.sobject] = list(dict.fromkeys([*shown, *salesforce_paths(item), *inputs]))
    return wanted


def lacks_criteria(mapping: Mapping, known: Dict[str, Dict[str, SalesforceField]]) -> bool:
    """Whether a catalogue misses the field behind an object's import criteria, and so its formula."""
    sides = [(item.sobject, item.import_) for item in mapping.objects if item.import_ is not None]
    return any(side.criteria and side.criteria not in known.get(name, {}) for name, side in sides if side.enabled)


def is_pulled_for(store: Store, mapping: Mapping) -> bool:
    """Whether the latest pull described every object this mapping needs; false where the mapping is newer."""
    return not lacks_objects(mapping, salesforce_fields(store.rows("SELECT * FROM salesforce.field")))


def lacks_objects(mapping: Mapping, known: Dict[str, Dict[str, SalesforceField]]) -> bool:
    """Whether a catalogue misses an object the mapping needs, itself or on the way to a parent's field."""
    return any(
        item.sobject not in known or any(_is_undescribed(item.sobject, path, known) for path in salesforce_paths(item))
        for item in mapping.objects
    )


def _is_undescribed(sobject: str, path: str, known: Dict[str, Dict[str, SalesforceField]]) -> bool:
    """Whether a path leads to an object that is not in the catalogue; a path that breaks before that does not."""
    here = sobject
    for step in path.split(".")[:-1]:
        if here not in known:
            return True
        through = next((field for field in known[here].values() if field.relationship_name == step), None)
        if through is None or not through.reference_to:
            return False
        here = next((name for name in through.reference_to if name in known), through.reference_to[0])
    return here not in known
