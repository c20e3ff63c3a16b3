"""The dashboard behind safe headers, warm before the first visitor: `streamlit run dashboard/serve.py`."""

from __future__ import annotations

import base64
import gc
import hashlib
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE: Final = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts this folder on the path, not the one above it
    sys.path.insert(0, str(HERE.parent))


def content_policy() -> str:
    """Everything from this server; of inline scripts only the one in Streamlit's own page, whatever its version."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text()
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    )
    return (
        f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'none'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


class SafeHeaders:
    """Adds headers to every answer. Plain ASGI, because Starlette's own base class would buffer streams."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = [
            (b"content-security-policy", content_policy().encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.headers]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def warm_up() -> None:
    """Import what is slow to import, then freeze it: Streamlit collects garbage after every run of a page."""
    import pandas  # noqa: F401, ICN001, PLC0415 - imported for its effect, when the server starts

    from dashboard import session  # noqa: PLC0415 - after the path is set
    from workbench import operations, views  # noqa: F401, PLC0415 - imported for its effect

    session.store()
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    await anyio.to_thread.run_sync(warm_up)
    yield


async def ready(_request: Request) -> Response:
    return JSONResponse({"ok": True})


app = st.App("app.py", lifespan=lifespan, middleware=[Middleware(SafeHeaders)], routes=[Route("/api/ready", ready)])
