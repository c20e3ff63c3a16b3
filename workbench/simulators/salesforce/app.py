"""The web server's side: which path leads to which door, who is let in, and how refusals look.

Source: Salesforce wire reference, sections 1 to 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from workbench.simulators.salesforce import (
    doors_bulk_ingest,
    doors_bulk_one,
    doors_bulk_query,
    doors_collections,
    doors_composite,
    doors_login,
    doors_objects,
    doors_query,
    doors_records,
)
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import RecordRefused, RequestRefused, not_found, refused
from workbench.simulators.salesforce.request_log import SeenRequest
from workbench.simulators.salesforce.wire import JSON_TYPE, Call, Door, Reply

_METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
_WRITES: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_URI_LIMIT: Final = 16_384
_HEADER_LIMIT: Final = 16_384
_ID: Final = r"(?P<id>[^/]+)"
_OBJECT: Final = r"sobjects/(?P<object>[^/]+)"
_KEY: Final = r"(?P<key>[^/]+)/(?P<value>[^/]+)"
_MANY: Final = r"composite/sobjects"
_JOB: Final = r"(?P<job>[^/]+)"
_BATCH: Final = r"(?P<batch>[^/]+)"
_OLD_BULK: Final = "/services/async"
_TOKEN_IN_QUERY: Final = re.compile(r"(oauth_token=)[^&]*")
_CHANGE_HEADER: Final = "x-workbench-change"


@dataclass(frozen=True)
class _Route:
    pattern: re.Pattern[str]
    doors: dict[str, Door]


def _route(path: str, **doors: Door) -> _Route:
    return _Route(re.compile(rf"{path}/?\Z"), doors)


def _data(path: str, **doors: Door) -> _Route:
    return _route(rf"/services/data/v(?P<version>\d+\.0)/{path}", **doors)


def _old_bulk(path: str, **doors: Door) -> _Route:
    return _route(rf"{_OLD_BULK}/(?P<version>\d+\.0)/job{path}", **doors)


# Tried in this order: fixed names before record ids.
_OPEN: Final = (
    _route(r"/services/data", GET=doors_objects.versions),
    _route(r"/services/Soap/[uc]/(?P<version>\d+\.0)(?:/\w*)?", POST=doors_login.soap_login),
    _route(r"/services/oauth2/token", POST=doors_login.oauth_token),
)
_GUARDED: Final = (
    _route(r"/services/oauth2/userinfo", GET=doors_login.userinfo, POST=doors_login.userinfo),
    _route(r"/id/\w+/\w+", GET=doors_login.identity, POST=doors_login.identity),
    _route(r"/services/data/v(?P<version>\d+\.0)", GET=doors_objects.resources),
    _data(r"query", GET=doors_query.query),
    _data(r"queryAll", GET=doors_query.query_all),
    _data(r"(?:query|queryAll)/(?P<locator>[^/]+)", GET=doors_query.query_more),
    _data(r"limits", GET=doors_objects.limits),
    _data(r"limits/recordCount", GET=doors_objects.record_count),
    _data(r"sobjects", GET=doors_objects.all_objects),
    _data(_OBJECT, GET=doors_objects.object_basics, POST=doors_records.create),
    _data(rf"{_OBJECT}/describe", GET=doors_objects.describe),
    _data(rf"{_OBJECT}/updated", GET=doors_records.updated),
    _data(rf"{_OBJECT}/deleted", GET=doors_records.deleted),
    _data(rf"{_OBJECT}/{_ID}", GET=doors_records.read, PATCH=doors_records.update, DELETE=doors_records.delete),
    _data(
        rf"{_OBJECT}/{_KEY}",
        GET=doors_records.read_by_key,
        PATCH=doors_records.upsert,
        DELETE=doors_records.delete_by_key,
    ),
    _data(
        _MANY,
        POST=doors_collections.create_many,
        PATCH=doors_collections.update_many,
        DELETE=doors_collections.delete_many,
    ),
    _data(
        rf"{_MANY}/(?P<object>[^/]+)",
        GET=doors_collections.retrieve_many,
        POST=doors_collections.retrieve_many,
    ),
    _data(rf"{_MANY}/(?P<object>[^/]+)/(?P<key>[^/]+)", PATCH=doors_collections.upsert_many),
    _data(r"jobs/query", GET=doors_bulk_query.show_all, POST=doors_bulk_query.create),
    _data(
        rf"jobs/query/{_JOB}",
        GET=doors_bulk_query.show,
        PATCH=doors_bulk_query.change,
        DELETE=doors_bulk_query.remove,
    ),
    _data(rf"jobs/query/{_JOB}/results", GET=doors_bulk_query.results),
    _data(r"jobs/ingest", GET=doors_bulk_ingest.show_all, POST=doors_bulk_ingest.create),
    _data(
        rf"jobs/ingest/{_JOB}",
        GET=doors_bulk_ingest.show,
        PATCH=doors_bulk_ingest.change,
        DELETE=doors_bulk_ingest.remove,
    ),
    _data(rf"jobs/ingest/{_JOB}/batches", PUT=doors_bulk_ingest.upload),
    _data(rf"jobs/ingest/{_JOB}/successfulResults", GET=doors_bulk_ingest.successful),
    _data(rf"jobs/ingest/{_JOB}/failedResults", GET=doors_bulk_ingest.failed),
    # Clients disagree about the capital letter.
    _data(rf"jobs/ingest/{_JOB}/unprocessed[rR]ecords", GET=doors_bulk_ingest.unprocessed),
    _old_bulk(r"", POST=doors_bulk_one.create),
    _old_bulk(rf"/{_JOB}", GET=doors_bulk_one.show, POST=doors_bulk_one.change),
    _old_bulk(rf"/{_JOB}/batch", GET=doors_bulk_one.show_batches, POST=doors_bulk_one.add_batch),
    _old_bulk(rf"/{_JOB}/batch/{_BATCH}", GET=doors_bulk_one.show_batch),
    _old_bulk(rf"/{_JOB}/batch/{_BATCH}/result", GET=doors_bulk_one.show_results),
    _old_bulk(rf"/{_JOB}/batch/{_BATCH}/result/(?P<result>[^/]+)", GET=doors_bulk_one.result),
)


def salesforce_app(org: SalesforceOrg) -> Starlette:
    """The organisation as an ASGI app that speaks REST, Bulk 2.0, SOAP login and OAuth under /services."""

    async def serve(request: Request) -> Response:
        call = await _call_of(request)
        reply = await run_in_threadpool(answer, org, call)
        headers = {"content-type": JSON_TYPE, **reply.headers} if reply.body is not None else dict(reply.headers)
        if isinstance(reply.body, Iterator):
            return StreamingResponse(reply.body, reply.status, headers)
        return Response(reply.content, reply.status, headers)

    return Starlette(routes=[Route("/{path:path}", serve, methods=list(_METHODS))])


async def _call_of(request: Request) -> Call:
    raw_path = request.scope.get("raw_path") or request.url.path.encode()
    return Call(
        request.method if request.method != "HEAD" else "GET",
        raw_path.decode("latin-1"),
        dict(request.query_params),
        {name.lower(): value for name, value in request.headers.items()},
        await request.body(),
        f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}",
        raw_query=request.scope.get("query_string", b"").decode("latin-1"),
    )


def answer(org: SalesforceOrg, call: Call) -> Reply:
    """One request answered, counted and noted in the log."""
    is_guarded = _found(_OPEN, call.path) is None
    if is_guarded:
        org.used_requests += 1
    try:
        _check_size(call)
        reply = _guarded(org, call) if is_guarded else dispatch(org, call)
    except RequestRefused as refusal:
        reply = refusal_reply(refusal)
    is_write = call.method in _WRITES
    org.log.requests.append(
        SeenRequest(
            "salesforce",
            call.method,
            _TOKEN_IN_QUERY.sub(r"\1***", call.uri),
            call.headers.get(_CHANGE_HEADER),
            reply.status,
            call.body if is_write else b"",
            record_ids=reply.record_ids,
        )
    )
    is_rest = call.path.startswith("/services/data")
    usage = {"Sforce-Limit-Info": f"api-usage={org.used_requests}/{org.daily_requests}"} if is_rest else {}
    return Reply(reply.status, reply.body, {**usage, **reply.headers}, reply.record_ids)


def _guarded(org: SalesforceOrg, call: Call) -> Reply:
    """The answer to whoever shows a token in force; Bulk 1.0 has a header and a refusal of its own."""
    if not call.path.startswith(_OLD_BULK):
        _check_session(org, call)
    elif not org.sessions.is_valid(f"Bearer {call.headers.get('x-sfdc-session')}"):
        return doors_bulk_one.refused_session()
    return dispatch(org, call)


def dispatch(org: SalesforceOrg, call: Call) -> Reply:
    """The door's answer; refused records become the request's refusal. Raises RequestRefused."""
    route = _found((*_OPEN, *_GUARDED, *_COMPOSITE), call.path)
    if route is None:
        raise not_found()
    match = route.pattern.match(call.path)
    assert match is not None
    call = call.with_parts(match.groupdict())
    if "version" in call.parts:
        _check_version(call)
    door = route.doors.get(call.method)
    if door is None:
        allowed = ",".join(route.doors)
        message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
        raise refused(405, "METHOD_NOT_ALLOWED", message)
    try:
        return door(org, call)
    except RecordRefused as refusal:
        raise RequestRefused(refusal.status, *refusal.refusals) from None


def refusal_reply(refusal: RequestRefused) -> Reply:
    return Reply(refusal.status, [entry.of_request() for entry in refusal.refusals])


def _found(routes: tuple[_Route, ...], path: str) -> _Route | None:
    return next((route for route in routes if route.pattern.match(path)), None)


def _check_size(call: Call) -> None:
    uri = len(call.uri)
    if uri > _URI_LIMIT:
        raise refused(414, "URI_TOO_LONG", f"The URI has {uri} bytes, more than {_URI_LIMIT}")
    if uri + sum(len(name) + len(value) + 4 for name, value in call.headers.items()) > _HEADER_LIMIT:
        raise refused(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", f"URI and headers have more than {_HEADER_LIMIT} bytes")


def _check_session(org: SalesforceOrg, call: Call) -> None:
    if not org.sessions.is_valid(call.headers.get("authorization")):
        raise refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if org.used_requests > org.daily_requests:
        raise refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def _check_version(call: Call) -> None:
    is_retired = float(call.version) < doors_objects.OLDEST_VERSION
    if is_retired and call.path.startswith("/services/data"):
        raise refused(410, "UNSUPPORTED_API_VERSION", f"API version {call.version} is retired")


_serve_composite, _serve_batch = doors_composite.composite_doors(dispatch)
_COMPOSITE: Final = (
    _data(r"composite", POST=_serve_composite),
    _data(r"composite/batch", POST=_serve_batch),
)
