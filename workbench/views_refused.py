"""Why the phones and e-mail addresses of a preview are refused: each distinct value looked at once, told by reason.

Our own rules decide what is refused; the libraries that know the world's numbering plans and the grammar of addresses
say what is wrong with it (domain/second_reader.py). No value is told, only how many there are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from workbench.domain.second_reader import why_no_email, why_no_phone
from workbench.store.database import Store

_READERS: Final[dict[str, Callable[[str], str | None]]] = {"invalid-phone": why_no_phone, "invalid-email": why_no_email}
# Of a value that an older rule refused and today's takes.
_TAKEN_NOW: Final = "today's rule takes it; preview again"


def refused_values(store: Store, preview_id: int, *, most: int = 10_000) -> list[dict[str, Any]]:
    """code, reason, distinct_values, row_count (records), the most frequent first; empty where none is refused.

    Looks at the `most` frequent values (about 50 microseconds each); what lies beyond is told as one reason.
    """
    found = store.rows(
        """SELECT p.code,
                  CASE p.code WHEN 'invalid-phone' THEN r.body ->> '$.phone' ELSE r.body ->> '$.email' END AS value,
                  count(*) AS row_count
           FROM preview.prediction AS p
           JOIN preview.request AS r ON r.preview_id = p.preview_id AND r.change_id = p.change_id AND r.ordinal = 1
           WHERE p.preview_id = $preview_id AND p.code IN ('invalid-phone', 'invalid-email')
           GROUP BY ALL ORDER BY row_count DESC, code, value""",
        {"preview_id": preview_id},
    )
    values: Counter[tuple[str, str]] = Counter()
    records: Counter[tuple[str, str]] = Counter()
    for place, row in enumerate(found):
        key = row["code"], _reason(row["code"], row["value"]) if place < most else "not looked at: a rarer value"
        values[key] += 1
        records[key] += row["row_count"]
    return [
        {"code": code, "reason": reason, "distinct_values": values[code, reason], "row_count": count}
        for (code, reason), count in sorted(records.items(), key=lambda item: (-item[1], item[0]))
    ]


def _reason(code: str, value: str | None) -> str:
    """What is wrong, without what the readers quote of the value behind a colon or in brackets."""
    why = "it is blank" if not value else _READERS[code](value) or _TAKEN_NOW
    return re.split(r"[:(]", why, maxsplit=1)[0].strip()
