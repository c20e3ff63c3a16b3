"""The same export classification written two other ways: polars lazily, and one record at a time with dicts.

Both read what the preview reads and end with a verdict per record, the changed fields and a request body.
"""

from __future__ import annotations

import json

import duckdb
import polars as pl

from workbench.domain import rules
from workbench.store import Store, identifier


def _load(store: Store, table: str, columns: list[str]):
    con = duckdb.connect()
    with store.attached(con):
        found = con.execute(f"SELECT {', '.join(identifier(c) for c in columns)} FROM store.{table}").to_arrow_table()
    con.close()
    return found


def _sides(store: Store, pairs):
    names = ["Id", "SystemModstamp", "Sync__c", *(pair.salesforce for pair in pairs)]
    others = ["id", "crm_id", "previous_phone", *(pair.mainstay for pair in pairs)]
    return _load(store, 'salesforce."Contact"', names), _load(store, "mainstay.contact", others)


def polars_classification(store: Store, pairs) -> pl.DataFrame:
    """Verdict, changed fields and body per record, as one lazy query."""
    left, right = _sides(store, pairs)
    digits = pl.col("MobilePhone").str.replace_all(r"[^0-9]", "").str.replace(r"^1(\d{10})$", "${1}")
    valid = digits.str.contains(rules.PHONE_PATTERN) & ~digits.str.starts_with("555")
    records = (
        pl.from_arrow(left)
        .lazy()
        .with_columns(pl.when(valid).then(digits).alias("phone_key"))
        .sort("SystemModstamp", "Id")
    )
    contacts = pl.from_arrow(right).lazy()
    owners = contacts.filter(pl.col("phone").is_not_null()).select(
        pl.col("phone").alias("phone_key"), pl.col("id").alias("owner"), pl.col("crm_id").alias("owner_crm_id")
    )
    by_crm = contacts.rename({name: f"now {name}" for name in contacts.collect_schema().names()})
    joined = records.join(by_crm, left_on="Id", right_on="now crm_id", how="left").join(
        owners, on="phone_key", how="left"
    )
    changes = []
    for pair in pairs:
        value = pl.col("phone_key") if pair.mainstay == "phone" else pl.col(pair.salesforce)
        changes.append(
            (value.is_not_null() & value.ne_missing(pl.col(f"now {pair.mainstay}"))).alias(f"changes {pair.mainstay}")
        )
    linked = pl.col("now id").is_not_null()
    takes = linked & pl.col("owner").is_not_null() & (pl.col("owner") != pl.col("now id"))
    differs = pl.any_horizontal(pl.col(f"changes {pair.mainstay}") for pair in pairs)
    verdict = (
        pl.when(~pl.col("Sync__c")).then(pl.lit("excluded"))
        .when(takes).then(pl.lit("blocked"))
        .when(linked & differs).then(pl.lit("update"))
        .when(linked).then(pl.lit("none"))
        .when(pl.col("owner_crm_id").is_not_null()).then(pl.lit("blocked"))
        .when(pl.col("owner").is_not_null()).then(pl.lit("link"))
        .when(pl.col("phone_key").is_null() & pl.col("MobilePhone").is_not_null()).then(pl.lit("blocked"))
        .otherwise(pl.lit("create"))
    )  # fmt: skip
    body = pl.struct(
        pl.when(pl.col(f"changes {pair.mainstay}")).then(pl.col(pair.salesforce)).alias(pair.mainstay) for pair in pairs
    ).struct.json_encode()
    decided = joined.with_columns(changes).with_columns(verdict.alias("action"))
    sent = decided.filter(pl.col("action").is_in(["update", "link", "create", "blocked"])).select(
        "Id", body.alias("body")
    )
    return decided.select("Id", "action").join(sent, on="Id", how="left").collect()


def row_loop(store: Store, pairs) -> int:
    """The same, one record at a time; returns how many bodies it made."""
    left, right = _sides(store, pairs)
    contacts = right.to_pylist()
    by_crm_id = {c["crm_id"]: c for c in contacts if c["crm_id"]}
    by_phone = {c["phone"]: c for c in contacts if c["phone"]}
    bodies = 0
    for record in sorted(left.to_pylist(), key=lambda r: (r["SystemModstamp"], r["Id"])):
        if not record["Sync__c"]:
            continue
        phone = rules.normal_phone(record["MobilePhone"]) if record["MobilePhone"] else None
        linked, owner = by_crm_id.get(record["Id"]), by_phone.get(phone)
        now = linked or owner or {}
        body = {}
        for pair in pairs:
            value = phone or record["MobilePhone"] if pair.mainstay == "phone" else record[pair.salesforce]
            if value is not None and value != now.get(pair.mainstay):
                body[pair.mainstay] = value
        if body:
            json.dumps(body)
            bodies += 1
    return bodies
