"""A Bulk 2.0 query, streamed page by page to CSV files and taken up again after an interruption.

The job lives at Salesforce; a small state file beside the pages says which job, which pages are whole and what comes
next. simple-salesforce is left out here: it holds pages in memory or writes them in pieces of 1 KB, renews no session
and stumbles over a missing header (wire reference, section 12).
Source: Salesforce wire reference, section 9.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from simple_salesforce.util import exception_handler

from workbench.errors import RemoteError, TransientError
from workbench.logs import get_logger

if TYPE_CHECKING:
    from simple_salesforce import Salesforce

    from workbench.salesforce.client import SalesforceClient

log = get_logger(__name__)

PAGE_ROWS: Final = 50_000
PIECE_BYTES: Final = 1 << 20
MOST_POLL_SECONDS: Final = 10.0
MOST_JOB_SECONDS: Final = 4 * 3600.0
# What Salesforce says of a job or a place in it that it has forgotten (after seven days, or when it was deleted).
LOST_JOB: Final = frozenset({"NOT_FOUND", "INVALID_QUERY_LOCATOR", "INVALID_QUERY_CURSOR", "INVALIDJOBSTATE"})

Progress = Callable[[int], None]


@dataclass(frozen=True)
class BulkFiles:
    """A query's pages in order, each with a header; `rows` is how many records they hold, where Salesforce says so."""

    files: list[Path]
    rows: int | None


class BulkQuery:
    """One query on its way into `folder`. `progress` hears of the rows downloaded so far."""

    def __init__(
        self,
        client: SalesforceClient,
        soql: str,
        folder: Path,
        *,
        poll_seconds: float,
        sleep: Callable[[float], None],
        progress: Progress,
    ) -> None:
        self._client, self._soql, self._folder = client, soql, folder
        self._poll_seconds, self._sleep, self._progress = poll_seconds, sleep, progress
        self._state_path = folder / "job.json"
        self._state = self._found()

    def download(self) -> BulkFiles:
        """Every page as a file. Raises RemoteError where the job fails, or TransientError."""
        is_resumed = bool(self._state)
        try:
            self._run()
        except RemoteError as error:
            if not is_resumed or error.code not in LOST_JOB:
                raise
            log.warning("bulk query forgotten, beginning anew", extra={"code": error.code})
            self._state = {}
            self._run()
        self._remove_job()
        pages = self._state["pages"]
        counts = [page["rows"] for page in pages]
        files = [self._folder / page["file"] for page in pages]
        return BulkFiles(files, None if None in counts else sum(counts))

    def _run(self) -> None:
        if not self._state:
            self._begin()
        if not self._state["is_done"]:
            self._wait()
        while not self._state["is_done"]:
            self._fetch_page()

    def _begin(self) -> None:
        for leftover in self._folder.iterdir():
            leftover.unlink()
        job = self._client.read(
            "jobs/query", what="a bulk query", method="POST", json={"operation": "query", "query": self._soql}
        )
        self._state = {"job": _text(job, "id"), "soql": self._soql, "pages": [], "locator": None, "is_done": False}
        self._save()

    def _wait(self) -> None:
        begun, seconds = time.monotonic(), self._poll_seconds
        while True:
            job = self._client.read(self._job_path, what="a bulk query's state")
            state = _text(job, "state")
            if state == "JobComplete":
                return
            if state in {"Failed", "Aborted"}:
                said = job.get("errorMessage") or "it gives no reason"
                raise RemoteError(f"Salesforce could not finish a bulk query ({state}): {str(said)[:500]}")
            if time.monotonic() - begun > MOST_JOB_SECONDS:
                raise TransientError("Salesforce has not finished a bulk query in four hours. Pull again to go on.")
            self._sleep(seconds)
            seconds = min(seconds * 1.5, MOST_POLL_SECONDS)

    def _fetch_page(self) -> None:
        name = f"{len(self._state['pages']):06d}.csv"
        rows, locator = self._client.repeat(lambda: self._client.call(
            lambda api: self._stream(api, self._folder / name), what="a page of a bulk query", is_read=True
        ), "a page of a bulk query")  # fmt: skip
        if locator is not None and locator == self._state["locator"]:
            raise RemoteError("Salesforce named the same page of a bulk query twice; it was stopped. Pull again.")
        self._state["pages"].append({"file": name, "rows": rows})
        self._state["locator"], self._state["is_done"] = locator, locator is None
        self._save()
        self._progress(sum(page["rows"] or 0 for page in self._state["pages"]))

    def _stream(self, api: Salesforce, file: Path) -> tuple[int | None, str | None]:
        """One page to disk: (records, the next place). The last place is the text `null`, or not named at all."""
        place = {"locator": self._state["locator"]} if self._state["locator"] else {}
        part = file.with_suffix(".part")
        with api.session.get(
            f"{api.base_url}{self._job_path}/results",
            headers={**api.headers, "Accept": "text/csv"},
            params={"maxRecords": PAGE_ROWS, **place},
            stream=True,
        ) as answer:
            if answer.status_code != 200:
                exception_handler(answer, "a bulk query")
            if used := answer.headers.get("Sforce-Limit-Info"):
                api.api_usage = api.parse_api_usage(used)
            if not answer.headers.get("Content-Type", "").startswith("text/csv"):
                raise TransientError("Salesforce answered a page of a bulk query with something that is no CSV.")
            with part.open("wb") as out:
                for piece in answer.iter_content(PIECE_BYTES):
                    out.write(piece.replace(b"\0", b"") if b"\0" in piece else piece)
            rows, locator = answer.headers.get("Sforce-NumberOfRecords", ""), answer.headers.get("Sforce-Locator")
        part.replace(file)
        return int(rows) if rows.isdigit() else None, locator if locator and locator != "null" else None

    def _remove_job(self) -> None:
        """Results take storage of the org; that they cannot be removed stops nobody."""
        try:
            self._client.call(
                lambda api: api.restful(self._job_path, method="DELETE"), what="the end of a bulk query", is_read=True
            )
        except RemoteError as error:
            log.info("bulk query not removed", extra={"code": error.code})

    @property
    def _job_path(self) -> str:
        return f"jobs/query/{self._state['job']}"

    def _save(self) -> None:
        written = self._state_path.with_suffix(".new")
        written.write_bytes(orjson.dumps(self._state))
        written.replace(self._state_path)

    def _found(self) -> dict[str, Any]:
        """The state that an earlier run left, where it is of this query and its pages are there."""
        try:
            state: dict[str, Any] = orjson.loads(self._state_path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        is_whole = all((self._folder / page["file"]).is_file() for page in state["pages"])
        return state if state["soql"] == self._soql and is_whole else {}


def _text(job: Any, name: str) -> str:
    found = job.get(name) if isinstance(job, dict) else None
    if not isinstance(found, str) or not found.isalnum():
        raise RemoteError(f"Salesforce answered a bulk query without its {name}.")
    return found
