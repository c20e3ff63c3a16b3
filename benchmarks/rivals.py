"""The same export preview written two other ways: polars lazily, and one record at a time with dicts.

Both read what the preview reads and do what it does: canonical values on both sides, match by CRM ID then phone, a
verdict per record, changed fields, partial codes, and a request body of what differs or is new. Both leave out what
only the preview does: records that contend for a phone in order, before-values, and the accounting of both systems.
"""

from __future__ import annotations

import json

import duckdb
import polars as pl

from workbench.domain import rules
from workbench.store import Store, identifier


def _load(store: Store, table: str, columns: list[str], limit: int | None):
    con = duckdb.connect()
    with store.attached(con):
        found = con.execute(
            f"SELECT {', '.join(identifier(c) for c in columns)} FROM store.{table}"
            + (f" WHERE rowid < {limit}" if limit is not None else "")
        ).to_arrow_table()
    con.close()
    return found


def _sides(store: Store, pairs, limit: int | None = None):
    names = ["Id", "SystemModstamp", "Sync__c", *(pair.salesforce for pair in pairs)]
    others = ["id", "crm_id", "previous_phone", *(pair.mainstay for pair in pairs)]
    return _load(store, 'salesforce."Contact"', names, limit), _load(store, "mainstay.contact", others, limit)


def _kind(path: str) -> str:
    return "Number" if path.startswith("custom.Number") else "Text" if path.startswith("custom.") else path


def _phone(column: str) -> pl.Expr:
    digits = pl.col(column).str.replace_all(r"[^0-9]", "").str.replace(r"^1(\d{10})$", "${1}")
    valid = digits.str.contains(rules.PHONE_PATTERN) & ~digits.str.starts_with("555")
    return pl.when(valid).then(digits)


def _canonical(path: str, column: str) -> pl.Expr:
    value, kind = pl.col(column), _kind(path)
    if kind == "phone":
        return pl.coalesce(_phone(column), value)
    if kind == "email":
        return value.str.to_lowercase()
    if kind == "messaging_status_sms":
        return value.str.to_lowercase().str.replace_all(" ", "-")
    if kind == "Number":
        number = value.cast(pl.Float64, strict=False)
        whole = pl.when(number == number.floor()).then(number.cast(pl.Int64, strict=False).cast(pl.String))
        return pl.coalesce(whole, number.cast(pl.String), value)
    return value


def _code(path: str) -> pl.Expr | None:
    """The partial code of a value that is sent and does not fit."""
    value, sends, kind = pl.col(f"to {path}"), pl.col(f"sends {path}"), _kind(path)
    unfit = {
        "email": (~value.str.contains(rules.EMAIL_PATTERN), "invalid-email"),
        "language": (~value.str.contains(rules.LANGUAGE_PATTERN), "invalid-language"),
        "phone": (~value.str.contains(rules.PHONE_PATTERN), "invalid-phone"),
        "messaging_status_sms": (value.is_in(["paused"]), "invalid-messaging-status"),
        "first_name": (value.str.len_chars() > rules.NAME_LIMIT, "invalid-attribute-data"),
        "last_name": (value.str.len_chars() > rules.NAME_LIMIT, "invalid-attribute-data"),
        "Number": (~value.str.contains(rules.NUMBER_PATTERN), "invalid-attribute-data"),
        "Text": (value.str.len_chars() > rules.CUSTOM_VALUE_LIMIT, "custom-values-too-long"),
    }.get(kind)
    return None if unfit is None else pl.when(sends & unfit[0]).then(pl.lit(unfit[1]))


