"""Bulk jobs: a bare array of contacts, upserted row by row once the job completes.

Source: Mainstay API reference, section 4 "Bulk" and section 10, item 11.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from workbench.domain import rules
from workbench.domain.error_dictionary import INVALID_REQUEST, error_item, outside_item
from workbench.domain.ladder import Answer
from workbench.simulators.mainstay.institution import MainstayInstitution


@dataclass
class BulkJob:
    """One accepted array; rows are numbered from 1."""

    job_id: str
    rows: list[Any]
    status: Literal["pending", "running", "completed", "failed"] = "pending"
    created: int = 0
    updated: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "job_id": self.job_id,
            "status": self.status,
            "total": len(self.rows),
            "created": self.created,
            "updated": self.updated,
            "failed": self.failed,
            "errors": self.errors,
        }


class BulkJobs:
    """Accepts arrays, lets each wait for `institution.bulk_seconds`, then applies it."""

    def __init__(self, institution: MainstayInstitution) -> None:
        self._institution = institution
        self._jobs: dict[str, BulkJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, raw: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer; 202 starts a job."""
        try:
            rows = orjson.loads(raw)
        except orjson.JSONDecodeError:
            rows = None
        if not isinstance(rows, list) or not rows or len(rows) > self._institution.bulk_limit:
            return 400, {"errors": [outside_item(INVALID_REQUEST)]}
        if _repeated_phones(rows):
            return 400, {"errors": [error_item(8)]}  # repeated phones in one array break the import
        job = BulkJob(f"job_{len(self._jobs) + 1}", rows)
        self._jobs[job.job_id] = job
        task = asyncio.get_running_loop().create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return 202, {"job_id": job.job_id, "status": job.status, "total": len(rows)}

    def shown(self, job_id: str) -> dict[str, Any] | None:
        job = self._jobs.get(job_id)
        return None if job is None else job.shown()

    async def _run(self, job: BulkJob) -> None:
        await asyncio.sleep(self._institution.bulk_seconds / 2)
        job.status = "running"
        await asyncio.sleep(self._institution.bulk_seconds / 2)
        is_failing = self._institution.bulk_failures > 0
        self._institution.bulk_failures -= is_failing
        for number, row in enumerate(job.rows, start=1):
            if is_failing and number > len(job.rows) // 2:
                job.status = "failed"
                return
            answer = upsert_row(self._institution, row)
            if answer.contact is None:
                job.failed += 1
            elif answer.is_created:
                job.created += 1
            else:
                job.updated += 1
            job.errors += [_row_error(number, item) for item in answer.errors]
        job.status = "completed"


def upsert_row(institution: MainstayInstitution, row: Any) -> Answer:
    """One row: by Mainstay ID, which must exist, else by CRM ID, else by phone, else a new contact."""
    if not isinstance(row, Mapping):
        return institution.post(row)
    contact_id = row.get("id") or row.get("admithub_id")
    if contact_id:
        if institution.book.by_id(str(contact_id)) is None:
            return Answer(404, (error_item(1),))
        return institution.put(str(contact_id), row)
    crm_id = row.get("crm_id")
    if crm_id and (found := institution.book.by_crm_id(str(crm_id))) is not None:
        return institution.put(found["crm_id"], row)
    phone = rules.normal_phone(str(row.get("phone") or ""))
    if phone and institution.book.by_phone(phone) is not None:
        return institution.put(phone, row)
    # An intro sends a real SMS; what bulk makes of the wish is unknown, so it is not granted.
    return institution.post({name: value for name, value in row.items() if name != "send_intro_campaign"})


def _repeated_phones(rows: list[Any]) -> bool:
    phones = (rules.normal_phone(str(row["phone"])) for row in rows if isinstance(row, Mapping) and row.get("phone"))
    counts = Counter(phone for phone in phones if phone)
    return any(count > 1 for count in counts.values())


def _row_error(number: int, item: Mapping[str, Any]) -> dict[str, Any]:
    message = item["message"].replace("Row # 1:", f"Row # {number}:")
    return {"row": number, **item, "message": message}
