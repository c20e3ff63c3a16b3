"""The bulk endpoint: an array of contacts is accepted as a job, worked on in the background, and asked for by number.

Rows are matched by Mainstay ID, CRM ID, phone, in this order. Most of its answers is inferred, so nothing is believed
that does not add up. Source: Mainstay API reference, sections 2, 4 ("Bulk") and 10, item 11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.domain.changes import Status
from workbench.domain.error_dictionary import is_known
from workbench.domain.results import mainstay_status
from workbench.domain.rules import UNSET, normal_phone
from workbench.mainstay.reply import Reply, read_errors
from workbench.mainstay.upsert import contact_path

PATH: Final = "contacts/bulk/"
ENDED: Final = frozenset({"completed", "failed"})
_IDENTITIES: Final = ("id", "admithub_id", "crm_id", "phone")


@dataclass(frozen=True)
class BulkJob:
    """One job as its status call shows it; a count is None where it is not told. Errors have `code` and `message`."""

    status: str
    total: int | None
    created: int | None
    updated: int | None
    failed: int | None
    errors: tuple[dict[str, Any], ...]

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED


def job_path(job_id: str) -> str:
    """The path of one job, percent-encoded."""
    return PATH + contact_path(job_id).removeprefix("contacts/")


def job_id_of(reply: Reply) -> str | None:
    """The number of an accepted job; None where the answer names none."""
    if not 200 <= reply.status < 300 or not isinstance(reply.body, dict):
        return None
    found = reply.body.get("job_id") or reply.body.get("id")
    return str(found) if found else None


def read_job(answer: Any) -> BulkJob:
    """A job's state from the answer of its status call; status "" where there is none."""
    body: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    listed = body.get("errors")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    errors = tuple({**item, **read_errors([item], 400)[0]} for item in items)

    def count(name: str) -> int | None:
        found = body.get(name)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    status = str(body.get("status") or "").lower()
    return BulkJob(status, count("total"), count("created"), count("updated"), count("failed"), errors)


def bulk_row(method: str, path: str, values: Mapping[str, Any], *, crm_id: str | None, contact_id: str | None
             ) -> dict[str, Any] | None:  # fmt: skip
    """A prepared request as a row of an array; None where no row would reach the same contact, and only that one.

    >>> bulk_row("PUT", "contacts/003A/", {"email": "a@b.edu"}, crm_id="003A", contact_id="ah1")
    {'crm_id': '003A', 'email': 'a@b.edu'}
    >>> bulk_row("PUT", "contacts/4045550123/", {"email": "a@b.edu"}, crm_id=None, contact_id=None) is None
    True
    """
    if method == "PUT" and contact_id and path == contact_path(contact_id):
        return {"id": contact_id, **values}
    given = values.get("crm_id", crm_id)
    if not given or given in {UNSET, "$id"}:
        return None  # without a CRM ID a repeated row could make a second contact
    row = {"crm_id": given, **values}
    if method == "POST":
        return row
    if path == contact_path(str(given)):
        return row
    phone = normal_phone(str(row.get("phone") or ""))
    return row if phone is not None and path == contact_path(phone) else None


def row_phone(row: Mapping[str, Any]) -> str | None:
    """The phone of a row as Mainstay compares it; repeated ones in an array are refused."""
    phone = row.get("phone")
    return None if phone in {None, UNSET} else normal_phone(str(phone)) or str(phone)


def settle(rows: Sequence[Mapping[str, Any]], methods: Sequence[str], job: BulkJob
           ) -> list[tuple[Status, tuple[dict[str, Any], ...]]] | None:  # fmt: skip
    """(status, errors) of each row of a completed job; None where its answer does not add up: read the rows back then.

    An error belongs to the row whose id, CRM ID or phone it names; where it names none, to the row of its number.
    A code that nobody knows counts as a refusal unless the job's own count says otherwise.
    `methods`: PUT or POST, as each row was planned.
    """
    if job.status != "completed" or (job.total is not None and job.total != len(rows)):
        return None
    errors: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for item in job.errors:
        place = _place(rows, item)
        if place is None:
            return None
        errors[place].append(item)
    ends = [
        (Status(mainstay_status(method, 200, errors[place])), tuple(errors[place]))
        for place, method in enumerate(methods)
    ]
    failed = sum(status is Status.FAIL for status, _ in ends)
    unclear = [place for place, (status, items) in enumerate(ends) if status is Status.PARTIAL and not _is_clear(items)]
    if job.failed is None or job.failed == failed + len(unclear):
        for place in unclear:
            ends[place] = (Status.FAIL, ends[place][1])
        failed += len(unclear)
    counts = (job.created, job.updated, job.failed)
    if job.failed is not None and job.failed != failed:
        return None
    if None not in counts and sum(count or 0 for count in counts) != len(rows):
        return None
    return ends


def _is_clear(errors: Sequence[Mapping[str, Any]]) -> bool:
    return all(is_known(str(error.get("code", ""))) for error in errors)


def _place(rows: Sequence[Mapping[str, Any]], item: Mapping[str, Any]) -> int | None:
    """The row an error belongs to."""
    for name in _IDENTITIES:
        if item.get(name):
            fitting = [place for place, row in enumerate(rows) if row.get(name) == item[name]]
            return fitting[0] if len(fitting) == 1 else None
    number = item.get("row")
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= len(rows):
        return number - 1
    return None
