"""Streamlit's own scripts for a grid and what stands around it, asked for with the page instead of later.

Streamlit loads the script of each kind of element when the first one arrives, and shows a grey bar until then. Named in
the page, they are read and run while the browser waits for the connection: a screen with a grid stands a tenth earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATIC: Final = Path(st.__file__).parent / "static"
_KINDS: Final = ("DataFrame", "Selectbox", "TextInput", "Button", "Pagination", "Html", "PageLink", "ButtonGroup")
_WITHOUT_A_GRID: Final = {"/", "/errors", "/settings"}


@cache
def early_tags(path: str) -> bytes:
    """Script tags for a screen with a grid; none for a kind whose script Streamlit does not ship under its name."""
    if path in _WITHOUT_A_GRID:
        return b""
    files = [file for kind in _KINDS for file in sorted((_STATIC / "static" / "js").glob(f"{kind}.*.js"))[:1]]
    tags = (f'<script type="module" crossorigin src="./static/js/{file.name}"></script>' for file in files)
    return "".join(tags).encode()


class EarlyScripts:
    """Writes the tags into the page, after Streamlit's own; every other answer passes unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and dict(scope["headers"]).get(b"sec-fetch-dest") == b"document"
        tags = early_tags(scope["path"]) if is_page else b""
        if not tags:
            await self.app(scope, receive, send)
            return
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
