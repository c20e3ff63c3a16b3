"""A small world for tests: two systems as plain rows, landed in a real store, previewed by the real engine.

`answers()` is the oracle: the package's own order (PUT by CRM ID, PUT by phone, POST), one record at a time in FIFO
order, through the ladder. It shares no code with the preview's SQL.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.domain import ladder
from workbench.domain.fields import STANDARD_FIELDS, Direction, MainstayField, mainstay_column_type
from workbench.engine.preview import make_preview
from workbench.store import Store, identifier
from workbench.store.mappings import save_mapping

START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOM = (
    MainstayField("Campus", "Multi-Choice", is_custom=True, options=("Downtown", "North")),
    MainstayField("Grad Year", "Number", is_custom=True),
    MainstayField("Notes", "Text", is_custom=True),
    MainstayField("Start", "Date", is_custom=True),
    MainstayField("First Gen", "True/False", is_custom=True),
    MainstayField("Guardian", "Phone", is_custom=True),
    MainstayField("Portal", "URL", is_custom=True),
    MainstayField('Odd "name"; drop table x', "Text", is_custom=True),
    MainstayField("School", "Text", is_custom=True),
    MainstayField("Counselor Phone", "Phone", is_custom=True),
)
# (API name, describe type, DuckDB type, Mainstay path)
FIELDS = (
    ("FirstName", "string", "VARCHAR", "first_name"),
    ("LastName", "string", "VARCHAR", "last_name"),
    ("MobilePhone", "phone", "VARCHAR", "phone"),
    ("Email", "string", "VARCHAR", "email"),
    ("Preferred__c", "string", "VARCHAR", "preferred_name"),
    ("Language__c", "string", "VARCHAR", "language"),
    ("SMS__c", "string", "VARCHAR", "messaging_status_sms"),
    ("Web__c", "string", "VARCHAR", "messaging_status_web_bot"),
    ("Student__c", "string", "VARCHAR", "enrollment_id"),
    ("Campus__c", "picklist", "VARCHAR", "custom.Campus"),
    ("Grad__c", "string", "VARCHAR", "custom.Grad Year"),
    ("Notes__c", "textarea", "VARCHAR", "custom.Notes"),
    ("Start__c", "string", "VARCHAR", "custom.Start"),
    ("First__c", "boolean", "BOOLEAN", "custom.First Gen"),
    ("HomePhone", "phone", "VARCHAR", "custom.Guardian"),
    ("Portal__c", "string", "VARCHAR", "custom.Portal"),
    ("Odd__c", "string", "VARCHAR", 'custom.Odd "name"; drop table x'),
    # Lookup paths, as a pull lands them.
    ("Account.Name", "string", "VARCHAR", "custom.School"),
    ("Account.Parent.Owner.Phone", "phone", "VARCHAR", "custom.Counselor Phone"),
)
# Boolean formula fields: one that can be evaluated after a change, one whose text nobody shows.
FORMULAS = {"Ready__c": "AND(NOT(ISBLANK(Email)), LastName <> 'Ray')", "Hidden__c": None}
_LENGTHS = {"FirstName": 40, "LastName": 80, "Campus__c": 40}


def record_id(number: int) -> str:
    return f"003XX{number:010d}AAA"


def mapping(
    *,
    deletions: bool = False,
    everything: bool = False,
    match: str = "all",
    create: bool = True,
    matching=("email",),
    criteria: str | None = None,
) -> str:
    export = [{"salesforce": name, "mainstay": path} for name, _, _, path in FIELDS]
    back = [
        {"mainstay": path, "salesforce": name, "matching": path in matching}
        for name, _, _, path in FIELDS
        if path in {"email", "first_name", "last_name", "phone", "custom.Campus", "custom.Notes"}
    ]
    document = {
        "version": 1,
        "objects": [
            {
                "sobject": "Contact",
                "export": {
                    "criteria": "Sync__c", "include_field_deletions": deletions, "include_all_fields": everything,
                    "fields": export,
                },
                "import": {"criteria": criteria, "create_unmatched": create, "match": match, "fields": back},
            }
        ],
    }  # fmt: skip
    return json.dumps(document)


class World:
    """Records and contacts as lists of dicts; missing keys are null."""

    def __init__(
        self,
        store: Store | Path,
        document: str | None = None,
        *,
        has_web_bot: bool = True,
        unique: Collection[str] = (),
        references: Mapping[str, str] | None = None,
    ) -> None:
        self.store = store if isinstance(store, Store) else Store(str(store / "world.duckdb"))
        self.has_web_bot = has_web_bot
        self.unique = unique
        self.references = references or {}
        self.pulled_at: datetime | None = None
        self.records: list[dict[str, Any]] = []
        self.contacts: list[dict[str, Any]] = []
        self.document = document or mapping()
        self.deletions = json.loads(self.document)["objects"][0]["export"]["include_field_deletions"]
        self.everything = json.loads(self.document)["objects"][0]["export"]["include_all_fields"]
        # A new world knows nothing of the one that stood in this store before.
        self.store.write(
            *(f"DELETE FROM journal.{kept}" for kept in ("last_agreed", "agreed_look", "conflict_decision"))
        )
        found = self.store.rows("SELECT max(pull_id) AS pull_id FROM journal.pull")
        self.pull_id = found[0]["pull_id"] or 0

    def record(self, number: int, **values: Any) -> str:
        found = {"Id": record_id(number), "FirstName": "Ana", "LastName": "Lopez", "Sync__c": True, **values}
        found.setdefault("SystemModstamp", START + timedelta(minutes=number))
        self.records.append(found)
        return found["Id"]

    def contact(self, number: int, **values: Any) -> str:
        custom = values.pop("custom", {})
        found = {"id": f"ah{number:015x}", "first_name": "Ana", "last_name": "Lopez", **values}
        if found.get("phone"):
            found.setdefault("messaging_status_sms", "opted-in")
        found["custom"] = {field.name: custom.get(field.name) for field in CUSTOM}
        self.contacts.append(found)
        return found["id"]

    def land(self) -> None:
        """Both systems into the store, as a complete pull."""
        self.pull_id += 1
        records = pa.Table.from_pylist(
            [
                {
                    "Id": r["Id"], "SystemModstamp": r["SystemModstamp"], "IsDeleted": r.get("IsDeleted", False), "Sync__c": r["Sync__c"],
                    **{name: r.get(name) for name, *_ in FIELDS}, **{name: r.get(name) for name in FORMULAS},
                }
                for r in self.records
            ],
            schema=pa.schema(
                [("Id", pa.string()), ("SystemModstamp", pa.timestamp("us", "UTC")), ("IsDeleted", pa.bool_()), ("Sync__c", pa.bool_())]
                + [(name, pa.bool_() if kind == "BOOLEAN" else pa.string()) for name, _, kind, _ in FIELDS]
                + [(name, pa.bool_()) for name in FORMULAS]
            ),
        )  # fmt: skip
        columns = [
            field
            for field in (*STANDARD_FIELDS, *CUSTOM)
            if mainstay_column_type(field) in ("VARCHAR", "BOOLEAN", "TIMESTAMPTZ")
        ]
        kinds = {"VARCHAR": pa.string(), "BOOLEAN": pa.bool_(), "TIMESTAMPTZ": pa.timestamp("us", "UTC")}
        contacts = pa.Table.from_pylist(
            [
                {f.path: _text(c["custom"].get(f.name)) if f.is_custom else c.get(f.name) for f in columns}
                for c in self.contacts
            ],
            schema=pa.schema([(f.path, kinds[mainstay_column_type(f)]) for f in columns]),
        )
        catalogue = pa.Table.from_pylist(
            [_describe("Id", "id", createable=False, updateable=False, nillable=False)]
            + [_describe("Sync__c", "boolean", nillable=False, defaulted_on_create=True)]
            + [
                _describe(name, "boolean", calculated=True, createable=False, updateable=False, formula=text)
                for name, text in FORMULAS.items()
            ]
            + [
                _describe(
                    name,
                    "reference" if name in self.references else kind,
                    nillable=name != "LastName",
                    length=_LENGTHS.get(name, 0),
                    unique=name in self.unique,
                    reference_to=[self.references.get(name, "x")],
                )
                for name, kind, _, _ in FIELDS
            ]
        )
        fields = pa.Table.from_pylist(
            [
                {
                    "name": f.name, "data_type": f.data_type, "is_custom": f.is_custom, "is_deprecated": False,
                    "is_writable": f.is_writable, "options": list(f.options),
                }
                for f in (*STANDARD_FIELDS, *CUSTOM)
            ]
        )  # fmt: skip
        pulls = [
            (
                "INSERT INTO journal.pull SELECT $id, $system, $object, 'full', 'complete', 0, coalesce($at, now()), now(), NULL",
                {"id": self.pull_id, "system": system, "object": name, "at": self.pulled_at},
            )
            for system, name in (("salesforce", "Contact"), ("mainstay", "contact"))
        ]
        self.store.write(
            'CREATE OR REPLACE TABLE salesforce."Contact" AS SELECT *, 1 AS _pull_id, hash(1) AS _row_hash FROM records',
            "CREATE OR REPLACE TABLE mainstay.contact AS SELECT *, 1 AS _pull_id, hash(1) AS _row_hash FROM contacts",
            "DELETE FROM salesforce.field",
            "INSERT INTO salesforce.field BY NAME SELECT * FROM catalogue",
            "DELETE FROM mainstay.field",
            "INSERT INTO mainstay.field BY NAME SELECT * FROM fields",
            *pulls,
            tables={"records": records, "contacts": contacts, "catalogue": catalogue, "fields": fields},
        )
        self.revision, _ = save_mapping(self.store, self.document, author="test")

    def preview(self, direction: str = "export", **about: Any):
        self.land()
        report = make_preview(
            self.store, direction=Direction(direction), revision=self.revision, has_web_bot=self.has_web_bot, **about
        )
        rows = self.store.rows(
            "SELECT * FROM preview.change WHERE preview_id = $id ORDER BY seq", {"id": report.preview_id}
        )
        requests = self.store.rows(
            "SELECT * FROM preview.request WHERE preview_id = $id ORDER BY change_id, ordinal",
            {"id": report.preview_id},
        )
        for row in rows:
            row["requests"] = [request for request in requests if request["change_id"] == row["change_id"]]
        return report, rows

    def people(self) -> ladder.Institution:
        return ladder.Institution({field.name: field for field in CUSTOM}, has_web_bot=self.has_web_bot)

    def directory(self) -> Directory:
        return Directory(self.contacts)


class Directory:
    """All contacts by a plain search: slow, obvious."""

    def __init__(self, contacts: list[dict[str, Any]]) -> None:
        self.contacts = deepcopy(contacts)

    def _find(self, name: str, value: str):
        return next((c for c in self.contacts if c.get(name) == value), None)

    def by_id(self, value: str):
        return self._find("id", value)

    def by_crm_id(self, value: str):
        return self._find("crm_id", value)

    def by_phone(self, value: str):
        return self._find("phone", value)

    def keep(self, answer: ladder.Answer) -> None:
        if answer.contact is None:
            return
        contact = dict(answer.contact)
        known = {c["id"] for c in self.contacts}
        contact.setdefault("id", next(name for n in count() if (name := f"ahnew{n}") not in known))
        self.contacts = [c for c in self.contacts if c["id"] != contact["id"]] + [contact]


def send(method: str, path: str, body: Any, directory: Directory, institution: ladder.Institution) -> ladder.Answer:
    """One request as Mainstay answers it; the directory keeps what it wrote."""
    if method == "POST":
        answer = ladder.post(body, directory, institution)
    else:
        answer = ladder.put(path.removeprefix("contacts/").removesuffix("/"), body, directory, institution)
    directory.keep(answer)
    return answer


def status_of(answer: ladder.Answer) -> str:
    if answer.status >= 400:
        return "fail"
    return "partial" if answer.errors else "success"


def _describe(name: str, kind: str, **about: Any) -> dict[str, Any]:
    blank = {
        "sobject": "Contact", "name": name, "label": name, "type": kind, "length": 0, "nillable": True,
        "createable": True, "updateable": True, "calculated": False, "custom": name.endswith("__c"), "unique": False,
        "external_id": False, "restricted_picklist": False, "picklist_values": ["x"], "reference_to": ["x"],
        "relationship_name": None, "defaulted_on_create": False, "formula": None, "default_value": "",
    }  # fmt: skip
    return {**blank, **about}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


__all__ = ["CUSTOM", "Directory", "World", "identifier", "mapping", "record_id", "send", "status_of"]
