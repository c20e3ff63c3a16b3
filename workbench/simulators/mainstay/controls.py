"""What happens outside the API: learners, staff, and the tests' own needs. Loopback callers only, no token.

POST /_sandbox/learner   {"contact_id" | "phone", "text", "channel"?}   STOP, START, #pause, #changename NAME ...
POST /_sandbox/staff     {"contact_id", "changes": {...}}               the Contact Panel
POST /_sandbox/fields    {"rename": {old: new}?, "add": [...]?, "remove": [names]?}
GET  /_sandbox/state     every contact as the API shows it, one JSON a line
GET  /_sandbox/requests  what was asked so far;  GET /_sandbox/intros  contacts that got an intro
POST /_sandbox/save      remember this moment;   POST /_sandbox/restore  return to it
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workbench.domain.fields import MainstayField
from workbench.simulators.mainstay.institution import MainstayInstitution, SavedInstitution
from workbench.simulators.mainstay.shape import shown

CONTROL_PREFIX: Final = "/_sandbox"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "testclient"})

Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(institution: MainstayInstitution) -> list[Route]:
    """Routes of the controls of one institution."""
    controls = _Controls(institution)
    return [
        Route(f"{CONTROL_PREFIX}/{name}", _loopback_only(endpoint), methods=[method])
        for method, name, endpoint in (
            ("POST", "learner", controls.learner),
            ("POST", "staff", controls.staff),
            ("POST", "fields", controls.fields),
            ("GET", "state", controls.state),
            ("GET", "requests", controls.requests),
            ("GET", "intros", controls.intros),
            ("POST", "save", controls.save),
            ("POST", "restore", controls.restore),
        )
    ]


def _loopback_only(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if request.client is None or request.client.host not in LOOPBACK:
            return _json({"detail": "The sandbox controls answer on this machine only."}, 403)
        try:
            return await endpoint(request)
        except KeyError as missing:
            return _json({"detail": f"Unknown or missing: {missing}."}, 404)
        except ValueError as wrong:
            return _json({"detail": str(wrong)}, 400)

    return guarded


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


class _Controls:
    def __init__(self, institution: MainstayInstitution) -> None:
        self._institution = institution
        self._saved: SavedInstitution | None = None

    async def learner(self, request: Request) -> Response:
        asked = await request.json()
        contact_id = asked.get("contact_id")
        if contact_id is None:
            found = self._institution.book.by_phone(asked["phone"])
            if found is None:
                raise KeyError(asked["phone"])
            contact_id = found["id"]
        contact = self._institution.learner_texts(contact_id, asked["text"], asked.get("channel", "sms"))
        return _json(shown(contact))

    async def staff(self, request: Request) -> Response:
        asked = await request.json()
        return _json(shown(self._institution.staff_edits(asked["contact_id"], asked["changes"])))

    async def fields(self, request: Request) -> Response:
        asked = await request.json()
        renamed: dict[str, str] = asked.get("rename", {})
        removed = set(asked.get("remove", ()))
        fields = [
            MainstayField(renamed.get(field.name, field.name), field.data_type, is_custom=True, options=field.options)
            for field in self._institution.custom_fields
            if field.name not in removed
        ]
        fields += [
            MainstayField(
                new["name"], new.get("data_type", "Text"), is_custom=True, options=tuple(new.get("options", ()))
            )
            for new in asked.get("add", ())
        ]
        self._institution.change_fields(fields, renamed)
        return _json({"custom_fields": [field.name for field in fields]})

    async def state(self, _: Request) -> Response:
        with self._institution.lock:
            lines = [orjson.dumps(contact) for contact in self._institution.book.all_shown()]
        return Response(b"\n".join(lines), media_type="application/x-ndjson")

    async def requests(self, _: Request) -> Response:
        seen = [
            {
                "method": request.method,
                "path": request.path,
                "change_id": request.change_id,
                "status": request.status,
                "body": request.body,
            }
            for request in self._institution.log.requests
        ]
        return _json(seen)

    async def intros(self, _: Request) -> Response:
        return _json(self._institution.intros)

    async def save(self, _: Request) -> Response:
        self._saved = self._institution.saved()
        return _json({"saved": True})

    async def restore(self, _: Request) -> Response:
        if self._saved is None:
            raise ValueError("nothing was saved yet")
        self._institution.restore(self._saved)
        return _json({"restored": True})
