"""A session with one org: describe, queries, bulk downloads and limits, with every fault sorted by what to do.

Reads are retried with growing, jittered waits; writes never are. An expired session is renewed once per call.
simple-salesforce speaks the protocol; its own retries and logins stay out of play (wire reference, section 12).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession, SalesforceOperationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from urllib3.exceptions import NewConnectionError

from workbench.errors import AuthenticationFailed, RemoteError, TransientError
from workbench.logs import get_logger
from workbench.salesforce import bulk
from workbench.salesforce.bulk import BulkFiles
from workbench.salesforce.describe import NAME_PATTERN, SObject, read_describe
from workbench.salesforce.login import asked_seconds, log_in, open_session
from workbench.settings import SalesforceSettings

log = get_logger(__name__)

READ_ATTEMPTS: Final = 5
RETRIEVE_SIZE: Final = 200
# The whole request line may hold 16,384 bytes; host, path and headers share it.
MAX_QUERY_BYTES: Final = 14_000
LOCK_CODES: Final = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT"})
_NEXT_PATH: Final = re.compile(r"^/services/data/v[0-9.]+/query(?:All)?/[A-Za-z0-9_-]+$", re.IGNORECASE)
_PLAIN_SELECT: Final = re.compile(r"^\s*SELECT\s+([\w.,\s]+?)\s+FROM\s", re.IGNORECASE)
_WIRE_FAULTS: Final = (SalesforceError, SalesforceOperationError, requests.RequestException, ValueError, KeyError)

_GROWING_WAIT: Final = wait_random_exponential(multiplier=0.5, max=20)

T = TypeVar("T")


class OutcomeUnknown(TransientError):
    """A write left, and its answer did not arrive: it may or may not have happened. Read back before resending."""

    def __init__(self, message: str, *, keys: Sequence[str] = (), status: int | None = None) -> None:
        self.keys = tuple(keys)
        super().__init__(message, status=status)


@dataclass(frozen=True)
class QueryPage:
    """One page of a query: rows flattened to `column -> value`, the full count, and where the next page is."""

    rows: list[dict[str, Any]]
    total: int
    next_path: str | None


class SalesforceClient:
    """One org. Logs in at the first call. Safe to share between threads; `sleep` is how it waits between retries."""

    def __init__(self, settings: SalesforceSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._session = open_session(settings.timeout_seconds)
        self._api: Salesforce | None = None
        self._login_lock = threading.Lock()
        self.request_count = 0  # sent so far, logins apart

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def connect(self) -> str:
        """Log in, where that has not happened; the host of the org."""
        return str(self.repeat(self._connected, "the login").sf_instance)

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """API requests of the org in the last 24 hours: (used, allowed), as its latest answer told."""
        usage = self._api.api_usage.get("api-usage") if self._api is not None else None
        return (usage.used, usage.total) if usage is not None else None

    def sobjects(self) -> list[dict[str, Any]]:
        """Every object of the org as the global describe lists it (name, label, queryable, createable ...)."""
        return list(self.read("sobjects", what="the list of objects")["sobjects"])

    def describe(self, sobject: str) -> SObject:
        """One object with its fields. Raises RemoteError with code NOT_FOUND where the org has no such object."""
        if not NAME_PATTERN.match(sobject):
            raise RemoteError(f"{sobject!r} is no name of a Salesforce object.", code="NOT_FOUND")
        return read_describe(self.read(f"sobjects/{sobject}/describe", what=f"the describe of {sobject}"))

    def limits(self) -> dict[str, dict[str, int]]:
        """The org's limits: name -> {"Max", "Remaining"}."""
        return dict(self.read("limits", what="the limits"))

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[list[dict[str, Any]]]:
        """Pages of rows. Lookup paths are flat columns (`Account.Parent.Name`), None where a parent is missing."""
        for page in self.query_pages(soql, include_deleted=include_deleted):
            yield page.rows

    def query_pages(self, soql: str, *, include_deleted: bool = False, start: str | None = None) -> Iterator[QueryPage]:
        """As `query`, with the place of each next page; `start` is such a place and resumes there (for two days).

        The next page is fetched while the caller works on this one. Raises RemoteError when a place repeats.
        """
        columns = selected_columns(soql)
        seen: set[str] = set()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="salesforce-page") as ahead:
            if start is None:
                coming = ahead.submit(self._first_page, soql, include_deleted)
            else:
                coming = ahead.submit(self._next_page, start)
            while True:
                answer = coming.result()
                next_path = None if answer.get("done", True) else str(answer.get("nextRecordsUrl"))
                following: Future[dict[str, Any]] | None = None
                if next_path is not None:
                    _check_next(next_path, seen)
                    following = ahead.submit(self._next_page, next_path)
                rows = [flatten(record, columns) for record in answer["records"]]
                yield QueryPage(rows, int(answer.get("totalSize", len(rows))), next_path)
                if following is None:
                    return
                coming = following

    def query_count(self, soql: str) -> int:
        """The answer of a `SELECT COUNT() FROM ...`."""
        return int(self._first_page(soql, include_deleted=False)["totalSize"])

    def retrieve(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Records by id, read in groups of 200; ids that do not exist are left out. Keys are 18-character ids."""
        found: dict[str, dict[str, Any]] = {}
        wanted = list(dict.fromkeys(["Id", *fields]))
        for at in range(0, len(ids), RETRIEVE_SIZE):
            body = {"ids": list(ids[at : at + RETRIEVE_SIZE]), "fields": wanted}
            answer = self.read(f"composite/sobjects/{sobject}", what=f"records of {sobject}", method="POST", json=body)
            rows = [flatten(record, wanted) for record in answer or () if record]
            found |= {row["Id"]: row for row in rows}
        return found

    def bulk_download(
        self, sobject: str, soql: str, folder: Path, *, poll_seconds: float = 0.5, progress: bulk.Progress | None = None
    ) -> BulkFiles:
        """Run a Bulk 2.0 query and stream its pages to CSV files in `folder`; memory stays small.

        Each file starts with a header; empty cells are nulls; deleted records cannot be asked for this way. A folder
        that holds a part of the same query is completed. Raises RemoteError where the job fails.
        """
        folder.mkdir(parents=True, exist_ok=True)
        query = bulk.BulkQuery(
            self, soql, folder, poll_seconds=poll_seconds, sleep=self._sleep, progress=progress or (lambda _: None)
        )
        found = query.download()
        log.info("bulk query downloaded", extra={"sobject": sobject, "files": len(found.files)})
        return found

    def read(self, path: str, *, what: str, method: str = "GET", **options: Any) -> Any:
        """One idempotent REST call below the version root, retried while the fault is transient."""
        return self.repeat(
            lambda: self.call(lambda api: api.restful(path, method=method, **options), what=what, is_read=True), what
        )

    def read_text(self, path: str, *, what: str) -> str:
        """One idempotent GET below the version root whose answer is text (UTF-8), retried as `read`."""

        def send(api: Salesforce) -> str:
            answer = api._call_salesforce("GET", f"{api.base_url}{path}", name=path)  # noqa: SLF001  `restful` wants JSON
            return str(answer.content.decode())

        return self.repeat(lambda: self.call(send, what=what, is_read=True), what)

    def pause(self, seconds: float) -> None:
        """Wait as this client waits."""
        self._sleep(seconds)

    def call(self, send: Callable[[Salesforce], T], *, what: str, is_read: bool) -> T:
        """Make one call, logging in again at most once when the session turns out to have expired.

        Raises AuthenticationFailed, TransientError, OutcomeUnknown (writes only) or RemoteError.
        """
        api = self._connected()
        self.request_count += 1
        try:
            return send(api)
        except SalesforceExpiredSession:
            self.request_count += 1
            api = self._log_in_again(api)  # refused before it was looked at, so a write may be repeated too
        except _WIRE_FAULTS as error:
            raise explain(error, what, is_read=is_read) from None
        try:
            return send(api)
        except SalesforceExpiredSession:
            raise AuthenticationFailed(
                f"Salesforce refused {what} with a session made a moment ago. Check that the user may use the API and "
                "that this address is allowed, then connect again."
            ) from None
        except _WIRE_FAULTS as error:
            raise explain(error, what, is_read=is_read) from None

    def _first_page(self, soql: str, include_deleted: bool) -> dict[str, Any]:
        def send(api: Salesforce) -> Any:
            return api.query(soql, include_deleted=include_deleted)

        return self._page(send)

    def _next_page(self, path: str) -> dict[str, Any]:
        return self._page(lambda api: api.query_more(path, identifier_is_url=True))

    def _page(self, send: Callable[[Salesforce], Any]) -> dict[str, Any]:
        answer = self.repeat(lambda: self.call(send, what="a query", is_read=True), "a query")
        if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
            raise RemoteError("Salesforce answered a query with something that is no list of records.")
        return answer

    def repeat(self, call: Callable[[], T], what: str) -> T:
        """Make a reading call, again after growing waits while its fault is transient."""
        for attempt in Retrying(
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=self._wait_seconds,
            retry=retry_if_exception_type(TransientError),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    log.info("reading again", extra={"what": what, "attempt": attempt.retry_state.attempt_number})
                return call()
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _wait_seconds(self, state: RetryCallState) -> float:
        """A growing, jittered wait, or the longer one that Salesforce asked for."""
        return max(_GROWING_WAIT(state), asked_seconds(self._session))

    def _connected(self) -> Salesforce:
        with self._login_lock:
            if self._api is None:
                self._api = self._open(is_again=False)
            return self._api

    def _log_in_again(self, expired: Salesforce) -> Salesforce:
        with self._login_lock:
            if self._api is expired or self._api is None:  # another thread may have done it already
                self._api = self._open(is_again=True)
                log.info("logged in to Salesforce again")
            return self._api

    def _open(self, *, is_again: bool) -> Salesforce:
        try:
            login = log_in(self._settings, self._session, is_again=is_again)
        except requests.RequestException as error:
            raise explain(error, "the login", is_read=True) from None
        return Salesforce(
            session_id=login.token,
            instance_url=f"https://{login.host}",
            version=self._settings.api_version,
            session=self._session,
            object_pairs_hook=dict,
        )


def fits_in_url(soql: str) -> bool:
    """Whether a query fits the request line of a GET; longer ones go by bulk."""
    return len(quote(soql)) <= MAX_QUERY_BYTES


def selected_columns(soql: str) -> list[str] | None:
    """The field paths of a plain SELECT, or None for counts, functions and subqueries.

    >>> selected_columns("select Id, Account.Name from Contact where Name != null")
    ['Id', 'Account.Name']
    """
    found = _PLAIN_SELECT.match(soql)
    return [part.strip() for part in found[1].split(",")] if found else None


def flatten(record: Mapping[str, Any], columns: Sequence[str] | None = None) -> dict[str, Any]:
    """One record as `path -> value`, without `attributes`. With `columns`, exactly those, None where absent.

    >>> flatten({"Id": "1", "Account": {"attributes": {}, "Name": "A", "Parent": None}}, ["Id", "Account.Parent.Name"])
    {'Id': '1', 'Account.Parent.Name': None}
    """
    flat: dict[str, Any] = {}
    _flatten_into(flat, record, "")
    if columns is None:
        return flat
    row = {column: flat.get(column) for column in columns}
    if not flat.keys() <= row.keys():  # the org's spelling differs from the query's, or a missing parent is named
        lower = {name.lower(): value for name, value in flat.items()}
        row = {column: lower.get(column.lower()) for column in columns}
    return row


def _flatten_into(flat: dict[str, Any], record: Mapping[str, Any], prefix: str) -> None:
    for name, value in record.items():
        if name == "attributes":
            continue
        if isinstance(value, dict) and "attributes" in value:
            _flatten_into(flat, value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value


def _check_next(path: str, seen: set[str]) -> None:
    """The token follows this path, so it has to be one; and it must lead on."""
    if not _NEXT_PATH.match(path):
        raise RemoteError("Salesforce named a next page outside of its query resource; it was not followed.")
    if path in seen:
        raise RemoteError("Salesforce named the same next page twice; the query was stopped. Pull again.")
    seen.add(path)


def is_unsent(error: Exception) -> bool:
    """Whether a request certainly never reached the other side: no connection was made."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(reason, NewConnectionError)


def error_item(content: Any) -> tuple[str, str]:
    """(code, message) of the first error in an answer, whichever of the shapes it has."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    return str(code), str(first.get("message") or first.get("error_description") or "")


def explain(error: Exception, what: str, *, is_read: bool) -> RemoteError:
    """The error of our tree for a fault of the wire or of simple-salesforce."""
    if isinstance(error, SalesforceError):
        return _explain_answer(error, what, is_read=is_read)
    if isinstance(error, SalesforceOperationError):
        return RemoteError(f"Salesforce could not finish {what}: {str(error)[:500]}")
    if isinstance(error, requests.exceptions.SSLError):
        return RemoteError("The certificate of Salesforce could not be checked. Correct the address or the network.")
    if not is_read and not is_unsent(error):
        return OutcomeUnknown(f"The answer of Salesforce to {what} was lost; it may have happened.")
    sentence = f"Salesforce answered {what} with something that is no JSON. Try again."
    if isinstance(error, requests.Timeout):
        sentence = f"Salesforce did not answer {what} in time. Try again."
    elif isinstance(error, requests.ConnectionError):
        sentence = f"Salesforce was not reached for {what}. Check the address and the network."
    return TransientError(sentence)


def _explain_answer(error: SalesforceError, what: str, *, is_read: bool) -> RemoteError:
    code, message = error_item(error.content)
    status = int(error.status)
    sentence = f"Salesforce refused {what}: {code or f'HTTP {status}'}{': ' if message else ''}{message[:1000]}"
    if code == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" not in message:
        return RemoteError(
            f"{sentence} The org has used up its API requests of the last 24 hours; try again later.",
            code=code,
            status=status,
        )
    is_broken_off = isinstance(error.content, str) and error.content.lstrip().startswith(("{", "["))
    if code in LOCK_CODES or code == "REQUEST_LIMIT_EXCEEDED" or status == 429 or (is_broken_off and status < 500):
        return TransientError(sentence, code=code, status=status)
    if status >= 500:
        if is_read:
            sentence = f"Salesforce failed at {what}: {code or f'HTTP {status}'}. Try again."
            return TransientError(sentence, code=code, status=status)
        return OutcomeUnknown(f"Salesforce failed during {what} (HTTP {status}); it may have happened.", status=status)
    return RemoteError(sentence, code=code or None, status=status)
