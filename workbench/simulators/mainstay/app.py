"""The HTTP side of the sandbox institution. Source: Mainstay API reference, sections 1, 2 and 4."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from workbench.domain import ladder
from workbench.domain.error_dictionary import INVALID_REQUEST, error_item, outside_item
from workbench.domain.fields import STANDARD_FIELDS
from workbench.domain.ladder import Answer
from workbench.simulators.mainstay.bulk import BulkJobs
from workbench.simulators.mainstay.controls import CONTROL_PREFIX, control_routes
from workbench.simulators.mainstay.institution import MainstayInstitution
from workbench.simulators.mainstay.listing import (
    BadFilter,
    ContactList,
    MessageList,
    NoSuchPage,
    campaign_page,
    contact_filters,
)
from workbench.simulators.mainstay.shape import shown


def as_json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def mainstay_app(institution: MainstayInstitution) -> Starlette:
    """The institution as an ASGI app; controls outside the API live under /_sandbox/, for loopback callers only."""
    api = _Api(institution)
    routes = [
        Route("/auth_valid", api.auth_valid),
        Route("/contacts/bulk", api.start_bulk, methods=["POST"]),
        Route("/contacts/bulk/{job_id}", api.bulk_job),
        Route("/contacts", api.contacts, methods=["GET", "POST"]),
        Route("/contacts/{contact_id:path}", api.contact, methods=["GET", "PUT"]),
        Route("/default_fields", api.default_fields),
        Route("/custom_fields", api.custom_fields),
        Route("/custom_values", api.custom_values),
        Route("/campaigns", api.campaigns),
        Route("/messages", api.messages),
        *control_routes(institution),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_Door, institution=institution),
        ],
        exception_handlers={
            HTTPException: _http_error,
            BadFilter: _bad_filter,
            NoSuchPage: _no_such_page,
        },
    )


class _Door:
    """Takes both forms of a path, with and without trailing slash; notes each request; asks for the token."""

    def __init__(self, app: ASGIApp, institution: MainstayInstitution) -> None:
        self._app = app
        self._institution = institution
        self._guarded = institution.log.watch(self._guard, is_watched=_is_api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_api(scope["path"]):
            given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            if given != f"{self._institution.auth_scheme} {self._institution.token}":
                await as_json({"detail": "Invalid token."}, 401)(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] != "/":
            scope = {**scope, "path": scope["path"].rstrip("/"), "asked_path": scope["path"]}
        await self._app(scope, receive, send)


def _is_api(path: str) -> bool:
    return not path.startswith(CONTROL_PREFIX)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = f'Method "{request.method}" not allowed.' if status == 405 else "Not found."
    return as_json({"detail": detail}, status)


async def _bad_filter(_: Request, error: Exception) -> Response:
    return as_json({"detail": f"Invalid filter: {error}."}, 400)


async def _no_such_page(_: Request, __: Exception) -> Response:
    return as_json({"detail": "Invalid page."}, 404)


class _Api:
    """One method per endpoint."""

    def __init__(self, institution: MainstayInstitution) -> None:
        self._institution = institution
        self._contacts = ContactList(institution)
        self._messages = MessageList(institution)
        self._bulk = BulkJobs(institution)

    async def auth_valid(self, _: Request) -> Response:
        return as_json({"ok": True, "org_id": self._institution.org_id})

    async def contacts(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._written(request, self._institution.post)
        with self._institution.lock:
            return self._contacts.page(_as_asked(request))

    async def contact(self, request: Request) -> Response:
        contact_id = request.path_params["contact_id"]
        if request.method == "PUT":
            return await self._written(request, lambda body: self._institution.put(contact_id, body))
        with self._institution.lock:
            found, _ = ladder.resolve(contact_id, self._institution.book)
            _mask, tests = contact_filters(request.query_params)
            if found is None or not all(test(dict(found)) for test in tests):
                return as_json({"errors": [error_item(1)]}, 404)
            return as_json(shown(found))

    async def _written(self, request: Request, write: Callable[[Any], Answer]) -> Response:
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return as_json({"errors": [outside_item(INVALID_REQUEST)]}, 400)
        answer = write(body)
        if answer.contact is None:
            return as_json({"errors": list(answer.errors)}, answer.status)
        return as_json({**shown(answer.contact), "errors": list(answer.errors)}, answer.status)

    async def start_bulk(self, request: Request) -> Response:
        status, content = self._bulk.start(await request.body())
        return as_json(content, status)

    async def bulk_job(self, request: Request) -> Response:
        found = self._bulk.shown(request.path_params["job_id"])
        return as_json({"detail": "Not found."}, 404) if found is None else as_json(found)

    async def default_fields(self, _: Request) -> Response:
        fields = [
            {"name": field.name, "data_type": field.data_type, "deprecated": field.is_deprecated}
            for field in STANDARD_FIELDS
        ]
        return as_json({"default_fields": fields})

    async def custom_fields(self, _: Request) -> Response:
        fields = self._institution.custom_fields
        described = [
            {"name": field.name, "data_type": field.data_type, "options": list(field.options)} for field in fields
        ]
        return as_json({"custom_fields": [field.name for field in fields], "fields": described})

    async def custom_values(self, request: Request) -> Response:
        name = request.query_params.get("field")
        with self._institution.lock:
            if name not in {field.name for field in self._institution.custom_fields}:
                return as_json({"detail": "Missing or invalid field"}, 400)
            return as_json({"values": self._institution.book.values_of(f"custom.{name}")})

    async def campaigns(self, request: Request) -> Response:
        with self._institution.lock:
            return campaign_page(self._institution, _as_asked(request))

    async def messages(self, request: Request) -> Response:
        with self._institution.lock:
            return self._messages.page(_as_asked(request))


def _as_asked(request: Request) -> Request:
    """The request with its path as it was sent, so that `next` keeps the trailing slash."""
    return Request({**request.scope, "path": request.scope.get("asked_path", request.scope["path"])})


Endpoint = Callable[[Request], Awaitable[Response]]
