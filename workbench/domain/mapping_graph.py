"""The mapping as a graph: which records show a parent's field, and where that leads a change back to others.

Source: guide, "Lookup Fields": mapped both ways, "child record A could update parent record X, which would cause child
records B, C, D, etc. to update and therefore sync back to Mainstay. Use with caution!"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workbench.domain.fields import Direction, SalesforceField
from workbench.domain.mapping import Mapping as MappingDocument
from workbench.domain.mapping import SObjectMapping


@dataclass(frozen=True)
class Reach:
    """A child object shows `field` of `parent` through the reference fields `references`, nearest first.

    `between` are the objects on the way, as many as references less one.
    """

    child: str
    parent: str
    field: str
    references: tuple[str, ...]
    between: tuple[str, ...]
    path: str
    mainstay: str


def shows_parents(mapping: MappingDocument) -> bool:
    """Whether any enabled export maps a field of a parent; without one nobody is reached."""
    exports = [item.export for item in mapping.sobjects(Direction.EXPORT) if item.export is not None]
    return any("." in field.salesforce for export in exports for field in export.fields)


def reaches(mapping: MappingDocument, known: Mapping[str, Mapping[str, SalesforceField]]) -> list[Reach]:
    """Every parent field that an enabled export shows, and every reference on the way to it."""
    found: list[Reach] = []
    for item in mapping.sobjects(Direction.EXPORT):
        assert item.export is not None
        for field in item.export.fields:
            found += _along(item.sobject, field.salesforce, field.mainstay, known)
    return found


def _along(sobject: str, path: str, mainstay: str, known: Mapping[str, Mapping[str, SalesforceField]]) -> list[Reach]:
    *steps, last = path.split(".")
    references: list[str] = []
    objects: list[str] = []
    here = sobject
    for step in steps:
        through = next((f for f in known.get(here, {}).values() if f.relationship_name == step), None)
        target = next((name for name in through.reference_to if name in known), None) if through else None
        if through is None or target is None:
            return []
        references.append(through.name)
        objects.append(target)
        here = target
    shown = [*references[1:], last]
    return [
        Reach(sobject, parent, shown[depth], tuple(references[: depth + 1]), tuple(objects[:depth]), path, mainstay)
        for depth, parent in enumerate(objects)
    ]


def mapping_warnings(mapping: MappingDocument, known: Mapping[str, Mapping[str, SalesforceField]]) -> list[str]:
    """What works and may still surprise: parents that many records show, loops, conflict rules that never apply."""
    return [*_fan_out(mapping, known), *(text for item in mapping.objects for text in _idle_rules(item))]


def _fan_out(mapping: MappingDocument, known: Mapping[str, Mapping[str, SalesforceField]]) -> Iterator[str]:
    written = {
        (item.sobject, field.salesforce): field.mainstay
        for item in mapping.sobjects(Direction.IMPORT)
        if item.import_ is not None
        for field in item.import_.fields
    }
    for reach in reaches(mapping, known):
        source = written.get((reach.parent, reach.field))
        if source is None:
            continue
        where = f"{reach.parent}.{reach.field}, which every {reach.child} shows through {reach.path}"
        if source == reach.mainstay:
            yield (
                f"Loop: imports write {where}, and exports send it back to Mainstay's {source}: one contact's change "
                f"reaches the contacts of all records of that {reach.parent}, and each of theirs may come back."
            )
        else:
            yield (
                f"Fan-out: imports write {where} (to Mainstay's {reach.mainstay}): one change makes all of them sync "
                "again. Previews count them; the guard fan-out stops what is over the cap."
            )


def _idle_rules(item: SObjectMapping) -> Iterator[str]:
    """Conflict rules of fields that are not mapped both ways."""
    sent = {field.mainstay for field in item.export.fields} if item.export else set()
    taken = {field.mainstay for field in item.import_.fields} if item.import_ else set()
    for name, rule in item.conflicts.items():
        if name != "default" and name not in sent & taken:
            yield f"{item.sobject}: the conflict rule `{name}: {rule}` never applies; {name} is not mapped both ways."
