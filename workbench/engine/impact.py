"""What a changed mapping would change: the current revision and a candidate over the same pulls, compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from workbench.domain.fields import Direction
from workbench.engine.compute import computed
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision

_COMPARED = """
SELECT sobject, salesforce_id, mainstay_id, action, rule, codes, body, predicted_status
FROM work.all_changes
LEFT JOIN (SELECT seq, body FROM work.all_requests WHERE ordinal = 1) USING (seq)
"""

# A record is known by the sending side's id; a record that only one mapping looks at counts as altered.
_IMPACT = """
WITH pair AS (
    SELECT old.action AS old_action, new.action AS new_action, old.body AS old_body, new.body AS new_body,
           old.predicted_status AS old_status, new.predicted_status AS new_status, old.rule AS old_rule,
           new.rule AS new_rule, coalesce(new.codes, []) AS new_codes, coalesce(old.codes, []) AS old_codes,
           coalesce(new.{key}, old.{key}) AS record
    FROM old FULL JOIN new ON new.{key} = old.{key} AND new.sobject = old.sobject
)
SELECT count(*) AS records,
       count(*) FILTER (WHERE old_body IS DISTINCT FROM new_body) AS altered_payloads,
       count(*) FILTER (WHERE new_status = 'fail' AND old_status IS DISTINCT FROM 'fail') AS newly_fails,
       count(*) FILTER (WHERE old_status = 'fail' AND new_status IS DISTINCT FROM 'fail') AS no_longer_fails,
       count(*) FILTER (WHERE new_status = 'partial' AND old_status IS DISTINCT FROM 'partial') AS newly_partial,
       count(*) FILTER (WHERE new_rule <> 'none' AND coalesce(old_rule, 'none') = 'none') AS newly_matches,
       count(*) FILTER (WHERE coalesce(new_rule, 'none') = 'none' AND old_rule <> 'none') AS no_longer_matches,
       count(*) FILTER (WHERE new_action = 'excluded' AND old_action <> 'excluded') AS newly_excluded,
       list(record ORDER BY record) FILTER (WHERE old_body IS DISTINCT FROM new_body)[1:5] AS examples
FROM pair
"""


@dataclass(frozen=True)
class Impact:
    """Counts of records whose preview a mapping would change, per direction; `examples` are sending-side ids."""

    direction: Direction
    records: int
    altered_payloads: int
    newly_fails: int
    no_longer_fails: int
    newly_partial: int
    newly_matches: int
    no_longer_matches: int
    newly_excluded: int
    examples: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return (
            f"{self.direction.capitalize()}: alters {self.altered_payloads:,} payloads, "
            f"newly fails {self.newly_fails:,}, newly matches {self.newly_matches:,} of {self.records:,} records."
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def mapping_impact(
    store: Store,
    current: MappingRevision,
    candidate: MappingRevision,
    direction: Direction,
    *,
    has_sms: bool = True,
    has_web_bot: bool = True,
) -> Impact:
    """Compare both mappings over the current pulls; nothing is stored and the current revision stays as it is.

    Raises ConfigurationError where either mapping cannot be previewed.
    """
    sides: dict[str, pa.Table] = {}
    for name, revision in (("old", current), ("new", candidate)):
        with computed(store, revision, direction, has_sms=has_sms, has_web_bot=has_web_bot) as work:
            sides[name] = work.con.execute(_COMPARED).to_arrow_table()
            if name == "new":
                for side, table in sides.items():
                    work.con.register(side, table)
                key = "salesforce_id" if direction is Direction.EXPORT else "mainstay_id"
                found = work.con.execute(_IMPACT.format(key=key)).to_arrow_table().to_pylist()[0]
    return Impact(direction, **{**found, "examples": found["examples"] or []})
