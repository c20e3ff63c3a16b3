"""Fields of both systems, and which pairs may be mapped, or why not.

Source: Mainstay API reference, section 3; Salesforce wire reference, section 5; guide, "Fields Mapping".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Direction(StrEnum):
    """Export is Salesforce to Mainstay, import is Mainstay to Salesforce, as the guide uses the words."""

    EXPORT = "export"
    IMPORT = "import"


@dataclass(frozen=True)
class MainstayField:
    """One contact field of Mainstay. Custom fields are named by display name, in mappings `custom.<name>`."""

    name: str
    data_type: str
    is_custom: bool = False
    is_deprecated: bool = False
    is_writable: bool = True
    options: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The name used in mappings and as a column of mainstay.contact."""
        return f"custom.{self.name}" if self.is_custom else self.name


@dataclass(frozen=True)
class SalesforceField:
    """One field as describe tells it; `name` is an API name or a lookup path (`Account.Parent.Name`).

    `formula`: the text of a formula field, where it is known. `default_value`: what a new record holds that is not
    given this field, as text and "" for a blank; None where that is computed, or not known. `precision`: the digits of
    a number, `scale` of them after the point; 0 where that is not known. `blank_is_zero`: whether a formula field reads
    blank numbers as zero; None where no pull has said so.
    """

    name: str
    label: str = ""
    type: str = "string"
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    custom: bool = False
    unique: bool = False
    external_id: bool = False
    restricted_picklist: bool = False
    picklist_values: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    defaulted_on_create: bool = False
    formula: str | None = None
    default_value: str | None = ""
    precision: int = 0
    scale: int = 0
    blank_is_zero: bool | None = False

    @property
    def is_lookup(self) -> bool:
        return "." in self.name

    @property
    def is_required_on_create(self) -> bool:
        return self.createable and not self.nillable and not self.defaulted_on_create


def _read_only(name: str, data_type: str, *, is_deprecated: bool = False) -> MainstayField:
    return MainstayField(name, data_type, is_writable=False, is_deprecated=is_deprecated)


STANDARD_FIELDS: Final = (
    _read_only("id", "string"),
    _read_only("admithub_id", "string", is_deprecated=True),
    _read_only("conversation_record_url", "url"),
    MainstayField("crm_id", "string"),
    MainstayField("enrollment_id", "string"),
    MainstayField("first_name", "string"),
    MainstayField("preferred_name", "string"),
    MainstayField("last_name", "string"),
    MainstayField("email", "email"),
    _read_only("country_calling_code", "string"),
    MainstayField("phone", "phone"),
    _read_only("invalid_phone", "boolean"),
    _read_only("previous_phone", "phone"),
    MainstayField("language", "language"),
    MainstayField("messaging_status_sms", "messaging status"),
    MainstayField("messaging_status_web_bot", "messaging status"),
    _read_only("texting_status", "string", is_deprecated=True),
    _read_only("can_text", "boolean"),
    _read_only("channel", "string"),
    _read_only("archived", "boolean"),
    _read_only("test_user", "boolean"),
    _read_only("permitted_user_status", "boolean"),
    _read_only("contacted", "boolean"),
    _read_only("ai_disabled", "boolean"),
    _read_only("deliverability_failure_count", "integer"),
    _read_only("labels", "list"),
    _read_only("created", "datetime"),
    _read_only("last_modified_at", "datetime"),
    _read_only("last_incoming_message_at", "datetime"),
    _read_only("last_outgoing_message_at", "datetime"),
)
STANDARD_BY_NAME: Final = {field.name: field for field in STANDARD_FIELDS}
WRITABLE_STANDARD_NAMES: Final = tuple(field.name for field in STANDARD_FIELDS if field.is_writable)
CUSTOM_TYPES: Final = ("Text", "Number", "True/False", "Date", "Phone", "URL", "Multi-Choice")

# DuckDB column types of the landing tables, by the field's type; what is not named is VARCHAR.
SALESFORCE_COLUMN_TYPES: Final = {
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "int": "BIGINT",
    "date": "DATE",
    "datetime": "TIMESTAMPTZ",
}
MAINSTAY_COLUMN_TYPES: Final = {
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMPTZ",
    "integer": "BIGINT",
    "list": "VARCHAR[]",
}

_TEXT: Final = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "combobox", "id", "reference"})
_WORDY: Final = _TEXT | {"multipicklist", "encryptedstring"}
_NUMERIC: Final = frozenset({"double", "currency", "percent", "int"})
_TEMPORAL: Final = frozenset({"date", "datetime"})
_UNMAPPABLE: Final = frozenset({"address", "location", "base64", "anyType", "complexvalue", "time"})

