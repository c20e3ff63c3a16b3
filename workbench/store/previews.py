"""Previews by their number."""

from __future__ import annotations

from workbench.errors import NotFound
from workbench.store.database import Store


def require_preview(store: Store, preview_id: int) -> None:
    """Raises NotFound, naming the latest preview, where there is none of this number."""
    found = store.rows(
        """SELECT max(preview_id) AS latest, count(*) FILTER (WHERE preview_id = $preview_id) AS n
           FROM preview.preview""",
        {"preview_id": preview_id},
    )[0]
    if not found["n"]:
        latest = found["latest"]
        hint = "There is none yet: workbench preview export." if latest is None else f"The latest is {latest}."
        raise NotFound(f"There is no preview {preview_id}. {hint}")
