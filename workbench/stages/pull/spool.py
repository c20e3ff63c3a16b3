"""Pages on disk between the wire and the store, so that a killed pull goes on where it stopped.

One folder beside the database; per object an NDJSON file and a small state file that says how far it is good, and
where the next page is. The state is written after the rows; rows beyond it are cut off at the next start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import orjson

from workbench.errors import StoreBusy
from workbench.store.landing import Target

# Counted from the last page. Older ones describe another day; Salesforce keeps the place in a query for two.
MAX_AGE: Final = timedelta(hours=6)


class Spool:
    """The spool folder of one database, held by one pull at a time."""

    def __init__(self, database: Path) -> None:
        self.folder = Path(f"{database}.spool")
        self._lock = Path(f"{database}.pull.lock")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the spool. Raises StoreBusy where another pull does."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreBusy("Another pull into this database is running. Wait for it to finish.") from None
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # people's data, for this user only
            yield

    def open(self, name: str, plan: Mapping[str, Any], clock: Callable[[], datetime]) -> SpoolFile:
        """The spool file of one object: continued where it was begun by the same plan not long ago, else new."""
        return SpoolFile(self.folder, name, plan, clock)

    def parquet(self, target: Target) -> Path:
        """Where the typed rows of a landing table wait."""
        return self.folder / f"{target.schema}.{target.table}.parquet"

    def landed(self, name: str) -> None:
        """Remove what belongs to an object whose rows are in the store."""
        for path in self.folder.glob(f"{name}.*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class SpoolFile:
    """Rows of one object on disk. `next` is where the next page is, None at the start or when `is_done`."""

    def __init__(self, folder: Path, name: str, plan: Mapping[str, Any], clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.path = folder / f"{name}.ndjson"
        self.folder = folder / f"{name}.files"
        self._state_path = folder / f"{name}.state"
        state = self._found(plan)
        self.is_resumed = state is not None
        self._state = state or {
            "plan": dict(plan),
            "started_at": clock().isoformat(),
            "bytes": 0,
            "rows": 0,
            "extra": [],
        }
        if state is None:
            self.path.write_bytes(b"")
            shutil.rmtree(self.folder, ignore_errors=True)
            self._save()
        else:
            os.truncate(self.path, state["bytes"])
        self._file: IO[bytes] | None = None

    @property
    def started_at(self) -> datetime:
        """When the first page was asked for: changes are known up to then, and no further."""
        return datetime.fromisoformat(self._state["started_at"])

    @property
    def next(self) -> str | None:
        found: str | None = self._state.get("next")
        return found

    @property
    def is_done(self) -> bool:
        return bool(self._state.get("is_done"))

    @property
    def rows(self) -> int:
        return int(self._state["rows"])

    @property
    def extra(self) -> set[str]:
        """Names met in the rows that the plan did not know (custom fields that no catalogue lists)."""
        return set(self._state["extra"])

    def append(self, lines: bytes, rows: int, next_place: str | None, extra: Iterable[str] = ()) -> None:
        """Add one page (a line of JSON per row) and remember where the next one is; None ends the list."""
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(lines)
        self._file.flush()
        self._state["bytes"] += len(lines)
        self._state["rows"] += rows
        if new := {*extra}.difference(self._state["extra"]):
            self._state["extra"] = sorted(new.union(self._state["extra"]))
        self._state["next"] = next_place
        self._state["is_done"] = next_place is None
        self._save()

    def mark(self, place: str) -> None:
        """Remember where to go on before there are rows."""
        self._state["next"] = place
        self._save()

    def restart(self) -> None:
        """Forget all rows: the place to go on from is no longer known to the other side."""
        self.close()
        self.path.write_bytes(b"")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.is_resumed = False
        self._state |= {"started_at": self._clock().isoformat(), "bytes": 0, "rows": 0, "extra": [], "next": None}
        self._save()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _save(self) -> None:
        self._state["saved_at"] = self._clock().isoformat()
        written = self._state_path.with_suffix(".state-new")
        written.write_bytes(orjson.dumps(self._state))
        written.replace(self._state_path)

    def _found(self, plan: Mapping[str, Any]) -> dict[str, Any] | None:
        """The state of an earlier run with the same plan, where it got somewhere and not long ago."""
        try:
            state: dict[str, Any] = orjson.loads(self._state_path.read_bytes())
            size = self.path.stat().st_size
        except (OSError, orjson.JSONDecodeError):
            return None
        age = self._clock() - datetime.fromisoformat(state["saved_at"])
        is_good = state["plan"] == dict(plan) and timedelta(0) <= age < MAX_AGE and size >= state["bytes"]
        return state if is_good and (state.get("next") or state.get("is_done")) else None
