"""Read models of judgement: fields that differ and which side counts; guards; how well codes were foretold."""

from __future__ import annotations

from typing import Any, Final

from workbench.domain.known_names import require_known
from workbench.store import Store
from workbench.store.previews import require_preview

CAUSES: Final = ("ask", "decided", "rule", "newest", "only_salesforce_changed", "only_mainstay_changed", "no_baseline")


def latest_preview(store: Store) -> int | None:
    """The newest preview, None before the first."""
    found = store.rows("SELECT max(preview_id) AS preview_id FROM preview.preview")
    number: int | None = found[0]["preview_id"]
    return number


def conflicts(
    store: Store,
    preview_id: int | None = None,
    *,
    only_open: bool = False,
    cause: str | None = None,
    field: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Rows of view.conflict of a preview (its latest unless given): those that wait for a person first.

    Raises NotFound for a preview, ConfigurationError for a cause that does not exist.
    """
    if preview_id is not None:
        require_preview(store, preview_id)
    require_known("cause", cause, CAUSES)
    return store.rows(
        """SELECT * FROM view.conflict
           WHERE preview_id = coalesce($preview_id, (SELECT max(preview_id) FROM preview.preview))
             AND (NOT $only_open OR is_open) AND ($cause IS NULL OR cause = $cause)
             AND ($field IS NULL OR field = $field)
           ORDER BY is_open DESC, salesforce_id, field LIMIT coalesce($limit, 1000000000) OFFSET $offset""",
        {
            "preview_id": preview_id,
            "only_open": only_open,
            "cause": cause,
            "field": field,
            "limit": limit,
            "offset": offset,
        },
    )


def calibration(store: Store) -> list[dict[str, Any]]:
    """Rows of view.calibration: codes that were met or expected most, first."""
    return store.rows("SELECT * FROM view.calibration ORDER BY greatest(predicted, actual) DESC, code, certainty")


def guards(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """guard, field, row_count, share, sentence of a preview's guards."""
    return store.rows(
        """SELECT guard, field, row_count, share, sentence FROM view.guard WHERE preview_id = $preview_id
           ORDER BY guard, row_count DESC, field""",
        {"preview_id": preview_id},
    )


def count_conflicts(store: Store, preview_id: int | None = None) -> list[dict[str, Any]]:
    """field, cause, winner, row_count, open_count of a preview (its latest unless given)."""
    return store.rows(
        """SELECT field, cause, winner, count(*) AS row_count, count(*) FILTER (WHERE is_open) AS open_count
           FROM view.conflict
           WHERE preview_id = coalesce($preview_id, (SELECT max(preview_id) FROM preview.preview))
           GROUP BY ALL ORDER BY open_count DESC, row_count DESC, field, cause""",
        {"preview_id": preview_id},
    )
