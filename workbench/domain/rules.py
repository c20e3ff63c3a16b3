"""Value rules of Mainstay's write path, as pure functions and as the patterns SQL shares with them.

Each pattern is in the common subset of Python's `re` and DuckDB's RE2, so that the preview's SQL and the ladder
cannot drift apart; tests/properties compares them value by value.
Source: Mainstay API reference, sections 3, 4 and 10 (our normative reading where nothing is published).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

UNSET: Final = "UNSET"
CUSTOM_VALUE_LIMIT: Final = 1000
NAME_LIMIT: Final = 64
NAME_FIELDS: Final = ("first_name", "last_name", "preferred_name")

# North American plan as Mainstay reads it: the area code is not N11 and not 555, the exchange starts at 2-9.
PHONE_PATTERN: Final = r"^(?:[2-9][02-9][0-9]|[2-9]1[02-9])[2-9][0-9]{6}$"
# White space spelled out: RE2's `\s` leaves out the vertical tab, which Python's knows.
_SPACES: Final = r" \t\n\r\f\x0b"
EMAIL_PATTERN: Final = rf"^[^@{_SPACES}]+@[^@{_SPACES}.]+(?:\.[^@{_SPACES}.]+)+$"
NUMBER_PATTERN: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
ISO_DATE_PATTERN: Final = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
US_DATE_PATTERN: Final = r"^[0-9]{1,2}/[0-9]{1,2}/[1-9][0-9]{3}$"
# Both cases spelled out: RE2 folds the long s (U+017F) to s, Python's ASCII reading does not.
URL_PATTERN: Final = rf"^[Hh][Tt][Tt][Pp][Ss]?://[^{_SPACES}/?#]+(?:[/?#][^{_SPACES}]*)?$"
TRUE_WORDS: Final = ("true", "yes", "1")
FALSE_WORDS: Final = ("false", "no", "0")
MESSAGING_STATUSES: Final = ("opted-in", "opted-out", "paused")

# ISO 639-1, lower case.
LANGUAGE_PATTERN: Final = (
    r"^(?:"
    r"aa|ab|ae|af|ak|am|an|ar|as|av|ay|az|ba|be|bg|bi|bm|bn|bo|br|bs|ca|ce|ch|co|cr|cs|cu|cv|cy|da|de|dv|dz|ee|"
    r"el|en|eo|es|et|eu|fa|ff|fi|fj|fo|fr|fy|ga|gd|gl|gn|gu|gv|ha|he|hi|ho|hr|ht|hu|hy|hz|ia|id|ie|ig|ii|ik|io|"
    r"is|it|iu|ja|jv|ka|kg|ki|kj|kk|kl|km|kn|ko|kr|ks|ku|kv|kw|ky|la|lb|lg|li|ln|lo|lt|lu|lv|mg|mh|mi|mk|ml|mn|"
    r"mr|ms|mt|my|na|nb|nd|ne|ng|nl|nn|no|nr|nv|ny|oc|oj|om|or|os|pa|pi|pl|ps|pt|qu|rm|rn|ro|ru|rw|sa|sc|sd|se|"
    r"sg|si|sk|sl|sm|sn|so|sq|sr|ss|st|su|sv|sw|ta|te|tg|th|ti|tk|tl|tn|to|tr|ts|tt|tw|ty|ug|uk|ur|uz|ve|vi|vo|"
    r"wa|wo|xh|yi|yo|za|zh|zu)$"
)


def _fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches, as RE2 reads the pattern: ASCII classes, no newline before the end."""
    return re.fullmatch(pattern, text, re.ASCII) is not None


def normal_phone(text: str) -> str | None:
    """Ten digits, or None where the text is no phone Mainstay accepts.

    >>> normal_phone("+1 (404) 555-0199"), normal_phone("123"), normal_phone("555-222-3333")
    ('4045550199', None, None)
    """
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if digits.startswith("555") or not _fits(PHONE_PATTERN, digits):
        return None
    return digits


def is_email(text: str) -> bool:
    """One @, a dotted host, no consecutive dots."""
    return _fits(EMAIL_PATTERN, text) and ".." not in text


def is_language(text: str) -> bool:
    return _fits(LANGUAGE_PATTERN, text)


def small(text: str) -> str:
    """In small letters, for comparing and sending; İ has none of its own: i would make another word of it.

    >>> small("Ana@X.edu"), small("İnci@X.edu")
    ('ana@x.edu', 'İnci@x.edu')
    """
    return "İ".join(part.lower() for part in text.split("İ"))


def messaging_status(text: str) -> str | None:
    """The stored spelling of a messaging status, or None. Any case; `opted in` is `opted-in`.

    >>> messaging_status("Opted In"), messaging_status("yes")
    ('opted-in', None)
    """
    status = small(text).replace(" ", "-")
    return status if status in MESSAGING_STATUSES else None


def number_text(value: float) -> str:
    """A number as Mainstay shows it: whole numbers without a point."""
    if type(value) is float and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def cast_custom(value: Any, data_type: str, options: Sequence[str] = ()) -> Any:
    """The value as stored for a custom field of `data_type`; raises ValueError where the cast fails.

    Source: Mainstay API reference, section 3, "Casts", and section 10, items 5 and 7.

    >>> cast_custom("2028", "Number"), cast_custom("3/9/2026", "Date"), cast_custom("Yes", "True/False")
    (2028, '2026-03-09', True)
    """
    if data_type == "Text" and isinstance(value, str):
        return value  # most values
    if isinstance(value, list | dict):
        raise ValueError("not a scalar")  # noqa: TRY004  one kind of error per failed cast
    cast = _CASTS.get(data_type)
    if cast is not None:
        return cast(value)
    if data_type == "Multi-Choice" and value not in options:
        raise ValueError("not one of the options")
    return value if isinstance(value, str) else _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError("a truth value is not a number")  # noqa: TRY004  one kind of error per failed cast
    if isinstance(value, str):
        if not _fits(NUMBER_PATTERN, value):
            raise ValueError("not a number")
        value = float(value)
    if value in (float("inf"), float("-inf")):
        raise ValueError("too large")
    return int(value) if value == int(value) and abs(value) < 1e15 else float(value)


def _truth(value: Any) -> bool:
    word = _scalar_text(value).lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("neither true nor false")


def _date(value: Any) -> str:
    text = str(value)
    if _fits(US_DATE_PATTERN, text):
        month, day, year = (int(part) for part in text.split("/"))
        return date(year, month, day).isoformat()
    if not _fits(ISO_DATE_PATTERN, text):
        raise ValueError("not a date")
    date.fromisoformat(text[:10])
    return text


def _url(value: Any) -> str:
    if not _fits(URL_PATTERN, str(value)):
        raise ValueError("not an http(s) address")
    return str(value)


def _phone(value: Any) -> str:
    phone = normal_phone(_scalar_text(value))
    if phone is None:
        raise ValueError("not a phone number")
    return phone


_CASTS: Final = {
    "Number": _number,
    "True/False": _truth,
    "Date": _date,
    "URL": _url,
    "Phone": _phone,
}


def is_past_limit(value: Any) -> bool:
    """Whether a custom value is longer than Mainstay stores (characters)."""
    return isinstance(value, str) and len(value) > CUSTOM_VALUE_LIMIT


def parse_time(text: str) -> datetime:
    """An ISO 8601 moment, `Z` or offset."""
    return datetime.fromisoformat(text)
