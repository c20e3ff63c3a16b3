"""A connection to Mainstay's API: lists read ahead with guards, single documents, and writes.

The token travels only to the configured host and appears in no message. Source: Mainstay API reference, sections 1, 2.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import httpx
import orjson

from workbench.domain.fields import STANDARD_BY_NAME, MainstayField
from workbench.errors import AuthenticationFailed, ConfigurationError, RemoteError
from workbench.logs import get_logger
from workbench.mainstay import wire
from workbench.mainstay.lines import entry_texts
from workbench.mainstay.reply import Reply, read_errors
from workbench.mainstay.upsert import contact_path
from workbench.mainstay.wire import OutcomeUnknown
from workbench.settings import MainstaySettings

__all__ = ["HIDDEN_TOO", "MainstayClient", "OutcomeUnknown", "Page"]

log = get_logger(__name__)

ATTEMPTS: Final = 6
MAX_WAIT_SECONDS: Final = 30.0
CHANGE_HEADER: Final = "X-Workbench-Change"
# Test and non-permitted contacts are hidden unless asked for, yet they hold their phone and CRM ID.
HIDDEN_TOO: Final = {"include_test_contacts": "true", "include_nonpermitted_contacts": "true"}


@dataclass(frozen=True)
class Page:
    """One page of a list: its rows, the next page's address, and the full count where the API tells it.

    `texts` are the rows as the API wrote them; None where those could not be told apart.
    """

    rows: list[dict[str, Any]]
    next_url: str | None
    count: int | None = None
    texts: list[bytes] | None = None


class MainstayClient:
    """One institution. Use as `async with MainstayClient(settings.mainstay) as client`, in one event loop.

    `sleep` and `jitter` (a factor around 1) are how it waits between attempts.
    """

    def __init__(
        self,
        settings: MainstaySettings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311  spreads retries, guards nothing
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._jitter = jitter
        self._base = wire.base_url(settings.base_url)
        self._pace = wire.Pace(settings.requests_per_second, time.monotonic, sleep)
        self._crowd = wire.Crowd(settings.concurrency, time.monotonic)
        self._sent_headers: dict[str, str] = {}
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.timeout_seconds, connect=min(10.0, settings.timeout_seconds)),
            limits=httpx.Limits(
                max_connections=settings.concurrency * 2, max_keepalive_connections=settings.concurrency * 2
            ),
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def auth_valid(self) -> str:
        """The institution's id (`org_id`) behind the token. Raises AuthenticationFailed where it is refused."""
        answer = await self.get("auth_valid")
        if not isinstance(answer, dict) or answer.get("ok") is False:
            raise AuthenticationFailed(wire.REFUSED)
        return str(answer.get("org_id") or "")

    async def fields(self) -> list[MainstayField]:
        """The institution's field catalogue: standard fields, then custom fields in the order listed.

        Custom fields that are listed by name alone count as Text. Standard fields keep the types of our own table.
        """
        standard = dict(STANDARD_BY_NAME)
        for item in _named_items(await self._get_or_none("default_fields/"), "default_fields"):
            standard[item["name"]] = _standard_field(item)
        answer = await self.get("custom_fields/")
        listed = {item["name"]: item for item in _named_items(answer, "custom_fields")}
        if isinstance(answer, dict):
            listed |= {item["name"]: item for item in _named_items(answer.get("fields"), "fields")}
        return [*standard.values(), *(_custom_field(item) for item in listed.values())]

    async def pages(self, path: str, params: Mapping[str, Any] | None = None) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages of a list, in order, read ahead of the caller. Errors as in `page_stream`."""
        async for page in self.page_stream(path, params):
            yield page.rows

    async def page_stream(
        self, path: str, params: Mapping[str, Any] | None = None, *, start: str | None = None
    ) -> AsyncIterator[Page]:
        """As `pages`, each with the address of the next one; `start` is such an address and resumes there.

        Where the list numbers its pages and tells its count, up to `concurrency` of them are on their way at once;
        each still has to name the one after it, and the last is followed as far as it leads.
        Raises RemoteError when an address repeats, leaves the configured host, or skips a page.
        """
        url = wire.own_address(self._base, start) if start else self._url(path, params)
        ahead = _Ahead(self._page, self._settings.concurrency)
        seen = {str(url)}
        try:
            page = await self._page(url)
            while page.next_url is not None:
                following = wire.own_address(self._base, page.next_url)
                if str(following) in seen:
                    raise RemoteError(f"Mainstay's list {path} named a next page twice and was stopped. Pull again.")
                seen.add(str(following))
                ahead.plan(following, page)
                yield replace(page, next_url=str(following))
                page = await ahead.take(following)
            yield page
        finally:
            await ahead.stop()

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """One JSON document below the base address, repeated while the fault is a passing one.

        Raises AuthenticationFailed, TransientError, or RemoteError with the status and code of the refusal.
        """
        return await self._get_json(self._url(path, params))

    async def find_contact(self, contact: str) -> dict[str, Any] | None:
        """One contact by CRM ID, phone or Mainstay ID, hidden ones too; None where nobody carries it."""
        found = await self._get_or_none(contact_path(contact), HIDDEN_TOO)
        return found if isinstance(found, dict) else None

    async def send(
        self, method: str, path: str, body: Mapping[str, Any] | Sequence[Any], change_id: str | None = None
    ) -> Reply:
        """Send one write and return what was answered, refusals included. A POST is never sent twice.

        Raises AuthenticationFailed (token refused), OutcomeUnknown (the answer was lost and repeating is not allowed
        or did not help), TransientError (certainly not taken; try later), RemoteError (not this API).
        """
        headers = {CHANGE_HEADER: change_id} if change_id else {}
        started = time.perf_counter()
        response, attempts = await self._attempt(method, self._url(path), content=orjson.dumps(body), headers=headers)
        ms = (time.perf_counter() - started) * 1000
        status = response.status_code
        parsed = _document(response, method)
        return Reply(method, path, status, parsed, read_errors(parsed, status), ms, attempts)

    def _url(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.URL:
        url = httpx.URL(str(self._base) + path)
        return url.copy_merge_params(dict(params)) if params else url

    async def _page(self, url: httpx.URL) -> Page:
        answer, body = await self._get_answer(url)
        return read_page(answer, body)

    async def _get_or_none(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        try:
            return await self.get(path, params)
        except RemoteError as error:
            if error.status == 404 and error.code is not None:
                return None
            raise

    async def _get_json(self, url: httpx.URL) -> Any:
        answer, _ = await self._get_answer(url)
        return answer

    async def _get_answer(self, url: httpx.URL) -> tuple[Any, bytes]:
        """A document, parsed and as it came."""
        response, _ = await self._attempt("GET", url)
        parsed = _document(response, "GET")
        status = response.status_code
        if status == 200:
            return parsed, response.content
        items = read_errors(parsed, status)
        said = "; ".join(f"{item['code']}: {item['message']}" for item in items)
        code = items[0]["code"] if items else None
        raise RemoteError(f"Mainstay refused {_what('GET', url)}: {said}", code=code, status=status)

    async def _attempt(
        self, method: str, url: httpx.URL, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[httpx.Response, int]:
        """One request with its safe repeats: (answer, attempts made)."""
        sent = {**self._headers(), **(headers or {})}
        lost: OutcomeUnknown | None = None
        for attempt in range(1, ATTEMPTS + 1):
            found = await self._once(method, url, content, sent)
            if isinstance(found, httpx.Response):
                return found, attempt
            fault = found
            if isinstance(fault.error, OutcomeUnknown):
                lost = fault.error
            if fault.wait_seconds is not None:
                self._pace.hold(fault.wait_seconds)  # for everybody, also after the last try of this request
            if not fault.is_repeatable or attempt >= min(ATTEMPTS, fault.most_attempts):
                # Once an answer was lost, a later refusal to connect does not prove that nothing was written.
                raise (lost or fault.error) from None
            await self._wait(fault, attempt, method)
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    async def _once(
        self, method: str, url: httpx.URL, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response | wire.Fault:
        """One request in its turn: the answer, or what is wrong with it. The server's faults make the crowd smaller."""
        await self._crowd.enter()
        is_overloaded = False
        try:
            await self._pace.turn()
            try:
                response = await self._http.send(httpx.Request(method, url, content=content, headers=headers))
            except httpx.HTTPError as error:
                is_overloaded = isinstance(error, httpx.TimeoutException)
                return wire.transport_fault(error, method, _what(method, url))
            is_overloaded = response.status_code == 429 or response.status_code >= 500
            fault = wire.response_fault(response, method, _what(method, url))
        finally:
            self._crowd.leave(is_overloaded=is_overloaded)
        return response if fault is None else fault

    async def _wait(self, fault: wire.Fault, attempt: int, method: str) -> None:
        if fault.wait_seconds is not None:
            return  # the pace holds everybody back until then
        seconds = min(MAX_WAIT_SECONDS, 0.25 * 2**attempt) * self._jitter()
        log.info("asking Mainstay again", extra={"method": method, "attempt": attempt, "wait_seconds": seconds})
        await self._sleep(seconds)

    def _headers(self) -> dict[str, str]:
        if self._sent_headers:
            return self._sent_headers
        token = self._settings.token.get_secret_value().strip() if self._settings.token else ""
        if not token:
            raise ConfigurationError(wire.NOT_CONNECTED)
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ConfigurationError("WORKBENCH_MAINSTAY__TOKEN has characters that no token has. Copy it once more.")
        self._sent_headers = {
            "Authorization": f"{self._settings.auth_scheme} {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "mainstay-workbench",
        }
        return self._sent_headers


