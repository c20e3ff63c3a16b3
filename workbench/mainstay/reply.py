"""What Mainstay answered to one request, read tolerantly: the shape of its errors is not published.

Source: Mainstay API reference, section 1 (status codes, error items) and section 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from workbench.domain.changes import Status
from workbench.domain.results import mainstay_status

_CODE_BY_STATUS: Final = {404: "not-found", 401: "unauthorized", 403: "forbidden", 429: "too-many-requests"}


@dataclass(frozen=True)
class Reply:
    """One answer. `errors` are items with at least `code` and `message`; `body` is the parsed JSON, kept whole."""

    method: str
    path: str
    status: int
    body: Any
    errors: tuple[dict[str, Any], ...]
    ms: float
    attempts: int = 1

    @property
    def codes(self) -> list[str]:
        return [str(item["code"]) for item in self.errors]

    @property
    def is_not_found(self) -> bool:
        """Nothing carries this identifier: the only answer that leads on to the next step of an upsert."""
        return self.status == 404 and any(code == "not-found" for code in self.codes)

    @property
    def outcome(self) -> Status:
        """How this answer ends a write."""
        return mainstay_status(self.method, self.status, self.errors)

    @property
    def contact(self) -> dict[str, Any] | None:
        """The contact in the answer, where there is one."""
        if isinstance(self.body, dict) and (self.body.get("id") or self.body.get("admithub_id")):
            return self.body
        return None


def read_errors(body: Any, status: int) -> tuple[dict[str, Any], ...]:
    """The error items of an answer, from every shape known: lists, one item, `detail`, `error`, plain text.

    >>> read_errors({"detail": "Not found."}, 404)
    ({'code': 'not-found', 'message': 'Not found.'},)
    >>> read_errors({"id": "ah1", "errors": []}, 200)
    ()
    """
    if isinstance(body, list):
        return tuple(_item(item, status) for item in body or [None]) if status >= 400 else ()
    if not isinstance(body, dict):
        return (_item(body, status),) if status >= 400 else ()
    for key in ("errors", "error"):
        listed = body.get(key)
        if listed:
            return tuple(_item(item, status) for item in (listed if isinstance(listed, list) else [listed]))
    if status < 400:
        return ()
    return (_item(body, status),)


def _item(raw: Any, status: int) -> dict[str, Any]:
    fallback = _CODE_BY_STATUS.get(status, f"http-{status}")
    if not isinstance(raw, dict):
        return {"code": fallback, "message": "" if raw is None else str(raw)[:1000]}
    message = raw.get("message") or raw.get("detail") or raw.get("error") or ""
    code = raw.get("code") or fallback
    rest = {key: value for key, value in raw.items() if key in {"field", "row"}}
    return {"code": str(code), "message": str(message), **rest}
