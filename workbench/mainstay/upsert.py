"""The order of one upsert, as the integration package has it: PUT by CRM ID, PUT by phone, POST.

A generator that yields requests and receives replies, so that one code path meets the wire and the tests.
Source: guide, "Initial sync"; Mainstay API reference, section 4 ("Identifier").
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from workbench.domain.rules import UNSET, normal_phone
from workbench.mainstay.reply import Reply

Step = Literal["crm", "phone", "create"]


@dataclass(frozen=True)
class Request:
    """One request: `path` is relative to the API's base and already percent-encoded."""

    step: Step
    method: Literal["PUT", "POST"]
    path: str
    body: Mapping[str, Any]


def upsert(body: Mapping[str, Any], *, start: Step = "crm") -> Generator[Request, Reply, Reply | None]:
    """Yield the requests for one contact, from `start` on; return the reply that settled it.

    Only not-found leads on: to the phone where the body carries a usable one, to a create where it carries first and
    last name. Returns None where not even the first request can be made (no CRM ID, no phone, no names).
    """
    reply: Reply | None = None
    if start == "crm" and _is_given(body.get("crm_id")):
        reply = yield Request("crm", "PUT", contact_path(str(body["crm_id"])), body)
        if not reply.is_not_found:
            return reply
    phone = normal_phone(str(body["phone"])) if _is_given(body.get("phone")) else None
    if start in {"crm", "phone"} and phone is not None:
        # Ten digits: an unusable phone would be read as an id of somebody else, or find nobody.
        reply = yield Request("phone", "PUT", contact_path(phone), body)
        if not reply.is_not_found:
            return reply
    if start == "create":
        return (yield Request("create", "POST", "contacts/", body))
    if _is_given(body.get("first_name")) and _is_given(body.get("last_name")):
        return (yield Request("create", "POST", "contacts/", without_unset(body)))
    return reply


def contact_path(contact: str) -> str:
    """The path of one contact by CRM ID, phone or Mainstay ID.

    >>> contact_path("a/b?c")
    'contacts/a%2Fb%3Fc/'
    """
    return f"contacts/{quote(contact, safe='')}/"


def without_unset(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body for a create: there is nothing to delete yet, and a server could store the keyword as text."""
    kept = {name: value for name, value in body.items() if value != UNSET}
    custom = {name: value for name, value in (body.get("custom") or {}).items() if value != UNSET}
    kept.pop("custom", None)
    return {**kept, "custom": custom} if custom else kept


def _is_given(value: Any) -> bool:
    return value is not None and value != UNSET and str(value).strip() != ""
