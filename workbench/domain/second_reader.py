"""Why a phone or an address does not fit, in the words of libraries that know the plans of the world.

Our own rules decide (domain/rules.py, and the same patterns in SQL): they cost nothing and are what the sandbox does.
These readers cost some fifty microseconds a value, so they look at values that were refused, one at a time.
"""

from __future__ import annotations

from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from workbench.domain import rules

_LENGTHS: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: "it is too short",
    phonenumbers.ValidationResult.TOO_LONG: "it is too long",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "its area code is missing",
    phonenumbers.ValidationResult.INVALID_LENGTH: "no number has that many digits",
}
_HOME: Final = "US"
_NORTH_AMERICA: Final = 1


def why_no_phone(text: str) -> str | None:
    """Why Mainstay takes no such phone; None where it does.

    >>> why_no_phone("404 555 01"), why_no_phone("+44 20 7946 0958")
    ('it is too short', 'it is a number of GB, outside the North American plan')
    """
    if rules.normal_phone(text) is not None:
        return None
    try:
        number = phonenumbers.parse(text, _HOME)
    except phonenumbers.NumberParseException:
        return "it is no phone number at all"
    if number.country_code != _NORTH_AMERICA:
        region = phonenumbers.region_code_for_number(number) or f"country code {number.country_code}"
        return f"it is a number of {region}, outside the North American plan"
    if number.extension:
        return f"it has an extension ({number.extension})"
    length = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(number))
    return length or "its area code or exchange is not in use"


def why_no_email(text: str) -> str | None:
    """Why Mainstay takes no such address; None where it does. Nothing is looked up in the net.

    >>> why_no_email("ana@example")
    'The part after the @-sign is not valid. It should have a period.'
    """
    if rules.is_email(text):
        return None
    try:
        validate_email(text, check_deliverability=False, allow_quoted_local=True, test_environment=True)
    except EmailNotValidError as error:
        return str(error)
    return "Mainstay takes plain addresses only: one @, a dotted host, no consecutive dots."
