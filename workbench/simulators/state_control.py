"""POST /_sandbox/save remembers this moment of both systems, POST /_sandbox/restore returns to it.

Either server takes them, for callers on this machine only; the request logs stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from workbench.simulators.mainstay.controls import LOOPBACK

Moment = TypeVar("Moment")

_SAVE: Final = "/_sandbox/save"
_RESTORE: Final = "/_sandbox/restore"


class StateControl(Generic[Moment]):
    """The one remembered moment of a sandbox; `wrap` puts the two controls in front of a server's app."""

    def __init__(self, save: Callable[[], Moment], restore: Callable[[Moment], None]) -> None:
        self._save, self._restore = save, restore
        self._kept: list[Moment] = []

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def controlled(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "").rstrip("/")
            if scope["type"] == "http" and scope["method"] == "POST" and path in (_SAVE, _RESTORE):
                status, content = self._told(path, scope)
                answer = Response(orjson.dumps(content), status, media_type="application/json")
                await answer(scope, receive, send)
            else:
                await app(scope, receive, send)

        return controlled

    def _told(self, path: str, scope: Scope) -> tuple[int, dict[str, object]]:
        client = scope.get("client")
        if client is None or client[0] not in LOOPBACK:
            return 403, {"detail": "The sandbox controls answer on this machine only."}
        if path == _SAVE:
            self._kept = [self._save()]
            return 200, {"saved": True}
        if not self._kept:
            return 400, {"detail": "nothing was saved yet"}
        self._restore(self._kept[0])
        return 200, {"restored": True}
