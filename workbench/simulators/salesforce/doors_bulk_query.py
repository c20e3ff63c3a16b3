"""Bulk 2.0 query jobs: a snapshot of the records as pages of CSV.

Source: Salesforce wire reference, section 9.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from typing import Final

import duckdb

from workbench.simulators.salesforce.bulk_jobs import (
    DELIMITERS,
    ENDED,
    LINE_ENDINGS,
    BulkJob,
    JobState,
    check_version,
    invalid_job,
    read_choice,
)
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import not_found, refused
from workbench.simulators.salesforce.results import QueryResult
from workbench.simulators.salesforce.soql_parse import parse
from workbench.simulators.salesforce.soql_sql import Translated
from workbench.simulators.salesforce.wire import CSV_TYPE, Call, Reply

_PAGE_SIZE: Final = 50_000
_LARGEST_PAGE: Final = 1_000_000
_PREFIX: Final = "750"
_PATIENCE_SECONDS: Final = 0.05


def create(org: SalesforceOrg, call: Call) -> Reply:
    """POST jobs/query: bad SOQL, and what bulk queries leave out, is refused here."""
    body = call.json_object()
    operation, soql = body.get("operation"), body.get("query")
    if operation not in ("query", "queryAll") or not isinstance(soql, str):
        raise invalid_job("a query job needs an operation, query or queryAll, and a query")
    statement = parse(soql)
    if statement.offset or statement.is_bare_count:
        what = "OFFSET clause" if statement.offset else "COUNT()"
        raise refused(400, "FUNCTIONALITY_NOT_ENABLED", f"{what} not supported in Bulk Query")
    plan = org.bulk_plan(statement, has_deleted=operation == "queryAll")
    job = BulkJob(
        org.next_id(_PREFIX),
        operation,
        plan.sobject.name,
        call.version,
        org.wire_now(),
        read_choice(body, "columnDelimiter", DELIMITERS),
        read_choice(body, "lineEnding", LINE_ENDINGS),
        JobState.UPLOAD_COMPLETE,
        soql=soql,
    )
    org.jobs[job.job_id] = job
    shown = job.information(org.user_id)
    start_reading(org, job, plan)
    return Reply(200, shown)


def start_reading(org: SalesforceOrg, job: BulkJob, plan: Translated) -> None:
    """Read a job's rows in the background, as the server does."""
    job.worker = threading.Thread(target=_read, args=(org, job, plan), name=f"bulk-{job.job_id}", daemon=True)
    org.workers.append(job.worker)
    job.worker.start()


def _read(org: SalesforceOrg, job: BulkJob, plan: Translated) -> None:
    """The work of the job: its rows as they are saved now."""
    try:
        frame = org.tables.snapshot(plan.sql)
        job.result = QueryResult(plan, frame, frame.height)
    except duckdb.Error as error:
        job.error, job.state = f"InternalServerError : {type(error).__name__}", JobState.FAILED


def show(org: SalesforceOrg, call: Call) -> Reply:
    job = _job(org, call)
    return Reply(200, {**job.information(org.user_id), **job.progress()})


def show_all(org: SalesforceOrg, _call: Call) -> Reply:
    found = [moved_on(org, job).information(org.user_id) for job in org.jobs.values() if job.is_query]
    return Reply(200, {"done": True, "records": found, "nextRecordsUrl": None})


def change(org: SalesforceOrg, call: Call) -> Reply:
    """PATCH {"state": "Aborted"}: nothing else can be changed."""
    job = _job(org, call)
    if call.json_object().get("state") != JobState.ABORTED:
        raise invalid_job("the state of a query job can only be changed to Aborted")
    if job.state in ENDED:
        raise refused(400, "INVALIDJOBSTATE", f"the job has ended: {job.state}")
    job.state = JobState.ABORTED
    return Reply(200, job.information(org.user_id))


def remove(org: SalesforceOrg, call: Call) -> Reply:
    job = _job(org, call)
    if job.state not in ENDED:
        raise refused(400, "INVALIDJOBSTATE", f"a job that is {job.state} cannot be deleted")
    del org.jobs[job.job_id]
    return Reply(204)


def results(org: SalesforceOrg, call: Call) -> Reply:
    """GET results?maxRecords=&locator=: the last page's locator is the text `null`."""
    job = _job(org, call)
    check_version(job, call)
    if job.state is not JobState.JOB_COMPLETE or job.result is None:
        raise refused(400, "INVALIDJOBSTATE", f"the job has no results while it is {job.state}")
    asked = call.query.get("maxRecords", str(_PAGE_SIZE))
    if not asked.isdigit() or int(asked) == 0:
        raise refused(400, "INVALIDVALUE", f"maxRecords must be a number above zero: {asked}")
    size = min(int(asked), _LARGEST_PAGE)
    offset = _offset(call.query.get("locator"))
    if offset and offset >= job.result.total:
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    end = min(offset + size, job.result.total)
    headers = {
        "content-type": CSV_TYPE,
        "Sforce-NumberOfRecords": str(end - offset),
        "Sforce-Locator": _locator(end) if end < job.result.total else "null",
    }
    return Reply(200, job.result.csv(offset, end - offset, job.delimiter, job.line_ending), headers)


def _job(org: SalesforceOrg, call: Call) -> BulkJob:
    job = org.jobs.get(call.parts["job"])
    if job is None or not job.is_query:
        raise not_found()
    return moved_on(org, job)


def moved_on(org: SalesforceOrg, job: BulkJob) -> BulkJob:
    """The job with the state it has by now."""
    if job.worker is not None:
        job.worker.join(_PATIENCE_SECONDS)  # a small job is seen done at the first look
    if job.state in ENDED:
        return job
    passed_seconds = time.monotonic() - job.begun_at
    job.spent_milliseconds = int(1000 * passed_seconds)
    is_done = job.result is not None and passed_seconds >= org.bulk_seconds
    job.state = JobState.JOB_COMPLETE if is_done else JobState.IN_PROGRESS
    return job


def _locator(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None) -> int:
    if not locator or locator == "null":
        return 0
    try:
        return int(base64.b64decode(locator + "=" * (-len(locator) % 4)))
    except (binascii.Error, ValueError):
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from None
