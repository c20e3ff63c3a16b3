"""CSV of what a filter lets through; cells that a spreadsheet would calculate are neutralised."""

from __future__ import annotations

import csv
import io
from typing import Final

from dashboard import session
from dashboard.components.text import csv_safe
from workbench import views_dashboard
from workbench.views_dashboard import ResultFilter

COLUMNS: Final = (
    "name", "finished_at", "direction", "status", "codes", "predicted_codes", "is_as_predicted", "person", "sobject",
    "record_id", "mainstay_id", "attempts", "batch_id",
)  # fmt: skip


def results_csv(chosen: ResultFilter, sort: str, limit: int) -> bytes:
    rows = views_dashboard.page_of_results(session.store(), chosen, sort=sort, size=limit, page=1)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([csv_safe(_cell(row[name])) for name in COLUMNS])
    return sheet.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else value
