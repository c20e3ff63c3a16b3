"""Faults on the wire, seeded and bounded: each request succeeds in the end if it is asked often enough.

`Faults.wrap(app)` is the outermost layer of either simulator. GET or POST /_sandbox/faults reads and sets it:
{"profile": "lossy", "seed": 7} from now on, {"next": ["reset-after"], "method": "POST", "path": "contacts"} for the
next requests that fit, {"profile": "none"} for peace.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

System = Literal["salesforce", "mainstay"]


class Fault(StrEnum):
    """What goes wrong. Before the request is processed, or (marked) after, when its answer gets lost or spoilt."""

    THROTTLED = "throttled"  # 429 with Retry-After
    USED_UP = "used-up"  # Salesforce: the day's requests are spent; only planned, for it does not pass
    LIMIT = "limit"  # Salesforce: too many long calls at once; a refused request, to be tried later
    LOCKED = "locked"  # Salesforce: somebody else holds the rows; nothing is written
    FAILED = "failed"  # 500
    UNAVAILABLE = "unavailable"  # 503, a page of HTML
    RESET_BEFORE = "reset-before"  # the connection dies, nothing was processed
    RESET_AFTER = "reset-after"  # processed, then the connection dies
    GATEWAY_TIMEOUT = "gateway-timeout"  # processed, answered 504
    SLOW = "slow"  # processed, answered late
    TRUNCATED = "truncated"  # processed, the connection dies in mid-answer
    MALFORMED = "malformed"  # processed, half of the JSON with a fitting length
    WRONG_TYPE = "wrong-type"  # processed, answered with somebody's login page
    LOOPING = "looping"  # a list's next page is itself
    EXPIRED = "expired"  # Salesforce: the session ends; the next request meets 401 until a login


@dataclass(frozen=True)
class Profile:
    """How often each fault strikes (share of requests), and how often at most: per request and in all."""

    about: str
    shares: Mapping[Fault, float] = field(default_factory=dict)
    most_per_request: int = 2
    most_in_all: Mapping[Fault, int] = field(default_factory=dict)


_RARE: Final = {Fault.LOOPING: 1, Fault.EXPIRED: 3}
PROFILES: Final[Mapping[str, Profile]] = {
    "none": Profile("no faults"),
    "throttled": Profile("429 with Retry-After, request limits", {Fault.THROTTLED: 0.08, Fault.LIMIT: 0.05}),
    "flaky": Profile(
        "500, 503, dying connections, nothing processed",
        {Fault.FAILED: 0.04, Fault.UNAVAILABLE: 0.04, Fault.RESET_BEFORE: 0.04},
    ),
    "lossy": Profile(
        "answers lost after processing",
        {Fault.RESET_BEFORE: 0.03, Fault.RESET_AFTER: 0.05, Fault.GATEWAY_TIMEOUT: 0.03, Fault.TRUNCATED: 0.03},
    ),
    "garbled": Profile(
        "answers that cannot be read",
        {Fault.MALFORMED: 0.04, Fault.WRONG_TYPE: 0.04, Fault.TRUNCATED: 0.04},
    ),
    "slow": Profile("late answers", {Fault.SLOW: 0.2}),
    "expiring": Profile("sessions that end in mid-run", {Fault.EXPIRED: 0.1}, most_in_all=_RARE),
    "looping": Profile("a list without end", {Fault.LOOPING: 0.5}, most_in_all=_RARE),
    "locked": Profile("rows held by others", {Fault.LOCKED: 0.3}),
    "storm": Profile(
        "some of everything",
        {
            Fault.THROTTLED: 0.02, Fault.LIMIT: 0.01, Fault.LOCKED: 0.03, Fault.FAILED: 0.02, Fault.UNAVAILABLE: 0.02,
            Fault.RESET_BEFORE: 0.02, Fault.RESET_AFTER: 0.02, Fault.GATEWAY_TIMEOUT: 0.01, Fault.SLOW: 0.02,
            Fault.TRUNCATED: 0.01, Fault.MALFORMED: 0.01, Fault.WRONG_TYPE: 0.01, Fault.EXPIRED: 0.01,
        },
        most_in_all=_RARE,
    ),
}  # fmt: skip

_CONTROL: Final = "/_sandbox/faults"
_HTML: Final = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
_LOGIN_WORDS: Final = ("/services/oauth2/token", "/services/Soap/")
_PROCESSED: Final = frozenset(
    {
        Fault.RESET_AFTER,
        Fault.GATEWAY_TIMEOUT,
        Fault.SLOW,
        Fault.TRUNCATED,
        Fault.MALFORMED,
        Fault.WRONG_TYPE,
        Fault.LOOPING,
    }
)


@dataclass
class _Planned:
    fault: Fault
    method: str | None
    path: str


@dataclass
class _Answer:
    """A complete answer of the app, held back."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        kinds = [value for name, value in self.headers if name.lower() == b"content-type"]
        return any(kind.startswith(b"application/json") for kind in kinds)


