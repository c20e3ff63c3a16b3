"""What decides about every record besides its values and the mapping: where it is another, all records are looked at.

A picklist that took another value, a field that became required, a channel that was switched off or a newer version of
ours may foretell otherwise of records that nobody touched.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import version
from typing import Final

from workbench.engine.kept import RULES_DIGEST
from workbench.store.database import Store

# Which pull brought a field says nothing about it.
_FIELDS: Final = """
SELECT CAST(sum(hash(field)) AS VARCHAR) AS fields
FROM (SELECT * EXCLUDE (_pull_id, _row_hash) FROM {system}.field) AS field
"""


def ground_of(store: Store, *, has_sms: bool, has_web_bot: bool) -> str:
    """A digest of both systems' fields as they were pulled, the channels, and our rules."""
    fields = [store.rows(_FIELDS.format(system=system))[0]["fields"] for system in ("salesforce", "mainstay")]
    decides = (*fields, has_sms, has_web_bot, version("mainstay-workbench"), RULES_DIGEST)
    return sha256(repr(decides).encode()).hexdigest()
