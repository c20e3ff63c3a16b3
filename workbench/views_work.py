"""Read models of the work screens: where every record of a preview stands by now, and results over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from workbench.store import Store

# From "nothing to do" to "cannot be done"; every record of the sending side stands in exactly one.
STANDINGS: Final = (
    "in_sync", "sent", "pending", "differs", "only_here", "excluded", "conflict", "blocked", "failed",
)  # fmt: skip
STANDING_SQL: Final = """WITH of_preview AS (
    SELECT batch_id, state FROM view.batch WHERE preview_id = {preview_id}
), ended AS (
    SELECT change_id, max_by(status, finished_at) AS status
    FROM view.sync_result WHERE batch_id IN (SELECT batch_id FROM of_preview) GROUP BY change_id
), waiting AS (
    SELECT DISTINCT change_id FROM journal.batch_change
    WHERE is_approved AND batch_id IN (
        SELECT batch_id FROM of_preview WHERE state IN ('submitted', 'approved', 'pushing', 'paused'))
)
SELECT CASE WHEN ended.status = 'fail' THEN 'failed'
            WHEN ended.status IN ('success', 'partial') THEN 'sent'
            WHEN ended.status IS NOT NULL OR waiting.change_id IS NOT NULL THEN 'pending'
            WHEN change.action = 'none' THEN 'in_sync'
            WHEN change.action = 'create' THEN 'only_here'
            WHEN change.action IN ('update', 'link') THEN 'differs'
            ELSE change.action END AS standing,
       count(*) AS row_count
FROM view.change AS change
LEFT JOIN ended ON ended.change_id = change.change_id
LEFT JOIN waiting ON waiting.change_id = change.change_id
WHERE change.preview_id = {preview_id}
GROUP BY standing
ORDER BY row_count DESC"""
# Whole microseconds, since a calendar would be asked a million times.
OVER_TIME_SQL: Final = """SELECT make_timestamptz(slot * {microseconds}) AS moment, status, row_count
FROM (SELECT epoch_us(finished_at) // {microseconds} AS slot, status, count(*) AS row_count
      FROM view.sync_result GROUP BY ALL)
WHERE slot > (SELECT max(epoch_us(finished_at)) // {microseconds} FROM view.sync_result) - {bars}
ORDER BY moment, status"""
MICROSECONDS: Final = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000}
BARS: Final = 45


def standings(store: Store, preview_id: int) -> dict[str, int]:
    """Standing -> records of the sending side of a preview, as of now; those of STANDINGS that occur, in that order."""
    found = {row["standing"]: row["row_count"] for row in store.rows(STANDING_SQL.format(preview_id=int(preview_id)))}
    return {name: found[name] for name in STANDINGS if name in found}


def time_unit(store: Store) -> str | None:
    """day, hour or minute: whichever shows the results so far as a few dozen bars; None before the first result."""
    row = store.rows("SELECT min(finished_at) AS first, max(finished_at) AS last FROM view.sync_result")[0]
    if row["first"] is None:
        return None
    span = row["last"] - row["first"]
    return "day" if span > timedelta(days=2) else "hour" if span > timedelta(hours=2) else "minute"


def results_over_time(store: Store, unit: str) -> list[dict[str, Any]]:
    """moment, status, row_count of the last BARS units that have results."""
    return store.rows(OVER_TIME_SQL.format(microseconds=MICROSECONDS[unit], bars=BARS))


def seen_codes(store: Store) -> list[str]:
    """The codes, without their fields, that results have met so far."""
    rows = store.rows(
        """SELECT DISTINCT split_part(code, ': ', 1) AS code
           FROM (SELECT DISTINCT unnest(codes) AS code FROM view.sync_result WHERE len(codes) > 0) ORDER BY code"""
    )
    return [row["code"] for row in rows]


def requests_lately(store: Store) -> dict[str, int]:
    """System -> requests that pushes sent in the last 24 hours."""
    rows = store.rows(
        """SELECT system, count(*) AS row_count FROM view.attempt
           WHERE sent_at >= now() - INTERVAL 24 HOUR GROUP BY system"""
    )
    return {row["system"]: row["row_count"] for row in rows}
