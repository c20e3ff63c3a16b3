"""Edits of a mapping, one at a time: mapping -> mapping. What an edit breaks is told by the checks, not here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workbench.domain.mapping import Mapping

# What a new object starts with, where it has these fields: the basic ones the guide maps by default.
BASIC_PAIRS: Final = (
    ("FirstName", "first_name"),
    ("LastName", "last_name"),
    ("MobilePhone", "phone"),
    ("Email", "email"),
)


def set_switch(mapping: Mapping, sobject: str, direction: str, name: str, value: Any) -> Mapping:
    """Change a setting of one direction (enabled, criteria, create_unmatched ...); a missing direction begins."""

    def change(item: dict[str, Any]) -> None:
        _side(item, direction)[name] = value

    return _changed(mapping, sobject, change)


def put_pair(
    mapping: Mapping, sobject: str, direction: str, pair: tuple[str, str], *, is_marked: bool, position: int | None
) -> Mapping:
    """Replace the pair at `position`, or add one at the foot. pair: (Salesforce path, Mainstay field).

    `is_marked`: required in an export, matching in an import.
    """
    salesforce, mainstay = pair
    mark = "required" if direction == "export" else "matching"
    line = {"salesforce": salesforce, "mainstay": mainstay, mark: is_marked}

    def change(item: dict[str, Any]) -> None:
        fields = _side(item, direction)["fields"]
        if position is None:
            fields.append(line)
        else:
            fields[position] = line

    return _changed(mapping, sobject, change)


def drop_pair(mapping: Mapping, sobject: str, direction: str, position: int) -> Mapping:
    """Take one pair out."""

    def change(item: dict[str, Any]) -> None:
        del _side(item, direction)["fields"][position]

    return _changed(mapping, sobject, change)


def set_conflict(mapping: Mapping, sobject: str, field: str, rule: str | None) -> Mapping:
    """Say who wins where both sides changed a field; None goes back to the rule for every other field."""

    def change(item: dict[str, Any]) -> None:
        if rule is None:
            item["conflicts"].pop(field, None)
        else:
            item["conflicts"][field] = rule

    return _changed(mapping, sobject, change)


def add_object(mapping: Mapping, sobject: str) -> Mapping:
    """Map one more Salesforce object, switched off, with the basic pairs."""
    pairs = [{"salesforce": salesforce, "mainstay": mainstay} for salesforce, mainstay in BASIC_PAIRS]
    document = _document(mapping)
    document["objects"].append({"sobject": sobject, "export": {"enabled": False, "fields": pairs}})
    return Mapping.model_validate(document)


def drop_object(mapping: Mapping, sobject: str) -> Mapping:
    """Stop mapping an object. Raises ValueError for the last one: a mapping maps something."""
    document = _document(mapping)
    document["objects"] = [item for item in document["objects"] if item["sobject"] != sobject]
    return Mapping.model_validate(document)


def _changed(mapping: Mapping, sobject: str, change: Callable[[dict[str, Any]], None]) -> Mapping:
    document = _document(mapping)
    change(next(item for item in document["objects"] if item["sobject"] == sobject))
    return Mapping.model_validate(document)


def _document(mapping: Mapping) -> dict[str, Any]:
    return mapping.model_dump(mode="json", by_alias=True)


def _side(item: dict[str, Any], direction: str) -> dict[str, Any]:
    if item.get(direction) is None:
        item[direction] = {"enabled": False, "fields": []}
    side: dict[str, Any] = item[direction]
    return side
