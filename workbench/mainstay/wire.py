"""The wire below the client: which faults may be repeated, how long to wait, and addresses that are safe to follow.

GET is repeated; PUT sets a state and may be repeated; POST is repeated only when it certainly was not taken.
Source: Mainstay API reference, section 1.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import orjson

from workbench.errors import AuthenticationFailed, ConfigurationError, RemoteError, TransientError, WorkbenchError

MAX_RETRY_AFTER_SECONDS: Final = 300.0
NO_JSON: Final = object()
_PARSED: Final = "workbench_document"
NOT_CONNECTED: Final = (
    "Mainstay is not connected: there is no token. Make one in Mainstay under Settings > Mainstay API, or ask your "
    "Partner Success Manager for one, and set WORKBENCH_MAINSTAY__TOKEN."
)
REFUSED: Final = (
    "Mainstay refused the token: make a new one in Settings > Mainstay API, or ask your Partner Success Manager for "
    "one, and set WORKBENCH_MAINSTAY__TOKEN."
)


class OutcomeUnknown(TransientError):
    """A write left, and its answer did not arrive: it may or may not have happened. Read back before resending."""


@dataclass(frozen=True)
class Fault:
    """What went wrong with one attempt, and whether the same request may be sent once more.

    `wait_seconds` is what the server asked for; None leaves it to the client. `most_attempts` ends repeats early.
    """

    error: WorkbenchError
    is_repeatable: bool = False
    wait_seconds: float | None = None
    most_attempts: int = 100


@dataclass
class Pace:
    """At most so many requests a second, evenly spaced; None is no limit. One event loop."""

    per_second: float | None
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    free_at: float = 0.0
    held_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def turn(self) -> None:
        """Wait until the next request may leave."""
        if self.per_second is None and self.held_until <= 0.0:
            return  # the usual case: nobody asked for a pace
        async with self.lock:
            now = self.clock()
            start = max(now, self.held_until, self.free_at)
            if start > now:
                await self.sleep(start - now)
            if self.per_second:
                self.free_at = start + 1 / self.per_second

    def hold(self, seconds: float) -> None:
        """Let nobody start for a while: the server asked for it."""
        self.held_until = max(self.held_until, self.clock() + seconds)


class Crowd:
    """How many requests may be under way at once: halved when the server is overloaded, then slowly more again.

    A burst of refusals counts once: it halves again only after `calm_seconds`. One event loop.
    """

    def __init__(self, most: int, clock: Callable[[], float], calm_seconds: float = 1.0) -> None:
        self.most = most
        self.allowed = float(most)
        self.inside = 0
        self._clock = clock
        self._calm_seconds = calm_seconds
        self._slowed_at = -calm_seconds
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a place."""
        while self.inside >= int(self.allowed):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()  # the place may have been given to this one already
                raise
        self.inside += 1

    def leave(self, *, is_overloaded: bool = False) -> None:
        """Give the place back; `is_overloaded`: this request was refused for want of room, or failed inside."""
        self.inside -= 1
        now = self._clock()
        if not is_overloaded:
            self.allowed = min(float(self.most), self.allowed + 1 / self.allowed)
        elif now - self._slowed_at >= self._calm_seconds:
            self._slowed_at = now
            self.allowed = max(1.0, self.allowed / 2)
        self._wake()

    def _wake(self) -> None:
        free = int(self.allowed) - self.inside
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1


