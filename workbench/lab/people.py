"""The people of both systems side by side, canonical and text only, in a scratch database of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from workbench.domain.fields import STANDARD_BY_NAME
from workbench.domain.mapping import SObjectMapping
from workbench.engine.rules_sql import install_rules
from workbench.errors import ConfigurationError
from workbench.store import Store
from workbench.store.mappings import current_mapping
from workbench.store.quoting import identifier

# How a kind of value is compared; `{}` is the raw text. What a macro refuses is compared as it was written.
_CANONICAL: Final = {
    "phone": "coalesce(canon_phone({0}), {0})",
    "email": "lower({0})",
    "date": "coalesce(canon_date({0}), {0})",
    "number": "coalesce(canon_number({0}), {0})",
    "truth": "coalesce(canon_truth({0}), {0})",
    "name": "regexp_replace(lower(strip_accents({0})), '[^\\pL\\pN]+', ' ', 'g')",
    "text": "regexp_replace(lower(strip_accents({0})), '[[:space:]]+', ' ', 'g')",
    "id": "{0}",
}
_KIND_OF_TYPE: Final = {
    "phone": "phone",
    "Phone": "phone",
    "email": "email",
    "Date": "date",
    "Number": "number",
    "True/False": "truth",
}
_NAMES: Final = frozenset({"first_name", "last_name", "preferred_name"})
_IDENTIFYING: Final = re.compile(r"(^|_)(id|number|ssn|ssid)$")
# Without a mapping: the columns that both systems have of themselves.
_USUAL: Final = (
    ("MobilePhone", "phone"),
    ("Email", "email"),
    ("FirstName", "first_name"),
    ("LastName", "last_name"),
)


@dataclass(frozen=True)
class Attribute:
    """Something both systems know of a person. `kind` says how it is compared: phone, email, date, name, id ..."""

    name: str
    salesforce: str
    mainstay: str
    kind: str = "text"


CRM_ID: Final = Attribute("crm_id", "Id", "crm_id", "id")


class People:
    """Tables work.record and work.contact: id and one canonical text column per attribute; blanks are null."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self.attributes = tuple(attributes)
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute("CREATE SCHEMA work")
        install_rules(self.con)

    @classmethod
    def from_store(cls, store: Store, sobject: str = "Contact") -> People:
        """The latest pull, compared by what the mapping maps.

        Raises ConfigurationError before the first pull, and for an object that is not mapped.
        """
        revision = current_mapping(store)
        mapped = None if revision is None else revision.mapping.find(sobject)
        landed = _landed(store, sobject)
        if not landed["salesforce"] or not landed["mainstay"]:
            raise ConfigurationError("Nothing to match yet: pull both systems first (workbench pull).")
        found = [
            item
            for item in attributes_of(mapped, store)
            if item.salesforce in landed["salesforce"] and item.mainstay in landed["mainstay"]
        ]
        people = cls(found)
        with store.attached(people.con):
            people.load(
                f'SELECT * FROM store.salesforce.{identifier(sobject)} AS s WHERE NOT coalesce(s."IsDeleted", false)',  # noqa: S608  quoted
                "SELECT * FROM store.mainstay.contact",
                record_id="Id",
                contact_id="id",
            )
        return people

    @classmethod
    def from_tables(
        cls, records: pa.Table, contacts: pa.Table, attributes: Sequence[Attribute], *, record_id: str, contact_id: str
    ) -> People:
        """Given tables, for measuring on labelled samples."""
        people = cls(attributes)
        people.con.register("given_records", records)
        people.con.register("given_contacts", contacts)
        people.load("SELECT * FROM given_records", "SELECT * FROM given_contacts", record_id, contact_id)
        return people

    def load(self, records: str, contacts: str, record_id: str, contact_id: str) -> None:
        """Make the two tables from two queries."""
        for table, query, key, side in (
            ("record", records, record_id, "salesforce"),
            ("contact", contacts, contact_id, "mainstay"),
        ):
            columns = ", ".join(
                f"{_canonical(getattr(item, side), item.kind)} AS {identifier(item.name)}" for item in self.attributes
            )
            self.con.execute(
                f"CREATE OR REPLACE TABLE work.{table} AS "  # noqa: S608  every name passes identifier()
                f"SELECT CAST({identifier(key)} AS VARCHAR) AS id, {columns} FROM ({query}) AS source"
            )

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.attributes]

    @property
    def sizes(self) -> tuple[int, int]:
        """How many records and contacts there are."""
        found = self.rows("SELECT (SELECT count(*) FROM work.record) AS r, (SELECT count(*) FROM work.contact) AS c")
        return found[0]["r"], found[0]["c"]

    def table(self, sql: str, params: dict[str, Any] | None = None) -> pa.Table:
        return self.con.execute(sql, params or {}).to_arrow_table()

    def rows(self, sql: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table(sql, params).to_pylist()
        return found

    def one(self, table: Literal["record", "contact"], key: str) -> dict[str, Any] | None:
        """One person of one side. Safe beside other work on the same people: it asks on a cursor of its own."""
        with self.con.cursor() as cursor:
            found = cursor.execute(f"SELECT * FROM work.{table} WHERE id = $key", {"key": key}).to_arrow_table()  # noqa: S608  two names of ours
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows[0] if rows else None

    def side_by_side(self, pairs: pa.Table) -> pa.Table:
        """Both people of each pair, one column per attribute: `Salesforce | Mainstay`, equal values once."""
        self.con.register("shown_pairs", pairs)
        extra = [name for name in pairs.column_names if name not in ("record_id", "contact_id")]
        columns = [f"p.{identifier(name)}" for name in ("record_id", "contact_id", *extra)]
        columns += [
            f"CASE WHEN r.{name} IS NOT DISTINCT FROM c.{name} THEN coalesce(r.{name}, '') "
            f"ELSE coalesce(r.{name}, '(blank)') || ' | ' || coalesce(c.{name}, '(blank)') END AS {name}"
            for name in (identifier(item.name) for item in self.attributes if item != CRM_ID)
        ]
        return self.table(
            f"SELECT {', '.join(columns)} FROM shown_pairs AS p "  # noqa: S608  every name passes identifier()
            "LEFT JOIN work.record AS r ON r.id = p.record_id LEFT JOIN work.contact AS c ON c.id = p.contact_id "
            "ORDER BY p.record_id, p.contact_id"
        )


def attributes_of(mapping: SObjectMapping | None, store: Store) -> list[Attribute]:
    """CRM ID first, then each mapped pair once, by the Mainstay field it means."""
    kinds = {f"custom.{row['name']}" if row["is_custom"] else row["name"]: row["data_type"] for row in store.rows(
        "SELECT name, data_type, is_custom FROM mainstay.field")}  # fmt: skip
    pairs = list(_USUAL) if mapping is None else list(_mapped_pairs(mapping))
    found = {"crm_id": CRM_ID}
    for salesforce, mainstay in pairs:
        name = attribute_name(mainstay)
        standard = STANDARD_BY_NAME.get(mainstay)
        data_type = kinds.get(mainstay) or (standard.data_type if standard else "Text")
        found.setdefault(name, Attribute(name, salesforce, mainstay, kind_of(name, data_type)))
    return list(found.values())


def _mapped_pairs(mapping: SObjectMapping) -> Iterable[tuple[str, str]]:
    for side in (mapping.export, mapping.import_):
        if side is not None:
            yield from ((pair.salesforce, pair.mainstay) for pair in side.fields)


def attribute_name(mainstay: str) -> str:
    """A short name for a Mainstay field.

    >>> attribute_name("custom.Date of Birth")
    'date_of_birth'
    """
    return re.sub(r"[^a-z0-9]+", "_", mainstay.removeprefix("custom.").lower()).strip("_")


def kind_of(name: str, data_type: str) -> str:
    """How an attribute is compared, by its Mainstay type and, for text, by its name."""
    if name in _NAMES:
        return "name"
    if data_type in _KIND_OF_TYPE:
        return _KIND_OF_TYPE[data_type]
    if "birth" in name:
        return "date"
    return "id" if _IDENTIFYING.search(name) else "text"


def _canonical(column: str, kind: str) -> str:
    text = f"nullif(trim(CAST({identifier(column)} AS VARCHAR)), '')"
    return f"nullif(trim({_CANONICAL[kind].format(text)}), '')"


def _landed(store: Store, sobject: str) -> dict[str, set[str]]:
    found = store.rows(
        "SELECT table_schema, column_name FROM information_schema.columns "
        "WHERE (table_schema = 'salesforce' AND table_name = $sobject) "
        "OR (table_schema = 'mainstay' AND table_name = 'contact')",
        {"sobject": sobject},
    )
    columns: dict[str, set[str]] = {"salesforce": set(), "mainstay": set()}
    for row in found:
        columns[row["table_schema"]].add(row["column_name"])
    return columns
