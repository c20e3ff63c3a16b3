"""What the page says at once, so that the browser need not find it out later: where the server is, and which scripts.

Streamlit asks for the server under each part of the address before it connects, and loads the script of each kind of
element when the first one arrives, showing a grey bar until then. Told in the page, the connection is made at once, and
the scripts are read while the browser waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATIC: Final = Path(st.__file__).parent / "static"
_SCRIPTS: Final = _STATIC / "static" / "js"
_IMPORT: Final = re.compile(r'(?:from|import)"\./([\w.-]+\.js)"')
_KINDS: Final = ("Html", "PageLink", "ButtonGroup", "Checkbox")
_INPUTS: Final = ("Selectbox", "TextInput", "Button", "Pagination")
_GRIDS: Final = {"/results": "BidiComponent"}  # of our own; every other screen with a grid has Streamlit's
_WITHOUT_A_GRID: Final = {"/", "/errors", "/settings"}
# The server is where the page came from, also behind a proxy that adds a path of its own. Streamlit reads this name.
CONNECTION: Final = (
    "{const path=location.pathname,asked=document.currentScript.dataset.path;"
    "if(path.endsWith(asked))window.__streamlit={BACKEND_BASE_URL:location.origin+path.slice(0,path.length-asked.length),"
    "HOST_CONFIG:{allowedOrigins:[location.origin],useExternalAuthToken:false}}}"
)


def script_tags(path: str) -> str:
    """Links to the scripts of a screen and to all that those import: read and compiled early, run when first needed."""
    return _links(_KINDS if path in _WITHOUT_A_GRID else (_GRIDS.get(path, "DataFrame"), *_INPUTS, *_KINDS))


@cache  # of a few kinds of screens; an address may be anything
def _links(kinds: tuple[str, ...]) -> str:
    """None for a kind whose script Streamlit does not ship under its name, nor for what its page links to already."""
    page = (_STATIC / "index.html").read_text()
    names = [file.name for kind in kinds for file in sorted(_SCRIPTS.glob(f"{kind}.*.js"))[:1]]
    for name in names:  # grows by what it finds
        imported = _IMPORT.findall((_SCRIPTS / name).read_text())
        names += [other for other in dict.fromkeys(imported) if other not in names and other not in page]
    return "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in names)


def connection_tag(path: str) -> str:
    """The script that says where the server is, for a page asked for under `path`."""
    base = st.get_option("server.baseUrlPath").strip("/")
    asked = path.removeprefix(f"/{base}") if base else path
    return f'<script data-path="{escape(asked)}">{CONNECTION}</script>'


class EarlyScripts:
    """Writes the tags into the page, after Streamlit's own, which wait for all of it; other answers pass unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and dict(scope["headers"]).get(b"sec-fetch-dest") == b"document"
        if not is_page:
            await self.app(scope, receive, send)
            return
        tags = (connection_tag(scope["path"]) + script_tags(scope["path"])).encode()
        start: Message = {}
        body = bytearray()

        async def send_whole(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                page = bytes(body).replace(b"</head>", tags + b"</head>", 1)
                await send({**start, "headers": _of_length(start["headers"], len(page))})
                await send({**message, "body": page})

        # Unpacked, so that the tags can be written into it; the page itself is a few kilobytes.
        unpacked = [(key, value) for key, value in scope["headers"] if key != b"accept-encoding"]
        await self.app({**scope, "headers": unpacked}, receive, send_whole)


def _of_length(headers: Sequence[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """The same headers, with the new length where one was told."""
    return [(key, str(length).encode() if key == b"content-length" and length else value) for key, value in headers]
