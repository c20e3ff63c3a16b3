"""Where a person was when they signed in: a provider sends everybody back to the first page, this leads on from there.

A browser gets a random name of its own in a cookie. What it asked for stays in this process, so an address from outside
leads nowhere: only a screen of ours with its query is ever kept.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from typing import Final
from urllib.parse import urlencode

COOKIE: Final = "workbench_browser"
KEPT_SECONDS: Final = 900
MOST: Final = 1_000
_asked: OrderedDict[str, tuple[float, str]] = OrderedDict()
_guard = Lock()


def address_of(screen: str, query: Mapping[str, str]) -> str:
    """
    >>> address_of("approvals", {"batch": "7"}), address_of("overview", {})
    ('/approvals?batch=7', '/')
    """
    path = "/" if screen == "overview" else f"/{screen}"
    return f"{path}?{urlencode(query)}" if query else path


def remember(browser: str | None, address: str) -> None:
    """Keep where a browser wants to be after its sign-in; for a quarter of an hour, and once."""
    if not browser:
        return
    with _guard:
        _asked[browser] = (time.monotonic(), address)
        while len(_asked) > MOST:
            _asked.popitem(last=False)


def take(browser: str | None) -> str | None:
    """Where a browser wanted to be; None when nothing is known or it is too long ago."""
    with _guard:
        asked_at, address = _asked.pop(browser or "", (0.0, None))
    return address if time.monotonic() - asked_at < KEPT_SECONDS else None


def new_browser() -> bytes:
    """A Set-Cookie header for a browser without a name."""
    return f"{COOKIE}={secrets.token_urlsafe(18)}; Path=/; HttpOnly; SameSite=Lax".encode()


def browser_of(headers: Mapping[bytes, bytes]) -> str | None:
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None
