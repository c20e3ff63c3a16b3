"""Which records show a field of a parent: the ground of fan-out, from the lookup paths that exports map."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from workbench.domain.fields import Direction, SalesforceField
from workbench.domain.mapping import Mapping as MappingDocument
from workbench.store.quoting import identifier, literal

_UNION = "\nUNION ALL\n"
NOBODY = """SELECT CAST(NULL AS VARCHAR) AS parent_object, CAST(NULL AS VARCHAR) AS parent_id,
       CAST(NULL AS VARCHAR) AS field, CAST(NULL AS VARCHAR) AS child_object, CAST(NULL AS VARCHAR) AS child_id
WHERE false"""


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


def reach_sql(found: Collection[Reach], landed: Collection[tuple[str, str]]) -> str:
    """work.reach: parent_object, parent_id, field, child_object, child_id of parents that work.all_changes updates.

    `landed`: the (object, column) pairs there are; a path through anything else is left out.
    """
    parts = [_one(reach) for reach in found if _is_landed(reach, landed)]
    return _UNION.join(dict.fromkeys(parts)) or NOBODY


def _is_landed(reach: Reach, landed: Collection[tuple[str, str]]) -> bool:
    holders = (reach.child, *reach.between)
    return all((holder, reference) in landed for holder, reference in zip(holders, reach.references, strict=True))


def _one(reach: Reach) -> str:
    tables = [f"FROM store.salesforce.{identifier(reach.child)} AS step_0"]
    tables += [
        f"JOIN store.salesforce.{identifier(parent)} AS step_{n} "
        f'ON step_{n}."Id" = step_{n - 1}.{identifier(reference)}'
        for n, (parent, reference) in enumerate(zip(reach.between, reach.references, strict=False), 1)
    ]
    parent_id = f"step_{len(reach.between)}.{identifier(reach.references[-1])}"
    joined = "\n".join(tables)
    return f"""SELECT {literal(reach.parent)} AS parent_object,
       {parent_id} AS parent_id,
       {literal(reach.field)} AS field,
       {literal(reach.child)} AS child_object, step_0."Id" AS child_id
{joined}
WHERE NOT coalesce(step_0."IsDeleted", false)
  AND {parent_id} IN (SELECT salesforce_id FROM work.all_changes WHERE action = 'update')"""
