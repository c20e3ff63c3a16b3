"""What cannot be undone, in words."""

from __future__ import annotations

from typing import Final

ALREADY: Final = "It stands as it was before"
REFUSED: Final = "It was refused when it was sent; there is nothing to undo"
UNKNOWN: Final = "How it ended is unknown; look at the record first"
ELSEWHERE: Final = "It reached another record than foreseen, whose former values were not kept"
MOVED: Final = "Somebody changed the value again since; theirs stays"
GONE: Final = "The record or the field is no longer among those pulled"
CREATED_CONTACT: Final = "A created contact stays: the API of Mainstay has no delete; archive it there"
CREATED_RECORD: Final = (
    "A created Salesforce record stays, and its contact keeps the new CRM ID; delete the record in Salesforce"
)
INTRODUCED: Final = "An intro text that was sent cannot be called back"
ACQUIRED: Final = "A contact keeps the CRM ID it acquired: the API of Mainstay cannot take it off"
HELD: Final = "Another record holds the former value now, and the field is unique"
NEVER_BLANK: Final = "Salesforce does not let this field be blank again"
READ_ONLY: Final = "Salesforce does not let this field be written any more"

_BY_CODE: Final = {
    "contact-out-of-sync": (
        "A changed phone cannot go back: Mainstay refuses a contact's previous phone (contact-out-of-sync)"
    ),
    "duplicate-contact": "Another contact holds the former phone now (duplicate-contact)",
    "invalid-messaging-status": (
        "A messaging status cannot go back: an opt-out is undone by the learner's own START alone "
        "(invalid-messaging-status)"
    ),
    "invalid-preferred-name": (
        "A preferred name, once set, is changed by the learner alone, with #changename (invalid-preferred-name)"
    ),
}


def refusal_of_salesforce(code: str) -> str:
    """Why Salesforce would not take a former value back."""
    return f"Salesforce refuses the former value ({code})"


def refusal(code: str) -> str:
    """Why Mainstay would not take a former value back.

    >>> refusal("invalid-language")
    'Mainstay refuses the former value (invalid-language)'
    """
    return _BY_CODE.get(code, f"Mainstay refuses the former value ({code})")
