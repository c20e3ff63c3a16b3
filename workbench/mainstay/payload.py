"""Contacts, messages and campaigns as Mainstay's API writes them, and where a landing finds their columns.

A landed row has the API's field names and one `custom.<Display Name>` per custom field; custom values are text.
Source: Mainstay API reference, section 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from workbench.domain.rules import UNSET, number_text
from workbench.errors import RemoteError

CUSTOM_PREFIX: Final = "custom."
# Between these every reader writes a number that is not whole in the same digits.
_LEAST_PLAIN: Final = 1e-3
_MOST_PLAIN: Final = 1e15

# Columns of the two other lists with their kinds. Source: Mainstay API reference, sections 5 and 6.
MESSAGE_KINDS: Final = {
    **dict.fromkeys(("admithub_id", "admithub_contact_id", "contact_crm_id"), "string"),
    "created_at": "datetime",
    "channel": "string",
    "incoming": "boolean",
    **dict.fromkeys(("body", "source", "campaign_id", "campaign_name"), "string"),
    **dict.fromkeys(("user_id", "user_name", "user_email", "topic"), "string"),
    **dict.fromkeys(("test_user", "failed"), "boolean"),
    "error_code": "string",
}
CAMPAIGN_KINDS: Final = {
    **dict.fromkeys(("admithub_id", "name", "description", "script_id", "script_name", "type", "status"), "string"),
    **dict.fromkeys(("scheduled_at", "sent_at"), "datetime"),
    "scheduler": "string",
    **dict.fromkeys(("hidden", "test", "recurring"), "boolean"),
    "recipients": "string",
    **dict.fromkeys(("sent_count", "responded_count"), "integer"),
    "engagement": "number",
}
# Where an entry of a list holds the value of a column: keys one inside the other; of several places the first with a
# value counts. Columns that are not named are found under their own name, custom fields inside of `custom`.
CONTACT_PLACES: Final = {"created": (("created",), ("created_at",))}
MESSAGE_PLACES: Final = {
    "created_at": (("created_at",), ("created",)),
    **{f"user_{part}": (("user", part), (f"user_{part}",)) for part in ("id", "name", "email")},
}

__all__ = [
    "CAMPAIGN_KINDS",
    "CONTACT_PLACES",
    "CUSTOM_PREFIX",
    "MESSAGE_KINDS",
    "MESSAGE_PLACES",
    "UNSET",
    "contact_body",
    "regular_campaign",
    "regular_contact",
    "regular_message",
    "text_of",
]


def regular_contact(contact: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """One contact in the form that a landing reads, or None where it has that form.

    It has an id; `labels` is a list; `custom` holds text, truth values, and numbers that are written in one way only.
    Raises RemoteError where it has no id at all.

    >>> regular_contact({"id": "ah1", "custom": {"GPA": 3.25, "Campus": "North"}})
    >>> regular_contact({"id": "", "admithub_id": "ah1", "custom": {"GPA": 3.0}})
    {'id': 'ah1', 'admithub_id': 'ah1', 'custom': {'GPA': '3'}}
    """
    custom, labels = contact.get("custom"), contact.get("labels")
    if (
        contact.get("id")
        and (labels is None or type(labels) is list)
        and (custom is None or (type(custom) is dict and _is_regular(custom)))
    ):
        return None
    found = contact.get("id") or contact.get("admithub_id")
    if not found:
        raise RemoteError("Mainstay listed a contact without an id; the pull cannot tell it from others.")
    changed = {**contact, "id": str(found)}
    if not isinstance(labels, list | None):
        changed["labels"] = [text_of(labels)]
    if custom is not None:
        values = custom.items() if isinstance(custom, Mapping) else ()
        changed["custom"] = {name: value if value is None else text_of(value) for name, value in values}
    return changed


def _is_regular(custom: Mapping[str, Any]) -> bool:
    """Whether no value has to become text here: a number that may be written in several ways, or no scalar."""
    for value in custom.values():
        kind = type(value)
        if kind is float:
            if value.is_integer() or not _LEAST_PLAIN < abs(value) < _MOST_PLAIN:
                return False
        elif kind is list or kind is dict:
            return False
    return True


def text_of(value: Any) -> str:
    """A stored custom value as text: `true`, whole numbers without a point, lists as JSON.

    >>> text_of(True), text_of(2026.0), text_of(3.25), text_of(["a"])
    ('true', '2026', '3.25', '["a"]')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def contact_body(row: Mapping[str, Any]) -> dict[str, Any]:
    """The request body of flat values: custom fields nested, blanks left out (a null is never sent).

    >>> contact_body({"crm_id": "003", "email": None, "phone": UNSET, "custom.GPA": "3"})
    {'crm_id': '003', 'phone': 'UNSET', 'custom': {'GPA': '3'}}
    """
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in row.items():
        if value is None:
            continue
        if name.startswith(CUSTOM_PREFIX):
            custom[name.removeprefix(CUSTOM_PREFIX)] = value
        else:
            body[name] = value
    return {**body, "custom": custom} if custom else body


def regular_message(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """One message in the form that a landing reads (an id, `user` an object), or None where it has that form.

    >>> regular_message({"admithub_id": "m1", "user": "Kim"})
    {'admithub_id': 'm1', 'user': {'name': 'Kim'}}
    """
    user = message.get("user")
    is_known = user is None or type(user) is dict
    if message.get("admithub_id") and is_known:
        return None
    return {**message, "admithub_id": _own_id(message), "user": user if is_known else {"name": str(user)}}


def regular_campaign(campaign: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """One campaign in the form that a landing reads (an id), or None where it has that form."""
    return None if campaign.get("admithub_id") else {**campaign, "admithub_id": _own_id(campaign)}


def _own_id(item: Mapping[str, Any]) -> str:
    """The id of a list entry; where the API gives none, one made of its content, the same at each pull."""
    given = item.get("admithub_id") or item.get("id")
    if given:
        return str(given)
    text = json.dumps(item, sort_keys=True, ensure_ascii=False)
    return "made:" + hashlib.sha256(text.encode()).hexdigest()[:24]
