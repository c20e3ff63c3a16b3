"""Bulk API 1.0, queries only: jobs with batches of SOQL, for clients from before Bulk 2.0 (the Singer tap).

Jobs are told in JSON; a batch's information is XML where the job's contentType is CSV, and JSON where it is JSON.
Source: Bulk API Developer Guide, "Bulk API 1.0: Query"; requests of tap-salesforce 2.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

import orjson

from workbench.simulators.salesforce.bulk_jobs import BulkJob, JobState
from workbench.simulators.salesforce.doors_bulk_query import moved_on, start_reading
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import RequestRefused
from workbench.simulators.salesforce.soql_parse import parse
from workbench.simulators.salesforce.wire import CSV_TYPE, Call, Reply

_JSON: Final = "application/json"  # clients compare the type as a whole: no charset here
_XML: Final = "application/xml"
_NAMESPACE: Final = "http://www.force.com/2009/06/asyncapi/dataload"
_OPERATIONS: Final = ("query", "queryAll")
_CONTENT_TYPES: Final = ("CSV", "JSON")
_STATES: Final = {
    JobState.UPLOAD_COMPLETE: "Queued",
    JobState.IN_PROGRESS: "InProgress",
    JobState.JOB_COMPLETE: "Completed",
    JobState.FAILED: "Failed",
}


@dataclass
class OldJob:
    """One job and its batches by id, each a query of its own."""

    job_id: str
    operation: str
    object_name: str
    content_type: str
    version: str
    created: str
    state: str = "Open"
    batches: dict[str, BulkJob] = field(default_factory=dict)

    def information(self, user_id: str) -> dict[str, Any]:
        states = [_STATES[batch.state] for batch in self.batches.values()]
        return {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": user_id,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": self.content_type,
            "apiVersion": float(self.version),
            "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"),
            "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"),
            "numberBatchesTotal": len(states),
        }


def refused_session() -> Reply:
    """What a wrong X-SFDC-Session meets."""
    return _refused("InvalidSessionId", "Invalid session id")


def create(org: SalesforceOrg, call: Call) -> Reply:
    """POST job {"operation", "object", "contentType"}."""
    told = _told(call)
    if told is None:
        return _refused("InvalidJob", "The sandbox reads jobs of Bulk API 1.0 in JSON")
    operation, name, kind = (told.get(key, "") for key in ("operation", "object", "contentType"))
    if operation not in _OPERATIONS:
        return _refused("InvalidJob", "The sandbox runs queries of Bulk API 1.0 only; load records with Bulk API 2.0")
    if kind not in _CONTENT_TYPES:
        return _refused("InvalidJob", f"contentType must be one of {', '.join(_CONTENT_TYPES)}: {kind}")
    sobject = org.schema.get(name)
    if sobject is None:
        return _refused("InvalidEntity", f"Entity '{name}' is not supported by the Bulk API.")
    job = OldJob(org.next_id("750"), operation, sobject.name, kind, call.version, org.wire_now())
    org.old_jobs[job.job_id] = job
    return _json(job.information(org.user_id), 201)


def show(org: SalesforceOrg, call: Call) -> Reply:
    job = org.old_jobs.get(call.parts["job"])
    return _missing(call) if job is None else _json(job.information(org.user_id))


def change(org: SalesforceOrg, call: Call) -> Reply:
    """POST job/ID {"state": "Closed" | "Aborted"}."""
    job, told = org.old_jobs.get(call.parts["job"]), _told(call)
    if job is None:
        return _missing(call)
    if told is None or told.get("state") not in ("Closed", "Aborted"):
        return _refused("InvalidJob", "state can be set to Closed or Aborted")
    job.state = told["state"]
    return _json(job.information(org.user_id))


def add_batch(org: SalesforceOrg, call: Call) -> Reply:
    """POST job/ID/batch with a SOQL statement; a bad one fails the batch, not the request."""
    job = org.old_jobs.get(call.parts["job"])
    if job is None:
        return _missing(call)
    if job.state != "Open":
        return _refused("InvalidJobState", f"the job is {job.state}")
    soql = call.body.decode(errors="replace").strip()
    batch = BulkJob(
        org.next_id("751"), job.operation, job.object_name, job.version, org.wire_now(),
        state=JobState.UPLOAD_COMPLETE, soql=soql,
    )  # fmt: skip
    job.batches[batch.job_id] = batch
    shown = _about(job, batch)
    try:
        start_reading(org, batch, org.bulk_plan(parse(soql), has_deleted=job.operation == "queryAll"))
    except RequestRefused as refusal:
        batch.error = f"InvalidBatch : Failed to process query: {refusal}"
        batch.state = JobState.FAILED
    return _written(job, "batchInfo", shown, 201)


def show_batches(org: SalesforceOrg, call: Call) -> Reply:
    job = org.old_jobs.get(call.parts["job"])
    if job is None:
        return _missing(call)
    shown = [_about(job, moved_on(org, batch)) for batch in job.batches.values()]
    if job.content_type == "JSON":
        return _json({"batchInfo": shown})
    return _xml("batchInfoList", "".join(f"<batchInfo>{_elements(one)}</batchInfo>" for one in shown))


def show_batch(org: SalesforceOrg, call: Call) -> Reply:
    job, batch = _batch(org, call)
    return _missing(call) if job is None or batch is None else _written(job, "batchInfo", _about(job, batch))


def show_results(org: SalesforceOrg, call: Call) -> Reply:
    """GET job/ID/batch/ID/result: the ids of its results, always one here."""
    job, batch = _batch(org, call)
    if job is None or batch is None:
        return _missing(call)
    ids: Sequence[str] = () if batch.result is None else (_result_id(batch),)
    if job.content_type == "JSON":
        return _json(list(ids))
    return _xml("result-list", "".join(f"<result>{result_id}</result>" for result_id in ids))


def result(org: SalesforceOrg, call: Call) -> Reply:
    """GET job/ID/batch/ID/result/ID: every row, as CSV or as JSON records."""
    job, batch = _batch(org, call)
    if job is None or batch is None or batch.result is None or call.parts["result"] != _result_id(batch):
        return _missing(call)
    if job.content_type == "JSON":
        return _json(batch.result.records(f"/services/data/v{job.version}"))
    return Reply(200, batch.result.csv(0, batch.result.total), {"content-type": CSV_TYPE})


def _batch(org: SalesforceOrg, call: Call) -> tuple[OldJob | None, BulkJob | None]:
    job = org.old_jobs.get(call.parts["job"])
    batch = None if job is None else job.batches.get(call.parts["batch"])
    return job, None if batch is None else moved_on(org, batch)


def _result_id(batch: BulkJob) -> str:
    return f"752{batch.job_id[3:]}"


def _about(job: OldJob, batch: BulkJob) -> dict[str, Any]:
    return {
        "id": batch.job_id,
        "jobId": job.job_id,
        "state": _STATES[batch.state],
        **({"stateMessage": batch.error} if batch.error else {}),
        "createdDate": batch.created,
        "systemModstamp": batch.created,
        "numberRecordsProcessed": batch.result.total if batch.result else 0,
        "numberRecordsFailed": 0,
        "totalProcessingTime": batch.spent_milliseconds,
    }


def _told(call: Call) -> dict[str, Any] | None:
    try:
        told = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def _refused(code: str, message: str) -> Reply:
    return _json({"exceptionCode": code, "exceptionMessage": message}, 400)


def _missing(call: Call) -> Reply:
    if "batch" in call.parts:
        return _refused("InvalidBatch", f"Unable to find batch {call.parts['batch']}")
    return _refused("InvalidJob", f"Unable to find object: {call.parts['job']}")


def _json(content: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(content), {"content-type": _JSON})


def _written(job: OldJob, name: str, told: Mapping[str, Any], status: int = 200) -> Reply:
    return _json(told, status) if job.content_type == "JSON" else _xml(name, _elements(told), status)


def _xml(name: str, inner: str, status: int = 200) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_NAMESPACE}">{inner}</{name}>'
    return Reply(status, text.encode(), {"content-type": _XML})


def _elements(told: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items())
