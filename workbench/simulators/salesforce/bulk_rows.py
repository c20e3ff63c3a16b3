"""The work of an ingest job: CSV rows, in batches of 10,000, through the same checks as every other write.

An empty cell leaves the field as it is, `#N/A` clears it. Source: Salesforce wire reference, sections 4 and 9.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.simulators.salesforce.bulk_jobs import BulkJob, JobState
from workbench.simulators.salesforce.field_values import csv_value
from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.reading import given_from, upsert_given
from workbench.simulators.salesforce.refusals import Refusal
from workbench.simulators.salesforce.saving import Given, Saved
from workbench.simulators.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from workbench.simulators.salesforce.organisation import SalesforceOrg

_BATCH_SIZE: Final = 10_000
_CLEARS: Final = "#N/A"
_NO_ID: Final = Refusal("MISSING_ARGUMENT", "Id not specified in an update call")


class _JobFailed(Exception):
    """The whole job fails; the text is its errorMessage."""


def start_work(org: SalesforceOrg, job: BulkJob) -> None:
    """Work on a closed job in the background, as the server does."""
    worker = threading.Thread(target=_work, args=(org, job), name=f"bulk-{job.job_id}", daemon=True)
    org.workers.append(worker)
    worker.start()


def _work(org: SalesforceOrg, job: BulkJob) -> None:
    begun_at = time.monotonic()
    try:
        rows = _read(org, job)
        for start in range(0, len(rows), _BATCH_SIZE):
            time.sleep(org.bulk_seconds)
            with org.lock:
                if job.state is JobState.ABORTED or org.is_closed:
                    job.unprocessed = rows[start:]
                    return
                job.state = JobState.IN_PROGRESS
                if org.bulk_failures > 0:
                    org.bulk_failures -= 1
                    half = start + len(rows[start : start + _BATCH_SIZE]) // 2
                    _batch(org, job, rows[start:half])
                    job.unprocessed = rows[half:]
                    raise _JobFailed("InternalServerError : The batch could not be processed")
                _batch(org, job, rows[start : start + _BATCH_SIZE])
    except _JobFailed as failure:
        job.error, job.state = str(failure), JobState.FAILED
    finally:
        job.spent_milliseconds = int(1000 * (time.monotonic() - begun_at))
    if job.state not in (JobState.FAILED, JobState.ABORTED):
        job.state = JobState.JOB_COMPLETE


def _read(org: SalesforceOrg, job: BulkJob) -> list[list[str]]:
    """The uploaded rows, the header checked. Raises _JobFailed."""
    try:
        text = (job.upload or b"").decode()
    except UnicodeDecodeError as error:
        raise _JobFailed(f"InvalidBatch : Failed to parse CSV. The upload is not UTF-8: {error.reason}") from None
    first_line = text.split("\n", 1)[0]
    if text and ("\n" in text) and first_line.endswith("\r") != (job.line_ending_name == "CRLF"):
        message = "LineEnding is invalid on user data. Current LineEnding setting is"
        raise _JobFailed(f"ClientInputError : {message} {job.line_ending_name}")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=job.delimiter, strict=True))
    except csv.Error as error:
        raise _JobFailed(f"InvalidBatch : Failed to parse CSV. {error}") from None
    if not rows:
        raise _JobFailed("InvalidBatch : Unable to find columns in the uploaded data")
    job.header = rows[0]
    _check_header(org.schema[job.object_name], org, job)
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(job.header):
            message = f"row {number} has {len(row)} values, the header has {len(job.header)}"
            raise _JobFailed(f"InvalidBatch : Failed to parse CSV. {message}")
    return [row for row in rows[1:] if row]


def _check_header(sobject: SObject, org: SalesforceOrg, job: BulkJob) -> None:
    if job.operation in ("delete", "hardDelete"):
        if [name.lower() for name in job.header] != ["id"]:
            raise _JobFailed("InvalidBatch : A delete takes exactly one column, Id")
        return
    for name in job.header:
        relationship, _, key_name = name.partition(".")
        if key_name:
            reference = sobject.related(relationship)
            target = org.schema.target(reference) if reference else None
            is_known = target is not None and target.field(key_name) is not None
        else:
            is_known = sobject.field(name) is not None
        if not is_known:
            raise _JobFailed(f"InvalidBatch : Field name not found : {name}")


def _batch(org: SalesforceOrg, job: BulkJob, rows: Sequence[list[str]]) -> None:
    sobject = org.schema[job.object_name]
    if job.operation in ("delete", "hardDelete"):
        saved = org.delete(sobject, [parsed_id(row[0]) or row[0] for row in rows])
        if job.operation == "hardDelete":
            org.tables.remove(sobject, [outcome.record_id for outcome in saved if outcome.is_success])
    else:
        bodies = [_body(job.header, row) for row in rows]
        saved = org.save(_given(org, sobject, job, bodies))
    for row, outcome in zip(rows, saved, strict=True):
        _note(job, row, outcome)


def _note(job: BulkJob, row: list[str], outcome: Saved) -> None:
    record_id = outcome.record_id or ""
    if outcome.is_success:
        job.successes.append([record_id, str(outcome.is_created).lower(), *row])
    else:
        job.failures.append([record_id, outcome.refusals[0].of_row(), *row])


def _body(header: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    """What a row says: empty cells say nothing; `Account.Ext__c` names a parent by its external id."""
    body: dict[str, Any] = {}
    for name, cell in zip(header, row, strict=True):
        if cell == "":
            continue
        relationship, _, key_name = name.partition(".")
        body[relationship] = {key_name: cell} if key_name else cell
    return body


def _typed(field: Field, cell: Any) -> Any:
    if cell == _CLEARS:
        return None
    return csv_value(field, cell)


def _given(org: SalesforceOrg, sobject: SObject, job: BulkJob, bodies: list[dict[str, Any]]) -> list[Given]:
    if job.operation == "insert":
        return [given_from(org.schema, sobject, None, body, _typed) for body in bodies]
    if job.operation == "update":
        return [_update(org, sobject, body) for body in bodies]
    key = sobject.by_name[(job.external_key or "").lower()]
    return upsert_given(org.schema, org.tables, sobject, key, bodies, typed=_typed)


def _update(org: SalesforceOrg, sobject: SObject, body: dict[str, Any]) -> Given:
    text = next((value for name, value in body.items() if name.lower() == "id"), None)
    if text in (None, _CLEARS):
        return Given(sobject, None, refusals=(_NO_ID,))
    record_id = parsed_id(text)
    if record_id is None:
        return Given(sobject, None, refusals=(Refusal("MALFORMED_ID", f"bad id {text}", ("Id",)),))
    return given_from(org.schema, sobject, record_id, body, _typed)
