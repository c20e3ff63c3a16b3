"""What stands now in every field that a batch wrote: one query per field, over the landed rows of the last pull."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from workbench.domain.fields import MainstayField, SalesforceField, column_type
from workbench.engine.compile import Pair, canonical, mainstay_text, salesforce_text
from workbench.engine.compile_import_keys import settled
from workbench.store.quoting import identifier, literal
from workbench.store.steps import make_table

# What a Salesforce text holds is compared by its own type alone: the mapping may have moved on since the push.
_PLAIN = MainstayField("text", "Text", is_custom=True)
_NOTHING = """SELECT seq, field, before, after, CAST(NULL AS VARCHAR) AS now, false AS is_known, false AS is_held
FROM work.former_value"""


def contact_values_now(con: duckdb.DuckDBPyConnection, known: Mapping[str, MainstayField]) -> None:
    """work.value_now of an export: seq, field, before, after, now; `is_known` where contact and field were pulled."""
    landed = _columns(con, "mainstay", "contact")
    parts = []
    for _, name in _named(con):
        field = known.get(name)
        if field is None or name not in landed:
            parts.append(f"{_NOTHING} WHERE field = {literal(name)}")
            continue
        now = canonical(field, mainstay_text(field))
        parts.append(
            f"""SELECT v.seq, v.field, v.before, v.after, {now} AS now, c.id IS NOT NULL AS is_known, false AS is_held
FROM work.former_value AS v LEFT JOIN store.mainstay.contact AS c ON c.id = v.mainstay_id
WHERE v.field = {literal(name)}"""  # noqa: S608  names are quoted
        )
    _make(con, parts)


def record_values_now(con: duckdb.DuckDBPyConnection, known: Mapping[str, Mapping[str, SalesforceField]]) -> None:
    """The same of an import; `is_held` where another record holds the former value of a unique field."""
    parts = []
    for sobject, name in _named(con):
        field = known.get(sobject, {}).get(name)
        this = f"sobject = {literal(sobject)} AND field = {literal(name)}"
        if field is None or name not in _columns(con, "salesforce", sobject):
            parts.append(f"{_NOTHING} WHERE {this}")
            continue
        table = f"store.salesforce.{identifier(sobject)}"
        text = _record_text(field)
        now = settled(Pair(field, _PLAIN, identifier(name)), text)
        # As sent or as compared: a phone that a text field holds was sent as ten digits.
        now = f"CASE WHEN {text} IS NOT DISTINCT FROM v.after THEN v.after ELSE {now} END"
        held, owners = "false", ""
        if field.unique:
            held = "owner.value IS NOT NULL AND owner.record_id <> v.record_id"
            owners = f"""LEFT JOIN (SELECT lower({text}) AS value, min(s."Id") AS record_id FROM {table} AS s
           WHERE NOT coalesce(s."IsDeleted", false) GROUP BY ALL) AS owner ON owner.value = lower(v.before)"""  # noqa: S608  names are quoted
        parts.append(
            f"""SELECT v.seq, v.field, v.before, v.after, {now} AS now, s."Id" IS NOT NULL AS is_known,
       {held} AS is_held
FROM (SELECT * FROM work.former_value WHERE {this}) AS v
LEFT JOIN {table} AS s ON s."Id" = v.record_id AND NOT coalesce(s."IsDeleted", false)
{owners}"""  # noqa: S608  names are quoted
        )
    _make(con, parts)


def _record_text(field: SalesforceField) -> str:
    if column_type(field) == "VARCHAR":
        return f"nullif(s.{identifier(field.name)}, '')"
    return salesforce_text(field)


def _make(con: duckdb.DuckDBPyConnection, parts: list[str]) -> None:
    make_table(con, "value_now", "\nUNION ALL\n".join(parts) or _NOTHING)


def _named(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return con.execute("SELECT DISTINCT sobject, field FROM work.former_value ORDER BY ALL").fetchall()


def _columns(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> set[str]:
    rows = con.execute(
        """SELECT column_name FROM information_schema.columns
           WHERE table_catalog = 'store' AND table_schema = $schema AND table_name = $table""",
        {"schema": schema, "table": table},
    ).fetchall()
    return {row[0] for row in rows}
