"""The entries of a page as lines of NDJSON: as the API wrote them, where their texts can be told apart.

Writing a parsed entry anew costs more than reading it; a million contacts pass here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

_OPENING: Final = b'"results":['
# What may stand between two entries besides the comma; in strings the first three are always escaped.
_BLANKS: Final = (b"\n", b"\r", b"\t", b"}, ", b"} ,")

# The entry in the form that a landing reads, or None where it has that form.
Regular = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def entry_texts(body: bytes, answer: Mapping[str, Any]) -> list[bytes] | None:
    """The text of each entry in `results` of an answer, from the body it was parsed from; None where they are unclear.

    Entries are told apart by `},{"first key":`. Where no blank stands between entries and all begin with that key, it
    separates each of them from the next; as many entries as texts then prove that it stands nowhere else. (Within a
    string it cannot: there a quote is escaped, and the closing one is not followed by a name.)

    >>> body = b'{"count":2,"results":[{"id":"a","x":"},{"},{"id":"b"}],"next":null}'
    >>> entry_texts(body, orjson.loads(body))
    [b'{"id":"a","x":"},{"}', b'{"id":"b"}']
    """
    entries = answer["results"]
    start, stop = body.find(_OPENING) + len(_OPENING), body.rfind(b"]")
    text = body[start:stop]
    if start < len(_OPENING) or any(blank in text for blank in _BLANKS) or not _is_whole(body, start, stop, answer):
        return None
    if not entries:
        return []
    first = next(iter(entries[0]), None)
    if first is None or {next(iter(entry), None) for entry in entries} != {first}:
        return None
    name = b"{" + orjson.dumps(first) + b":"
    texts = text.replace(b"}," + name, b"}\n" + name).split(b"\n")
    return texts if len(texts) == len(entries) else None


def _is_whole(body: bytes, start: int, stop: int, answer: Mapping[str, Any]) -> bool:
    """Whether what stands between two places is all of the answer's `results`: the rest is the same without it."""
    try:
        return bool(orjson.loads(body[:start] + body[stop:]) == {**answer, "results": []})
    except orjson.JSONDecodeError:
        return False


def page_lines(rows: Sequence[Mapping[str, Any]], texts: Sequence[bytes] | None, regular: Regular) -> bytes:
    """One line per row: its own text where it has one and is regular, else its regular form."""
    lines = [] if texts is None else [*texts]
    for place, row in enumerate(rows):
        changed = regular(row)
        if texts is None:
            lines.append(orjson.dumps(row if changed is None else changed))
        elif changed is not None:
            lines[place] = orjson.dumps(changed)
    return b"\n".join((*lines, b"")) if lines else b""