def transport_fault(error: httpx.HTTPError, method: str, what: str) -> Fault:
    """The fault behind an exception of httpx. Its text is never passed on: it could quote a header."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return Fault(RemoteError(f"{what} could not be sent: the address or the token has characters that do not fit."))
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        sentence = f"Mainstay was not reached for {what}. Check WORKBENCH_MAINSTAY__BASE_URL and the network."
        return Fault(TransientError(sentence), is_repeatable=True)
    if isinstance(error, httpx.TimeoutException):
        return _lost(method, what, "did not answer in time")
    return _lost(method, what, "broke off its answer")


def response_fault(response: httpx.Response, method: str, what: str) -> Fault | None:
    """The fault in an answer, or None where it is one to read."""
    status = response.status_code
    if status == 401:
        return Fault(AuthenticationFailed(REFUSED))
    if 300 <= status < 400:
        sentence = f"Mainstay sends {what} to another address, which is not followed."
        return Fault(RemoteError(f"{sentence} Correct WORKBENCH_MAINSTAY__BASE_URL.", status=status))
    if status == 429:
        error = TransientError(f"Mainstay takes no more requests just now ({what}). Try again later.", status=429)
        return Fault(error, is_repeatable=True, wait_seconds=retry_after(response))
    if status >= 500:
        return _lost(method, what, f"failed (HTTP {status})", status=status, wait_seconds=retry_after(response))
    return _unreadable(response, method, what) if read_json(response) is NO_JSON else None


def _unreadable(response: httpx.Response, method: str, what: str) -> Fault | None:
    """The fault in an answer that is no JSON; a refusal in another language (a firewall's page) is left to the reader.

    A page of a gateway or a login may stand in for one answer, or the address may be wrong: a read looks thrice more.
    """
    status, text = response.status_code, response.content.lstrip()
    if status < 300 and method == "GET" and text.startswith(b"<"):
        error = TransientError(str(not_mainstay(what, status)), status=status)
        return Fault(error, is_repeatable=True, most_attempts=4)
    if status < 300:
        return _lost(method, what, "answered with something that is no JSON", status=status)
    if text.startswith((b"{", b"[")):  # a refusal of this API, broken off: whether it was one of ours is not told
        return _lost(method, what, f"broke off its refusal (HTTP {status})", status=status)
    return None


def not_mainstay(what: str, status: int) -> RemoteError:
    """The error for an answer that is none of this API."""
    return RemoteError(
        f"Something other than Mainstay's API answered {what} (HTTP {status}, no JSON). "
        "Check WORKBENCH_MAINSTAY__BASE_URL.",
        status=status,
    )


def _lost(method: str, what: str, how: str, *, status: int | None = None, wait_seconds: float | None = None) -> Fault:
    if method == "GET":
        error: RemoteError = TransientError(f"Mainstay {how} at {what}. Try again.", status=status)
    else:
        error = OutcomeUnknown(f"Mainstay {how} at {what}; it may have happened.", status=status)
    return Fault(error, is_repeatable=method in {"GET", "PUT"}, wait_seconds=wait_seconds)


def retry_after(response: httpx.Response, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """The seconds a server asks to wait, given as number or date; at most five minutes. None where it asks nothing."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - now()).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) if seconds == seconds else None  # noqa: PLR0124  NaN


def read_json(response: httpx.Response) -> Any:
    """The document of an answer, or NO_JSON. It is parsed once and kept with the answer."""
    if _PARSED not in response.extensions:
        try:
            response.extensions[_PARSED] = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            response.extensions[_PARSED] = NO_JSON
    return response.extensions[_PARSED]


def base_url(text: str) -> httpx.URL:
    """The API's base, ending in a slash. Plain http is for this machine only: the token would be readable.

    Raises ConfigurationError.
    """
    try:
        url = httpx.URL(text.strip().rstrip("/") + "/")
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError("WORKBENCH_MAINSTAY__BASE_URL is no address like https://api.admithub.com/")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ConfigurationError(f"Mainstay at {url.host} is only reached over https: WORKBENCH_MAINSTAY__BASE_URL.")
    return url


def own_address(base: httpx.URL, address: str) -> httpx.URL:
    """A next address as it may be followed with the token: on the base's host and port, in its scheme.

    Raises RemoteError for any other host.
    """
    try:
        url = base.join(address)
    except httpx.InvalidURL:
        raise RemoteError("Mainstay named a next page that is no address. Pull again.") from None
    if url.host != base.host or _port(url) != _port(base):
        raise RemoteError(
            f"Mainstay named a next page on another host ({url.host}), where the token is not sent. "
            "Check WORKBENCH_MAINSTAY__BASE_URL."
        )
    return url.copy_with(scheme=base.scheme, port=base.port)


def page_number(url: httpx.URL) -> int | None:
    """The number in `page=N`; None where a list is paged in another way."""
    text = url.params.get("page", "")
    return int(text) if text.isdecimal() else None


def with_page(url: httpx.URL, number: int) -> httpx.URL:
    return url.copy_set_param("page", str(number))


def is_same_address(one: httpx.URL, other: httpx.URL) -> bool:
    """Equal but for the order and spelling of their parameters."""
    return one.path == other.path and sorted(one.params.multi_items()) == sorted(other.params.multi_items())


def _port(url: httpx.URL) -> int | None:
    """The port as given; the usual ports of http and https count as none, so that only the scheme differs."""
    return None if url.port in {80, 443} else url.port


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
