"""Old sync results: archived to Parquet beside the store, then purged, never the other way round.

A result is cleared with everything that was kept to send it (intents, attempts), so a batch must be past sending: done,
or cancelled or stale over pulls that have moved since. The numbers of results run on (journal.counter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import ConfigurationError
from workbench.store.database import Store

_CLEARABLE: Final = """
SELECT outcome.result_number, outcome.batch_id, outcome.change_id
FROM journal.outcome AS outcome
JOIN journal.batch AS batch USING (batch_id)
WHERE outcome.finished_at < $before
  AND (batch.state = 'done' OR (batch.state IN ('cancelled', 'stale') AND EXISTS (
      SELECT 1 FROM preview.pin AS pin
      JOIN (SELECT system, object, max(pull_id) AS pull_id FROM journal.pull WHERE state = 'complete'
            GROUP BY system, object) AS latest ON latest.system = pin.system AND latest.object = pin.object
      WHERE pin.preview_id = batch.preview_id AND pin.pull_id < latest.pull_id)))"""
_RESULTS: Final = f"""
SELECT * FROM view.sync_result WHERE result_number IN (SELECT result_number FROM ({_CLEARABLE})) ORDER BY result_number
"""
_ATTEMPTS: Final = f"""
SELECT attempt.* FROM journal.attempt AS attempt
JOIN ({_CLEARABLE}) AS cleared ON cleared.batch_id = attempt.batch_id AND cleared.change_id = attempt.change_id
ORDER BY attempt.batch_id, attempt.change_id, attempt.number
"""


@dataclass(frozen=True)
class Archive:
    """What was archived and then purged: files (results, attempts) and their rows."""

    results: int
    attempts: int
    files: Sequence[Path]


def count_clearable(store: Store, before: datetime) -> int:
    """Results that ended before a moment and may be cleared."""
    return int(store.rows(f"SELECT count(*) AS n FROM ({_CLEARABLE})", {"before": before})[0]["n"])


def clear_results(store: Store, before: datetime, now: datetime) -> Archive:
    """Archive the results that ended before a moment, with their attempts, and purge exactly those rows.

    Nothing is purged unless the files read back with as many rows as were asked for. Raises ConfigurationError when
    they cannot be written.
    """
    results = store.query(_RESULTS, {"before": before})
    if not results.num_rows:
        return Archive(0, 0, ())
    attempts = store.query(_ATTEMPTS, {"before": before})
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    files = [
        _archived(table, store.path.with_name(f"{store.path.stem}.{kind}.{stamp}.parquet"))
        for kind, table in (("results", results), ("attempts", attempts))
    ]
    keys = results.select(["batch_id", "change_id"])
    store.write(
        *(
            f"""DELETE FROM journal.{table} WHERE EXISTS (
                SELECT 1 FROM archived
                WHERE archived.batch_id = {table}.batch_id AND archived.change_id = {table}.change_id)"""
            for table in ("attempt", "intent", "outcome")
        ),
        tables={"archived": keys},
    )
    return Archive(results.num_rows, attempts.num_rows, files)


def _archived(table: pa.Table, file: Path) -> Path:
    """Write one file, read its length back, and only then give it its name."""
    draft = file.with_suffix(".part")
    try:
        if file.exists():
            raise ConfigurationError(f"{file} exists already. Wait a second and try again; nothing was cleared.")
        pq.write_table(table, draft, compression="zstd")
        found = pq.read_metadata(draft).num_rows
        if found != table.num_rows:
            raise ConfigurationError(f"{draft} holds {found} of {table.num_rows} rows. Nothing was cleared.")
        draft.rename(file)
    except OSError as error:
        raise ConfigurationError(f"The archive {file} cannot be written: {error}. Nothing was cleared.") from None
    return file