def polars_classification(store: Store, pairs) -> pl.DataFrame:
    """Verdict, changed fields, codes and body per record, as one lazy query."""
    left, right = _sides(store, pairs)
    paths = [pair.mainstay for pair in pairs]
    records = pl.from_arrow(left).lazy().with_columns(
        _phone("MobilePhone").alias("phone_key"),
        *(_canonical(pair.mainstay, pair.salesforce).alias(f"to {pair.mainstay}") for pair in pairs),
    ).sort("SystemModstamp", "Id")  # fmt: skip
    contacts = pl.from_arrow(right).lazy()
    holders = contacts.filter(pl.col("phone").is_not_null()).select(
        pl.col("phone").alias("phone_key"), pl.col("id").alias("owner"), pl.col("crm_id").alias("owner_crm_id")
    )
    linked_by = contacts.filter(pl.col("crm_id").is_not_null()).select(pl.col("crm_id"), pl.col("id").alias("linked"))
    now = contacts.select("id", *(_canonical(path, path).alias(f"now {path}") for path in paths))
    matched = (
        records.join(linked_by, left_on="Id", right_on="crm_id", how="left")
        .join(holders, on="phone_key", how="left")
        .with_columns(pl.coalesce("linked", "owner").alias("reached"))
        .join(now, left_on="reached", right_on="id", how="left")
    )
    sends = [
        (pl.col(f"to {p}").is_not_null() & pl.col(f"to {p}").ne_missing(pl.col(f"now {p}"))).alias(f"sends {p}")
        for p in paths
    ]
    linked = pl.col("linked").is_not_null()
    takes = linked & pl.col("owner").is_not_null() & (pl.col("owner") != pl.col("linked"))
    differs = pl.any_horizontal(pl.col(f"sends {path}") for path in paths)
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
        pl.when(pl.col(f"sends {path}")).then(pl.col(f"to {path}")).alias(path) for path in paths
    ).struct.json_encode()
    codes = pl.concat_str(
        [code for path in paths if (code := _code(path)) is not None], separator=",", ignore_nulls=True
    )
    changed = pl.concat_str(
        [pl.when(pl.col(f"sends {path}")).then(pl.lit(path)) for path in paths], separator=",", ignore_nulls=True
    )
    decided = matched.with_columns(sends).with_columns(verdict.alias("action"))
    sent = decided.filter(pl.col("action").is_in(["update", "link", "create", "blocked"])).select(
        "Id", body.alias("body"), codes.alias("codes"), changed.alias("fields")
    )
    return decided.select("Id", "reached", "action").join(sent, on="Id", how="left").collect()


def _number(text: str) -> str:
    try:
        return rules.number_text(rules.cast_custom(text, "Number"))
    except ValueError:
        return text


_CLEANED = {
    "phone": lambda text: rules.normal_phone(text) or text,
    "email": str.lower,
    "messaging_status_sms": lambda text: text.lower().replace(" ", "-"),
    "Number": _number,
}


def _value(path: str, text: str | None) -> str | None:
    return _CLEANED.get(_kind(path), str)(text) if text else None


def _codes(path: str, value: str) -> str | None:
    kind = _kind(path)
    checks = {"email": rules.is_email, "language": rules.is_language, "phone": rules.normal_phone}
    if kind in checks:
        return None if checks[kind](value) else f"invalid-{kind}"
    if kind in ("first_name", "last_name"):
        return "invalid-attribute-data" if len(value) > rules.NAME_LIMIT else None
    return "custom-values-too-long" if rules.is_past_limit(value) else None


def row_loop(store: Store, pairs, limit: int) -> int:
    """The same, one record at a time, over the first `limit` rows of each side; returns how many bodies it made."""
    left, right = _sides(store, pairs, limit)
    contacts = right.to_pylist()
    by_crm_id = {c["crm_id"]: c for c in contacts if c["crm_id"]}
    by_phone = {c["phone"]: c for c in contacts if c["phone"]}
    bodies = 0
    for record in sorted(left.to_pylist(), key=lambda r: (r["SystemModstamp"], r["Id"])):
        if not record["Sync__c"]:
            continue
        phone = rules.normal_phone(record["MobilePhone"]) if record["MobilePhone"] else None
        now = by_crm_id.get(record["Id"]) or by_phone.get(phone) or {}
        body, codes, fields = {}, [], []
        for pair in pairs:
            value = _value(pair.mainstay, record[pair.salesforce])
            before = _value(pair.mainstay, now.get(pair.mainstay))
            if value is None or value == before:
                continue
            body[pair.mainstay] = value
            fields.append({"field": pair.mainstay, "before": before, "after": value})
            if (code := _codes(pair.mainstay, value)) is not None:
                codes.append(code)
        if body:
            json.dumps(body)
            bodies += 1
    return bodies
