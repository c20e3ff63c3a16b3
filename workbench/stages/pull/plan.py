"""Which objects and columns a pull fetches from Salesforce: what is wanted, what it stands on, and what always comes.

A lookup path is fetched in the query of its own object; the parents on it become objects of the pull too, with the
reference field that leads to them, so that fan-out can be counted. Formulas are computed on read and leave no stamp:
the parents they look at are watched for changes, and an object with a formula of the clock is always read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workbench.domain.fields import SalesforceField, column_type
from workbench.errors import ConfigurationError, RemoteError
from workbench.salesforce.describe import ResolvedPath, SObject, resolve_path
from workbench.stages.pull.formulas import FormulaSources
from workbench.store.landing import Column, Target

ALWAYS: Final = ("Id", "SystemModstamp", "LastModifiedDate", "IsDeleted", "CreatedDate", "Name")
STAMP: Final = "SystemModstamp"
# Compound and binary values come apart from their record or not at all.
NOT_FETCHED: Final = frozenset({"address", "location", "base64", "complexvalue"})


@dataclass(frozen=True)
class ObjectPlan:
    """One object of the pull.

    `parents` are the relationship paths its values come through (`Account.Parent`); `is_by_clock` says that a formula
    changes with the time of day, without any record being saved.
    """

    sobject: str
    fields: tuple[SalesforceField, ...]
    parents: tuple[str, ...]
    is_by_clock: bool = False

    @property
    def target(self) -> Target:
        names = {field.name for field in self.fields}
        return Target(
            "salesforce",
            self.sobject,
            "Id",
            tuple(Column(field.name, column_type(field)) for field in self.fields),
            stamp=STAMP if STAMP in names else None,
            deleted="IsDeleted" if "IsDeleted" in names else None,
        )

    def soql(self, since: datetime | None = None) -> str:
        """The query of this object; with `since`, only what it or a parent it shows changed from then on."""
        text = f"SELECT {', '.join(field.name for field in self.fields)} FROM {self.sobject}"  # noqa: S608  SOQL
        if since is None:
            return text
        moment = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        paths = [STAMP, *(f"{parent}.{STAMP}" for parent in self.parents)]
        return f"{text} WHERE {' OR '.join(f'{path} >= {moment}' for path in paths)}"

    @property
    def count_soql(self) -> str:
        return f"SELECT COUNT() FROM {self.sobject}"  # noqa: S608  SOQL; the name is describe's own


@dataclass(frozen=True)
class Plan:
    """All objects of a pull, the catalogue they were planned on, and what had to be left out."""

    objects: tuple[ObjectPlan, ...]
    described: Mapping[str, SObject]
    problems: tuple[str, ...]


def plan_objects(wanted: Mapping[str, Sequence[str]], describe: Callable[[str], SObject]) -> Plan:
    """Plan the pull of the wanted field paths. What does not exist becomes a problem, not a failure."""
    drafts = _Drafts(describe)
    for sobject, paths in wanted.items():
        drafts.add_object(sobject, paths)
    return Plan(tuple(drafts.plans()), drafts.described, tuple(dict.fromkeys(drafts.problems)))


class _Drafts:
    """Objects under planning; parents are added while their children are."""

    def __init__(self, describe: Callable[[str], SObject]) -> None:
        self._ask = describe
        self.described: dict[str, SObject] = {}
        self.problems: list[str] = []
        self._fields: dict[str, dict[str, SalesforceField]] = {}
        self._parents: dict[str, dict[str, None]] = {}

    def describe(self, sobject: str) -> SObject:
        for known in self.described.values():
            if known.name.lower() == sobject.lower():
                return known
        found = self._ask(sobject)
        self.described[found.name] = found
        return found

    def add_object(self, sobject: str, paths: Sequence[str]) -> None:
        try:
            found = self.describe(sobject)
        except RemoteError as error:
            if error.code not in {"NOT_FOUND", "INVALID_TYPE"}:
                raise
            self.problems.append(f"{sobject}: this org has no such object, or this user may not see it.")
            return
        if not found.is_queryable:
            self.problems.append(f"{found.name}: this object cannot be queried.")
            return
        self._draft(found)
        for path in paths:
            self._add_path(found.name, path)

    def plans(self) -> list[ObjectPlan]:
        return [self._plan(sobject, fields) for sobject, fields in list(self._fields.items())]

    def _plan(self, sobject: str, fields: Mapping[str, SalesforceField]) -> ObjectPlan:
        sources = FormulaSources(self.describe)
        for path in fields:
            sources.follow(sobject, path)
        watched = [".".join(parent) for parent in sources.parents]
        parents = dict.fromkeys([*self._parents[sobject], *sorted(watched)])
        return ObjectPlan(sobject, tuple(fields.values()), tuple(parents), sources.is_by_clock)

    def _draft(self, sobject: SObject) -> None:
        if sobject.name in self._fields:
            return
        always = [sobject.field(name) for name in ALWAYS]
        self._fields[sobject.name] = {field.name: field for field in always if field is not None}
        self._parents[sobject.name] = {}

    def _add_path(self, sobject: str, path: str) -> None:
        try:
            resolved = resolve_path(path, sobject, self.describe)
        except ConfigurationError as error:
            self.problems.append(str(error))
            return
        if resolved.field.type in NOT_FETCHED:
            self.problems.append(f"{sobject}.{path}: a field of type {resolved.field.type} is not fetched.")
            return
        self._fields[sobject][resolved.field.name] = resolved.field
        if resolved.steps:
            self._add_parents(sobject, resolved)

    def _add_parents(self, sobject: str, resolved: ResolvedPath) -> None:
        """The reference field of the first step here, and the rest of the path on the parent itself."""
        _, reference, parent = resolved.steps[0]
        self._fields[sobject].setdefault(reference.name, reference)
        relationships = resolved.field.name.split(".")[:-1]
        for depth in range(1, len(relationships) + 1):
            self._parents[sobject][".".join(relationships[:depth])] = None
        self._draft(self.describe(parent))
        self._add_path(parent, resolved.field.name.split(".", 1)[1])
