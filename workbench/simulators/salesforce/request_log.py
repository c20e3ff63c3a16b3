"""What the Salesforce sandbox was asked and what it answered; for tests, and for tying a change to its request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class SeenRequest:
    """One answered request; `path` with its query, `raw_body` and `record_ids` of writes only.

    `record_ids`: one per record of the request in its order, None where the record was refused.
    """

    system: str
    method: str
    path: str
    change_id: str | None
    status: int
    raw_body: bytes = b""
    seen_at: float = field(default_factory=time.monotonic)
    record_ids: tuple[str | None, ...] = ()

    @property
    def body(self) -> Any:
        """The parsed body of a write, None where there is none or it is no JSON."""
        try:
            return orjson.loads(self.raw_body)
        except orjson.JSONDecodeError:
            return None


@dataclass
class RequestLog:
    """Requests in the order they were answered."""

    requests: list[SeenRequest] = field(default_factory=list)

    def clear(self) -> None:
        self.requests.clear()