class _Ahead:
    """Pages on their way before the caller asks: the next one always, more where the list is numbered and counted."""

    def __init__(self, fetch: Callable[[httpx.URL], Awaitable[Page]], limit: int) -> None:
        self._fetch = fetch
        self._limit = limit
        self._waiting: deque[tuple[httpx.URL, asyncio.Task[Page]]] = deque()
        self._newest = 0  # the highest page number asked for
        self._last = 0  # the highest page number the count promises

    def plan(self, following: httpx.URL, page: Page) -> None:
        """Ask for the page after this one, and for as many more as are promised and allowed."""
        number = wire.page_number(following)
        if not self._waiting:
            self._start(following)
            is_numbered = number is not None and page.count is not None and page.rows
            self._newest = number or 0
            self._last = -(-(page.count or 0) // len(page.rows)) if is_numbered else 0
        while self._newest < self._last and len(self._waiting) < self._limit:
            self._newest += 1
            self._start(wire.with_page(following, self._newest))

    async def take(self, following: httpx.URL) -> Page:
        """The page of this address. Raises RemoteError where a page was skipped since it was asked for."""
        address, task = self._waiting.popleft()
        if wire.is_same_address(address, following):
            return await task
        self._waiting.appendleft((address, task))
        await self.stop()
        if wire.page_number(address) != wire.page_number(following):
            raise RemoteError("Mainstay's list skipped a page while it was being read. Pull again.")
        self._last = 0  # its addresses carry more than a number: from here on one after the other
        return await self._fetch(following)

    async def stop(self) -> None:
        tasks = [task for _, task in self._waiting]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, url: httpx.URL) -> None:
        async def fetch() -> Page:
            return await self._fetch(url)

        self._waiting.append((url, asyncio.create_task(fetch())))


