"""Two exported files in a notebook: look at the guesses, settle what is wrong, then read them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import operations
from workbench.lab import intake
from workbench.rows import Rows, html_table

if TYPE_CHECKING:
    from workbench.connected import Workbench


@dataclass(frozen=True)
class CsvDraft:
    """What two files are taken for; nothing is stored before `confirm`."""

    workbench: Workbench = field(repr=False)
    found: intake.Draft = field(repr=False)

    @property
    def mapping(self) -> str:
        """The drafted mapping, YAML."""
        return self.found.mapping

    @property
    def columns(self) -> list[dict[str, Any]]:
        """file, column, field, type, why, filled (0 to 1)."""
        sides = (
            (self.found.salesforce, self.found.salesforce_columns),
            (self.found.mainstay, self.found.mainstay_columns),
        )
        return [
            {
                "file": file.path.name,
                "column": guess.header,
                "field": guess.field or "(left out)",
                "type": guess.type,
                "why": guess.why,
                "filled": guess.share,
            }
            for file, guesses in sides
            for guess in guesses
        ]

    def confirm(self, *, by: str, keep_mapping: bool = False) -> Rows:
        """Read the files into the store and save the drafted mapping; the pulls as `workbench.pull` shows them."""
        bench = self.workbench
        intake.land(bench.store, self.found)
        if not keep_mapping:
            names = f"drafted from {self.found.salesforce.path.name} and {self.found.mainstay.path.name}"
            operations.import_mapping(
                bench.store, bench.settings, self.mapping, by=by, reason=names, source="The drafted mapping"
            )
        rows = Rows(bench.store, "SELECT system, object, mode, row_count, finished_at, pull_id FROM view.pull")
        return rows.where("pull_id = (SELECT max(pull_id) FROM view.pull)")

    def _repr_html_(self) -> str:
        head = "<p>Nothing is stored yet: settle wrong columns by name, then <code>.confirm(by=...)</code></p>"
        rows = [{**row, "filled": f"{row['filled']:.0%}"} for row in self.columns]
        table = html_table(rows, ["file", "column", "field", "type", "why", "filled"])
        return (
            f"{head}{table}<details><summary>The drafted mapping</summary><pre>{escape(self.mapping)}</pre></details>"
        )


def draft_csv(
    workbench: Workbench,
    salesforce: Path | str,
    mainstay: Path | str,
    *,
    sobject: str,
    columns: tuple[Mapping[str, str] | None, Mapping[str, str] | None],
) -> CsvDraft:
    """Guess what the columns of two files are; `columns` settles headers of the Salesforce and the Mainstay file."""
    found = intake.draft(
        Path(salesforce),
        Path(mainstay),
        sobject=sobject,
        salesforce_columns=columns[0],
        mainstay_columns=columns[1],
    )
    return CsvDraft(workbench, found)
