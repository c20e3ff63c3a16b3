"""Writes: records are checked one after the other as Salesforce checks them, then saved in one set.

Source: Salesforce wire reference, sections 3, 4, 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from workbench.simulators.salesforce.duplicates import DuplicateRule
from workbench.simulators.salesforce.field_values import stored_value
from workbench.simulators.salesforce.ids import long_id
from workbench.simulators.salesforce.refusals import RecordRefused, Refusal, record_refused
from workbench.simulators.salesforce.schema import Field, Schema, SObject
from workbench.simulators.salesforce.tables import Row, Tables

Rule = Callable[[Row], Refusal | None]

STAMPS: Final = ("LastModifiedDate", "LastModifiedById", "SystemModstamp")
ROLLED_BACK: Final = Refusal(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


@dataclass(frozen=True)
class Given:
    """One record as a request brings it: `changes` are typed values by canonical field name, None clears.

    `record_id` None creates. `parents`: lookups told by the parent's external id: (lookup, key field, value).
    `refusals`: what was wrong before the record was looked at.
    """

    sobject: SObject
    record_id: str | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[tuple[Field, Field, Any], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    status: int = 400


@dataclass(frozen=True)
class Saved:
    """What became of one given record, in the order of the request."""

    record_id: str | None
    is_created: bool = False
    refusals: tuple[Refusal, ...] = ()
    status: int = 200

    @property
    def is_success(self) -> bool:
        return not self.refusals


class Saving:
    """One call's records of one object. `stamp` is the moment of the save, `make_id` gives the next free id.

    `rules` and `duplicate_rules`: the institution's own, by object name. With `allows_duplicates` only blocking ones of
    the latter refuse.
    """

    def __init__(
        self,
        schema: Schema,
        tables: Tables,
        *,
        stamp: datetime,
        user_id: str,
        make_id: Callable[[SObject], str],
        rules: Mapping[str, Sequence[Rule]],
        duplicate_rules: Mapping[str, Sequence[DuplicateRule]],
        allows_duplicates: bool,
    ) -> None:
        self._rules = rules
        self._duplicate_rules = duplicate_rules
        self._allows_duplicates = allows_duplicates
        self._schema = schema
        self._tables = tables
        self._stamp = stamp
        self._user_id = user_id
        self._make_id = make_id

    def save(self, given: Sequence[Given], *, all_or_none: bool = False) -> list[Saved]:
        """Create and update; every record of one object. Nothing is kept where `all_or_none` and one is refused."""
        if not given:
            return []
        checked = _Checked(self._schema, self._tables, given)
        saved = [self._one(record, checked) for record in given]
        if all_or_none and not all(outcome.is_success for outcome in saved):
            return [
                Saved(None, refusals=(ROLLED_BACK,), status=400) if outcome.is_success else outcome for outcome in saved
            ]
        sobject = given[0].sobject
        self._tables.insert(sobject, [checked.known[record_id] for record_id in checked.created])
        updated = [checked.known[record_id] for record_id in checked.updated if record_id not in checked.created]
        self._tables.update(sobject, updated, sorted({*checked.changed_names, *STAMPS}) if updated else ())
        return saved

    def _one(self, given: Given, checked: _Checked) -> Saved:
        is_created = given.record_id is None
        try:
            if given.refusals:
                raise RecordRefused(given.refusals, given.status)
            row = self._new_row(given.sobject) if is_created else checked.existing(given.record_id)
            changes = checked.accepted(given, row)
            after = {**row, **changes, **self._stamps()}
            self._check_rules(given.sobject, after)
        except RecordRefused as refusal:
            return Saved(given.record_id, refusals=refusal.refusals, status=refusal.status)
        checked.keep(after, changes, is_created=is_created)
        return Saved(row["Id"], is_created=is_created, status=201 if is_created else 200)

    def _check_rules(self, sobject: SObject, after: Row) -> None:
        broken = [refusal for rule in self._rules.get(sobject.name, ()) if (refusal := rule(after)) is not None]
        if broken:
            raise RecordRefused(broken)
        for rule in self._duplicate_rules.get(sobject.name, ()):
            if rule.is_blocking or not self._allows_duplicates:
                refusal = rule.refusal(self._tables, sobject, after)
                if refusal is not None:
                    raise RecordRefused([refusal])

    def _stamps(self) -> Row:
        return {"LastModifiedDate": self._stamp, "LastModifiedById": self._user_id, "SystemModstamp": self._stamp}

    def _new_row(self, sobject: SObject) -> Row:
        row: Row = {}
        for found in sobject.stored:
            row[found.name] = found.default if found.type != "boolean" else bool(found.default)
        owner = {"OwnerId": self._user_id} if "ownerid" in sobject.by_name else {}
        created = {"CreatedDate": self._stamp, "CreatedById": self._user_id}
        record_id = self._make_id(sobject)
        name = {"Name": record_id} if sobject.has_default_name else {}
        return {**row, **owner, **created, **self._stamps(), **name, "Id": record_id}

    def delete(self, sobject: SObject, ids: Sequence[str | None], *, all_or_none: bool = False) -> list[Saved]:
        """Move records to the recycle bin, their cascading children too; other lookups to them become blank."""
        rows = self._tables.rows(sobject, (record_id for record_id in ids if record_id))
        saved, gone = [], []
        for record_id in ids:
            row = rows.get(record_id or "")
            if row is None:
                refusal = Refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
                saved.append(Saved(record_id, refusals=(refusal,), status=404))
            elif row["IsDeleted"] or record_id in gone:
                refusal = Refusal("ENTITY_IS_DELETED", "entity is deleted")
                saved.append(Saved(record_id, refusals=(refusal,), status=404))
            else:
                gone.append(record_id)
                saved.append(Saved(record_id))
        if all_or_none and not all(outcome.is_success for outcome in saved):
            return [Saved(s.record_id, refusals=(ROLLED_BACK,), status=400) if s.is_success else s for s in saved]
        self._bin(sobject, [record_id for record_id in gone if record_id])
        return saved

    def _bin(self, sobject: SObject, ids: Sequence[str]) -> None:
        if not ids:
            return
        stamped = {**self._stamps(), "IsDeleted": True}
        names = [name for name in stamped if name.lower() in sobject.by_name]
        self._tables.update(sobject, [{"Id": record_id, **stamped} for record_id in ids], names)
        for child, reference, is_cascading in self._schema.references_to(sobject.name):
            if reference.name == "MasterRecordId":
                continue
            hanging = [row for row in self._tables.where(child, reference.name, ids) if not row.get("IsDeleted")]
            if is_cascading:
                self._bin(child, [row["Id"] for row in hanging])
            else:
                blanked = [{"Id": row["Id"], reference.name: None} for row in hanging]
                self._tables.update(child, blanked, [reference.name])


class _Checked:
    """What is known while one call's records are checked in order: a later record sees the earlier ones."""

    def __init__(self, schema: Schema, tables: Tables, given: Sequence[Given]) -> None:
        self._schema = schema
        self._tables = tables
        self.sobject = given[0].sobject
        self._required = [found for found in self.sobject.stored if found.is_required_on_create]
        self.known: dict[str, Row] = tables.rows(self.sobject, (g.record_id for g in given if g.record_id))
        self.created: list[str] = []
        self.updated: dict[str, None] = {}
        self.changed_names: set[str] = set()
        self._owners = self._unique_owners(given)
        self._parents = self._known_parents(given)

    def existing(self, record_id: str | None) -> Row:
        row = self.known.get(record_id or "")
        if row is None:
            raise record_refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
        if row.get("IsDeleted"):
            raise record_refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def accepted(self, given: Given, row: Row) -> Row:
        """The stored values of a record's changes. Raises RecordRefused with every problem of its kind."""
        is_created = given.record_id is None
        changes = {**given.changes, **self._from_parents(given.parents)}
        self._check_rights(given.sobject, changes, is_created=is_created)
        self._check_required(changes, is_created=is_created)
        refusals: list[Refusal] = []
        stored: Row = {}
        for name, value in changes.items():
            found = given.sobject.by_name[name.lower()]
            try:
                kept = stored_value(self._schema, found, value)
                if found.is_id and kept is not None:
                    self._check_parent(found, kept)
            except RecordRefused as refusal:
                refusals += refusal.refusals
            else:
                stored[name] = bool(found.default) if kept is None and found.type == "boolean" else kept
        if refusals:
            raise RecordRefused(refusals)
        self._check_unique(stored, row["Id"])
        return stored

    def keep(self, row: Row, changes: Row, *, is_created: bool) -> None:
        record_id = row["Id"]
        before = self.known.get(record_id, {})
        self.known[record_id] = row
        for name, owners in self._owners.items():
            if name in changes:
                owners.pop(_folded(before.get(name)), None)
                if row[name] is not None:
                    owners[_folded(row[name])] = record_id
        if is_created:
            self.created.append(record_id)
        else:
            self.updated[record_id] = None
            self.changed_names.update(changes)

    def _check_rights(self, sobject: SObject, changes: Mapping[str, Any], *, is_created: bool) -> None:
        barred = []
        for name in changes:
            found = sobject.by_name[name.lower()]
            if not (found.is_createable if is_created else found.is_updateable):
                barred.append(found.name)
        if barred:
            raise record_refused(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(barred)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                *barred,
            )

    def _check_required(self, changes: Mapping[str, Any], *, is_created: bool) -> None:
        missing = []
        for found in self._required:
            is_absent = is_created and found.name not in changes
            if is_absent or (found.name in changes and changes[found.name] is None):
                missing.append(found.name)
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise record_refused("REQUIRED_FIELD_MISSING", message, *missing)

    def _check_unique(self, stored: Row, record_id: str) -> None:
        for name, owners in self._owners.items():
            owner = owners.get(_folded(stored.get(name)))
            if stored.get(name) is not None and owner is not None and owner != record_id:
                message = f"duplicate value found: {name} duplicates value on record with id: {owner[:15]}"
                raise record_refused("DUPLICATE_VALUE", message, name)

    def _check_parent(self, found: Field, parent_id: str) -> None:
        known = self._parents.get(parent_id[:3])
        if known is None:
            return  # the organisation does not hold objects of that kind, so nobody can tell
        if parent_id not in known:
            raise record_refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", found.name)
        if known[parent_id]:
            raise record_refused("ENTITY_IS_DELETED", "entity is deleted", found.name)

    def _unique_owners(self, given: Sequence[Given]) -> dict[str, dict[Any, str]]:
        """For each unique field that the call writes: which living record has which of the written values."""
        owners: dict[str, dict[Any, str]] = {}
        for found in self.sobject.stored:
            values = [g.changes[found.name] for g in given if g.changes.get(found.name) is not None]
            if found.is_unique and values:
                rows = self._tables.where(self.sobject, found.name, values)
                owners[found.name] = {_folded(row[found.name]): row["Id"] for row in rows if not row.get("IsDeleted")}
        return owners

    def _known_parents(self, given: Sequence[Given]) -> dict[str, dict[str, bool]]:
        """Of every object that the call's lookups lead to, by key prefix: the ids that exist and whether deleted."""
        wanted: dict[str, list[str]] = {}
        for record in given:
            for name, value in record.changes.items():
                found = self.sobject.by_name[name.lower()]
                if found.is_id and isinstance(value, str) and len(value) in (15, 18):
                    wanted.setdefault(value[:3], []).append(value[:15])
        known: dict[str, dict[str, bool]] = {}
        for prefix, ids in wanted.items():
            target = self._schema.by_prefix(prefix)
            if target is not None:
                rows = self._tables.rows(target, (long_id(short) for short in ids))
                known[prefix] = {record_id: bool(row.get("IsDeleted")) for record_id, row in rows.items()}
        return known

    def _from_parents(self, parents: Iterable[tuple[Field, Field, Any]]) -> Row:
        """The ids of parents told by an external id, as `{"Account": {"Ext__c": "7"}}` tells them."""
        found: Row = {}
        for reference, key, value in parents:
            target = self._schema.target(reference)
            assert target is not None
            rows = [row for row in self._tables.where(target, key.name, [value]) if not row.get("IsDeleted")]
            if len(rows) != 1:
                message = f"Foreign key external ID: {value} not found for field {key.name} in entity {target.name}"
                raise record_refused("INVALID_FIELD", message)
            found[reference.name] = rows[0]["Id"]
            self._parents.setdefault(target.key_prefix, {})[rows[0]["Id"]] = False
        return found


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
