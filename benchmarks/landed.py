"""Two landed systems of any size, made in SQL: about 60 % linked by CRM ID, 10 % by phone only, dirty phones, bad values.

The mapping has `fields` pairs: seven standard ones and the rest custom, a quarter of them numbers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from workbench.domain.fields import STANDARD_FIELDS, MainstayField, mainstay_column_type
from workbench.store import Store, identifier
from workbench.store.mappings import MappingRevision, save_mapping

STANDARD = (
    ("FirstName", "first_name", "'First' || (i % 4999)"),
    ("LastName", "last_name", "'Last' || (i % 99991)"),
    ("MobilePhone", "phone", None),
    ("Email", "email", "'user' || i || '@example.edu'"),
    ("Language__c", "language", "CASE WHEN i % 500 = 0 THEN 'EN' WHEN i % 7 = 0 THEN 'es' ELSE 'en' END"),
    ("Student__c", "enrollment_id", "'S' || i"),
    ("SMS__c", "messaging_status_sms", "CASE WHEN i % 100 = 0 THEN 'paused' END"),
)


def phone(index: str) -> str:
    """Ten digits, different for every index below 1.9 billion; the area code is never N11 or 555."""
    return f"CAST(2{{area}} || '2' || lpad(CAST({index} % 1000000 AS VARCHAR), 6, '0') AS VARCHAR)".replace(
        "2{area}", f"CAST(220 + {index} // 1000000 AS VARCHAR)"
    )


def customs(fields: int) -> list[tuple[str, MainstayField, str]]:
    """(Salesforce name, Mainstay field, value) of every custom pair."""
    pairs = []
    for number in range(fields - len(STANDARD)):
        if number % 4 == 3:
            field, value = (
                MainstayField(f"Number {number}", "Number", is_custom=True),
                f"CAST((i + {number}) % 997 AS VARCHAR)",
            )
        else:
            field, value = (
                MainstayField(f"Text {number}", "Text", is_custom=True),
                f"'v' || ((i * {number + 3}) % 9973)",
            )
        pairs.append((f"Custom{number}__c", field, value))
    return pairs


def land(folder: Path, contacts: int, fields: int, *, imported: bool = False) -> tuple[Store, MappingRevision]:
    """A store with both systems landed and the mapping saved.

    `imported`: an import has brought the messaging statuses before. Without, it is the first one, and changes every
    linked record.
    """
    store = Store(str(folder / "landed.duckdb"))
    pairs = customs(fields)
    own = phone("i")
    dirty = (
        f"CASE WHEN i % 50 = 0 THEN '123' WHEN i % 10 = 1 THEN '(' || {own}[1:3] || ') ' || {own}[4:6] || '-' || {own}[7:10] "
        f"WHEN i % 200 = 7 THEN {phone('(i + 1)')} ELSE {own} END"
    )
    values = {name: value for name, _, value in STANDARD} | {name: value for name, _, value in pairs}
    values["MobilePhone"] = dirty
    if imported:
        values["SMS__c"] = "CASE WHEN i % 100 = 0 THEN 'paused' WHEN i % 10 < 6 THEN 'opted-in' END"
    salesforce = ", ".join(f"{value} AS {identifier(name)}" for name, value in values.items())
    known = {field.path for field in STANDARD_FIELDS}
    changed = {"first_name": "CASE WHEN i % 20 = 4 THEN 'Other' ELSE 'First' || (i % 4999) END"}
    now = {path: changed.get(path, value) for _, path, value in STANDARD if value is not None}
    now |= {
        field.path: f"CASE WHEN i % 20 = {n % 20} AND {n} < 4 THEN 'old' ELSE {value} END"
        for n, (_, field, value) in enumerate(pairs)
    }
    now |= {
        "id": "'ah' || lpad(CAST(i AS VARCHAR), 15, '0')",
        "crm_id": "CASE WHEN i % 10 < 6 THEN '003XX' || lpad(CAST(i AS VARCHAR), 10, '0') || 'AAA' END",
        "phone": f"CASE WHEN i % 10 < 7 THEN {own} END",
        "messaging_status_sms": "CASE WHEN i % 10 < 7 THEN CASE WHEN i % 100 = 0 THEN 'paused' ELSE 'opted-in' END END",
    }
    kinds = {field.name: mainstay_column_type(field) for field in STANDARD_FIELDS}
    blank = {name: f"CAST(NULL AS {kinds[name]})" for name in known - set(now)}
    mainstay = ", ".join(f"{value} AS {identifier(name)}" for name, value in {**now, **blank}.items())
    catalogue = pa.Table.from_pylist(
        [_described("Id", "id"), _described("Sync__c", "boolean")] + [_described(name, "string") for name in values]
    )
    listed = [*STANDARD_FIELDS, *(field for _, field, _ in pairs)]
    columns = ("name", "data_type", "is_custom", "is_deprecated", "is_writable")
    catalogue_mainstay = pa.Table.from_pylist(
        [{c: getattr(f, c) for c in columns} | {"options": list(f.options) or [""]} for f in listed]
    )
    store.write(
        f"""CREATE OR REPLACE TABLE salesforce."Contact" AS
        SELECT '003XX' || lpad(CAST(i AS VARCHAR), 10, '0') || 'AAA' AS "Id",
               TIMESTAMPTZ '2026-01-01' + to_seconds((i * 7919) % {contacts}) AS "SystemModstamp", false AS "IsDeleted",
               i % 20 <> 0 AS "Sync__c", {salesforce}, 1 AS _pull_id, hash(i) AS _row_hash
        FROM range({contacts}) AS numbers(i)""",
        f"""CREATE OR REPLACE TABLE mainstay.contact AS
        SELECT {mainstay}, 1 AS _pull_id, hash(i) AS _row_hash
        FROM range({contacts}) AS numbers(i) WHERE i % 10 <> 9""",
        "INSERT INTO salesforce.field BY NAME SELECT * FROM catalogue",
        "INSERT INTO mainstay.field BY NAME SELECT * FROM catalogue_mainstay",
        "INSERT INTO journal.pull SELECT 1, system, object, 'full', 'complete', 0, now(), now(), NULL "
        "FROM (VALUES ('salesforce', 'Contact'), ('mainstay', 'contact')) AS pulled(system, object)",
        tables={"catalogue": catalogue, "catalogue_mainstay": catalogue_mainstay},
    )
    rows = [{"salesforce": name, "mainstay": path} for name, path, _ in STANDARD]
    rows += [{"salesforce": name, "mainstay": field.path} for name, field, _ in pairs]
    back = [
        {"mainstay": row["mainstay"], "salesforce": row["salesforce"], "matching": row["mainstay"] == "email"}
        for row in rows
    ]
    document = {
        "version": 1,
        "objects": [
            {
                "sobject": "Contact",
                "export": {"criteria": "Sync__c", "fields": rows},
                "import": {"create_unmatched": True, "fields": back},
            }
        ],
    }
    revision, _ = save_mapping(store, json.dumps(document), author="benchmark")
    return store, revision


def _described(name: str, kind: str) -> dict[str, object]:
    return {
        "sobject": "Contact", "name": name, "label": name, "type": kind, "length": 255, "nillable": True,
        "createable": name != "Id", "updateable": name != "Id", "calculated": False, "custom": True, "unique": False,
        "external_id": False, "restricted_picklist": False, "picklist_values": [""], "reference_to": [""],
        "relationship_name": None, "defaulted_on_create": False,
    }  # fmt: skip
