"""A first mapping between two exports: fields of one meaning, where their types allow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from workbench.domain.fields import STANDARD_BY_NAME, Direction, MainstayField, SalesforceField, pair_problem
from workbench.errors import ConfigurationError
from workbench.lab.columns import Guess, words

_SAME: Final = (
    ("FirstName", "first_name"),
    ("LastName", "last_name"),
    ("MobilePhone", "phone"),
    ("Phone", "phone"),
    ("Email", "email"),
    ("Preferred_Name__c", "preferred_name"),
    ("Language__c", "language"),
    ("SMS_Status__c", "messaging_status_sms"),
    ("Web_Status__c", "messaging_status_web_bot"),
    ("Student_ID__c", "enrollment_id"),
    ("Enrollment_ID__c", "enrollment_id"),
)
_REQUIRED: Final = ("first_name", "last_name", "phone")
# What finds the record of an unlinked contact, the first that both exports hold.
_MATCHING: Final = ("email", "enrollment_id", "phone")
_CRITERIA: Final = ("synctomainstay", "mainstaysync", "mainstaysyncc")


def salesforce_field(guess: Guess) -> SalesforceField:
    """The field a column stands for. Whether Salesforce would let it be written is not in an export: assumed."""
    assert guess.field is not None
    is_id = guess.field in ("Id", "SystemModstamp", "CreatedDate")
    return SalesforceField(
        name=guess.field,
        label=guess.header,
        type=guess.type,
        length=guess.length,
        nillable=guess.field not in ("Id", "LastName"),
        createable=not is_id,
        updateable=not is_id,
        custom=guess.field.endswith("__c"),
    )


def mainstay_field(guess: Guess) -> MainstayField:
    """The field a column stands for."""
    assert guess.field is not None
    standard = STANDARD_BY_NAME.get(guess.field)
    return standard or MainstayField(guess.field.removeprefix("custom."), guess.type, is_custom=True)


def matching_pairs(
    salesforce: Sequence[Guess], mainstay: Sequence[Guess]
) -> list[tuple[SalesforceField, MainstayField]]:
    """Pairs of one meaning: known pairs first, then custom fields with the same words in their names."""
    left = {guess.field: guess for guess in salesforce if guess.field is not None}
    right = {guess.field: guess for guess in mainstay if guess.field is not None}
    pairs: dict[str, str] = {}
    for source, goal in _SAME:
        if source in left and goal in right and goal not in pairs and source not in pairs.values():
            pairs[goal] = source
    by_words = {
        words(guess.header): guess.field for guess in mainstay if guess.field and guess.field.startswith("custom.")
    }
    for field, guess in left.items():
        like = by_words.get(words(guess.header)) or by_words.get(words(field.removesuffix("__c")))
        if like is not None and like not in pairs and field not in pairs.values():
            pairs[like] = field
    return [(salesforce_field(left[source]), mainstay_field(right[goal])) for goal, source in pairs.items()]


def draft_mapping(sobject: str, salesforce: Sequence[Guess], mainstay: Sequence[Guess]) -> str:
    """The mapping as a YAML document, both directions, nothing created on import.

    Raises ConfigurationError where the two exports share no field, or nothing that could find a record.
    """
    pairs = matching_pairs(salesforce, mainstay)
    export = [pair for pair in pairs if pair_problem(*pair, Direction.EXPORT) is None]
    coming = [pair for pair in pairs if pair_problem(*pair, Direction.IMPORT) is None]
    if not export:
        raise ConfigurationError(
            "The two files share no field that a sync could send. Export names, phone and email too."
        )
    matching = next((name for name in _MATCHING if any(goal.path == name for _, goal in coming)), None)
    criteria = next(
        (g.field for g in salesforce if g.type == "boolean" and words(g.field or "").startswith(_CRITERIA)), None
    )
    document: dict[str, Any] = {"sobject": sobject}
    document["export"] = {
        "enabled": True,
        **({"criteria": criteria} if criteria else {}),
        "fields": [_export_pair(source, goal) for source, goal in export],
    }
    if matching is not None:
        document["import"] = {
            "enabled": True,
            "create_unmatched": False,
            "match": "all",
            "fields": [_import_pair(source, goal, matching) for source, goal in coming],
        }
    document["conflicts"] = {"default": "ask"}
    head = "# Drafted by workbench import-csv from the columns of two files. Read it before you rely on it.\n"
    text: str = yaml.safe_dump({"version": 1, "objects": [document]}, sort_keys=False, allow_unicode=True)
    return head + text


def _export_pair(source: SalesforceField, goal: MainstayField) -> Mapping[str, Any]:
    required = {"required": True} if goal.path in _REQUIRED else {}
    return {"salesforce": source.name, "mainstay": goal.path, **required}


def _import_pair(source: SalesforceField, goal: MainstayField, matching: str) -> Mapping[str, Any]:
    is_matching = {"matching": True} if goal.path == matching else {}
    return {"mainstay": goal.path, "salesforce": source.name, **is_matching}
