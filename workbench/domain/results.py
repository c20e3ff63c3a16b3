"""Attempts and outcomes: what was sent, what came back, and how a change ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson

from workbench.domain.changes import Status
from workbench.domain.error_dictionary import COMPLETE_CODES, family
from workbench.errors import RemoteError

# Stands in a prepared request for the Id that the change's first request creates.
ID_PLACEHOLDER: Final = "$id"


@dataclass(frozen=True)
class Request:
    """One prepared request of a change. `path` is relative to the system's base; `body` is JSON text."""

    ordinal: int
    system: str
    method: str
    path: str
    body: str | None

    @property
    def values(self) -> dict[str, Any]:
        """The body as an object. Raises RemoteError when it is none."""
        found = orjson.loads(self.body or "{}")
        if not isinstance(found, dict):
            raise RemoteError(f"The body of {self.method} {self.path} is no JSON object; preview again.")
        return found

    def with_record_id(self, record_id: str) -> Request:
        """The request with the real Id where the placeholder stood.

        >>> Request(2, "mainstay", "PUT", "contacts/ah1/", '{"crm_id":"$id"}').with_record_id("003A").body
        '{"crm_id":"003A"}'
        """
        values = {name: record_id if value == ID_PLACEHOLDER else value for name, value in self.values.items()}
        return replace(self, body=orjson.dumps(values).decode())


@dataclass(frozen=True)
class PlannedChange:
    """One approved change with its prediction and its requests in order."""

    change_id: str
    seq: int
    direction: str
    sobject: str | None
    salesforce_id: str | None
    mainstay_id: str | None
    action: str
    group_id: int | None
    predicted_status: str | None
    predicted_codes: tuple[str, ...]
    requests: tuple[Request, ...]

    def request_to(self, system: str) -> Request | None:
        """The change's request to `salesforce` or `mainstay`; it has at most one to each."""
        return next((request for request in self.requests if request.system == system), None)

    @property
    def is_expected_to_fail(self) -> bool:
        return self.predicted_status == Status.FAIL


@dataclass(frozen=True)
class Attempt:
    """One HTTP request of a change and its answer; status and body are None where no answer came."""

    change_id: str
    system: str
    method: str
    url: str
    request_body: str | None
    response_status: int | None
    response_body: str | None
    codes: tuple[str, ...]
    ms: float
    sent_at: datetime


@dataclass(frozen=True)
class Outcome:
    """The end of one change: the guide's sync result. `origin` is push or reconcile."""

    change_id: str
    status: Status
    codes: tuple[str, ...]
    fail_message: str | None
    endpoint: str | None
    request_body: str | None
    response_status: int | None
    record_id: str | None
    mainstay_id: str | None
    origin: str
    finished_at: datetime


def mainstay_status(method: str, http_status: int, errors: Sequence[dict[str, Any]]) -> Status:
    """How a Mainstay answer ends a write, judged by code and method first, by HTTP status where that says nothing.

    Source: Mainstay API reference, section 1 ("Classify by error code + HTTP method") and section 8.

    >>> refused = [{"code": "invalid-phone"}]
    >>> mainstay_status("PUT", 200, refused), mainstay_status("POST", 400, refused)
    (<Status.PARTIAL: 'partial'>, <Status.FAIL: 'fail'>)
    """
    is_accepted = 200 <= http_status < 300
    if not errors:
        return Status.SUCCESS if is_accepted else Status.FAIL
    is_complete = any(_is_complete(method, family(str(error.get("code", "")))) for error in errors)
    return Status.FAIL if is_complete or not is_accepted else Status.PARTIAL


def _is_complete(method: str, code: str) -> bool:
    # The dictionary lists invalid-phone once, as partial; its row for POST says complete.
    if code == "invalid-phone":
        return method == "POST"
    return code in COMPLETE_CODES


def codes_of(http_status: int | None, errors: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The codes of an answer in its order, each once; a refusal without any is named by its HTTP status.

    >>> codes_of(418, []), codes_of(200, [])
    (('http-418',), ())
    """
    codes = tuple(dict.fromkeys(str(error.get("code") or "unnamed") for error in errors))
    if codes or http_status is None or 200 <= http_status < 300:
        return codes
    return (f"http-{http_status}",)
