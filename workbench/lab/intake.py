"""Two exported files as if they had been pulled: typed, landed and described, without credentials or network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet

from workbench.domain.fields import (
    STANDARD_FIELDS,
    SalesforceField,
    column_type,
    mainstay_column_type,
)
from workbench.domain.salesforce_ids import full_id
from workbench.errors import ConfigurationError
from workbench.lab.columns import Guess, guess_columns
from workbench.lab.csv_file import CsvFile, filled, read_csv_file
from workbench.lab.csv_mapping import draft_mapping, mainstay_field, salesforce_field
from workbench.stages.pull.spool import Spool
from workbench.store import Store
from workbench.store.database import Statement
from workbench.store.landing import (
    CATALOGUE,
    Column,
    PullKey,
    Target,
    complete_pull,
    interrupt_pull,
    land_mainstay_fields,
    land_salesforce_fields,
    open_pull,
    replace_rows,
)
from workbench.store.quoting import identifier, literal
from workbench.store.spooled import Prepared, prepare_sql

STAMP: Final = "SystemModstamp"
# Columns beside those of the file: its ids in the form that both systems store. No header is called so.
_OWN_ID: Final = "\x01own id"
_CRM_ID: Final = "\x01crm id"
# What an export does not say of a contact, and a preview asks: as for an ordinary, reachable person.
_USUAL: Final[Mapping[str, str]] = {
    "archived": "false",
    "test_user": "false",
    "invalid_phone": "false",
    "permitted_user_status": "true",
}


@dataclass(frozen=True)
class Draft:
    """Two files, what their columns are taken for, and the mapping that follows; nothing is stored yet."""

    sobject: str
    salesforce: CsvFile
    mainstay: CsvFile
    salesforce_columns: tuple[Guess, ...]
    mainstay_columns: tuple[Guess, ...]
    mapping: str


@dataclass(frozen=True)
class Landed:
    """What the store holds now, and what was left out, in sentences."""

    records: int
    contacts: int
    notices: tuple[str, ...]


def draft(
    salesforce: Path,
    mainstay: Path,
    *,
    sobject: str = "Contact",
    salesforce_columns: Mapping[str, str] | None = None,
    mainstay_columns: Mapping[str, str] | None = None,
) -> Draft:
    """Read both files and guess their columns; header -> field settles a column (`-` leaves it out).

    Raises ConfigurationError where a file cannot be read or lacks its ids.
    """
    left, right = read_csv_file(salesforce), read_csv_file(mainstay)
    left_columns = guess_columns(left, "salesforce", salesforce_columns)
    right_columns = guess_columns(right, "mainstay", mainstay_columns)
    mapping = draft_mapping(sobject, left_columns, right_columns)
    return Draft(sobject, left, right, left_columns, right_columns, mapping)


def land(store: Store, draft: Draft, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Landed:
    """Replace the pulled records and contacts by those of the files. Raises StoreBusy while a pull runs."""
    spool = Spool(store.path)
    with spool.held():
        keys = (PullKey("salesforce", draft.sobject, "import"), PullKey("mainstay", "contact", "import"))
        pull_id = open_pull(store, keys, clock())
        landing = _Landing(store, draft, spool.folder, pull_id, keys, clock())
        try:
            records, notices = landing.records()
            contacts, more = landing.contacts()
        except BaseException:
            interrupt_pull(store, pull_id)
            raise
        spool.remove()
    return Landed(records, contacts, (*notices, *more))


@dataclass(frozen=True)
class _Landing:
    store: Store
    draft: Draft
    folder: Path
    pull_id: int
    keys: tuple[PullKey, PullKey]
    now: datetime

    @property
    def _moment(self) -> str:
        return f"CAST({literal(self.now.isoformat())} AS TIMESTAMPTZ)"

    def records(self) -> tuple[int, list[str]]:
        """Land the Salesforce side; how many rows, and what was left out."""
        file, sobject = self.draft.salesforce, self.draft.sobject
        guesses = {guess.field: guess for guess in self.draft.salesforce_columns if guess.field is not None}
        fields = {name: salesforce_field(guess) for name, guess in guesses.items()}
        ids = [full_id(cell) for cell in file.column(guesses["Id"].header)]
        values = {name: _value(file, guesses[name].header, field.type) for name, field in fields.items()}
        values |= {"Id": identifier(_OWN_ID), STAMP: values.get(STAMP, self._moment), "IsDeleted": "false"}
        values["LastModifiedDate"] = values[STAMP]
        described = {**{field.name: field for field in _ALWAYS}, **fields}
        columns = tuple(Column(name, column_type(described[name])) for name in values)
        target = Target("salesforce", sobject, "Id", columns, stamp=STAMP)
        prepared = self._prepare(file, {_OWN_ID: ids}, values, target)
        self._write(land_salesforce_fields(_catalogue(sobject, described.values()), {}, self.pull_id), prepared, 0)
        return prepared.rows, _notices(file, ids, prepared, "Salesforce")

    def contacts(self) -> tuple[int, list[str]]:
        """Land the Mainstay side; how many rows, and what was left out. Fields the export lacks are blank."""
        file = self.draft.mainstay
        headers = {guess.field: guess.header for guess in self.draft.mainstay_columns if guess.field is not None}
        fields = [mainstay_field(guess) for guess in self.draft.mainstay_columns if guess.field is not None]
        known = {field.path: field for field in (*STANDARD_FIELDS, *fields)}
        usual = {**_USUAL, "last_modified_at": self._moment}
        values = {
            path: _value(file, headers[path], "Text" if field.is_custom else field.data_type)
            if path in headers
            else usual.get(path, "NULL")
            for path, field in known.items()
        }
        ids = file.column(headers["id"])
        extra: dict[str, Sequence[str | None]] = {_OWN_ID: ids}
        if "crm_id" in headers:
            extra[_CRM_ID] = [full_id(cell) or cell for cell in file.column(headers["crm_id"])]
            values["crm_id"] = identifier(_CRM_ID)
        columns = tuple(Column(path, mainstay_column_type(field)) for path, field in known.items())
        target = Target("mainstay", "contact", "id", columns, stamp="last_modified_at")
        prepared = self._prepare(file, extra, values, target)
        self._write(land_mainstay_fields(list(known.values()), self.pull_id), prepared, 1)
        return prepared.rows, _notices(file, ids, prepared, "Mainstay")

    def _prepare(
        self, file: CsvFile, extra: Mapping[str, Sequence[str | None]], values: Mapping[str, str], target: Target
    ) -> Prepared:
        cells = {**dict(zip(file.header, file.columns, strict=True)), **extra}
        raw = self.folder / f"{target.schema}.{target.table}.cells.parquet"
        pyarrow.parquet.write_table(
            pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()}), raw
        )
        types = {column.name: column.type for column in target.columns}
        listed = ", ".join(f"CAST({value} AS {types[name]}) AS {identifier(name)}" for name, value in values.items())
        source = f"read_parquet({literal(str(raw))}) WHERE {identifier(_OWN_ID)} IS NOT NULL"
        return prepare_sql(f"SELECT {listed} FROM {source}", target, self.pull_id, self.folder)  # noqa: S608  quoted

    def _write(self, described: tuple[Sequence[Statement], pa.Table], prepared: Prepared, side: int) -> None:
        if not prepared.rows:
            raise ConfigurationError(
                f"{self.keys[side].system}: the file holds no record with an id. Nothing was kept."
            )
        statements, catalogue = described
        completing = complete_pull(self.pull_id, self.keys[side], prepared.target, self.now, None)
        landing = [*statements, *replace_rows(prepared.target), completing]
        self.store.write(*landing, tables={CATALOGUE: catalogue, **prepared.tables})


_ALWAYS: Final = (
    SalesforceField(STAMP, type="datetime", createable=False, updateable=False),
    SalesforceField("LastModifiedDate", type="datetime", createable=False, updateable=False),
    SalesforceField("IsDeleted", type="boolean", createable=False, updateable=False),
)


def _catalogue(sobject: str, fields: Iterable[SalesforceField]) -> dict[str, list[SalesforceField]]:
    """The described fields by object: lookup columns (`Account.Name`) belong to the parents they come from."""
    described = list(fields)
    own = [field for field in described if not field.is_lookup]
    if len(own) == len(described):
        return {sobject: own}
    name = next(replace(field, name="Name") for field in described if field.is_lookup)
    return {
        sobject: [*own, _reference("AccountId", "Account")],
        "Account": [name, _reference("ParentId", "Parent")],
    }


def _reference(name: str, relationship: str) -> SalesforceField:
    return SalesforceField(name, type="reference", length=18, reference_to=("Account",), relationship_name=relationship)


def _value(file: CsvFile, header: str, kind: str) -> str:
    """SQL that reads a column as its type; what does not fit becomes null."""
    cell = identifier(header)
    if kind == "boolean":
        return f"lower({cell}) IN ('1', 'true', 'yes')"
    if kind in ("double", "integer"):
        return f"TRY_CAST(replace({cell}, ',', '') AS {'DOUBLE' if kind == 'double' else 'BIGINT'})"
    if kind == "date":
        return (
            f"coalesce(TRY_CAST({cell} AS DATE), CAST(TRY_STRPTIME({cell}, {literal(_order(file, header))}) AS DATE))"
        )
    if kind == "datetime":
        forms = ", ".join(
            literal(f"{_order(file, header)}{rest}") for rest in (" %H:%M", ", %I:%M %p", " %I:%M %p", "")
        )
        return f"coalesce(TRY_CAST({cell} AS TIMESTAMPTZ), CAST(TRY_STRPTIME({cell}, [{forms}]) AS TIMESTAMPTZ))"
    if kind == "list":
        return f"list_transform(string_split({cell}, ','), one -> trim(one))"
    return cell


def _order(file: CsvFile, header: str) -> str:
    """Month first, as in the United States, unless a first number above 12 says otherwise."""
    firsts = [cell.split("/")[0] for cell in filled(file.column(header)) if "/" in cell]
    is_day_first = any(first.isdigit() and int(first) > 12 for first in firsts)
    return "%d/%m/%Y" if is_day_first else "%m/%d/%Y"


def _notices(file: CsvFile, ids: Sequence[str | None], prepared: Prepared, system: str) -> list[str]:
    lost = sum(one is None for one in ids)
    found = []
    if file.skipped:
        found.append(
            f"{system}: {file.skipped} lines of {file.path.name} were no records (a report's title and footer)."
        )
    if file.damaged:
        found.append(
            f"{system}: {', '.join(file.damaged)} of {file.path.name} holds numbers such as 4.04555E+09: their last "
            "digits are lost. Format the column as text and export again; trust no match by it."
        )
    if lost:
        found.append(f"{system}: {lost} rows without a usable id were left out.")
    if prepared.repeated:
        found.append(f"{system}: {prepared.repeated} rows repeated an id; the latest counts.")
    return [*found, *prepared.notices]
