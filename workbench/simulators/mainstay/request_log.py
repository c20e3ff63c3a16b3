"""What the sandbox was asked, and what it answered; for tests and for tying a change to its request."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})


@dataclass(frozen=True)
class SeenRequest:
    """One request; `path` with its query as sent, `raw_body` of writes only, `seen_at` in seconds of this process."""

    system: str
    method: str
    path: str
    change_id: str | None
    status: int
    raw_body: bytes = b""
    seen_at: float = 0.0

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

    system: str
    requests: list[SeenRequest] = field(default_factory=list)

    def watch(self, app: ASGIApp, *, is_watched: Callable[[str], bool]) -> ASGIApp:
        """The app with each request noted just before its answer leaves; `is_watched(path)` picks which."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_watched(scope["path"]):
                await app(scope, receive, send)
                return
            body = bytearray()

            async def receive_noting() -> Message:
                message = await receive()
                if message["type"] == "http.request" and scope["method"] in _WRITES:
                    body.extend(message.get("body", b""))
                return message

            async def send_noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._note(scope, message["status"], bytes(body))
                await send(message)

            await app(scope, receive_noting, send_noting)

        return watched

    def _note(self, scope: Scope, status: int, body: bytes) -> None:
        headers = dict(scope["headers"])
        change_id = headers.get(b"x-workbench-change")
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        self.requests.append(
            SeenRequest(
                self.system,
                scope["method"],
                f"{path}?{query}" if query else path,
                None if change_id is None else change_id.decode("latin-1"),
                status,
                body,
                time.monotonic(),
            )
        )
