"""What changed between two mappings, in the words of the mapping: pairs added, removed and changed, switches moved."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from workbench.domain.mapping import ExportMapping, ImportMapping, Mapping, SObjectMapping

SWITCHES = ("enabled", "criteria", "include_field_deletions", "include_all_fields", "create_unmatched", "match")


@dataclass(frozen=True)
class Difference:
    """One thing that changed. `before` is None for what is new, `after` is None for what is gone."""

    sobject: str
    direction: str
    what: str
    before: str | None
    after: str | None

    def sentence(self) -> str:
        place = " ".join(part for part in (self.sobject, self.direction) if part)
        if self.before is None:
            return f"+ {place}: {self.what} {self.after}"
        if self.after is None:
            return f"- {place}: {self.what} {self.before}"
        return f"~ {place}: {self.what} {self.before} -> {self.after}"


def diff_mappings(before: Mapping, after: Mapping) -> list[Difference]:
    """Every difference of meaning between two mappings; the order of pairs and comments do not count."""
    old = {item.sobject: item for item in before.objects}
    new = {item.sobject: item for item in after.objects}
    found: list[Difference] = []
    for sobject in list(dict.fromkeys([*old, *new])):
        found += _objects(sobject, old.get(sobject), new.get(sobject))
    return found


def _objects(sobject: str, old: SObjectMapping | None, new: SObjectMapping | None) -> list[Difference]:
    found: list[Difference] = []
    if old is None or new is None:
        found += _values(sobject, "", {"object": None if old is None else "mapped"}, {"object": new and "mapped"})
    sides = (
        ("export", old.export if old else None, new.export if new else None),
        ("import", old.import_ if old else None, new.import_ if new else None),
    )
    for direction, was, now in sides:
        found += _values(sobject, direction, _switches(was), _switches(now))
        found += _values(sobject, direction, _pairs(was), _pairs(now))
    found += _values(sobject, "conflicts", old.conflicts if old else {}, new.conflicts if new else {})
    return found


def _switches(side: ExportMapping | ImportMapping | None) -> dict[str, Any]:
    if side is None:
        return {}
    return {name: getattr(side, name) for name in SWITCHES if getattr(side, name, None) is not None}


def _pairs(side: ExportMapping | ImportMapping | None) -> dict[str, str]:
    """Receiving field -> how it is filled."""
    if isinstance(side, ExportMapping):
        return {
            f"Mainstay {field.mainstay}": f"from {field.salesforce}{' (required)' if field.required else ''}"
            for field in side.fields
        }
    if isinstance(side, ImportMapping):
        return {
            f"Salesforce {field.salesforce}": f"from {field.mainstay}{' (matching)' if field.matching else ''}"
            for field in side.fields
        }
    return {}


def _values(sobject: str, direction: str, old: Dict[str, Any], new: Dict[str, Any]) -> list[Difference]:
    return [
        Difference(sobject, direction, name, _text(old.get(name)), _text(new.get(name)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
