"""Changes as rows of a Salesforce Bulk 2.0 job, whose number is journalled before it begins: its end can be told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.domain.results import Attempt
from workbench.errors import RemoteError
from workbench.salesforce import ingest
from workbench.salesforce.client import SalesforceClient
from workbench.salesforce.ingest import IngestResult
from workbench.salesforce.writer import Operation, Record
from workbench.stages.exchange import Exchange, as_text
from workbench.store.ledger import SentJob


async def send_job(exchange: Exchange, operation: Operation, sobject: str, records: Sequence[Record]) -> IngestResult:
    """Upload, begin and wait. Raises TransientError, RemoteError or AuthenticationFailed, as the steps do.

    Where it raises after the job began, its number stands in the journal and `ask_for` tells the end later.
    """
    with _counted(exchange) as client:
        job_id = await asyncio.to_thread(ingest.open_job, client, operation, sobject, records)
        job = SentJob("salesforce", job_id, operation, tuple(record.key for record in records), sobject)
        await asyncio.to_thread(exchange.keep_job, job)
        exchange.left |= set(job.change_ids)
        await asyncio.to_thread(ingest.close_job, client, job_id)
    return await ask_for(exchange, job, records)


async def ask_for(exchange: Exchange, job: SentJob, records: Sequence[Record]) -> IngestResult:
    """Wait for a job that began; each of its records keeps an attempt. Raises as `ingest.wait_for`."""
    operation: Operation = "create" if job.operation == "create" else "update"
    base = await exchange.salesforce_base()
    sent_at, started = exchange.clock(), time.perf_counter()
    with _counted(exchange) as client:
        found = await asyncio.to_thread(ingest.wait_for, client, job.job_id, operation, records)
    ms = (time.perf_counter() - started) * 1000
    for record in records:
        result = found.settled.get(record.key)
        if result is None:
            continue
        answer = {"id": result.record_id, "success": result.success, "errors": list(result.errors)}
        exchange.note(
            Attempt(
                record.key, "salesforce", "POST" if operation == "create" else "PATCH", f"{base}{result.path}",
                as_text(record.values), result.status, as_text(answer), tuple(result.codes), ms, sent_at,
            )
        )  # fmt: skip
    return found


async def recall(exchange: Exchange, job: SentJob, records: Sequence[Record]) -> IngestResult | None:
    """The end of a job of an earlier run; None where it never began, or nobody knows it any more."""
    try:
        with _counted(exchange) as client:
            if await asyncio.to_thread(ingest.abandon_open, client, job.job_id):
                return None
    except RemoteError as error:
        if error.status == 404:
            return None
        raise
    return await ask_for(exchange, job, records)


@contextmanager
def _counted(exchange: Exchange) -> Iterator[SalesforceClient]:
    """The client, whose requests meanwhile count as the push's own."""
    client = exchange.salesforce
    before = client.request_count
    try:
        yield client
    finally:
        exchange.request_count += client.request_count - before
