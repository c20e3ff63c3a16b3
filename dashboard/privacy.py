"""Personal data masked on its way to a screen: names, phones, addresses, message text, field values, bodies.

Works on what a read model returns, before any screen sees it, so no screen can forget it. Ids, codes, statuses, times
and counts stay: they are what a viewer works with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

import orjson

HIDDEN: Final = "••••••"
_EMAIL: Final = re.compile(r"[^\s@'\"<>/,;:]+@[^\s@'\"<>/,;:]+")
_PHONE: Final = re.compile(r"(?<![\w-])\+?\(?\d[\d\s().-]{5,}\d(?![\w-])")
_QUOTED: Final = re.compile(r"(?<!\w)'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”")
# Records as pulled, and what decided about one: everything in them is somebody's, but what only names or counts.
_RECORDS: Final = frozenset({"record", "contact", "salesforce", "mainstay", "values"})
_OPEN_FIELDS: Final = frozenset(
    {"id", "crm_id", "created_at", "last_modified_at", "createddate", "lastmodifieddate", "systemmodstamp", "isdeleted",
     "contact_id", "record_id", "messaging_status_sms", "messaging_status_web_bot", "accountid", "ownerid"}
)  # fmt: skip


def masked(found: Any) -> Any:
    """A copy of a read model's answer with personal data hidden.

    >>> masked([{"contact_id": "ah1", "name": "Amy Lee", "email": "amy@x.edu", "phone": "4045550101"}])
    [{'contact_id': 'ah1', 'name': 'A•• L••', 'email': '•••@x.edu', 'phone': '••••••••01'}]
    """
    if isinstance(found, Mapping):
        is_person = "contact_id" in found and "name" in found
        return {key: _value(str(key), value, is_person=is_person) for key, value in found.items()}
    if isinstance(found, list | tuple) and not hasattr(found, "_fields"):
        return type(found)(masked(item) for item in found)
    if is_dataclass(found) and not isinstance(found, type):
        return _dataclass(found)
    return found


def _value(key: str, value: Any, *, is_person: bool) -> Any:
    if key in _RECORDS and isinstance(value, Mapping):
        return {name: _field(name, one) for name, one in value.items()}
    if is_person and key == "name":
        return name(value)
    rule = RULES.get(key)
    if rule is not None and isinstance(value, str):
        return rule(value)
    if key in _VALUES and not isinstance(value, bool) and value is not None:
        return HIDDEN
    return masked(value)


def _field(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool) or name.lower() in _OPEN_FIELDS:
        return value
    return HIDDEN


def _dataclass(found: Any) -> Any:
    """Explanations are sentences and values of one record; other dataclasses (mappings, revisions) name nobody."""
    if type(found).__module__ != "workbench.engine.explain":
        return found
    return replace(
        found, **{one.name: _value(one.name, getattr(found, one.name), is_person=False) for one in fields(found)}
    )


def name(value: Any) -> Any:
    """Initials; enough to tell two rows apart.

    >>> name("Ana María Diaz"), name(None)
    ('A•• M•••• D•••', None)
    """
    if not isinstance(value, str):
        return value
    return " ".join(word[0] + "•" * min(len(word) - 1, 6) for word in value.split())


def email(value: str) -> str:
    _, at, host = value.rpartition("@")
    return f"•••@{host}" if at else HIDDEN


def phone(value: str) -> str:
    return "••••••••" + value[-2:]


def message(value: str) -> str:
    """How long a message is, not what it says; of a request, the names without the values.

    >>> message("See you Tuesday")
    '•••••• (15 characters)'
    """
    if value.startswith("{"):  # the body of a request, which goes by the same name
        return body(value)
    return f"{HIDDEN} ({len(value)} characters)" if value else value


def scrub(value: str) -> str:
    """A sentence or address without phones, e-mail addresses and quoted values; record ids stay.

    >>> scrub("PUT https://api/contacts/4045550101/ for 'Ana' of ana@x.edu, 003XX0000000001AAA")
    'PUT https://api/contacts/••••••/ for •••••• of ••••••, 003XX0000000001AAA'
    """
    for pattern in (_QUOTED, _EMAIL, _PHONE):
        value = pattern.sub(HIDDEN, value)
    return value


def body(value: str) -> str:
    """A request or answer with its names and without its values; what is no JSON is hidden whole.

    >>> body('{"email": "a@x.edu", "custom": {"GPA": 3.1}, "opt": true}')
    '{"email":"••••••","custom":{"GPA":"••••••"},"opt":true}'
    """
    try:
        return orjson.dumps(_values(orjson.loads(value))).decode()
    except orjson.JSONDecodeError:
        return HIDDEN


def answer(value: str) -> str:
    """A refusal: its code and the message stay, as they are published; values in it are scrubbed."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return scrub(value)
    return orjson.dumps(_scrubbed(found)).decode()


def _values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: one if key in {"code", "id", "crm_id", "Id"} else _values(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_values(one) for one in value]
    return value if value is None or isinstance(value, bool) else HIDDEN


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_scrubbed(one) for one in value]
    return scrub(value) if isinstance(value, str) else value


RULES: Final[dict[str, Callable[[str], str]]] = {
    "person": name,
    "first_name": name,
    "last_name": name,
    "email": email,
    "phone": phone,
    "request_body": body,
    "response_body": body,
    "body": message,
    "fail_message": answer,
    "endpoint": scrub,
    "url": scrub,
    "path": scrub,
    "reason": scrub,
    "left_out": scrub,
    "sentence": scrub,
    "fields": body,
}
_VALUES: Final = frozenset({"before", "after", "baseline", "salesforce_value", "mainstay_value"})
