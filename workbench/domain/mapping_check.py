"""A mapping against both field catalogues: all problems at once, each naming the line, the fields and the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workbench.domain.fields import Direction, MainstayField, SalesforceField, pair_problem
from workbench.domain.mapping import Mapping as MappingDocument
from workbench.domain.mapping import SObjectMapping, line_of


@dataclass(frozen=True)
class Catalogues:
    """What both systems offer: per SObject its fields by path (lookup paths resolved), and Mainstay's by path."""

    salesforce: Mapping[str, Mapping[str, SalesforceField]]
    mainstay: Mapping[str, MainstayField]


@dataclass(frozen=True)
class Problem:
    """One reason a mapping cannot be used. `path` leads to the place in the document."""

    path: tuple[str | int, ...]
    sentence: str

    def text(self, document: str | None = None) -> str:
        line = line_of(document, self.path) if document else None
        return f"line {line}: {self.sentence}" if line else self.sentence


def shape_problems(mapping: MappingDocument) -> list[Problem]:
    """Problems that need no catalogue: repeated objects and targets, no matching field."""
    return list(_shape(mapping))


def required_problems(before: MappingDocument, after: MappingDocument) -> list[Problem]:
    """Fields marked as required that a later document would no longer export.

    Source: guide, "Required Mapping indicates that this field must be included in your mapping". An object may be
    taken out as a whole; a field may be once it is no longer marked.
    """
    return [
        Problem(
            ("objects", index, "export"),
            f"{item.sobject} export no longer maps {target}, which is marked as required; save it unmarked first",
        )
        for index, item in enumerate(after.objects)
        for target in _required(before, item.sobject)
        if target not in {field.mainstay for field in (item.export.fields if item.export else ())}
    ]


def _required(mapping: MappingDocument, sobject: str) -> list[str]:
    """The Mainstay fields that an object's export has to send."""
    sides = [item.export for item in mapping.objects if item.sobject.lower() == sobject.lower()]
    return [field.mainstay for side in sides if side for field in side.fields if field.required]


def catalogue_problems(mapping: MappingDocument, catalogues: Catalogues) -> list[Problem]:
    """Problems against the fields that exist now, in both directions."""
    problems: list[Problem] = []
    for index, item in enumerate(mapping.objects):
        known = catalogues.salesforce.get(item.sobject)
        if known is None:
            problems.append(Problem(("objects", index, "sobject"), f"Salesforce has no object {item.sobject}"))
            continue
        problems += _pairs(index, item, known, catalogues.mainstay)
        problems += _criteria(index, item, known)
    return problems


def _shape(mapping: MappingDocument) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, item in enumerate(mapping.objects):
        if item.sobject.lower() in seen:
            yield Problem(("objects", index, "sobject"), f"{item.sobject} is mapped twice")
        seen.add(item.sobject.lower())
        for direction, side in (("export", item.export), ("import", item.import_)):
            if side is not None and side.enabled and not side.fields:
                yield Problem(("objects", index, direction), f"{item.sobject} {direction} maps no field")
        yield from _targets(index, item)
        if item.import_ is not None and item.import_.enabled and not item.import_.matching_fields:
            yield Problem(
                ("objects", index, "import", "fields"),
                f"{item.sobject} import has no matching field; at least one is needed to find existing records",
            )


def _targets(index: int, item: SObjectMapping) -> Iterator[Problem]:
    """Two pairs must not write one field; crm_id <-> Id is mapped by itself and locked."""
    sides = (
        ("export", [field.mainstay for field in item.export.fields] if item.export else []),
        ("import", [field.salesforce for field in item.import_.fields] if item.import_ else []),
    )
    for direction, targets in sides:
        first: dict[str, int] = {}
        for row, target in enumerate(targets):
            place = ("objects", index, direction, "fields", row)
            name = target.lower() if direction == "import" else target
            if name in first:
                yield Problem(place, f"{item.sobject} {direction} writes {target} twice (also row {first[name] + 1})")
            elif name == "id":
                yield Problem(place, f"{item.sobject} {direction} maps {target}: it is mapped by itself and locked")
            first.setdefault(name, row)


def _pairs(
    index: int, item: SObjectMapping, known: Mapping[str, SalesforceField], mainstay: Mapping[str, MainstayField]
) -> Iterator[Problem]:
    rows = (
        [("export", row, f.salesforce, f.mainstay, False) for row, f in enumerate(item.export.fields)]
        if item.export
        else []
    )
    if item.import_ is not None:
        rows += [("import", row, f.salesforce, f.mainstay, f.matching) for row, f in enumerate(item.import_.fields)]
    for direction, row, path, target, is_matching in rows:
        place = ("objects", index, direction, "fields", row)
        pair = f"{item.sobject}.{path} and Mainstay {target}"
        source, goal = known.get(path), mainstay.get(target)
        if source is None:
            yield Problem(place, f"{pair}: Salesforce has no field {path} on {item.sobject} (or it is not visible)")
        if goal is None:
            yield Problem(place, f"{pair}: Mainstay has no field {target}")
        if source is None or goal is None:
            continue
        if is_matching and (source.is_lookup or source.calculated):
            kind = "lookup" if source.is_lookup else "formula"
            yield Problem(place, f"{pair}: a {kind} field cannot be used for matching")
        reason = pair_problem(source, goal, Direction(direction))
        if reason is not None and not (direction == "import" and is_matching and goal.name == "id"):
            yield Problem(place, f"{pair}: {reason}")


def _criteria(index: int, item: SObjectMapping, known: Mapping[str, SalesforceField]) -> Iterator[Problem]:
    for direction, side in (("export", item.export), ("import", item.import_)):
        if side is None or side.criteria is None:
            continue
        place = ("objects", index, direction, "criteria")
        field = known.get(side.criteria)
        if field is None:
            yield Problem(place, f"Salesforce has no field {side.criteria} on {item.sobject} (record sync criteria)")
        elif field.type != "boolean":
            yield Problem(place, f"{item.sobject}.{side.criteria} is a {field.type}; criteria need a Boolean field")
