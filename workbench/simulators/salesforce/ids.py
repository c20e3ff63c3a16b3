"""Record ids: 15 case-sensitive characters, or 18 with a suffix that survives case-blind programs.

Source: Salesforce wire reference, section 4.
"""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")
_COUNTER_LENGTH: Final = 8
# Records made by the sandbox are recognisable by these four characters after the key prefix.
MADE: Final = "Wb00"


def long_id(text: str) -> str:
    """The 18 characters of an id given with 15 or 18.

    >>> long_id("003D000000QOMn0")
    '003D000000QOMn0IAH'
    """
    short = text[:15]
    suffix = ""
    for start in (0, 5, 10):
        third = short[start : start + 5]
        suffix += _SUFFIX[sum(1 << place for place, letter in enumerate(third) if "A" <= letter <= "Z")]
    return short + suffix


def parsed_id(text: object) -> str | None:
    """The 18-character id that `text` means, None where it is no id (wrong length, letters or suffix)."""
    if not isinstance(text, str) or not _SHAPE.match(text):
        return None
    full = long_id(text)
    return full if len(text) == 15 or text[15:].upper() == full[15:] else None


def made_id(key_prefix: str, number: int) -> str:
    """The id of the `number`-th record this sandbox created under a key prefix."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return long_id(key_prefix + MADE + digits.rjust(_COUNTER_LENGTH, "0"))
