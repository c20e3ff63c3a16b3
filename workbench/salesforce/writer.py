"""Writes to Salesforce by sObject Collections: up to 200 records a request, one result per record.

Answers stand in request order (the contract of Collections); their count, and on updates their ids, are verified.
Nothing is retried here. Source: Salesforce wire reference, sections 3 and 8.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from simple_salesforce import Salesforce

from workbench.errors import ConfigurationError
from workbench.salesforce.client import LOCK_CODES, OutcomeUnknown, SalesforceClient
from workbench.salesforce.describe import NAME_PATTERN

CHUNK: Final = 200
CHANGE_HEADER: Final = "X-Workbench-Change"
MAX_HEADER_BYTES: Final = 7_000  # address and headers together may hold 16,384
ID_PATTERN: Final = re.compile(r"^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$")
PATH: Final = "composite/sobjects"

Operation = Literal["create", "update"]


@dataclass(frozen=True)
class Record:
    """One record to write. `key` is the caller's own name for it; `record_id` is needed for an update.

    A None in `values` clears a field; a field left out keeps its value. `change_id` travels in a header.
    """

    key: str
    values: Mapping[str, Any]
    record_id: str | None = None
    change_id: str | None = None


@dataclass(frozen=True)
class RecordResult:
    """What became of one record. `errors` are as Salesforce gave them: {"statusCode", "message", "fields"}.

    `path`: where it was sent, below the version root.
    """

    key: str
    record_id: str | None
    success: bool
    errors: tuple[dict[str, Any], ...] = ()
    status: int = 200
    ms: float = 0.0
    path: str = PATH

    @property
    def is_transient(self) -> bool:
        """Refused by a lock or a passing state: nothing was written, and the same request may succeed later."""
        return bool(self.errors) and all(item.get("statusCode") in LOCK_CODES for item in self.errors)

    @property
    def codes(self) -> list[str]:
        return [str(item.get("statusCode") or "") for item in self.errors]


class SalesforceWriter:
    """Writes through one client."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client

    def create(self, sobject: str, records: Sequence[Record]) -> Iterator[list[RecordResult]]:
        """Create records; one list of results per request sent, in order. Errors as in `write`."""
        return self.write("create", sobject, records)

    def update(self, sobject: str, records: Sequence[Record]) -> Iterator[list[RecordResult]]:
        """Update records by their `record_id`; one list of results per request sent. Errors as in `write`."""
        return self.write("update", sobject, records)

    def write(self, operation: Operation, sobject: str, records: Sequence[Record]) -> Iterator[list[RecordResult]]:
        """Send records in requests of up to 200, yielding the results of each before the next one leaves.

        Raises OutcomeUnknown, naming the keys of the request whose answer was lost; TransientError where nothing was
        written (try those and the later ones again); RemoteError where the whole request was refused.
        """
        check_records(operation, sobject, records)
        for chunk in chunks(records):
            yield self._send(operation, sobject, chunk)

    def _send(self, operation: Operation, sobject: str, chunk: Sequence[Record]) -> list[RecordResult]:
        body = {"allOrNone": False, "records": [_payload(operation, sobject, record) for record in chunk]}
        change_ids = [record.change_id for record in chunk if record.change_id]
        headers = {CHANGE_HEADER: ",".join(change_ids)} if change_ids else {}
        method = "POST" if operation == "create" else "PATCH"

        def send(api: Salesforce) -> Any:
            return api.restful(PATH, method=method, json=body, headers=headers)

        started = time.perf_counter()
        keys = [record.key for record in chunk]
        try:
            answer = self._client.call(send, what=f"{operation}s of {sobject}", is_read=False)
        except OutcomeUnknown as error:
            raise OutcomeUnknown(str(error), keys=keys, status=error.status) from None
        return _results(operation, chunk, answer, (time.perf_counter() - started) * 1000)


def chunks(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records in groups of at most 200 whose change ids still fit one header, in order."""
    chunk: list[Record] = []
    header_bytes = 0
    for record in records:
        size = len(record.change_id or "") + 1
        if chunk and (len(chunk) == CHUNK or header_bytes + size > MAX_HEADER_BYTES):
            yield chunk
            chunk, header_bytes = [], 0
        chunk.append(record)
        header_bytes += size
    if chunk:
        yield chunk


def check_records(operation: Operation, sobject: str, records: Sequence[Record]) -> None:
    """A wrong id or name would be joined into an address or silently create a record: refuse before sending."""
    if not NAME_PATTERN.match(sobject):
        raise ConfigurationError(f"{sobject!r} is no name of a Salesforce object.")
    if len({record.key for record in records}) != len(records):
        raise ConfigurationError(f"Two {operation}s of {sobject} carry the same key.")
    for record in records:
        if operation == "update" and not ID_PATTERN.match(record.record_id or ""):
            raise ConfigurationError(f"The update {record.key} of {sobject} names no valid record id.")
        if operation == "create" and record.record_id is not None:
            raise ConfigurationError(f"The create {record.key} of {sobject} already has a record id.")


def _payload(operation: Operation, sobject: str, record: Record) -> dict[str, Any]:
    values = {name: value for name, value in record.values.items() if name.lower() != "id"}
    named = {"id": record.record_id} if operation == "update" else {}
    return {"attributes": {"type": sobject}, **named, **values}


def _results(operation: Operation, chunk: Sequence[Record], answer: Any, ms: float) -> list[RecordResult]:
    keys = [record.key for record in chunk]
    if not isinstance(answer, list) or len(answer) != len(chunk) or not all(isinstance(item, dict) for item in answer):
        raise OutcomeUnknown(
            f"Salesforce answered {len(chunk)} {operation}s with a list that cannot be matched to them.", keys=keys
        )
    results = []
    for record, item in zip(chunk, answer, strict=True):
        success = bool(item.get("success"))
        record_id = item.get("id") or (record.record_id if operation == "update" else None)
        if success and operation == "update" and str(record_id)[:15] != (record.record_id or "")[:15]:
            raise OutcomeUnknown("Salesforce answered updates in another order than they were sent.", keys=keys)
        if success and record_id is None:
            raise OutcomeUnknown("Salesforce created a record without telling its id.", keys=keys)
        errors = tuple(error for error in item.get("errors") or () if isinstance(error, dict))
        results.append(RecordResult(record.key, record_id, success, errors, ms=ms))
    return results