class Faults:
    """The faults of one system. `expire` ends its sessions. `counts` tells what struck, and how often.

    `counts["impatient"]` is the number of requests repeated before their Retry-After was over.
    """

    def __init__(
        self,
        system: System,
        profile: str = "none",
        *,
        seed: int = 0,
        expire: Callable[[], None] | None = None,
        slow_seconds: float = 0.3,
        retry_after_seconds: int = 1,
    ) -> None:
        self.system = system
        self.slow_seconds, self.retry_after_seconds = slow_seconds, retry_after_seconds
        self._expire = expire
        self.counts: Counter[str] = Counter()
        self.use(profile, seed)

    def use(self, profile: str, seed: int = 0) -> None:
        """Let this profile rule from now on. Raises ValueError for a name that is not in `PROFILES`."""
        if profile not in PROFILES:
            raise ValueError(f"no such fault profile: {profile}; there are {', '.join(PROFILES)}")
        self.profile, self.seed = profile, seed
        self._attempts: Counter[bytes] = Counter()
        self._struck: Counter[bytes] = Counter()
        self._in_all: Counter[Fault] = Counter()
        self._patient_until: dict[bytes, float] = {}
        self._planned: list[_Planned] = []

    def plan(self, *faults: Fault | str, method: str | None = None, path: str = "") -> None:
        """These faults, one each, for the next requests whose method is `method` and whose path contains `path`."""
        self._planned += [_Planned(Fault(fault), method, path) for fault in faults]

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
            elif scope["path"].rstrip("/") == _CONTROL:
                await self._control(scope, receive, send)
            elif scope["path"].startswith("/_sandbox"):
                await app(scope, receive, send)
            else:
                body = await _whole_body(receive)
                await self._serve(app, scope, _replayed(body, receive), send, body)

        return faulty

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        fault = self._choose(scope, body)
        if fault is None:
            await app(scope, receive, send)
            return
        self.counts[fault] += 1
        if fault is Fault.EXPIRED:
            if self._expire is not None:
                self._expire()
            await app(scope, receive, send)
        elif fault is Fault.RESET_BEFORE:
            await _reset(send)
        elif fault not in _PROCESSED:
            await self._refusal(fault, scope, body)(scope, receive, send)
        else:
            answer = await _held_back(app, scope, receive)
            await self._spoil(fault, scope, answer, send)

    def _choose(self, scope: Scope, body: bytes) -> Fault | None:
        for place, planned in enumerate(self._planned):
            if planned.method in (None, scope["method"]) and planned.path in scope["path"]:
                del self._planned[place]
                return planned.fault
        profile = PROFILES[self.profile]
        if not profile.shares or any(word in scope["path"] for word in _LOGIN_WORDS):
            return None
        asked = b" ".join((scope["method"].encode(), scope["path"].encode(), scope.get("query_string", b""), body))
        key = hashlib.sha256(asked).digest()
        if time.monotonic() < self._patient_until.pop(key, 0.0):
            self.counts["impatient"] += 1
        self._attempts[key] += 1
        if self._struck[key] >= profile.most_per_request:
            return None
        fault = self._drawn(profile, scope, key)
        if fault is not None:
            self._struck[key] += 1
            self._in_all[fault] += 1
            if fault is Fault.THROTTLED:
                self._patient_until[key] = time.monotonic() + self.retry_after_seconds
        return fault

    def _drawn(self, profile: Profile, scope: Scope, key: bytes) -> Fault | None:
        """The draw depends on seed, request and attempt alone, so that concurrency does not change it."""
        ticket = hashlib.sha256(b"%d/%d/" % (self.seed, self._attempts[key]) + key).digest()
        chance = int.from_bytes(ticket[:8]) / 2**64
        for fault, share in profile.shares.items():
            if chance < share:
                is_spent = self._in_all[fault] >= profile.most_in_all.get(fault, 1 << 30)
                return fault if not is_spent and self._fits(fault, scope) else None
            chance -= share
        return None

    def _fits(self, fault: Fault, scope: Scope) -> bool:
        if fault in (Fault.LIMIT, Fault.EXPIRED):
            return self.system == "salesforce"
        if fault is Fault.LOCKED:
            return self.system == "salesforce" and "/sobjects" in scope["path"] and scope["method"] != "GET"
        if fault is Fault.THROTTLED:
            return self.system == "mainstay"
        return fault is not Fault.LOOPING or (scope["method"] == "GET" and _is_list(scope["path"]))

    def _refusal(self, fault: Fault, scope: Scope, body: bytes) -> Response:
        if fault is Fault.THROTTLED:
            wait = str(self.retry_after_seconds)
            content: Any = {"detail": f"Request was throttled. Expected available in {wait} seconds."}
            return _json(content, 429, {"Retry-After": wait})
        if fault is Fault.UNAVAILABLE:
            return Response(b"<html><body>503 Service Unavailable</body></html>", 503, media_type="text/html")
        if fault is Fault.LOCKED:
            return _locked(scope, body)
        if fault in (Fault.LIMIT, Fault.USED_UP):
            which = "ConcurrentPerOrgLongTxn" if fault is Fault.LIMIT else "TotalRequests"
            return _json([{"message": f"{which} Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403)
        if self.system == "salesforce":
            return _json([{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}], 500)
        return _json({"detail": "A server error occurred."}, 500)

    async def _spoil(self, fault: Fault, scope: Scope, answer: _Answer, send: Send) -> None:
        if fault is Fault.RESET_AFTER:
            await _reset(send)
            return
        if fault is Fault.TRUNCATED and len(answer.body) > 1:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
            await _reset(send)
            return
        if fault is Fault.SLOW:
            await asyncio.sleep(self.slow_seconds)
        elif fault is Fault.GATEWAY_TIMEOUT:
            answer = _Answer(504, [(b"content-type", b"text/html")], b"<html><body>504 Gateway Time-out</body></html>")
        elif fault is Fault.WRONG_TYPE:
            answer = _Answer(200, [(b"content-type", b"text/html; charset=utf-8")], _HTML)
        elif fault is Fault.MALFORMED and answer.is_json:
            answer = _Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        elif fault is Fault.LOOPING:
            before, answer = answer, _looped(scope, answer)
            if answer is before:  # the last page: the fault is still to come
                self.counts[fault] -= 1
                self._in_all[fault] -= 1
        headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-length"]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status, problem = 200, None
        if request.method == "POST":
            try:
                self._told(orjson.loads(await request.body()))
            except (ValueError, AttributeError) as error:
                status, problem = 400, str(error)
        content = {
            "profile": self.profile,
            "seed": self.seed,
            "counts": {str(name): count for name, count in self.counts.items() if count},
            "planned": [planned.fault.value for planned in self._planned],
            "profiles": {name: profile.about for name, profile in PROFILES.items()},
        }
        await _json({"detail": problem} if problem else content, status)(scope, receive, send)

    def _told(self, asked: Mapping[str, Any]) -> None:
        if "profile" in asked:
            self.use(asked["profile"] or "none", int(asked.get("seed", 0)))
        following: Sequence[str] = asked.get("next", ())
        self.plan(*following, method=asked.get("method"), path=asked.get("path", ""))


def _json(content: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body that was already read, then what comes after it."""
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _held_back(app: ASGIApp, scope: Scope, receive: Receive) -> _Answer:
    answer = _Answer()

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    await app(scope, receive, hold)
    return answer


async def _reset(send: Send) -> None:
    """Cut the connection with a TCP reset. The server's own send function knows the transport; ASGI has no word."""
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise RuntimeError("connections can be reset under uvicorn only")
    wire = transport.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    for _ in range(100):
        if getattr(cycle, "disconnected", True):
            break
        await asyncio.sleep(0)


def _is_list(path: str) -> bool:
    return path.strip("/") in ("contacts", "messages", "campaigns") or "/query" in path


def _looped(scope: Scope, answer: _Answer) -> _Answer:
    """The list with its own address as the next page's; other answers stay as they are."""
    if not answer.is_json:
        return answer
    content = orjson.loads(answer.body)
    path = scope["path"]
    query = scope.get("query_string", b"").decode("latin-1")
    own = f"{path}?{query}" if query else path
    if isinstance(content, dict) and content.get("next"):
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        content["next"] = f"http://{host}{own}"
    elif isinstance(content, dict) and content.get("nextRecordsUrl") and "query/" in path:
        content["nextRecordsUrl"] = own
    else:
        return answer
    return _Answer(answer.status, answer.headers, orjson.dumps(content))


def _locked(scope: Scope, body: bytes) -> Response:
    """UNABLE_TO_LOCK_ROW, per record of a collection or for the one record. Source: wire reference, section 3."""
    message = "unable to obtain exclusive access to this record"
    try:
        records = orjson.loads(body).get("records")
    except (orjson.JSONDecodeError, AttributeError):
        records = None
    if "/composite/sobjects" in scope["path"] and isinstance(records, list):
        item = {
            "success": False,
            "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": message, "fields": []}],
        }
        return _json([item] * len(records), 200)
    return _json([{"message": message, "errorCode": "UNABLE_TO_LOCK_ROW"}], 400)