# Mainstay type -> Salesforce types that may be sent to it. Text may go into typed custom fields: a value that
# cannot be cast meets code 13 (API reference, section 10, item 10).
_EXPORT_TYPES: Final = {
    "string": _WORDY | _NUMERIC | _TEMPORAL | {"boolean"},
    "email": frozenset({"email", "string", "picklist", "combobox"}),
    "phone": frozenset({"phone", "string", "double"}),
    "language": frozenset({"string", "picklist", "combobox"}),
    "messaging status": frozenset({"string", "picklist", "combobox"}),
    "Text": _WORDY | _NUMERIC | _TEMPORAL | {"boolean"},
    "Number": _NUMERIC | _TEXT,
    "True/False": _TEXT | {"boolean"},
    "Date": _TEMPORAL | _TEXT,
    "Phone": _TEXT | {"double"},
    "URL": _TEXT,
    "Multi-Choice": _TEXT | _NUMERIC,
}
# Mainstay type -> Salesforce types it may be written to.
_IMPORT_TYPES: Final = {
    "string": _WORDY,
    "url": frozenset({"url", "string", "textarea"}),
    "email": frozenset({"email", "string", "textarea"}),
    "phone": frozenset({"phone", "string", "textarea"}),
    "language": frozenset({"string", "picklist", "combobox", "textarea"}),
    "messaging status": frozenset({"string", "picklist", "combobox", "textarea"}),
    "boolean": frozenset({"boolean", "string", "textarea"}),
    "integer": _NUMERIC | {"string", "textarea"},
    "datetime": frozenset({"datetime", "date", "string", "textarea"}),
    "Text": _WORDY,
    "Number": _NUMERIC | {"string", "textarea"},
    "True/False": frozenset({"boolean", "string", "textarea"}),
    "Date": frozenset({"date", "datetime", "string", "textarea"}),
    "Phone": frozenset({"phone", "string", "textarea"}),
    "URL": frozenset({"url", "string", "textarea"}),
    "Multi-Choice": _WORDY,
}


def pair_problem(salesforce: SalesforceField, mainstay: MainstayField, direction: Direction) -> str | None:
    """Why this pair cannot be mapped in this direction, in plain words; None where it can.

    >>> pair_problem(SalesforceField("IsEmailBounced", type="boolean"), STANDARD_BY_NAME["email"], Direction.EXPORT)
    'a boolean of Salesforce does not fit the email of Mainstay'
    """
    if salesforce.type in _UNMAPPABLE:
        return f"Salesforce fields of type {salesforce.type} cannot be mapped; map their parts instead"
    if mainstay.data_type == "list":
        return "lists of Mainstay cannot be mapped"
    problem = _write_problem(salesforce, mainstay, direction)
    if problem is not None:
        return problem
    fitting = (_EXPORT_TYPES if direction is Direction.EXPORT else _IMPORT_TYPES).get(mainstay.data_type, frozenset())
    if salesforce.type in fitting:
        return None
    if direction is Direction.EXPORT:
        return f"a {salesforce.type} of Salesforce does not fit the {mainstay.data_type} of Mainstay"
    return f"a {mainstay.data_type} of Mainstay does not fit the {salesforce.type} of Salesforce"


def _write_problem(salesforce: SalesforceField, mainstay: MainstayField, direction: Direction) -> str | None:
    if direction is Direction.EXPORT:
        if mainstay.name == "crm_id" and not mainstay.is_custom:
            return "crm_id is always filled with the Salesforce Id and cannot be mapped to another field"
        return None if mainstay.is_writable else "Mainstay sets this field itself; it cannot be overwritten"
    if salesforce.is_lookup:
        return "a lookup field belongs to the parent record and is never written"
    if salesforce.calculated:
        return "a formula field is computed by Salesforce and is never written"
    if not (salesforce.updateable or salesforce.createable):
        return "Salesforce sets this field itself; it cannot be written"
    return None


def column_type(salesforce: SalesforceField) -> str:
    """The DuckDB type a Salesforce field lands in."""
    return SALESFORCE_COLUMN_TYPES.get(salesforce.type, "VARCHAR")


def mainstay_column_type(field: MainstayField) -> str:
    """The DuckDB type a Mainstay field lands in; custom values land as text."""
    return "VARCHAR" if field.is_custom else MAINSTAY_COLUMN_TYPES.get(field.data_type, "VARCHAR")


def field_from_row(row: dict[str, Any]) -> MainstayField:
    """A MainstayField from a row of mainstay.field."""
    return MainstayField(
        row["name"], row["data_type"], row["is_custom"], row["is_deprecated"], row["is_writable"],
        tuple(row["options"] or ()),
    )  # fmt: skip
