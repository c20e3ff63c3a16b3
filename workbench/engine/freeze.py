"""Write a finished preview from the scratch database to the store, in one transaction."""

from __future__ import annotations

import time
from uuid import uuid4

import pyarrow as pa

from workbench.domain.error_dictionary import ENTRIES
from workbench.domain.fields import Direction
from workbench.engine.compute import Computation
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision

_NUMBER = "(SELECT coalesce(max(preview_id), 0) + 1 FROM preview.preview)"

_CHANGE = """
SELECT seq, sobject, salesforce_id, mainstay_id, rule, action, reason, guards, group_id, predicted_status, codes,
       CASE WHEN predicted_status IS NULL THEN NULL
            WHEN is_open OR list_has_any(codes, ['contact-out-of-sync', 'invalid-messaging-status']) THEN 'possible'
            ELSE 'certain' END AS certainty,
       fields
FROM work.all_changes
"""

# One request sends what the package needs up to three for: the pull says which one will work.
_EXPORT_REQUEST = """
SELECT seq, 1 AS ordinal, 'mainstay' AS system, method, path, body
FROM work.all_changes
WHERE method IS NOT NULL
"""

# Salesforce first, then the write-back of the CRM ID; `$id` is the Id that the first request makes.
_IMPORT_REQUEST = """
SELECT seq, 1 AS ordinal, 'salesforce' AS system,
       CASE WHEN salesforce_id IS NULL THEN 'POST' ELSE 'PATCH' END AS method,
       'sobjects/' || sobject || coalesce('/' || salesforce_id, '') AS path, body
FROM work.all_changes
WHERE body IS NOT NULL
UNION ALL
SELECT seq, 2 AS ordinal, 'mainstay' AS system, 'PUT' AS method,
       'contacts/' || url_encode(mainstay_id) || '/' AS path,
       '{"crm_id":"' || coalesce(salesforce_id, '$id') || '"}' AS body
FROM work.all_changes
WHERE action IN ('link', 'create') OR (action = 'blocked' AND rule <> 'id')
"""

# What hangs on hidden state is never certain: the previous phone, and which channels the institution bought.
_PREDICTION = """
SELECT c.seq, code.code, entry.number AS entry,
       CASE WHEN c.action = 'blocked' THEN 'complete' ELSE 'partial' END AS failure,
       CASE WHEN code.code IN ('contact-out-of-sync', 'invalid-messaging-status') THEN 'possible'
            ELSE 'certain' END AS certainty
FROM work.all_changes AS c
CROSS JOIN unnest(c.codes) AS code(code)
LEFT JOIN entry ON entry.code = split_part(code.code, ': ', 1)
              AND (entry.code <> 'duplicate-contact' OR entry.number = 6)
"""

_CHANGE_ID = f"'P' || {_NUMBER} || '-' || seq"
_INSERT_CHANGE = f"""INSERT INTO preview.change
SELECT {_NUMBER}, {_CHANGE_ID}, seq, $direction, sobject, salesforce_id, mainstay_id, rule, action, reason, guards,
       group_id, predicted_status, codes, certainty, fields
FROM frozen_change"""
_INSERT_REQUEST = f"""INSERT INTO preview.request
SELECT {_NUMBER}, {_CHANGE_ID}, ordinal, system, method, path, body
FROM frozen_request"""
_INSERT_PREDICTION = f"""INSERT INTO preview.prediction
SELECT {_NUMBER}, {_CHANGE_ID}, code, entry, failure, certainty
FROM frozen_prediction"""
_INSERT_PREVIEW = f"""INSERT INTO preview.preview
SELECT {_NUMBER}, $direction, $sobjects, $revision, $digest, $only, $run, now(), $seconds"""


def freeze(
    work: Computation, store: Store, *, revision: MappingRevision, only_record: str | None, started: float
) -> int:
    """Store the preview and return its number. `started` is the perf_counter of its beginning."""
    con, direction = work.con, work.direction
    con.register("entry", pa.Table.from_pylist([{"code": e.code, "number": e.number} for e in ENTRIES]))
    request = _EXPORT_REQUEST if direction is Direction.EXPORT else _IMPORT_REQUEST
    tables = {
        "frozen_change": con.execute(_CHANGE).to_arrow_table(),
        "frozen_request": con.execute(request).to_arrow_table(),
        "frozen_prediction": con.execute(_PREDICTION).to_arrow_table(),
        "frozen_bucket": con.execute("SELECT * FROM work.all_buckets").to_arrow_table(),
        "frozen_pin": pa.Table.from_pylist(work.pins),
    }
    run = uuid4().hex
    about = {
        "direction": str(direction),
        "sobjects": work.sobjects,
        "revision": revision.revision,
        "digest": revision.digest,
        "only": only_record,
        "run": run,
        "seconds": time.perf_counter() - started,
    }
    store.write(
        (_INSERT_CHANGE, {"direction": str(direction)}),
        _INSERT_REQUEST,
        _INSERT_PREDICTION,
        f"INSERT INTO preview.bucket SELECT {_NUMBER}, system, object, bucket, row_count FROM frozen_bucket",
        f"INSERT INTO preview.pin SELECT {_NUMBER}, system, object, pull_id FROM frozen_pin",
        (_INSERT_PREVIEW, about),
        tables=tables,
    )
    found = store.rows("SELECT preview_id FROM preview.preview WHERE run = $run", {"run": run})
    return int(found[0]["preview_id"])
