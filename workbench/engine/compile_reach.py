"""Which records show a field of a parent: the ground of fan-out, from the lookup paths that exports map."""

from __future__ import annotations

from collections.abc import Collection

from workbench.domain.mapping_graph import Reach
from workbench.store.quoting import identifier, literal

_UNION = "\nUNION ALL\n"
NOBODY = """SELECT CAST(NULL AS VARCHAR) AS parent_object, CAST(NULL AS VARCHAR) AS parent_id,
       CAST(NULL AS VARCHAR) AS field, CAST(NULL AS VARCHAR) AS child_object, CAST(NULL AS VARCHAR) AS child_id
WHERE false"""


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
