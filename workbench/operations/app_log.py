"""The application log: technical faults, apart from data validation, kept where the screens can show them."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pyarrow as pa

from workbench.domain.access import Person, allowed
from workbench.logs import JsonLines
from workbench.store import Store

MAX_DETAIL = 1000


def note_reveal(store: Store, by: Person, screen: str, *, now: datetime | None = None) -> None:
    """Keep who made personal data visible where; whose data it was stays out of the log.

    Raises NotAllowed for a person without a role: nobody reveals what they may not look at.
    """
    name = allowed(by, "look")
    store.write(
        (
            "INSERT INTO journal.app_log VALUES ($now, 'info', 'dashboard.reveal', 'personal data shown', $detail)",
            {"now": now or datetime.now(UTC), "detail": json.dumps({"by": name, "screen": screen})},
        )
    )


class FaultLog(logging.Handler):
    """Keeps warnings and errors of one command in memory until `save` writes them to journal.app_log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._rows: list[dict[str, object]] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self._rows.append(
            {
                "happened_at": datetime.fromtimestamp(record.created, UTC),
                "level": record.levelname.lower(),
                "logger": record.name,
                "event": record.getMessage(),
                "detail": self.format(record)[:MAX_DETAIL],
            }
        )

    def note(self, error: Exception) -> None:
        """Keep a fault that ended the command; its sentence carries no secrets."""
        name = type(error).__name__
        self.emit(logging.makeLogRecord({"name": type(error).__module__, "levelno": logging.ERROR, "levelname": "ERROR",
                                         "msg": f"{name}: {error}"[:MAX_DETAIL]}))  # fmt: skip

    def save(self, store: Store) -> int:
        """Write what was collected; how many lines."""
        rows, self._rows = self._rows, []
        if rows:
            store.write(
                """INSERT INTO journal.app_log
                   SELECT happened_at, level, logger, event, detail FROM faults""",
                tables={"faults": pa.Table.from_pylist(rows)},
            )
        return len(rows)

    def __len__(self) -> int:
        return len(self._rows)
