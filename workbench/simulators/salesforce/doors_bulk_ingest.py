"""Bulk 2.0 ingest jobs: upload a CSV, close the job, poll it, read what became of each row.

Source: Salesforce wire reference, section 9.
"""

from __future__ import annotations

from typing import Any, Final

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
from workbench.simulators.salesforce.bulk_rows import start_work
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import not_found, refused
from workbench.simulators.salesforce.wire import CSV_TYPE, Call, Reply

_PREFIX: Final = "750"
_OPERATIONS: Final = ("insert", "update", "upsert", "delete", "hardDelete")
_UPLOAD_LIMIT: Final = 150_000_000


def create(org: SalesforceOrg, call: Call) -> Reply:
    """POST jobs/ingest."""
    body = call.json_object()
    operation = body.get("operation")
    if operation not in _OPERATIONS:
        raise invalid_job(f"the operation must be one of {', '.join(_OPERATIONS)}: {operation}")
    sobject = org.schema.get(str(body.get("object")))
    if sobject is None or not sobject.info["createable"]:
        raise refused(400, "INVALIDENTITY", f"Entity '{body.get('object')}' is not supported by the Bulk API.")
    key = body.get("externalIdFieldName")
    if operation == "upsert":
        found = sobject.field(str(key)) if key else None
        if found is None or not found.is_upsert_key:
            raise invalid_job(f"External ID Field Name is not valid for the operation upsert: {key}")
        key = found.name
    if body.get("contentType", "CSV") != "CSV":
        raise invalid_job("contentType must be CSV")
    job = BulkJob(
        org.next_id(_PREFIX),
        operation,
        sobject.name,
        call.version,
        org.wire_now(),
        read_choice(body, "columnDelimiter", DELIMITERS),
        read_choice(body, "lineEnding", LINE_ENDINGS),
        external_key=key if operation == "upsert" else None,
    )
    org.jobs[job.job_id] = job
    return Reply(200, job.information(org.user_id))


def upload(org: SalesforceOrg, call: Call) -> Reply:
    """PUT batches, once per job."""
    job = _job(org, call)
    _need_open(job)
    if job.upload is not None:
        message = (
            f"Found multiple contents for job: <{job.job_id}>, please 'Close' / 'Abort' / 'Delete' the current Job "
            "then create a new Job and make sure you only do 'PUT' once on a given Job."
        )
        raise refused(400, "INVALIDJOBSTATE", message)
    if len(call.body) > _UPLOAD_LIMIT:
        raise refused(413, "REQUEST_ENTITY_TOO_LARGE", f"an upload has at most {_UPLOAD_LIMIT} bytes")
    job.upload = call.body
    return Reply(201)


def change(org: SalesforceOrg, call: Call) -> Reply:
    """PATCH {"state": "UploadComplete" | "Aborted"}."""
    job = _job(org, call)
    wanted = call.json_object().get("state")
    if wanted == JobState.UPLOAD_COMPLETE:
        _need_open(job)
        job.state = JobState.UPLOAD_COMPLETE
        shown = job.information(org.user_id)
        start_work(org, job)
        return Reply(200, shown)
    if wanted == JobState.ABORTED:
        if job.state in ENDED:
            raise refused(400, "INVALIDJOBSTATE", f"the job has ended: {job.state}")
        job.state = JobState.ABORTED
        return Reply(200, job.information(org.user_id))
    raise invalid_job(f"the state can be changed to UploadComplete or Aborted: {wanted}")


def show(org: SalesforceOrg, call: Call) -> Reply:
    job = _job(org, call)
    return Reply(200, {**job.information(org.user_id), **job.progress()})


def show_all(org: SalesforceOrg, _call: Call) -> Reply:
    found = [job.information(org.user_id) for job in org.jobs.values() if not job.is_query]
    return Reply(200, {"done": True, "records": found, "nextRecordsUrl": None})


def remove(org: SalesforceOrg, call: Call) -> Reply:
    job = _job(org, call)
    if job.state in (JobState.UPLOAD_COMPLETE, JobState.IN_PROGRESS):
        raise refused(400, "INVALIDJOBSTATE", f"a job that is {job.state} cannot be deleted")
    del org.jobs[job.job_id]
    return Reply(204)


def successful(org: SalesforceOrg, call: Call) -> Reply:
    job = _ended(org, call)
    return _csv(job.csv(["sf__Id", "sf__Created", *job.header], job.successes))


def failed(org: SalesforceOrg, call: Call) -> Reply:
    job = _ended(org, call)
    return _csv(job.csv(["sf__Id", "sf__Error", *job.header], job.failures))


def unprocessed(org: SalesforceOrg, call: Call) -> Reply:
    job = _ended(org, call)
    return _csv(job.csv(job.header, job.unprocessed))


def _csv(content: bytes) -> Reply:
    return Reply(200, content, {"content-type": CSV_TYPE})


def _job(org: SalesforceOrg, call: Call) -> BulkJob:
    job: Any = org.jobs.get(call.parts["job"])
    if not isinstance(job, BulkJob) or job.is_query:
        raise not_found()
    return job


def _ended(org: SalesforceOrg, call: Call) -> BulkJob:
    job = _job(org, call)
    check_version(job, call)
    if job.state not in ENDED:
        raise refused(400, "INVALIDJOBSTATE", f"the job has no results while it is {job.state}")
    return job


def _need_open(job: BulkJob) -> None:
    if job.state is not JobState.OPEN:
        raise refused(400, "INVALIDJOBSTATE", f"the job is {job.state} and takes no more data")
