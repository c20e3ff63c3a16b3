"""Bulk API 2.0 ingest: records as one CSV, worked on in the background; what became of each row is asked for.

A job changes nothing until it is closed, and its results stay readable for seven days: once its number is kept, a lost
answer or a kill leaves no question open. Source: Salesforce wire reference, sections 4, 9 and 12.
"""

from __future__ import annotations

import csv
import io
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from simple_salesforce import Salesforce

from workbench.errors import RemoteError, TransientError
from workbench.logs import get_logger
from workbench.salesforce.client import SalesforceClient
from workbench.salesforce.writer import Operation, Record, RecordResult, check_records

log = get_logger(__name__)

PATH: Final = "jobs/ingest"
CLEARS: Final = "#N/A"
MAX_BYTES: Final = 90_000_000
MAX_CELL: Final = 32_000
ENDED: Final = frozenset({"JobComplete", "Failed", "Aborted"})
PATIENCE_SECONDS: Final = 3600.0
_TRIES: Final = 4


@dataclass
class IngestResult:
    """What became of a job's records. `unsettled`: keys no list of the job names; they may have been written or not.

    `unprocessed`: keys that certainly were not written. `is_complete`: the job ran to its end.
    """

    settled: dict[str, RecordResult] = field(default_factory=dict)
    unprocessed: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    is_complete: bool = True


def fits_bulk(values: Mapping[str, Any]) -> bool:
    """Whether a CSV can say the same: no nested values, no text that would count as a clear, no overlong cell.

    >>> fits_bulk({"LastName": "Ray"}), fits_bulk({"LastName": "#N/A"}), fits_bulk({"Account": {"Ext__c": "1"}})
    (True, False, False)
    """
    return not any(
        isinstance(value, dict | list) or (isinstance(value, str) and (value == CLEARS or len(value) > MAX_CELL))
        for value in values.values()
    )


def csv_of(operation: Operation, records: Sequence[Record]) -> bytes:
    """Records as the upload wants them: UTF-8, LF, one column per field that any of them writes.

    An empty cell leaves a field alone, so a clear (None or "") is written as `#N/A`.
    """
    names = sorted({name for record in records for name in record.values if name.lower() != "id"})
    header = ["Id", *names] if operation == "update" else names
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(header)
    for record in records:
        cells = [_cell(record.values, name) for name in names]
        writer.writerow([record.record_id, *cells] if operation == "update" else cells)
    return text.getvalue().encode()


