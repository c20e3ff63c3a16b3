"""Messages and campaigns of the sandbox institution, newest first.

Source: Mainstay API reference, sections 2, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
import polars as pl

from workbench.simulators.mainstay.shape import MOMENT, moment_text

USER: Final = pl.Struct({"id": pl.String, "name": pl.String, "email": pl.String})
MESSAGE_COLUMNS: Final[Mapping[str, Any]] = {
    "admithub_id": pl.String,
    "admithub_contact_id": pl.String,
    "contact_crm_id": pl.String,
    "created_at": MOMENT,
    "channel": pl.String,
    "incoming": pl.Boolean,
    "body": pl.String,
    "source": pl.String,
    "campaign_id": pl.String,
    "campaign_name": pl.String,
    "user": USER,
    "topic": pl.String,
    "test_user": pl.Boolean,
    "failed": pl.Boolean,
    "error_code": pl.String,
}
CAMPAIGN_COLUMNS: Final[Mapping[str, Any]] = {
    "admithub_id": pl.String,
    "name": pl.String,
    "description": pl.String,
    "script_id": pl.String,
    "script_name": pl.String,
    "type": pl.String,
    "status": pl.String,
    "scheduled_at": MOMENT,
    "sent_at": MOMENT,
    "scheduler": pl.String,
    "hidden": pl.Boolean,
    "test": pl.Boolean,
    "recurring": pl.Boolean,
    "recipients": pl.String,
    "sent_count": pl.Int64,
    "responded_count": pl.Int64,
    "engagement": pl.Float64,
}
RECIPIENT_COLUMNS: Final[Mapping[str, Any]] = {"campaign_id": pl.String, "contact_id": pl.String}
_LIVE: Final = "m-live-"
_FALSE_BY_DEFAULT: Final = ("incoming", "test_user", "failed", "hidden", "test", "recurring")


def complete_history(frame: pl.DataFrame, columns: Mapping[str, Any]) -> pl.DataFrame:
    """The frame with exactly these columns and types; what is missing is null, a missing flag false."""
    if frame.width == 0:
        return pl.DataFrame(schema=dict(columns))
    found = [
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in columns.items()
    ]
    flags = [pl.col(name).fill_null(value=False) for name in columns if name in _FALSE_BY_DEFAULT]
    return frame.select(found).with_columns(flags)


def newest_first(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages in the API's order; those that are in order already stay as they are."""
    after = messages.select("created_at", "admithub_id").slice(1)
    before = messages.select("created_at", "admithub_id").head(after.height)
    falls = before["created_at"] > after["created_at"]
    ties = (before["created_at"] == after["created_at"]) & (before["admithub_id"] <= after["admithub_id"])
    if (falls | ties).all():
        return messages
    return messages.sort(["created_at", "admithub_id"], descending=[True, False])


class History:
    """What was said and sent. Messages of the sandbox's own life (STOP, an intro) are added in front."""

    def __init__(self, messages: pl.DataFrame, campaigns: pl.DataFrame, recipients: pl.DataFrame) -> None:
        self._messages = newest_first(complete_history(messages, MESSAGE_COLUMNS))
        self.campaigns = complete_history(campaigns, CAMPAIGN_COLUMNS).sort(
            [pl.coalesce("sent_at", "scheduled_at"), "admithub_id"], descending=[True, False], nulls_last=True
        )
        self.recipients = complete_history(recipients, RECIPIENT_COLUMNS)
        self._added: list[dict[str, Any]] = []
        # Of an earlier life, where a kept sandbox was started again.
        self._lived = int(self._messages["admithub_id"].str.starts_with(_LIVE).sum())

    @property
    def messages(self) -> pl.DataFrame:
        """Every message, newest first."""
        if not self._added:
            return self._messages
        added = pl.DataFrame(self._added, schema=dict(MESSAGE_COLUMNS), orient="row")
        return pl.concat([added.reverse(), self._messages])

    def add_message(self, contact: Mapping[str, Any], when: datetime, **about: Any) -> None:
        """One more message of a contact; `about` holds the message's own columns."""
        self._added.append(
            {
                **dict.fromkeys(MESSAGE_COLUMNS),
                "admithub_id": f"{_LIVE}{self._lived + len(self._added) + 1}",
                "admithub_contact_id": contact["id"],
                "contact_crm_id": contact.get("crm_id"),
                "created_at": when,
                "channel": "twilio",
                "test_user": bool(contact.get("test_user")),
                "failed": False,
                **about,
            }
        )

    @property
    def added_count(self) -> int:
        return len(self._added)

    def forget_after(self, count: int) -> None:
        """Drop the live messages after the first `count`."""
        del self._added[count:]

    def campaigns_of(self, contact_id: str) -> pl.DataFrame:
        """The campaigns a contact received, newest first."""
        received = self.recipients.filter(pl.col("contact_id") == contact_id)
        return self.campaigns.join(
            received, left_on="admithub_id", right_on="campaign_id", how="semi", maintain_order="left"
        )


def as_lines(frame: pl.DataFrame) -> list[bytes]:
    """One JSON text per row, moments as ISO 8601."""
    shown = frame.with_columns(
        moment_text(pl.col(name)) for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)
    )
    return [orjson.dumps(row) for row in shown.iter_rows(named=True)]
