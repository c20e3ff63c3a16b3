"""Write a finished preview from the scratch database to the store, in one transaction."""

from __future__ import annotations

import time
from typing import Final
from uuid import uuid4

import pyarrow as pa

from workbench.domain.error_dictionary import ENTRIES
from workbench.domain.prediction_rules import POSSIBLE_CODES, RULES_VERSION
from workbench.engine.compute import Computation
from workbench.engine.run import leave_as_it_lies
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision
from workbench.store.quoting import literal

# So many changes of a narrow preview are left uncompressed; more would fill the disk.
_FEW: Final = 50_000
_NUMBER = "(SELECT coalesce(max(preview_id), 0) + 1 FROM store.preview.preview)"
_CHANGE_ID = f"'P' || {_NUMBER} || '-' || seq"

_POSSIBLE = f"[{', '.join(literal(code) for code in POSSIBLE_CODES)}]"

_CHANGE = f"""
INSERT INTO store.preview.change
SELECT {_NUMBER}, {_CHANGE_ID}, seq, $direction, sobject, salesforce_id, mainstay_id, rule, action, reason,
       CASE WHEN guarded.seq IS NULL THEN change.guards ELSE list_concat(change.guards, guarded.guards) END AS guards,
       group_id, predicted_status, codes,
       CASE WHEN predicted_status IS NULL THEN NULL
            WHEN is_open OR list_has_any(codes, {_POSSIBLE}) THEN 'possible'
            ELSE 'certain' END AS certainty,
       fields
FROM work.all_changes AS change
LEFT JOIN work.guarded AS guarded USING (seq)
"""
_GUARD = f"""
INSERT INTO store.preview.guard SELECT {_NUMBER}, guard, field, row_count, share, sentence FROM work.guard_count
"""
_FAN_OUT = f"""
INSERT INTO store.preview.fan_out SELECT {_NUMBER}, {_CHANGE_ID}, child_object, children FROM work.fan_out
"""
_REQUEST = f"""
INSERT INTO store.preview.request
SELECT {_NUMBER}, {_CHANGE_ID}, ordinal, system, method, path, body
FROM work.all_requests
"""
_PREDICTION = f"""
INSERT INTO store.preview.prediction
SELECT {_NUMBER}, {_CHANGE_ID}, code.code, entry.number,
       CASE WHEN c.action = 'blocked' THEN 'complete' ELSE 'partial' END AS failure,
       CASE WHEN c.is_open OR list_contains({_POSSIBLE}, code.code) THEN 'possible' ELSE 'certain' END AS certainty,
       {literal(RULES_VERSION)} AS rules_version
FROM (SELECT seq, action, codes, is_open FROM work.all_changes WHERE len(codes) > 0) AS c
CROSS JOIN unnest(c.codes) AS code(code)
LEFT JOIN entry ON entry.code = split_part(code.code, ': ', 1)
              AND (entry.code <> 'duplicate-contact' OR entry.number = 6)
"""
_BUCKET = f"""
INSERT INTO store.preview.bucket SELECT {_NUMBER}, system, object, bucket, row_count FROM work.all_buckets
"""
_CONFLICT = f"""
INSERT INTO store.preview.conflict
SELECT {_NUMBER}, {_CHANGE_ID}, field, salesforce_field, has_baseline, baseline, salesforce_value, mainstay_value,
       salesforce_modified_at, mainstay_modified_at, rule, cause, winner, decided_by
FROM work.all_conflicts
"""
_PIN = f"INSERT INTO store.preview.pin SELECT {_NUMBER}, system, object, pull_id FROM pin"
_GROUND = f"INSERT INTO store.preview.ground SELECT {_NUMBER}, $ground"
_PREVIEW = f"""
INSERT INTO store.preview.preview
SELECT {_NUMBER}, $direction, $sobjects, $revision, $digest, $only, $run, now(), $seconds
"""


def freeze(
    work: Computation, store: Store, *, revision: MappingRevision, ground: str, only_record: str | None, started: float
) -> int:
    """Store the preview and return its number. `started` is the perf_counter of its beginning."""
    con, direction = work.con, str(work.direction)
    run = uuid4().hex
    about = {
        "direction": direction,
        "sobjects": work.sobjects,
        "revision": revision.revision,
        "digest": revision.digest,
        "only": only_record,
        "run": run,
        "seconds": time.perf_counter() - started,
    }
    con.register("entry", pa.Table.from_pylist([{"code": e.code, "number": e.number} for e in ENTRIES]))
    con.register("pin", pa.Table.from_pylist(work.pins))
    changes = con.execute("SELECT count(*) FROM work.all_changes").fetchone()
    if only_record is not None and changes is not None and changes[0] <= _FEW:
        leave_as_it_lies(con)
    with store.filled(con):
        con.execute(_CHANGE, {"direction": direction})
        for statement in (_REQUEST, _PREDICTION, _CONFLICT, _GUARD, _FAN_OUT, _BUCKET, _PIN):
            con.execute(statement)
        con.execute(_GROUND, {"ground": ground})
        con.execute(_PREVIEW, about)
        found = con.execute("SELECT preview_id FROM store.preview.preview WHERE run = $run", {"run": run}).fetchall()
    return int(found[0][0])
