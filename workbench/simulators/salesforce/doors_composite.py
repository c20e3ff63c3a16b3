"""Several requests in one: composite (later ones may use earlier answers) and composite/batch (independent ones).

The real server HTML-escapes the texts of both answers, and so does this one.
Source: Salesforce wire reference, section 8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson

from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import RequestRefused, refused
from workbench.simulators.salesforce.wire import Call, Door, Reply

Dispatch = Callable[[SalesforceOrg, Call], Reply]

_LIMIT: Final = 25
_MANY_LIMIT: Final = 5
_MANY_RECORDS: Final = re.compile(r"/v\d+\.0/(?:query|queryAll|composite/sobjects)\b")
_REFERENCE: Final = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])+)\}")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_HALTED: Final = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted because of an error"}
_ROLLED_BACK: Final = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}


class _UnknownReference(Exception):
    """An earlier answer does not have what a later request asks of it."""


def composite_doors(dispatch: Dispatch) -> tuple[Door, Door]:
    """The doors of composite and of composite/batch; `dispatch` serves one request inside."""

    def composite(org: SalesforceOrg, call: Call) -> Reply:
        return _composite(org, call, dispatch)

    def batch(org: SalesforceOrg, call: Call) -> Reply:
        return _batch(org, call, dispatch)

    return composite, batch


def _batch(org: SalesforceOrg, call: Call, dispatch: Dispatch) -> Reply:
    body = call.json_object()
    is_halting, has_errors = body.get("haltOnError") is True, False
    results: list[dict[str, Any]] = []
    ids: tuple[str | None, ...] = ()
    for request in _requests(body, "batchRequests"):
        if has_errors and is_halting:
            results.append({"statusCode": 412, "result": [_HALTED]})
            continue
        inner = _inner(call, request, request.get("richInput"))
        reply = _served(org, inner, dispatch)
        ids += reply.record_ids
        has_errors = has_errors or reply.status >= 400
        results.append({"statusCode": reply.status, "result": _escaped(_content(reply))})
    return Reply(200, {"hasErrors": has_errors, "results": results}, record_ids=ids)


def _composite(org: SalesforceOrg, call: Call, dispatch: Dispatch) -> Reply:
    body = call.json_object()
    all_or_none = body.get("allOrNone") is True
    requests = _requests(body, "compositeRequest")
    many = sum(bool(_MANY_RECORDS.search(str(request.get("url", "")))) for request in requests)
    if many > _MANY_LIMIT:
        message = f"At most {_MANY_LIMIT} subrequests can be queries or collections; the request has {many}"
        raise refused(400, "LIMIT_EXCEEDED", message)
    answers: list[dict[str, Any]] = []
    ids: tuple[str | None, ...] = ()
    known: dict[str, Any] = {}
    holding = org.undoable() if all_or_none else nullcontext(lambda: None)
    with holding as undo:
        for request in requests:
            reply = _composite_part(org, call, request, known, dispatch)
            ids += reply.record_ids
            answers.append(_composite_answer(request, reply))
            if reply.status < 400:
                known[str(request.get("referenceId"))] = _content(reply)
            elif all_or_none:
                undo()
                break
    failed_at = next((index for index, answer in enumerate(answers) if answer["httpStatusCode"] >= 400), None)
    if all_or_none and failed_at is not None:
        ids = ()
        halted = Reply(400, [_ROLLED_BACK])
        answers = [
            answers[index] if index == failed_at else _composite_answer(request, halted)
            for index, request in enumerate(requests)
        ]
    return Reply(200, {"compositeResponse": answers}, record_ids=ids)


def _composite_part(
    org: SalesforceOrg, call: Call, request: Mapping[str, Any], known: Mapping[str, Any], dispatch: Dispatch
) -> Reply:
    try:
        filled = {key: _filled(value, known) for key, value in request.items()}
    except _UnknownReference as unknown:
        return Reply(400, [{"errorCode": "PROCESSING_HALTED", "message": str(unknown)}])
    inner = _inner(call, filled, filled.get("body"), filled.get("httpHeaders"))
    return _served(org, inner, dispatch)


def _composite_answer(request: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    content = _content(reply)
    headers = {}
    if reply.status == 201 and isinstance(content, dict):
        headers["Location"] = f"{urlsplit(str(request.get('url'))).path}/{content.get('id')}"
    return {
        "body": _escaped(content),
        "httpHeaders": headers,
        "httpStatusCode": reply.status,
        "referenceId": request.get("referenceId"),
    }


def _requests(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(request, dict) for request in found):
        raise refused(400, "JSON_PARSER_ERROR", f"{name} must be a list of requests at [line:1, column:1]")
    if len(found) > _LIMIT:
        message = f"The request has {len(found)} subrequests, which exceeds the maximum allowed number of {_LIMIT}"
        raise refused(400, "LIMIT_EXCEEDED", message)
    return found


def _inner(call: Call, request: Mapping[str, Any], body: Any, headers: Any = None) -> Call:
    """The request inside: its url may be a whole path or start at the version."""
    there = urlsplit(str(request.get("url", "")))
    path = there.path if there.path.startswith("/") else f"/services/data/{there.path}"
    told = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    return replace(
        call,
        method=str(request.get("method", "")).upper(),
        path=path,
        query=dict(parse_qsl(there.query, keep_blank_values=True)),
        headers={**call.headers, **told},
        body=b"" if body is None else orjson.dumps(body),
        parts={},
    )


def _served(org: SalesforceOrg, inner: Call, dispatch: Dispatch) -> Reply:
    try:
        return dispatch(org, inner)
    except RequestRefused as refusal:
        return Reply(refusal.status, [entry.of_request() for entry in refusal.refusals])


def _content(reply: Reply) -> Any:
    """The answer as JSON, whatever form the door gave it in."""
    return orjson.loads(reply.content) if reply.content else None


def _escaped(body: Any) -> Any:
    if isinstance(body, str):
        return escape(body, quote=True).replace("&#x27;", "&#39;")
    if isinstance(body, list):
        return [_escaped(entry) for entry in body]
    if isinstance(body, dict):
        return {key: _escaped(entry) for key, entry in body.items()}
    return body


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """`@{ref.records[0].Id}` replaced by what the earlier answer has there."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: str(_looked_up(match[1], match[2], known)), value)
    if isinstance(value, list):
        return [_filled(entry, known) for entry in value]
    if isinstance(value, dict):
        return {key: _filled(entry, known) for key, entry in value.items()}
    return value


def _looked_up(name: str, steps: str, known: Mapping[str, Any]) -> Any:
    try:
        found = known[name]
        for key, index in _STEP.findall(steps):
            found = found[key] if key else found[int(index)]
    except (KeyError, IndexError, TypeError):
        message = f"Invalid reference specified. No value for {name}{steps} found in {name}"
        raise _UnknownReference(message) from None
    return found
