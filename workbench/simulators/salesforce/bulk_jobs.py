"""Bulk 2.0 jobs: what one is, and how its information looks on the wire.

Source: Salesforce wire reference, section 9.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.results import QueryResult
from workbench.simulators.salesforce.wire import Call

DELIMITERS: Final = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS: Final = {"LF": "\n", "CRLF": "\r\n"}


class JobState(StrEnum):
    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


ENDED: Final = frozenset({JobState.JOB_COMPLETE, JobState.FAILED, JobState.ABORTED})


@dataclass
class BulkJob:
    """One job. Rows of `successes` and `failures` start with their two sf__ columns."""

    job_id: str
    operation: str
    object_name: str
    version: str
    created: str
    delimiter_name: str = "COMMA"
    line_ending_name: str = "LF"
    state: JobState = JobState.OPEN
    external_key: str | None = None
    soql: str | None = None
    result: QueryResult | None = None
    worker: threading.Thread | None = None
    upload: bytes | None = None
    header: list[str] = field(default_factory=list)
    successes: list[list[str]] = field(default_factory=list)
    failures: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)
    error: str | None = None
    begun_at: float = field(default_factory=time.monotonic)
    spent_milliseconds: int = 0

    @property
    def is_query(self) -> bool:
        return self.soql is not None

    @property
    def delimiter(self) -> str:
        return DELIMITERS[self.delimiter_name]

    @property
    def line_ending(self) -> str:
        return LINE_ENDINGS[self.line_ending_name]

    def information(self, user_id: str) -> dict[str, Any]:
        """The job as GET shows it; counts appear once it has been worked on."""
        shown: dict[str, Any] = {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": user_id,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "state": self.state.value,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending_name,
            "columnDelimiter": self.delimiter_name,
            "jobType": "V2Query" if self.is_query else "V2Ingest",
        }
        if not self.is_query:
            shown["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.job_id}/batches"
        if self.external_key:
            shown["externalIdFieldName"] = self.external_key
        return shown

    def progress(self) -> dict[str, Any]:
        if self.state in (JobState.OPEN, JobState.UPLOAD_COMPLETE):
            return {}
        spent: dict[str, Any] = {"retries": 0, "totalProcessingTime": self.spent_milliseconds}
        if self.is_query:
            total = self.result.total if self.result and self.state is JobState.JOB_COMPLETE else 0
            shown = {**spent, "numberRecordsProcessed": total, "isPkChunkingSupported": True}
            return {**shown, "errorMessage": self.error} if self.error else shown
        counts = {
            **spent,
            "numberRecordsProcessed": len(self.successes) + len(self.failures),
            "numberRecordsFailed": len(self.failures),
            "apiActiveProcessingTime": self.spent_milliseconds,
            "apexProcessingTime": 0,
        }
        return {**counts, "errorMessage": self.error} if self.error else counts

    def csv(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
        """Rows as the job's results come: every value quoted, the job's own delimiter and line ending."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_ending, quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        writer.writerows(rows)
        return text.getvalue().encode()


def read_choice(body: dict[str, Any], name: str, choices: dict[str, str]) -> str:
    """One of the named choices of a job's body. Raises INVALIDJOB."""
    chosen = body.get(name) or next(iter(choices))
    if chosen not in choices:
        raise invalid_job(f"{name} must be one of {', '.join(choices)}: {chosen}")
    return str(chosen)


def invalid_job(message: str) -> Exception:
    return refused(400, "INVALIDJOB", f"InvalidJob : {message}")


def check_version(job: BulkJob, call: Call) -> None:
    """Results are read with the API version that made the job."""
    if call.version != job.version:
        message = f"The job was created with API version {job.version}, and is read with {call.version}"
        raise refused(409, "API_VERSION_MISMATCH", message)
