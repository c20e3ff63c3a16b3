"""Structured logging: one JSON object a line on stderr, counts and ids only.

Names, phones, bodies and tokens never belong in a log line; the journal keeps those.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_PLAIN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One record as one line of JSON: when, level, logger, event, and the `extra` values."""

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: value for key, value in record.__dict__.items() if key not in _PLAIN}
        line = {
            "when": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **extra,
        }
        return json.dumps(line, default=str)


def get_logger(name: str) -> logging.Logger:
    return logging.getLogger(name)


def start(level: str = "WARNING") -> None:
    """Send this package's log lines to stderr at `level`; called once, at the edge."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonLines())
    root = logging.getLogger("workbench")
    root.handlers = [stream]
    root.setLevel(level.upper())
    root.propagate = False
