"""One request and its answer, apart from the web server, so that composite requests can be served inside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import orjson

from workbench.simulators.salesforce.refusals import refused

if TYPE_CHECKING:
    from workbench.simulators.salesforce.organisation import SalesforceOrg

JSON_TYPE: Final = "application/json;charset=UTF-8"
CSV_TYPE: Final = "text/csv;charset=UTF-8"


@dataclass(frozen=True)
class Call:
    """One request: `parts` are the named pieces of its path, percent signs resolved; header names in lower case.

    `raw_query` is the query as it was sent.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    raw_query: str = ""

    @property
    def uri(self) -> str:
        return f"{self.path}?{self.raw_query}" if self.raw_query else self.path

    def with_parts(self, raw: Mapping[str, str | None]) -> Call:
        return replace(self, parts={name: unquote(value) for name, value in raw.items() if value is not None})

    @property
    def version(self) -> str:
        """The version the path asks for, `59.0`."""
        return self.parts["version"]

    @property
    def data_path(self) -> str:
        return f"/services/data/v{self.version}"

    @property
    def allows_duplicates(self) -> bool:
        """Whether the sender saves in spite of a duplicate rule's warning."""
        told = self.headers.get("sforce-duplicate-rule-header", "")
        return "allowsave=true" in told.replace(" ", "").lower()

    def json(self) -> Any:
        """The body's JSON. Raises JSON_PARSER_ERROR."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            place = f"[line:{error.lineno}, column:{error.colno}]"
            raise refused(400, "JSON_PARSER_ERROR", f"{error.msg} at {place}") from None

    def json_object(self) -> dict[str, Any]:
        """The body's JSON object. Raises JSON_PARSER_ERROR where it is something else."""
        body = self.json()
        if not isinstance(body, dict):
            raise refused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object at [line:1, column:1]")
        return body


@dataclass(frozen=True)
class Reply:
    """One answer. `body` None is empty, bytes go out as they are, an iterator piece by piece, anything else as JSON.

    `record_ids`: for the request log, one per record written, None where it was refused.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    record_ids: tuple[str | None, ...] = ()

    @property
    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


Door = Callable[["SalesforceOrg", Call], Reply]


def is_true(text: str | None) -> bool:
    return (text or "").lower() == "true"
