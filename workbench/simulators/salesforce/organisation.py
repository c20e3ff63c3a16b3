"""One Salesforce organisation in memory: its records, its fields, its users' sessions and its request log."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import pyarrow as pa

from workbench.simulators.salesforce.duplicates import DuplicateRule
from workbench.simulators.salesforce.ids import MADE, long_id, made_id
from workbench.simulators.salesforce.reading import given_from_json
from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.request_log import RequestLog
from workbench.simulators.salesforce.results import QueryResult
from workbench.simulators.salesforce.saving import Given, Rule, Saved, Saving
from workbench.simulators.salesforce.schema import Field, Schema, SObject
from workbench.simulators.salesforce.sessions import Credentials, Sessions
from workbench.simulators.salesforce.soql_parse import Statement, parse
from workbench.simulators.salesforce.soql_sql import Translated, Wire, translate
from workbench.simulators.salesforce.tables import Tables

ORG_ID: Final = "00DWb0000000001MAA"
USER_ID: Final = "005Wb0000000001IAA"
PAGE_SIZE: Final = 2000
_CURSOR_LIMIT: Final = 50  # open result sets kept; older locators become invalid, as after two days
_OWN: Final = frozenset({"User", "Organization", "RecordType"})
_TICK: Final = timedelta(milliseconds=1)


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class SavedOrg:
    """A moment to return to."""

    tables: Mapping[str, pa.Table]


class SalesforceOrg:
    """One organisation behind one login.

    `records`: object name -> records, columns = API names of stored fields (`workbench.simulators.world.World`).
    `clock` gives the moment of each save; two saves never get the same one. `daily_requests`: the allowance of a day.
    `jwt_public_key`: PEM; without one the JWT bearer flow is refused. `seed`: of the tokens.
    `bulk_seconds`: how long a bulk job is seen in work, at least; per batch of 10,000 rows for an ingest job.
    """

    def __init__(
        self,
        records: Mapping[str, pl.DataFrame],
        *,
        org_id: str = ORG_ID,
        username: str = Credentials.username,
        password: str = Credentials.password,
        security_token: str = Credentials.security_token,
        client_id: str = Credentials.client_id,
        client_secret: str = Credentials.client_secret,
        access_token: str | None = None,
        jwt_public_key: str | None = None,
        clock: Callable[[], datetime] = system_clock,
        daily_requests: int = 1_000_000,
        bulk_seconds: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.org_id, self.user_id = long_id(org_id), USER_ID
        self.credentials = Credentials(username, password, security_token, client_id, client_secret, jwt_public_key)
        self.sessions = Sessions(self.org_id, access_token, seed)
        self.clock = clock
        self.daily_requests, self.used_requests = daily_requests, 0
        self.bulk_seconds = bulk_seconds
        self.bulk_failures = 0  # so many of the next ingest jobs fail half way
        self.rules: dict[str, list[Rule]] = {}
        self.duplicate_rules: dict[str, list[DuplicateRule]] = {}
        self.workers: list[threading.Thread] = []
        self.is_closed = False
        self.lock = threading.RLock()
        self.log = RequestLog()
        self.schema = Schema()
        self.jobs: dict[str, Any] = {}
        self.old_jobs: dict[str, Any] = {}  # of Bulk API 1.0
        self._is_undoable = self._is_undone = False
        self._last_stamp = datetime.min  # noqa: DTZ901  stamps are kept as UTC without a zone
        self._made: dict[str, int] = {}
        self._cursors: OrderedDict[str, QueryResult] = OrderedDict()
        self.schema.learn(records)
        self.tables = Tables(
            self.schema, {**self._own_records(records), **records}, user_id=self.user_id, now=self._stamp()
        )
        self._given_ids = {name: _looking_made(frame) for name, frame in records.items()}

    @property
    def access_token(self) -> str:
        """The token in force from the start, as `00D...!...`."""
        return self.sessions.first

    def query(self, soql: str, *, has_deleted: bool = False, wire: Wire = "rest") -> QueryResult:
        """All rows of a SOQL statement; `has_deleted` sees the recycle bin too. Raises RequestRefused."""
        statement = parse(soql)
        with self.lock:
            plan = self._plan(statement, has_deleted=has_deleted, wire=wire)
            frame = self.tables.frame(plan.sql)
        if plan.kind != "count":
            return QueryResult(plan, frame, frame.height)
        count = max(int(frame.item()) - statement.offset, 0)
        return QueryResult(plan, frame.clear(), count if statement.limit is None else min(count, statement.limit))

    def bulk_plan(self, statement: Statement, *, has_deleted: bool) -> Translated:
        """How a bulk query job will read its rows. Raises RequestRefused."""
        with self.lock:
            return self._plan(statement, has_deleted=has_deleted, wire="bulk")

    def _plan(self, statement: Statement, *, has_deleted: bool, wire: Wire) -> Translated:
        return translate(statement, self.schema, today=self.clock().date(), has_deleted=has_deleted, wire=wire)

    def keep_cursor(self, result: QueryResult) -> str:
        """A locator under which the result's later pages can be asked for."""
        with self.lock:
            locator = self.next_id("01g")
            self._cursors[locator] = result
            while len(self._cursors) > _CURSOR_LIMIT:
                self._cursors.popitem(last=False)
            return locator

    def cursor(self, locator: str) -> QueryResult:
        found = self._cursors.get(locator)
        if found is None:
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return found

    def save(
        self, given: Sequence[Given], *, all_or_none: bool = False, allows_duplicates: bool = False
    ) -> list[Saved]:
        """Create or update records of one object; `allows_duplicates` as in the header of that name."""
        with self.lock:
            return self._saving(allows_duplicates=allows_duplicates).save(given, all_or_none=all_or_none)

    def delete(self, sobject: SObject, ids: Sequence[str | None], *, all_or_none: bool = False) -> list[Saved]:
        with self.lock:
            return self._saving().delete(sobject, ids, all_or_none=all_or_none)

    def edit(self, object_name: str, record_id: str | None, changes: Mapping[str, Any]) -> str:
        """What a person does in the Salesforce screens: update a record, or create one for `record_id` None.

        Returns the record's id. Raises ValueError with Salesforce's refusals.
        """
        sobject = self.schema[object_name]
        known_id = None if record_id is None else long_id(record_id)
        given = given_from_json(self.schema, sobject, known_id, dict(changes))
        [saved] = self.save([given])
        if saved.record_id is None or not saved.is_success:
            raise ValueError("; ".join(f"{refusal.code}: {refusal.message}" for refusal in saved.refusals))
        return saved.record_id

    def records(self, object_name: str) -> pl.DataFrame:
        """Every stored record of an object, deleted ones too."""
        with self.lock:
            return pl.DataFrame(self.tables.arrow(self.schema[object_name]))

    def all_records(self) -> dict[str, pl.DataFrame]:
        """`records` of every object that has some; users, record types and the organisation are made anew."""
        found = {sobject.name: self.records(sobject.name) for sobject in self.schema if sobject.name not in _OWN}
        return {name: frame for name, frame in found.items() if frame.height}

    def add_field(self, object_name: str, shape: Mapping[str, Any]) -> None:
        """A new field, as an administrator makes one; `shape` from `field_shapes`."""
        with self.lock:
            sobject = self.schema[object_name]
            sobject.add([shape])
            found = Field(shape)
            if not sobject.is_computed(found):
                self.tables.add_column(sobject, found)

    def add_rule(self, object_name: str, rule: Rule) -> None:
        """A validation rule, trigger or flow of the institution: `rule(record)` gives a Refusal or None.

        It sees each record as it would be after the save, and runs after Salesforce's own checks.
        """
        self.rules.setdefault(self.schema[object_name].name, []).append(rule)

    def add_duplicate_rule(self, object_name: str, rule: DuplicateRule) -> None:
        """A duplicate rule of the institution; it runs after the validation rules."""
        self.duplicate_rules.setdefault(self.schema[object_name].name, []).append(rule)

    def hide_field(self, object_name: str, name: str, *, is_hidden: bool = True) -> None:
        """Field-level security: the field vanishes from describe, queries and writes for this user, or returns."""
        hidden = self.schema[object_name].hidden
        if is_hidden:
            hidden.add(name.lower())
        else:
            hidden.discard(name.lower())

    def expire_sessions(self) -> None:
        """End every token; the next request meets 401 until a login."""
        self.sessions.expire()

    def saved(self) -> SavedOrg:
        with self.lock:
            return SavedOrg({sobject.name: self.tables.arrow(sobject) for sobject in self.schema})

    def restore(self, saved: SavedOrg) -> None:
        with self.lock:
            for name, table in saved.tables.items():
                self.tables.replace(self.schema[name], table)

    def next_id(self, key_prefix: str) -> str:
        with self.lock:
            self._made[key_prefix] = self._made.get(key_prefix, 0) + 1
            return made_id(key_prefix, self._made[key_prefix])

    @contextmanager
    def undoable(self) -> Iterator[Callable[[], None]]:
        """Hold the organisation for several saves; the function given takes them back, and so does an exception."""
        with self.lock:
            if self._is_undoable:  # inside another: the outermost decides
                yield self._undo
                return
            self._is_undoable, self._is_undone = True, False
            self.tables.begin()
            try:
                yield self._undo
            except BaseException:
                self._is_undone = True
                raise
            finally:
                self._is_undoable = False
                self.tables.end(is_kept=not self._is_undone)

    def _undo(self) -> None:
        self._is_undone = True

    def close(self) -> None:
        """Stop working on bulk jobs and let the records go."""
        self.is_closed = True
        for worker in self.workers:
            worker.join(timeout=30)
        with self.lock:
            self.tables.close()

    def wire_now(self) -> str:
        """The clock's moment as JSON shows it."""
        moment = self.now()
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"

    def now(self) -> datetime:
        """The clock's moment in UTC without a zone, as stamps are kept."""
        return self.clock().astimezone(UTC).replace(tzinfo=None)

    def _stamp(self) -> datetime:
        """The moment of a save: the clock's, or a millisecond after the last one."""
        moment = self.now()
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        self._last_stamp = moment if moment > self._last_stamp else self._last_stamp + _TICK
        return self._last_stamp

    def _saving(self, *, allows_duplicates: bool = False) -> Saving:
        return Saving(
            self.schema,
            self.tables,
            stamp=self._stamp(),
            user_id=self.user_id,
            make_id=self._record_id,
            rules=self.rules,
            duplicate_rules=self.duplicate_rules,
            allows_duplicates=allows_duplicates,
        )

    def _record_id(self, sobject: SObject) -> str:
        """The next id that no given record has already."""
        while True:
            record_id = self.next_id(sobject.key_prefix)
            if record_id not in self._given_ids.get(sobject.name, ()):
                return record_id

    def _own_records(self, records: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """The organisation, its record types, and the users: who logs in, and whoever the records name."""
        people = [self.user_id, *sorted(_named_users(records) - {self.user_id})]
        users = [
            {"Id": user_id, "Username": f"user{number}@example.edu" if number else self.credentials.username,
             "LastName": f"Colleague {number}" if number else "Admin", "FirstName": "Sandbox", "IsActive": True,
             "Email": f"user{number}@example.edu", "Alias": f"user{number}", "UserType": "Standard",
             "TimeZoneSidKey": "America/New_York", "LocaleSidKey": "en_US"}
            for number, user_id in enumerate(people)
        ]  # fmt: skip
        organization = {"Id": self.org_id, "Name": "Sandbox University", "OrganizationType": "Developer Edition",
                        "InstanceName": "WB1", "IsSandbox": True, "TimeZoneSidKey": "America/New_York",
                        "LanguageLocaleKey": "en_US"}  # fmt: skip
        return {
            "User": pl.DataFrame(users),
            "Organization": pl.DataFrame([organization]),
            "RecordType": pl.DataFrame(self.schema.record_types()),
        }


def _looking_made(frame: pl.DataFrame) -> frozenset[str]:
    """The given ids that could have been made here, as those of an organisation saved earlier."""
    ids = frame["Id"].cast(pl.String)
    return frozenset(long_id(text) for text in ids.filter(ids.str.slice(3).str.starts_with(MADE)))


def _named_users(records: Mapping[str, pl.DataFrame]) -> set[str]:
    found: set[str] = set()
    for frame in records.values():
        for name in ("OwnerId", "CreatedById", "LastModifiedById"):
            if name in frame.columns:
                found.update(long_id(text) for text in frame[name].drop_nulls().unique() if text[:3] == "005")
    return found