def pieces(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records in groups whose upload stays below 90 MB, in order."""
    piece: list[Record] = []
    size = 0
    for record in records:
        needed = sum(4 + 4 * len(str(value)) for value in record.values.values())
        if piece and size + needed > MAX_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += needed
    if piece:
        yield piece


def open_job(client: SalesforceClient, operation: Operation, sobject: str, records: Sequence[Record]) -> str:
    """Make a job and upload its records; nothing is written yet. Its number.

    Raises TransientError where that did not work (nothing was or will be written), RemoteError where it was refused.
    """
    check_records(operation, sobject, records)
    body = {
        "object": sobject, "operation": "insert" if operation == "create" else "update", "contentType": "CSV",
        "columnDelimiter": "COMMA", "lineEnding": "LF",
    }  # fmt: skip
    content = csv_of(operation, records)
    what = f"a bulk job of {len(records)} {operation}s of {sobject}"
    last: RemoteError | None = None
    for attempt in range(_TRIES):
        try:
            answer = client.call(lambda api: api.restful(PATH, method="POST", json=body), what=what, is_read=False)
            job_id = str(answer["id"])
            client.call(partial(_upload, job_id=job_id, content=content), what=what, is_read=False)
        except (TransientError, KeyError, TypeError) as error:  # a job that was never closed writes nothing
            last = error if isinstance(error, RemoteError) else None
            client.pause(0.3 * 2**attempt)
        else:
            return job_id
    raise TransientError(f"Salesforce took no upload for {what}; nothing was written. {last or ''}".strip())


def close_job(client: SalesforceClient, job_id: str) -> None:
    """Let the job begin. Raises TransientError where it does not begin, RemoteError where it is refused."""
    for attempt in range(_TRIES):
        try:
            client.call(
                lambda api: api.restful(f"{PATH}/{job_id}", method="PATCH", json={"state": "UploadComplete"}),
                what="closing a bulk job", is_read=False,
            )  # fmt: skip
        except TransientError:
            if state_of(client, job_id) != "Open":
                return
            client.pause(0.3 * 2**attempt)
        except RemoteError:
            if state_of(client, job_id) == "Open":
                raise
            return
        else:
            return
    raise TransientError("Salesforce does not begin a bulk job; nothing of it was written.")


def state_of(client: SalesforceClient, job_id: str) -> str:
    """Open, UploadComplete, InProgress, JobComplete, Failed or Aborted."""
    return str(client.read(f"{PATH}/{job_id}", what="the state of a bulk job").get("state"))


def abandon_open(client: SalesforceClient, job_id: str) -> bool:
    """Abort a job that was never closed; True where nothing of it was or will be written."""
    state = state_of(client, job_id)
    if state == "Open":
        try:
            client.call(
                lambda api: api.restful(f"{PATH}/{job_id}", method="PATCH", json={"state": "Aborted"}),
                what="ending a bulk job", is_read=False,
            )  # fmt: skip
        except RemoteError:
            log.info("an open bulk job stays behind", extra={"job_id": job_id})  # closed by nobody, it writes nothing
        return True
    return False


def wait_for(
    client: SalesforceClient,
    job_id: str,
    operation: Operation,
    records: Sequence[Record],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> IngestResult:
    """Poll a closed job to its end and tell what became of each record, by id, or by content where it is a create.

    Raises TransientError while it is still at work after `patience_seconds`: its number still tells the end later.
    """
    deadline, wait_seconds = clock() + patience_seconds, 0.05
    while (state := state_of(client, job_id)) not in ENDED:
        if clock() > deadline:
            raise TransientError("Salesforce still works on a bulk job. Push again later: its result is asked for.")
        client.pause(wait_seconds * random.uniform(0.8, 1.2))  # noqa: S311  spreads polls, guards nothing
        wait_seconds = min(wait_seconds * 1.6, 10.0)
    return _results(client, job_id, operation, records, is_complete=state == "JobComplete")


def _results(
    client: SalesforceClient, job_id: str, operation: Operation, records: Sequence[Record], *, is_complete: bool
) -> IngestResult:
    for _ in range(_TRIES):  # a list that was cut short is read once more
        found = _read_results(client, job_id, operation, records)
        if not found.unsettled:
            break
        client.pause(0.5)
    found.is_complete = is_complete
    return found


def _read_results(
    client: SalesforceClient, job_id: str, operation: Operation, records: Sequence[Record]
) -> IngestResult:
    matcher, path = _Matcher(operation, records), f"{PATH}/{job_id}"
    found = IngestResult()
    for row in _rows(client, job_id, "successfulResults"):
        if (record := matcher.take(row)) is not None:
            made = row["sf__Id"] or record.record_id
            found.settled[record.key] = RecordResult(record.key, made, success=True, path=path)
    for row in _rows(client, job_id, "failedResults"):
        if (record := matcher.take(row)) is not None:
            errors = (read_error(row["sf__Error"]),)
            found.settled[record.key] = RecordResult(
                record.key, record.record_id, success=False, errors=errors, path=path
            )
    left = [matcher.take(row) for row in _rows(client, job_id, "unprocessedrecords")]
    found.unprocessed = [record.key for record in left if record is not None]
    named = {*found.settled, *found.unprocessed}
    found.unsettled = [record.key for record in records if record.key not in named]
    return found


class _Matcher:
    """Finds the record of a result row; equal creates are alike, so any of them is as right as the other."""

    def __init__(self, operation: Operation, records: Sequence[Record]) -> None:
        self._by_id = operation == "update"
        self._names = sorted({name for record in records for name in record.values if name.lower() != "id"})
        self._waiting: dict[object, list[Record]] = defaultdict(list)
        for record in reversed(records):
            self._waiting[self._key(record)].append(record)

    def take(self, row: Mapping[str, str]) -> Record | None:
        if self._by_id:
            key: object = (row.get("Id") or row.get("sf__Id") or "")[:15]
        else:
            key = tuple(row.get(name, "") for name in self._names)
        waiting = self._waiting.get(key)
        return waiting.pop() if waiting else None

    def _key(self, record: Record) -> object:
        if self._by_id:
            return (record.record_id or "")[:15]
        return tuple(_cell(record.values, name) for name in self._names)


def read_error(text: str) -> dict[str, Any]:
    """`CODE:message:Field1 Field2 --` as an error item of the REST API.

    >>> read_error("STRING_TOO_LONG:Last Name: data value too large: x (max length=80):LastName --")["fields"]
    ['LastName']
    """
    code, _, rest = text.partition(":")
    message, _, fields = rest.rpartition(":")
    names = fields.removesuffix("--").split()
    return {"statusCode": code.strip(), "message": message or rest, "fields": names}


def _rows(client: SalesforceClient, job_id: str, which: str) -> list[dict[str, str]]:
    """One list of results. Raises TransientError where it cannot be read as such."""
    for attempt in range(_TRIES):
        text = client.read_text(f"{PATH}/{job_id}/{which}", what="the results of a bulk job")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        is_whole = bool(rows) and all(len(row) == len(rows[0]) for row in rows)
        is_result = which == "unprocessedrecords" or (bool(rows) and rows[0][:1] == ["sf__Id"])
        if which == "unprocessedrecords" and not text.strip():
            return []
        if is_whole and is_result and not text.lstrip().startswith("<"):
            return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        client.pause(0.3 * 2**attempt)
    raise TransientError("Salesforce's results of a bulk job cannot be read. Push again; they are asked for then.")


def _upload(api: Salesforce, *, job_id: str, content: bytes) -> None:
    # `restful` wants JSON back; an upload is answered with nothing.
    api._call_salesforce(  # noqa: SLF001
        "PUT",
        f"{api.base_url}{PATH}/{job_id}/batches",
        data=content,
        headers={"Content-Type": "text/csv; charset=UTF-8"},
    )


def _cell(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return ""
    value = values[name]
    if value is None or value == "":
        return CLEARS
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
