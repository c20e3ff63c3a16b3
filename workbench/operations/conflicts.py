"""Deciding fields that both systems changed: what was decided is kept, and the next preview honours it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from workbench.domain.access import Person, allowed
from workbench.domain.salesforce_ids import as_stored
from workbench.errors import ConfigurationError, NotFound
from workbench.store import Store

SIDES: Final = ("salesforce", "mainstay")
_LISTED: Final = """
SELECT sobject, salesforce_id, mainstay_id, field, salesforce_value, mainstay_value, preview_id, change_id
FROM view.conflict
WHERE field = $field AND (change_id = $record OR salesforce_id IN ($record, $stored) OR mainstay_id = $record)
  AND ($preview_id IS NULL OR preview_id = $preview_id)
ORDER BY preview_id DESC
LIMIT 1
"""
_KEEP: Final = """
INSERT INTO journal.conflict_decision
SELECT sobject, salesforce_id, mainstay_id, field, $winner, salesforce_value, mainstay_value, $by, $note, now()
FROM decided
"""
_TEXTS: Final = ("sobject", "salesforce_id", "mainstay_id", "field", "salesforce_value", "mainstay_value", "change_id")
_DECIDED: Final = pa.schema([*((name, pa.string()) for name in _TEXTS), ("preview_id", pa.int32())])


def decide_conflict(
    store: Store,
    record: str,
    field: str,
    winner: str,
    *,
    by: str | Person,
    note: str = "",
    preview_id: int | None = None,
) -> dict[str, Any]:
    """Say which side counts for one field; the next preview of either direction honours it.

    `record`: a Salesforce Id (of 15 or 18 characters), a Mainstay ID or a change id; `field`: its Mainstay name. The
    decision is pinned to the two values of the latest preview that lists the field (or of `preview_id`): if one
    changes, the question comes back.
    Returns {"sobject", "salesforce_id", "mainstay_id", "field", "salesforce_value", "mainstay_value", "preview_id",
    "change_id", "winner", "decided_by"}. Raises NotFound, ConfigurationError, NotAllowed below analyst.
    """
    return decide_conflicts(store, [(record, field)], winner, by=by, note=note, preview_id=preview_id)[0]


def decide_conflicts(
    store: Store,
    chosen: Sequence[tuple[str, str]],
    winner: str,
    *,
    by: str | Person,
    note: str = "",
    preview_id: int | None = None,
) -> list[dict[str, Any]]:
    """Say the same of several (record, field) pairs, all or none. Raises as `decide_conflict` does."""
    name = allowed(by, "request").strip()
    if winner not in SIDES:
        raise ConfigurationError(f"{winner!r} is no side: a conflict is decided for salesforce or for mainstay.")
    if not name:
        raise ConfigurationError("A decision is kept with a name: say who decides (--by NAME).")
    rows = [_listed(store, record, field, preview_id) for record, field in chosen]
    if rows:
        store.write(
            (_KEEP, {"winner": winner, "by": name, "note": note}),
            tables={"decided": pa.Table.from_pylist(rows, _DECIDED)},
        )
    return [{**row, "winner": winner, "decided_by": name} for row in rows]


def _listed(store: Store, record: str, field: str, preview_id: int | None) -> dict[str, Any]:
    found = store.rows(
        _LISTED, {"record": record, "stored": as_stored(record), "field": field, "preview_id": preview_id}
    )
    if not found:
        where = f"Preview {preview_id}" if preview_id is not None else "No preview"
        lists = "lists no" if preview_id is not None else "lists a"
        raise NotFound(
            f"{where} {lists} difference in {field} of {record}. `workbench conflicts` shows what there is to decide; "
            "fields go by their Mainstay names, as in custom.Campus."
        )
    return found[0]