def read_page(answer: Any, body: bytes = b"") -> Page:
    """A page from a list's answer; a bare list is a whole list. Raises RemoteError for anything else."""
    envelope: dict[str, Any] = {"results": answer} if isinstance(answer, list) else answer
    if not isinstance(envelope, dict) or not isinstance(envelope.get("results"), list):
        raise RemoteError("Mainstay answered a list with something else; the field `results` is missing.")
    rows, next_url, count = envelope["results"], envelope.get("next"), envelope.get("count")
    if not all(isinstance(row, dict) for row in rows):
        raise RemoteError("Mainstay answered a list whose entries are no objects.")
    is_count = isinstance(count, int) and not isinstance(count, bool)
    texts = entry_texts(body, answer) if isinstance(answer, dict) else None
    return Page(rows, str(next_url) if next_url else None, count if is_count else None, texts)


def _document(response: httpx.Response, method: str) -> Any:
    parsed = wire.read_json(response)
    if parsed is wire.NO_JSON:
        raise wire.not_mainstay(_what(method, response.url), response.status_code)
    return parsed


def _what(method: str, url: httpx.URL) -> str:
    """A request in words: its method and resource, without the person's id or phone."""
    parts = url.path.strip("/").split("/")
    known = {"contacts", "auth_valid", "default_fields", "custom_fields", "custom_values", "campaigns", "messages"}
    return f"{method} {next((part for part in parts if part in known), parts[0])}"


def _named_items(answer: Any, key: str) -> list[dict[str, Any]]:
    """Names or objects, bare or under a key, as objects with a `name`."""
    listed = answer.get(key) if isinstance(answer, dict) else answer
    items = [{"name": item} if isinstance(item, str) else item for item in listed or () if isinstance(item, str | dict)]
    return [item for item in items if isinstance(item.get("name"), str) and item["name"]]


def _standard_field(item: Mapping[str, Any]) -> MainstayField:
    known = STANDARD_BY_NAME.get(item["name"])
    data_type = known.data_type if known else str(item.get("data_type") or "string")
    is_deprecated = bool(item.get("deprecated", known.is_deprecated if known else False))
    is_writable = known.is_writable if known else False
    return MainstayField(item["name"], data_type, is_deprecated=is_deprecated, is_writable=is_writable)


def _custom_field(item: Mapping[str, Any]) -> MainstayField:
    options = tuple(str(option) for option in item.get("options") or ())
    is_deprecated = bool(item.get("deprecated", False))
    data_type = str(item.get("data_type") or "Text")
    return MainstayField(item["name"], data_type, is_custom=True, is_deprecated=is_deprecated, options=options)
