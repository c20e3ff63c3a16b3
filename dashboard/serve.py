"""The dashboard behind safe headers, warm before the first visitor: `streamlit run dashboard/serve.py`."""

from __future__ import annotations

import base64
import gc
import hashlib
import pkgutil
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Final

import anyio
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_secrets_auth_section

HERE: Final = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts this folder on the path, not the one above it
    sys.path.insert(0, str(HERE.parent))

from dashboard import early, returning  # noqa: E402 - after the path is set
from workbench.settings import load_settings  # noqa: E402

SIGNED_IN: Final = "/oauth2callback"  # where a provider sends a browser; it stands in `redirect_uri`


def content_policy(framed_by: Sequence[str] = ()) -> str:
    """Everything from this server; of inline scripts only ours and Streamlit's own one, whatever its version.

    `blob:` is how Streamlit loads the script of a component (components/table.js); only scripts make such addresses.

    framed_by: origins that may show the page inside their own; none by default.
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text()
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in (*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), early.CONNECTION)
    )
    ancestors = " ".join(framed_by) or "'none'"
    return (
        f"default-src 'self'; script-src 'self' blob: 'wasm-unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'none'; object-src 'none'; "
        f"base-uri 'self'; form-action 'self'; frame-ancestors {ancestors}"
    )


def org_origins(instance_url: str | None) -> tuple[str, ...]:
    """The org's own pages, which an admin may let embed the people screen: its My Domain and its Lightning host.

    >>> org_origins("https://acme.my.salesforce.com")
    ('https://acme.my.salesforce.com', 'https://acme.lightning.force.com')
    >>> org_origins("https://evil.example"), org_origins("http://127.0.0.1:8"), org_origins(None)
    ((), (), ())
    """
    found = re.fullmatch(r"https://([a-z0-9.-]+)\.my\.salesforce\.com/?", instance_url or "")
    return (f"https://{found[1]}.my.salesforce.com", f"https://{found[1]}.lightning.force.com") if found else ()


class SafeHeaders:
    """Adds headers to every answer. Plain ASGI, because Starlette's own base class would buffer streams.

    Only `/people?embed=true`, which reads and decides nothing, may stand inside a page, and only inside those that the
    settings name (WORKBENCH_ACCESS__FRAMED_BY); none by default.
    """

    def __init__(self, app: ASGIApp, framed_by: Sequence[str] = ()) -> None:
        self.app = app
        self.alone = self._headers(())
        self.embedded = self._headers(framed_by)

    @staticmethod
    def _headers(framed_by: Sequence[str]) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-security-policy", content_policy(framed_by).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            *([] if framed_by else [(b"x-frame-options", b"DENY")]),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_embedded = scope.get("path") == "/people" and b"embed=true" in scope.get("query_string", b"").split(b"&")
        headers = self.embedded if is_embedded else self.alone

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class BackToThePage:
    """After a sign-in, leads the browser on to the address it asked for; see `returning`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        browser = returning.browser_of(asked)
        is_document = asked.get(b"sec-fetch-dest") == b"document" and scope["path"] != SIGNED_IN

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if is_document and browser is None and has_sign_in():
                    headers.append((b"set-cookie", returning.new_browser()))
                if scope["path"] == SIGNED_IN and message["status"] == HTTPStatus.FOUND:
                    headers = [
                        (key, _led_on(value, browser) if key == b"location" else value) for key, value in headers
                    ]
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_on)


def _led_on(location: bytes, browser: str | None) -> bytes:
    """Only the way back to the first page is led on; a provider's own address stays."""
    is_first_page = location.startswith(b"/") and not location.startswith(b"//") and location.endswith(b"/")
    address = returning.take(browser) if is_first_page else None
    return location.rstrip(b"/") + address.encode() if address else location


def has_sign_in() -> bool:
    return bool(get_secrets_auth_section())


def warm_up() -> None:
    """Import what is slow to import, then freeze it: Streamlit collects garbage after every run of a page."""
    import pandas  # noqa: F401, ICN001, PLC0415 - imported for its effect, when the server starts
    import plotly.graph_objects as go  # noqa: PLC0415

    from dashboard import components, session  # noqa: PLC0415 - after the path is set
    from workbench import operations, views  # noqa: F401, PLC0415

    for module in pkgutil.iter_modules(components.__path__):
        import_module(f"{components.__name__}.{module.name}")
    for name in operations.__all__:  # each loads the stage that it stands for
        getattr(operations, name)
    go.Figure().add_bar(x=[0], y=[0]).to_json()  # loads what a first chart would
    session.store()
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    await anyio.to_thread.run_sync(warm_up)
    yield


async def ready(_request: Request) -> Response:
    return JSONResponse({"ok": True})


app = st.App(
    "app.py",
    lifespan=lifespan,
    middleware=[
        Middleware(early.EarlyScripts),
        Middleware(BackToThePage),
        Middleware(SafeHeaders, framed_by=load_settings().access.framed_by),
    ],
    routes=[Route("/api/ready", ready)],
)
