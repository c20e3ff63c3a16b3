"""Contacts as Mainstay's API writes them, and as flat rows; its field names end here.

A row has the API's field names and one `custom.<Display Name>` per custom field; custom values are text.
Source: Mainstay API reference, section 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from workbench.domain.fields import STANDARD_FIELDS
from workbench.domain.rules import UNSET, number_text
from workbench.errors import RemoteError

CUSTOM_PREFIX: Final = "custom."
_BLANK: Final[Mapping[str, Any]] = dict.fromkeys(field.name for field in STANDARD_FIELDS)

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
MESSAGE_NAMES: Final = tuple(MESSAGE_KINDS)
CAMPAIGN_NAMES: Final = tuple(CAMPAIGN_KINDS)

__all__ = [
    "CAMPAIGN_KINDS",
    "CUSTOM_PREFIX",
    "MESSAGE_KINDS",
    "UNSET",
    "campaign_row",
    "contact_body",
    "landing_row",
    "message_row",
    "text_of",
]


def landing_row(contact: Mapping[str, Any]) -> dict[str, Any]:
    """One contact of the API as a flat row: the standard fields, then the custom fields it carries.

    Raises RemoteError where it has no id at all.

    >>> row = landing_row({"admithub_id": "ah1", "created_at": "2024-08-01T12:00:00Z", "custom": {"GPA": 3.0}})
    >>> row["id"], row["created"], row["custom.GPA"], row["email"]
    ('ah1', '2024-08-01T12:00:00Z', '3', None)
    """
    row = {**_BLANK, **contact}  # one copy: a million contacts pass here
    if len(row) > len(_BLANK):
        for name in row.keys() - _BLANK.keys():
            del row[name]
    row["id"] = row["id"] or row["admithub_id"]
    if not row["id"]:
        raise RemoteError("Mainstay listed a contact without an id; the pull cannot tell it from others.")
    if row["created"] is None:
        row["created"] = contact.get("created_at")
    custom = contact.get("custom")
    if isinstance(custom, Mapping):
        for name, value in custom.items():
            row[CUSTOM_PREFIX + name] = value if value is None or type(value) is str else text_of(value)
    return row


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


def message_row(message: Mapping[str, Any]) -> dict[str, Any]:
    """One message as a flat row; the live-chat `user` object becomes user_id, user_name and user_email.

    >>> message_row({"admithub_id": "m1", "user": {"id": "u1", "name": "Kim"}})["user_name"]
    'Kim'
    """
    row = {name: message.get(name) for name in MESSAGE_NAMES}
    user = message.get("user")
    if isinstance(user, Mapping):
        row |= {"user_id": user.get("id"), "user_name": user.get("name"), "user_email": user.get("email")}
    elif user:
        row["user_name"] = str(user)
    row["admithub_id"] = _own_id(message)
    return row


def campaign_row(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """One campaign as a flat row."""
    return {**{name: campaign.get(name) for name in CAMPAIGN_NAMES}, "admithub_id": _own_id(campaign)}


def _own_id(item: Mapping[str, Any]) -> str:
    """The id of a list entry; where the API gives none, one made of its content, the same at each pull."""
    given = item.get("admithub_id") or item.get("id")
    if given:
        return str(given)
    text = json.dumps(item, sort_keys=True, ensure_ascii=False)
    return "made:" + hashlib.sha256(text.encode()).hexdigest()[:24]
