"""The requests of one push to both systems: each is noted as an attempt, each answer becomes an outcome.

Shared by the push and reconcile stages, which never import each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import orjson

from workbench.domain.changes import Status
from workbench.domain.results import Attempt, Outcome, PlannedChange, Request, codes_of, mainstay_status
from workbench.errors import RemoteError, TransientError
from workbench.mainstay.client import MainstayClient
from workbench.mainstay.reply import Reply
from workbench.mainstay.upsert import contact_path
from workbench.mainstay.wire import base_url
from workbench.salesforce.client import SalesforceClient
from workbench.salesforce.writer import PATH, Operation, Record, RecordResult, SalesforceWriter
from workbench.settings import Settings
from workbench.store.ledger import SentJob

T = TypeVar("T")

NO_ANSWER: Final = "no-answer"
NOT_AS_SENT: Final = "not-as-sent"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Target:
    """What a prepared Salesforce request writes: create or update, of which object, which record."""

    operation: Operation
    sobject: str
    record_id: str | None


def target_of(request: Request) -> Target:
    """Read `sobjects/Contact` or `sobjects/Contact/003...`. Raises RemoteError for any other path.

    >>> target_of(Request(1, "salesforce", "PATCH", "sobjects/Contact/003A", "{}"))
    Target(operation='update', sobject='Contact', record_id='003A')
    """
    match (request.method, *request.path.strip("/").split("/")):
        case ("POST", "sobjects", sobject):
            return Target("create", sobject, None)
        case ("PATCH", "sobjects", sobject, record_id):
            return Target("update", sobject, record_id)
    raise RemoteError(f"The prepared request {request.method} {request.path} is no Salesforce write; preview again.")


class Exchange:
    """Both connections during one push. Attempts pile up until the caller takes them for the journal.

    `clock` gives the UTC time of attempts and outcomes. One event loop; Salesforce's calls run in threads.
    """

    def __init__(
        self,
        settings: Settings,
        mainstay: MainstayClient,
        salesforce: SalesforceClient,
        *,
        clock: Callable[[], datetime] = utc_now,
        keep_job: Callable[[SentJob], None] | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.keep_job = keep_job or (lambda _job: None)
        self.is_stopping = is_stopping
        self.request_count = 0
        self.mainstay, self.salesforce = mainstay, salesforce
        # Changes of which a request has left since `forget_left`; the others certainly were not sent.
        self.left: set[str] = set()
        # Changes whose requests may have left before: a refusal as duplicate may be the echo of our own create.
        self.sent_before: set[str] = set()
        self._writer = SalesforceWriter(salesforce)
        self._attempts: list[Attempt] = []
        self.mainstay_base = str(base_url(settings.mainstay.base_url))
        self._salesforce_base: str | None = None

    def take_attempts(self) -> list[Attempt]:
        """The attempts since the last call, in the order of their answers."""
        taken, self._attempts = self._attempts, []
        return taken

    async def to_mainstay(self, change_id: str, method: str, path: str, values: Mapping[str, Any]) -> Reply:
        """Send one write. Raises as MainstayClient.send; an attempt without answer is noted too."""
        sent_at = self.clock()
        url = self.mainstay_base + path
        body = as_text(values)
        self.left.add(change_id)
        try:
            reply = await self.mainstay.send(method, path, values, change_id)
        except RemoteError as error:
            self.request_count += 1
            self.note(Attempt(change_id, "mainstay", method, url, body, error.status, None, _lost(error), 0.0, sent_at))
            raise
        self.request_count += reply.attempts
        codes = codes_of(reply.status, reply.errors)
        self.note(
            Attempt(
                change_id, "mainstay", method, url, body, reply.status, as_text(reply.body), codes, reply.ms, sent_at
            )
        )
        return reply

    async def find_contact(self, change_id: str, crm_id: str) -> dict[str, Any] | None:
        """The contact that carries exactly this CRM ID, read for a change whose answer is missing."""
        sent_at = self.clock()
        found = await self.mainstay.find_contact(crm_id)
        self.request_count += 1
        url = self.mainstay_base + contact_path(crm_id)
        status, body = (404, None) if found is None else (200, as_text(found))
        self.note(Attempt(change_id, "mainstay", "GET", url, None, status, body, (), 0.0, sent_at))
        return found if found is not None and found.get("crm_id") == crm_id else None

    async def to_salesforce(self, operation: Operation, sobject: str, records: Sequence[Record]) -> list[RecordResult]:
        """Write up to 200 records in one request. Raises as SalesforceWriter.write."""
        sent_at = self.clock()
        url = f"{await self.salesforce_base()}{PATH}"
        method = "POST" if operation == "create" else "PATCH"
        self.request_count += 1
        self.left |= {record.key for record in records}
        try:
            results = await asyncio.to_thread(lambda: _flat(self._writer.write(operation, sobject, records)))
        except RemoteError as error:
            for record in records:
                lost = _lost(error)
                self.note(
                    Attempt(
                        record.key,
                        "salesforce",
                        method,
                        url,
                        as_text(record.values),
                        error.status,
                        None,
                        lost,
                        0.0,
                        sent_at,
                    )
                )
            raise
        for record, result in zip(records, results, strict=True):
            answer = {"id": result.record_id, "success": result.success, "errors": list(result.errors)}
            self.note(
                Attempt(
                    record.key, "salesforce", method, url, as_text(record.values), result.status, as_text(answer),
                    tuple(result.codes), result.ms, sent_at,
                )
            )  # fmt: skip
        return results

    async def check_answering(self, change: PlannedChange) -> None:
        """Ask each system of a change something harmless. Raises AuthenticationFailed or TransientError."""
        self.request_count += len({request.system for request in change.requests})
        if change.request_to("mainstay") is not None:
            await self.mainstay.auth_valid()
        if change.request_to("salesforce") is not None:
            await asyncio.to_thread(self.salesforce.limits)

    async def created_since(self, sobject: str, fields: Sequence[str], since: datetime) -> list[dict[str, Any]]:
        """Records created since a moment, with Id, CreatedDate and these fields."""
        columns = list(dict.fromkeys(["Id", "CreatedDate", *fields]))
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        soql = f"SELECT {', '.join(columns)} FROM {sobject} WHERE CreatedDate >= {moment} ORDER BY CreatedDate, Id"  # noqa: S608  names come from requests that target_of and the describe have checked
        self.request_count += 1
        return await asyncio.to_thread(lambda: _flat(self.salesforce.query(soql)))

    async def salesforce_base(self) -> str:
        """The address below which Salesforce's REST paths stand."""
        if self._salesforce_base is None:
            section = self.settings.salesforce
            host = await asyncio.to_thread(self.salesforce.connect)
            root = (section.instance_url or f"https://{host}").rstrip("/")
            self._salesforce_base = f"{root}/services/data/v{section.api_version}/"
        return self._salesforce_base

    def mainstay_outcome(
        self,
        change: PlannedChange,
        reply: Reply,
        values: Mapping[str, Any],
        *,
        origin: str,
        record_id: str | None = None,
    ) -> Outcome:
        """The end of a change whose last request was this one to Mainstay."""
        contact = reply.contact or {}
        status = Status(mainstay_status(reply.method, reply.status, reply.errors))
        return Outcome(
            change_id=change.change_id,
            status=status,
            codes=codes_of(reply.status, reply.errors),
            fail_message=None if status is Status.SUCCESS else _refusal(reply),
            endpoint=f"{reply.method} {self.mainstay_base}{reply.path}",
            request_body=as_text(values),
            response_status=reply.status,
            record_id=record_id or change.salesforce_id,
            mainstay_id=contact.get("id") or contact.get("admithub_id") or change.mainstay_id,
            origin=origin,
            finished_at=self.clock(),
        )

    async def salesforce_outcome(
        self, change: PlannedChange, request: Request, result: RecordResult, *, origin: str
    ) -> Outcome:
        """The end of a change whose last request was this one to Salesforce."""
        status = Status.SUCCESS if result.success else Status.FAIL
        return await self.silent_outcome(
            change,
            request,
            status,
            origin=origin,
            codes=tuple(dict.fromkeys(result.codes)),
            message=None if result.success else as_text(list(result.errors)),
            response_status=result.status,
            record_id=result.record_id,
            path=result.path,
        )

    async def silent_outcome(
        self,
        change: PlannedChange,
        request: Request,
        status: Status,
        *,
        origin: str,
        codes: Sequence[str] = (),
        message: str | None = None,
        response_status: int | None = None,
        record_id: str | None = None,
        mainstay_id: str | None = None,
        path: str = PATH,
    ) -> Outcome:
        """The end of a change as told by something else than an answer of Mainstay. `path`: on Salesforce."""
        is_salesforce = request.system == "salesforce"
        base = await self.salesforce_base() if is_salesforce else self.mainstay_base
        path = path if is_salesforce else request.path
        return Outcome(
            change_id=change.change_id,
            status=status,
            codes=tuple(codes),
            fail_message=message,
            endpoint=f"{request.method} {base}{path}",
            request_body=request.body,
            response_status=response_status,
            record_id=record_id or change.salesforce_id,
            mainstay_id=mainstay_id or change.mainstay_id,
            origin=origin,
            finished_at=self.clock(),
        )

    def note(self, attempt: Attempt) -> None:
        """Keep one attempt for the journal."""
        self._attempts.append(attempt)


async def in_parallel(worker: Callable[[], Awaitable[None]], count: int) -> None:
    """Run `count` workers until all are done; the first error stops the others and is raised as it is."""
    tasks = [asyncio.ensure_future(worker()) for _ in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also where an event loop is already running (notebooks): then in a thread."""
    is_running = True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        is_running = False
    if not is_running:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, work).result()


def _flat(pages: Any) -> list[Any]:
    return [item for page in pages for item in page]


def as_text(value: Any) -> str:
    """Compact JSON, as bodies are kept."""
    return orjson.dumps(value).decode()


def _refusal(reply: Reply) -> str:
    """What Mainstay said, as it said it; of an answer that also holds the contact, the errors alone."""
    if isinstance(reply.body, dict) and reply.body.get("errors"):
        return as_text(reply.body["errors"])
    return as_text(reply.body)


def _lost(error: RemoteError) -> tuple[str, ...]:
    return (NO_ANSWER,) if isinstance(error, TransientError) else (error.code or NO_ANSWER,)
