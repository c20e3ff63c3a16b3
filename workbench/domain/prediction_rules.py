"""The one table of rules behind predicted codes: what each code hangs on, and how certain that can be.

A code is `certain` where everything its rule reads was pulled, `possible` where it hangs on what nobody shows: the
previous phone of a contact, the channels an institution bought, whether a record that is missing was ever there.
RULES_VERSION is kept with every prediction, so that the calibration report tells the hits of old rules from those of
new ones: raise it whenever a rule changes.
Source: feature checklist, "How well each error can be predicted"; Mainstay API reference, section 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RULES_VERSION: Final = "2026.11.3"


@dataclass(frozen=True)
class PredictionRule:
    """One code: whose answer it is, how certain, and what it hangs on."""

    code: str
    system: Literal["mainstay", "salesforce"]
    certainty: Literal["certain", "possible"]
    hangs_on: str


def _mainstay(code: str, hangs_on: str, certainty: Literal["certain", "possible"] = "certain") -> PredictionRule:
    return PredictionRule(code, "mainstay", certainty, hangs_on)


def _salesforce(code: str, hangs_on: str, certainty: Literal["certain", "possible"] = "certain") -> PredictionRule:
    return PredictionRule(code, "salesforce", certainty, hangs_on)


RULES: Final = (
    _mainstay("duplicate-contact", "who holds the phone when the record's turn comes"),
    _mainstay("phone-match-found-but-crmId-mismatch", "the CRM ID of the contact that holds the phone"),
    _mainstay("not-found", "whether any contact carries the CRM ID or the phone"),
    _mainstay("contact-out-of-sync", "the contact's previous phone, which an API may hide", "possible"),
    _mainstay("invalid-phone", "the North American plan: ten digits, area code not N11 or 555"),
    _mainstay("invalid-messaging-status", "the status, the phone, and the channels the institution bought", "possible"),
    _mainstay("invalid-email", "one @, a dotted host, no consecutive dots"),
    _mainstay("invalid-preferred-name", "whether the contact has a preferred name already"),
    _mainstay("invalid-language", "the two-letter codes of ISO 639-1, in small letters"),
    _mainstay("invalid-attribute-data", "the type and the options of the custom field; 64 characters for names"),
    _mainstay("custom-values-too-long", "1000 characters"),
    _mainstay("blank-required-data-in-record", "first and last name of a new contact"),
    _salesforce("JSON_PARSER_ERROR", "whether the value is a number, day, moment or truth value at all"),
    _salesforce("REQUIRED_FIELD_MISSING", "fields that describe calls required, on new records"),
    _salesforce("MALFORMED_ID", "15 or 18 characters with the right checksum"),
    _salesforce("FIELD_INTEGRITY_EXCEPTION", "the first three characters of an id"),
    _salesforce("ENTITY_IS_DELETED", "whether the pulled parent is deleted"),
    # A deleted parent is not in the store either, and Salesforce answers ENTITY_IS_DELETED for it.
    _salesforce("INVALID_CROSS_REFERENCE_KEY", "whether the parent was pulled; it may be deleted", "possible"),
    _salesforce("INVALID_EMAIL_ADDRESS", "our reading of Salesforce's address rule"),
    _salesforce("STRING_TOO_LONG", "the length in describe"),
    _salesforce("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "the values in describe"),
    _salesforce("NUMBER_OUTSIDE_VALID_RANGE", "the digits before the point in describe"),
    _salesforce("DUPLICATE_VALUE", "who holds a unique value when the change's turn comes"),
)
POSSIBLE_CODES: Final = tuple(rule.code for rule in RULES if rule.certainty == "possible")
