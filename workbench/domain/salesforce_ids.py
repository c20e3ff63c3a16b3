"""Salesforce record ids: 18 characters everywhere in the store; reports and links show the first 15 of them."""

from __future__ import annotations

from typing import Final

_SUFFIX_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def full_id(text: str | None) -> str | None:
    """The 18 characters of an id told with 15 or 18; None where the text is no id.

    Source: Salesforce, "What are the differences between 15 and 18 character record IDs" (the checksum of the case).

    >>> full_id("003D000000QOMn0")
    '003D000000QOMn0IAH'
    """
    if text is None or len(text) not in {15, 18} or not (text.isascii() and text.isalnum()):
        return None
    short = text[:15]
    suffix = "".join(
        _SUFFIX_LETTERS[sum(letter.isupper() << place for place, letter in enumerate(short[start : start + 5]))]
        for start in (0, 5, 10)
    )
    return short + suffix


def as_stored(text: str) -> str:
    """An id as the store holds it: 15 characters are made 18, anything else is left as told."""
    return (full_id(text) or text) if len(text) == 15 else text
