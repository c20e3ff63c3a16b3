"""Known contacts plus one request gives Mainstay's answer: the one executable reading of the guide's write rules.

The sandbox serves it, the preview's sequence step walks it, and the tests hold the set-based SQL against it.
Source: Mainstay API reference, sections 3, 4, 8 and 10; step numbers in the comments are those of section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from workbench.domain import rules
from workbench.domain.error_dictionary import BLANK_REQUIRED, INVALID_REQUEST, error_item, outside_item
from workbench.domain.fields import WRITABLE_STANDARD_NAMES, MainstayField

Contact = Mapping[str, Any]
How = Literal["id", "crm", "phone"]

# What the contact's SMS status was before its phone was cleared; kept inside Mainstay, never shown by the API.
SMS_BEFORE_CLEARING: Final = "_sms_before_clearing"


class Contacts(Protocol):
    """Every contact of the institution, hidden and archived ones too."""

    def by_id(self, contact_id: str) -> Contact | None: ...
    def by_crm_id(self, crm_id: str) -> Contact | None: ...
    def by_phone(self, phone: str) -> Contact | None: ...


@dataclass(frozen=True)
class Institution:
    """What a partner configured: custom fields by display name, and the channels it bought."""

    custom_fields: Mapping[str, MainstayField]
    has_sms: bool = True
    has_web_bot: bool = True


@dataclass(frozen=True)
class Answer:
    """Status, error items in order of evaluation, and the contact afterwards (None where nothing was written)."""

    status: int
    errors: tuple[dict[str, Any], ...] = ()
    contact: dict[str, Any] | None = None
    is_created: bool = False
    is_changed: bool = False

    @property
    def codes(self) -> list[str]:
        return [item["code"] for item in self.errors]


@dataclass
class _Write:
    """A request under evaluation: the contact it will leave behind and the errors met on the way."""

    contact: dict[str, Any]
    institution: Institution
    is_create: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, number: int, **about: Any) -> None:
        self.errors.append(error_item(number, **about))


def resolve(path_id: str, contacts: Contacts) -> tuple[Contact | None, How | None]:
    """The contact a path names: by exact Mainstay ID, then exact CRM ID, then normalised phone."""
    if (found := contacts.by_id(path_id)) is not None:
        return found, "id"
    if (found := contacts.by_crm_id(path_id)) is not None:
        return found, "crm"
    phone = rules.normal_phone(path_id)
    if phone is not None and (found := contacts.by_phone(phone)) is not None:
        return found, "phone"
    return None, None


def put(path_id: str, body: Any, contacts: Contacts, institution: Institution) -> Answer:
    """Answer an update of the contact that `path_id` names.

    `contact` is the state afterwards with its dates untouched, or None where nothing was found or written.
    """
    if not _is_request(body):
        return _invalid_request()
    target, how = resolve(path_id, contacts)  # step 2
    if target is None:
        return Answer(404, (error_item(1),))
    values = _present(body)
    write = _Write(dict(target), institution)
    phone = _put_phone(write, values)  # step 3
    crm_id = values.get("crm_id")
    if crm_id == rules.UNSET:
        crm_id = None
    own_crm_id = target.get("crm_id")
    if how == "phone" and own_crm_id and crm_id and crm_id != own_crm_id:  # step 4
        return Answer(409, (error_item(3),))
    if crm_id and crm_id != own_crm_id and contacts.by_crm_id(crm_id) is not None:  # step 5
        return Answer(409, (error_item(4),))
    if phone and phone != rules.UNSET and phone != target.get("phone"):  # step 6
        if phone == target.get("previous_phone"):
            write.refuse(5)
            phone = None
        elif contacts.by_phone(phone) is not None:
            return Answer(409, (error_item(6),))
    if crm_id:
        write.contact["crm_id"] = crm_id
    _change_phone(write.contact, phone)
    _apply_fields(write, values)  # steps 7 and 8
    is_changed = write.contact != dict(target)
    return Answer(200, tuple(write.errors), write.contact, is_changed=is_changed)


def post(body: Any, contacts: Contacts, institution: Institution) -> Answer:
    """Answer a create. `contact` lacks id, created and last_modified_at: the caller gives those."""
    if not _is_request(body):
        return _invalid_request()
    values = {name: value for name, value in _present(body).items() if value != rules.UNSET}
    raw_phone, crm_id = values.get("phone"), values.get("crm_id")
    if not (values.get("first_name") and values.get("last_name") and (raw_phone or crm_id)):  # step 1
        return Answer(400, (outside_item(BLANK_REQUIRED),))
    phone = rules.normal_phone(str(raw_phone)) if raw_phone else None
    if raw_phone and phone is None:
        return Answer(400, (error_item(2),))
    if crm_id and contacts.by_crm_id(crm_id) is not None:  # step 2
        return Answer(409, (error_item(7),))
    if phone and contacts.by_phone(phone) is not None:  # step 3
        return Answer(409, (error_item(8),))
    contact = blank_contact(institution)
    contact["crm_id"] = crm_id
    write = _Write(contact, institution, is_create=True)
    _change_phone(contact, phone)
    _apply_fields(write, values)  # step 4
    return Answer(201, tuple(write.errors), contact, is_created=True, is_changed=True)


def blank_contact(institution: Institution) -> dict[str, Any]:
    """A contact before anything is known of it: every writable field null, no channel."""
    return {
        **dict.fromkeys(WRITABLE_STANDARD_NAMES),
        "country_calling_code": None,
        "previous_phone": None,
        "invalid_phone": False,
        "custom": dict.fromkeys(institution.custom_fields),
    }


def _is_request(body: Any) -> bool:
    """A contact object without nulls; `custom`, where present, an object too (section 10, item 8)."""
    if not isinstance(body, Mapping) or not isinstance(body.get("custom", {}), Mapping):
        return False
    return None not in body.values() and None not in body.get("custom", {}).values()


def _invalid_request() -> Answer:
    return Answer(400, (outside_item(INVALID_REQUEST),))


def _present(body: Mapping[str, Any]) -> dict[str, Any]:
    """The values that count: an empty string is as if absent (section 10, item 8)."""
    values = {name: value for name, value in body.items() if value != ""}
    values["custom"] = {name: value for name, value in body.get("custom", {}).items() if value != ""}
    return values


def _put_phone(write: _Write, values: Mapping[str, Any]) -> str | None:
    raw = values.get("phone")
    if raw is None or raw == rules.UNSET:
        return raw
    phone = rules.normal_phone(str(raw))
    if phone is None:
        write.refuse(2)
    return phone


def _change_phone(contact: dict[str, Any], phone: str | None) -> None:
    """Section 10, item 3: a changed phone becomes the previous one, and the SMS channel follows the phone."""
    now = contact.get("phone")
    if phone is None or phone == now or (phone == rules.UNSET and not now):
        return
    if now:
        contact["previous_phone"] = now
    if phone == rules.UNSET:
        contact[SMS_BEFORE_CLEARING] = contact.get("messaging_status_sms")
        contact["phone"], contact["messaging_status_sms"] = None, None
        contact["invalid_phone"] = False  # section 3: reset by clearing the phone
        return
    contact["phone"] = phone
    if not now:
        contact["messaging_status_sms"] = contact.pop(SMS_BEFORE_CLEARING, None) or "opted-in"


def _apply_fields(write: _Write, values: Mapping[str, Any]) -> None:
    """Each bad field is dropped with its own error, the rest applies; order as in the dictionary (section 8)."""
    contact, institution = write.contact, write.institution
    _apply_status(write, "messaging_status_sms", values, has_channel=institution.has_sms)
    _apply_status(write, "messaging_status_web_bot", values, has_channel=institution.has_web_bot)
    _apply_checked(write, "email", values, 10, rules.is_email)
    _apply_preferred_name(write, values)
    _apply_checked(write, "language", values, 12, rules.is_language)
    for name in ("first_name", "last_name"):
        _apply_name(write, name, values)
    if "enrollment_id" in values:
        contact["enrollment_id"] = _or_null(values["enrollment_id"])
    _apply_custom(write, values["custom"])


def _or_null(value: Any) -> Any:
    return None if value == rules.UNSET else str(value)


def _apply_status(write: _Write, name: str, values: Mapping[str, Any], *, has_channel: bool) -> None:
    if name not in values:
        return
    now = write.contact.get(name)
    wanted = rules.messaging_status(str(values[name]))
    # Opting back in takes the learner's START, pausing the learner's #pause; the same value is no change.
    is_learners_own = wanted != now and (wanted == "paused" or (wanted == "opted-in" and now == "opted-out"))
    if wanted is None or now is None or not has_channel or is_learners_own:
        write.refuse(9)
    else:
        write.contact[name] = wanted


def _apply_checked(write: _Write, name: str, values: Mapping[str, Any], entry: int, is_valid: Any) -> None:
    if name not in values:
        return
    value = _or_null(values[name])
    if value is not None and not is_valid(value):
        write.refuse(entry)
    else:
        write.contact[name] = value


def _apply_preferred_name(write: _Write, values: Mapping[str, Any]) -> None:
    if "preferred_name" not in values:
        return
    value = _or_null(values["preferred_name"])
    now = write.contact.get("preferred_name")
    if not write.is_create and now and value != now:
        write.refuse(11)
    else:
        _apply_name(write, "preferred_name", values)


def _apply_name(write: _Write, name: str, values: Mapping[str, Any]) -> None:
    if name not in values:
        return
    value = _or_null(values[name])
    if value is not None and len(value) > rules.NAME_LIMIT:
        write.refuse(13, field=name)
    else:
        write.contact[name] = value


def _apply_custom(write: _Write, values: Mapping[str, Any]) -> None:
    """Key by key; failed casts first in the request's order, then one error for all values that are too long."""
    custom = dict(write.contact.get("custom") or {})
    too_long: list[str] = []
    known_fields = write.institution.custom_fields
    for name, value in values.items():
        known = known_fields.get(name)
        if known is None:
            write.refuse(13, field=name)
            continue
        if value == rules.UNSET:
            custom[name] = None
            continue
        if type(value) is str and known.data_type == "Text" and len(value) <= rules.CUSTOM_VALUE_LIMIT:
            custom[name] = value  # most values
            continue
        try:
            stored = rules.cast_custom(value, known.data_type, known.options)
        except (ValueError, OverflowError):
            write.refuse(13, field=name)
            continue
        if rules.is_past_limit(stored):
            too_long.append(name)
        else:
            custom[name] = stored
    if too_long:
        write.refuse(14, fields=too_long)
    write.contact["custom"] = custom
