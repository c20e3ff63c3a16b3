"""Duplicate rules of the institution: a record that looks like another one is refused, or saved knowingly.

Source: Salesforce wire reference, section 3, DUPLICATES_DETECTED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.simulators.salesforce.refusals import Refusal
from workbench.simulators.salesforce.schema import SObject
from workbench.simulators.salesforce.tables import Row, Tables


@dataclass(frozen=True)
class DuplicateRule:
    """Records alike in all `fields` (texts without regard to case, blanks never) are taken for one.

    `is_blocking`: no header of the request saves one all the same.
    """

    name: str
    fields: tuple[str, ...]
    is_blocking: bool = False

    def refusal(self, tables: Tables, sobject: SObject, row: Row) -> Refusal | None:
        """DUPLICATES_DETECTED with the living records that `row` looks like, None where there are none."""
        wanted = [row.get(name) for name in self.fields]
        if any(value is None for value in wanted):
            return None
        alike = [
            found["Id"]
            for found in tables.where(sobject, self.fields[0], wanted[:1])
            if found["Id"] != row["Id"]
            and not found.get("IsDeleted")
            and all(_folded(found[name]) == _folded(row[name]) for name in self.fields)
        ]
        if not alike:
            return None
        return Refusal("DUPLICATES_DETECTED", "Use one of these records?", detail=self._result(sobject, alike))

    def _result(self, sobject: SObject, alike: Sequence[str]) -> dict[str, Any]:
        records = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": sobject.name}, "Id": record_id},
            }
            for record_id in alike
        ]
        match = {
            "entityType": sobject.name,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": records,
            "rule": self.name,
            "size": len(records),
            "success": True,
        }
        return {
            "duplicateResult": {
                "allowSave": not self.is_blocking,
                "duplicateRule": self.name,
                "duplicateRuleEntityType": sobject.name,
                "errorMessage": "Use one of these records?",
                "matchResults": [match],
            }
        }


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
