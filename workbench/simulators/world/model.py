"""What a generator gives both simulators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from workbench.domain.fields import MainstayField

CAMPUSES: Final = ("Downtown", "North", "South", "Online")

CUSTOM_FIELDS: Final = (
    MainstayField("School System", "Text", is_custom=True),
    MainstayField("College", "Text", is_custom=True),
    MainstayField("High School", "Text", is_custom=True),
    MainstayField("Campus", "Multi-Choice", is_custom=True, options=CAMPUSES),
    MainstayField("Graduation Year", "Number", is_custom=True),
    MainstayField("GPA", "Number", is_custom=True),
    MainstayField("Enrollment Date", "Date", is_custom=True),
    MainstayField("Portal", "URL", is_custom=True),
    MainstayField("First Generation", "True/False", is_custom=True),
    MainstayField("Advisor Notes", "Text", is_custom=True),
    MainstayField("Guardian Phone", "Phone", is_custom=True),
    MainstayField("CB/Status", "Text", is_custom=True),
)

TRUTH_COLUMNS: Final[Mapping[str, Any]] = {
    "person_id": pl.String,
    "record_id": pl.String,
    "contact_id": pl.String,
    "situation": pl.String,
}


@dataclass(frozen=True)
class World:
    """Both organisations and the truth about who is who.

    `salesforce`: records by SObject, columns = API names of stored fields. `contacts`: columns of Mainstay's contact
    object, custom values as JSON text in `custom.<Name>`. `messages`, `campaigns`: columns of the API reference,
    sections 5 and 6; `recipients`: campaign_id, contact_id. `truth`: person_id, record_id (Salesforce Id) and
    contact_id, null where one side is missing, and the situation that the pair was made for, if any.
    """

    salesforce: dict[str, pl.DataFrame]
    contacts: pl.DataFrame
    custom_fields: tuple[MainstayField, ...] = CUSTOM_FIELDS
    messages: pl.DataFrame = field(default_factory=pl.DataFrame)
    campaigns: pl.DataFrame = field(default_factory=pl.DataFrame)
    recipients: pl.DataFrame = field(default_factory=pl.DataFrame)
    truth: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(TRUTH_COLUMNS)))

    def records_in(self, situation: str) -> list[str]:
        """Salesforce Ids of a named situation, those known to both sides first, then in order of entrance."""
        found = self.truth.filter((pl.col("situation") == situation) & pl.col("record_id").is_not_null())
        return found["record_id"].unique(maintain_order=True).to_list()

    def contacts_in(self, situation: str) -> list[str]:
        """Mainstay IDs of a named situation, those known to both sides first, then in order of entrance."""
        found = self.truth.filter((pl.col("situation") == situation) & pl.col("contact_id").is_not_null())
        return found["contact_id"].unique(maintain_order=True).to_list()
