"""What Salesforce answers when it refuses: one exception per whole request, one object per refused record.

Source: Salesforce wire reference, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """One error: Salesforce's own code, its sentence, and the fields it names; `detail` is shown with a request."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    detail: Mapping[str, Any] | None = None

    def of_request(self) -> dict[str, Any]:
        """Its shape in a whole request's list."""
        shape: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        fields = {"fields": list(self.fields)} if self.fields else {}
        return {**(self.detail or {}), **shape, **fields}

    def of_record(self) -> dict[str, Any]:
        """Its shape inside collections: `statusCode`, not `errorCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def of_row(self) -> str:
        """Its shape in a bulk job's sf__Error."""
        return f"{self.code}:{self.message}:{' '.join([*self.fields, '--'])}"


class RequestRefused(Exception):
    """The whole request is refused with an HTTP status and a list of errors."""

    def __init__(self, status: int, *refusals: Refusal) -> None:
        self.status = status
        self.refusals = refusals
        super().__init__("; ".join(f"{refusal.code}: {refusal.message}" for refusal in refusals))


class RecordRefused(Exception):
    """One record of a write is refused; the others of its call may stand."""

    def __init__(self, refusals: Sequence[Refusal], status: int = 400) -> None:
        self.refusals = tuple(refusals)
        self.status = status
        super().__init__("; ".join(f"{refusal.code}: {refusal.message}" for refusal in refusals))


def refused(status: int, code: str, message: str, *fields: str) -> RequestRefused:
    return RequestRefused(status, Refusal(code, message, fields))


def record_refused(code: str, message: str, *fields: str, status: int = 400) -> RecordRefused:
    return RecordRefused([Refusal(code, message, fields)], status)


def not_found() -> RequestRefused:
    return refused(404, "NOT_FOUND", "The requested resource does not exist")
