"""The published error dictionary: 14 entries, 11 codes, word for word.

Source: guide, "Error Dictionary"; numbering of the Mainstay API reference, section 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Failure = Literal["complete", "partial"]


@dataclass(frozen=True)
class Entry:
    """One entry: what Mainstay answers, when, what survives of the request, and what a person does next."""

    number: int
    code: str
    message: str
    methods: tuple[str, ...]
    failure: Failure
    meaning: str
    next_step: str


ENTRIES: Final = (
    Entry(
        1, "not-found", "Not found.", ("PUT", "GET"), "complete",
        "No Mainstay contact carries this CRM ID or phone.",
        "Usually nothing: the integration tries the CRM ID, then the phone, then creates the contact.",
    ),
    Entry(
        2, "invalid-phone", "Invalid phone provided.", ("PUT", "POST"), "partial",
        "The phone is too short, too long or has no valid area code. An update keeps the old phone and takes the "
        "rest; a create is refused as a whole.",
        "Correct the phone in Salesforce: ten digits of the North American plan.",
    ),
    Entry(
        3, "phone-match-found-but-crmId-mismatch",
        "Request would match to an existing contact on phone and update the CRM ID. This update failed in order to "
        "prevent errant CRM ID update.",
        ("PUT",), "complete",
        "The phone belongs to a Mainstay contact that already carries another CRM ID.",
        "Find out whose phone it is. Two Salesforce records of one person are merged; a shared phone stays with one.",
    ),
    Entry(
        4, "duplicate-contact",
        "Request would update contact's CRM ID and create a duplicate record w/ this unique ID. This update failed "
        "to prevent contact duplication.",
        ("PUT",), "complete",
        "The new CRM ID is already on another Mainstay contact.",
        "Ask Mainstay to merge the two contacts, or correct the CRM ID on the wrong one.",
    ),
    Entry(
        5, "contact-out-of-sync",
        "Contact-to-update's previousPhone matches provided phone number. This update failed in order to prevent "
        "reverting a previous phone number update.",
        ("PUT",), "partial",
        "Salesforce holds the phone this contact had before; Mainstay has a newer one and keeps it.",
        "Take the newer phone over into Salesforce; to go back, change it in Mainstay's Contact Panel.",
    ),
    Entry(
        6, "duplicate-contact",
        "Request would update contact's phone and create a duplicate record w/ this unique ID. This update failed to "
        "prevent contact duplication.",
        ("PUT",), "complete",
        "The new phone already belongs to another Mainstay contact.",
        "Find out whose phone it is; remove it from the other contact first, or correct it in Salesforce.",
    ),
    Entry(
        7, "duplicate-contact",
        "Contact w/ provided CRM ID already exists. Use PUT method to update contacts instead of POST to create.",
        ("POST",), "complete",
        "A contact with this CRM ID appeared between the pull and the push.",
        "Pull and preview again: the record will be an update.",
    ),
    Entry(
        8, "duplicate-contact",
        "Contact w/ provided phone already exists. Use PUT method to update contacts instead of POST to create.",
        ("POST",), "complete",
        "A contact with this phone appeared between the pull and the push.",
        "Pull and preview again: the record will link to it, or be refused.",
    ),
    Entry(
        9, "invalid-messaging-status", "Invalid messaging_status", ("PUT", "POST"), "partial",
        "The status is unknown, its channel is missing, or only the learner may set it: opting back in takes their "
        "START, pausing takes their #pause.",
        "Leave consent to the learner; correct the value in Salesforce or stop mapping it.",
    ),
    Entry(
        10, "invalid-email", "Row # N: invalid email", ("PUT", "POST"), "partial",
        "The e-mail address is not one.", "Correct the address in Salesforce.",
    ),
    Entry(
        11, "invalid-preferred-name", "Row # N: invalid preferred name", ("PUT",), "partial",
        "The contact already has a preferred name; only the learner changes it, with #changename.",
        "Take the learner's preferred name over into Salesforce.",
    ),
    Entry(
        12, "invalid-language", "Row # N: invalid language", ("PUT", "POST"), "partial",
        "The language is not a two-letter code (ISO 639-1, lower case).",
        "Correct the code in Salesforce: en, es, zh ...",
    ),
    Entry(
        13, "invalid-attribute-data", "Invalid attribute value type", ("PUT", "POST"), "partial",
        "The value does not fit the type of this field in Mainstay.",
        "Correct the value in Salesforce, or map the field to one of a fitting type.",
    ),
    Entry(
        14, "custom-values-too-long", "Values too long in the following custom fields: ", ("PUT", "POST"), "partial",
        "A custom value is longer than 1,000 characters.", "Shorten the value, or do not map the field.",
    ),
)  # fmt: skip

BY_NUMBER: Final = {entry.number: entry for entry in ENTRIES}

# Answers outside the published dictionary that the API reference names; kept apart so that the 14 stay 14.
BLANK_REQUIRED: Final = "blank-required-data-in-record"
INVALID_REQUEST: Final = "invalid-request"
OUTSIDE_MESSAGES: Final = {
    BLANK_REQUIRED: "A required field is blank: first_name, last_name and one of phone or crm_id.",
    INVALID_REQUEST: "The request is not a contact object.",
}
# Nothing of the request survives these, whichever method it was planned as: a bulk row finds its own.
COMPLETE_CODES: Final = frozenset(OUTSIDE_MESSAGES) | {entry.code for entry in ENTRIES if entry.failure == "complete"}
_KNOWN_CODES: Final = frozenset(OUTSIDE_MESSAGES) | {entry.code for entry in ENTRIES}


def error_item(number: int, *, field: str | None = None, fields: Sequence[str] = ()) -> dict[str, Any]:
    """The error item Mainstay answers for an entry: {"code", "message"[, "field"]}.

    >>> error_item(13, field="GradYear")
    {'code': 'invalid-attribute-data: GradYear', 'message': 'Invalid attribute value type', 'field': 'GradYear'}
    >>> error_item(14, fields=["Essay", "Notes"])["message"]
    'Values too long in the following custom fields: Essay, Notes'
    """
    entry = BY_NUMBER[number]
    code = f"{entry.code}: {field}" if number == 13 else entry.code
    message = entry.message.replace("Row # N", "Row # 1") + ", ".join(fields)
    item: dict[str, Any] = {"code": code, "message": message}
    if field is not None:
        item["field"] = field
    return item


def outside_item(code: str) -> dict[str, Any]:
    """An error item for an answer outside the dictionary."""
    return {"code": code, "message": OUTSIDE_MESSAGES[code]}


def family(code: str) -> str:
    """The code without its field: `invalid-attribute-data: GPA` belongs to `invalid-attribute-data`."""
    return code.split(": ", 1)[0]


def is_known(code: str) -> bool:
    """Whether the dictionary or the API reference says what a code means."""
    return family(code) in _KNOWN_CODES


def entry_of(code: str, *, method: str, message: str = "") -> Entry | None:
    """The entry an answer belongs to; four texts share `duplicate-contact`, told apart by method and text."""
    found = [entry for entry in ENTRIES if entry.code == family(code) and method in entry.methods]
    exact = [entry for entry in found if entry.message == message]
    return next(iter(exact or found), None)
