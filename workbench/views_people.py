"""Read models of one person: found by name, phone, email or either id; both records; what happened to them.

Every list is searched and limited by the store. People are Salesforce Contacts, Mainstay contacts, or both, linked by
the CRM ID.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from workbench.errors import NotFound
from workbench.store import Store
from workbench.store.changes import whole_changes

_CONTACTS: Final = """SELECT id AS contact_id, crm_id, nullif(concat_ws(' ', first_name, last_name), '') AS name,
       email, phone FROM mainstay.contact"""
_NO_CONTACTS: Final = """SELECT NULL::VARCHAR AS contact_id, NULL::VARCHAR AS crm_id, NULL::VARCHAR AS name,
       NULL::VARCHAR AS email, NULL::VARCHAR AS phone WHERE false"""
_NO_RECORDS: Final = """SELECT NULL::VARCHAR AS record_id, NULL::VARCHAR AS name, NULL::VARCHAR AS email,
       NULL::VARCHAR AS phone WHERE false"""
_FOUND: Final = """
WITH contact AS ({contacts}),
record AS ({records}),
contact_hit AS (
    SELECT contact_id, crm_id FROM contact
    WHERE $text = '' OR contact_id = $text OR crm_id = $text OR contains(lower(name), $lowered)
       OR contains(lower(email), $lowered) OR ($digits <> '' AND contains(phone, $digits))
    ORDER BY name NULLS LAST, contact_id LIMIT $limit
),
record_hit AS (
    SELECT record_id FROM record
    WHERE $text = '' OR record_id = $text OR starts_with(record_id, $text) OR contains(lower(name), $lowered)
       OR contains(lower(email), $lowered)
       OR ($digits <> '' AND contains(regexp_replace(phone, '[^0-9]', '', 'g'), $digits))
    ORDER BY name NULLS LAST, record_id LIMIT $limit
),
pair AS (
    SELECT contact_hit.contact_id, record.record_id
    FROM contact_hit LEFT JOIN record ON record.record_id = contact_hit.crm_id
    UNION
    SELECT contact.contact_id, record_hit.record_id
    FROM record_hit LEFT JOIN contact ON contact.crm_id = record_hit.record_id
)
SELECT pair.contact_id, pair.record_id, coalesce(record.name, contact.name) AS name,
       coalesce(record.email, contact.email) AS email, coalesce(contact.phone, record.phone) AS phone
FROM pair
LEFT JOIN contact ON contact.contact_id = pair.contact_id
LEFT JOIN record ON record.record_id = pair.record_id
ORDER BY name NULLS LAST, pair.record_id, pair.contact_id LIMIT $limit"""


def find_people(store: Store, text: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """People whose name, email, phone or id fits `text`: contact_id, record_id, name, email, phone; by name.

    Blank text lists the first people. A side that was never pulled is simply missing.
    """
    wanted = text.strip()
    digits = re.sub(r"\D", "", wanted)
    is_phone = len(digits) >= 4 and re.fullmatch(r"[\d\s()+.\-]+", wanted) is not None
    contacts, records = _people_tables(store)
    return store.rows(
        _FOUND.format(contacts=contacts, records=records),
        {
            "text": wanted,
            "lowered": wanted.lower(),
            "digits": (digits[1:] if len(digits) == 11 and digits.startswith("1") else digits) if is_phone else "",
            "limit": limit,
        },
    )


def recent_people(store: Store, *, limit: int = 50) -> list[dict[str, Any]]:
    """The people with the latest messages, in the shape of `find_people`; anybody where nobody has any."""
    if "mainstay.contact" not in _landed_columns(store):
        return find_people(store, "", limit=limit)
    rows = store.rows(
        """WITH latest AS (
               SELECT contact_id, max(sent_at) AS last_at FROM view.message GROUP BY contact_id
               ORDER BY last_at DESC, contact_id LIMIT $limit
           )
           SELECT c.id AS contact_id, c.crm_id AS record_id,
                  nullif(concat_ws(' ', c.first_name, c.last_name), '') AS name, c.email, c.phone
           FROM latest JOIN mainstay.contact AS c ON c.id = latest.contact_id ORDER BY latest.last_at DESC, c.id""",
        {"limit": limit},
    )
    return rows or find_people(store, "", limit=limit)


def people_by_record(store: Store, record_ids: Sequence[str]) -> list[dict[str, Any]]:
    """People by their Salesforce Ids, in the shape of `find_people`; by name."""
    contacts, records = _people_tables(store)
    return store.rows(
        f"""WITH contact AS ({contacts}), record AS ({records})
            SELECT contact.contact_id, record.record_id, coalesce(record.name, contact.name) AS name,
                   coalesce(record.email, contact.email) AS email, coalesce(contact.phone, record.phone) AS phone
            FROM record LEFT JOIN contact ON contact.crm_id = record.record_id
            WHERE list_contains($ids, record.record_id) ORDER BY name NULLS LAST, record.record_id""",
        {"ids": list(record_ids)},
    )


def _people_tables(store: Store) -> tuple[str, str]:
    """Two queries over what has landed: contacts and records, with the columns that `_FOUND` needs."""
    columns = _landed_columns(store)
    contact = columns.get("mainstay.contact", ())
    record = columns.get("salesforce.Contact", ())
    contacts = _CONTACTS if {"id", "crm_id", "first_name"} <= set(contact) else _NO_CONTACTS
    if "Id" not in record:
        return contacts, _NO_RECORDS
    parts = [f'"{name}"' for name in ("FirstName", "LastName") if name in record]
    name = '"Name"' if "Name" in record else f"nullif(concat_ws(' ', {', '.join(parts)}), '')" if parts else "NULL"
    email = '"Email"' if "Email" in record else "NULL"
    phones = [f'"{column}"' for column in ("MobilePhone", "Phone") if column in record]
    phone = f"coalesce({', '.join(phones)})" if phones else "NULL"
    # IsDeleted is one of the columns that every pull of Salesforce brings.
    records = (
        f'SELECT "Id" AS record_id, CAST({name} AS VARCHAR) AS name, CAST({email} AS VARCHAR) AS email,'
        f' CAST({phone} AS VARCHAR) AS phone FROM salesforce."Contact" WHERE "IsDeleted" IS NOT TRUE'
    )
    return contacts, records


def _landed_columns(store: Store) -> dict[str, list[str]]:
    rows = store.rows(
        """SELECT table_schema || '.' || table_name AS name, list(column_name ORDER BY ordinal_position) AS columns
           FROM information_schema.columns
           WHERE (table_schema, table_name) IN (('mainstay', 'contact'), ('salesforce', 'Contact')) GROUP BY ALL"""
    )
    return {row["name"]: row["columns"] for row in rows}


def person(store: Store, either_id: str) -> dict[str, Any]:
    """Both records of a person: {"name", "record_id", "contact_id", "record", "contact"}; a missing side is None.

    `either_id`: a Salesforce record Id (18 or 15 characters), a Mainstay contact id. Raises NotFound.
    """
    columns = _landed_columns(store)
    wanted = either_id.strip()
    record = contact = None
    if "mainstay.contact" in columns:
        contact = _first(store, "SELECT * FROM mainstay.contact WHERE id = $id OR crm_id = $id LIMIT 1", wanted)
    if "salesforce.Contact" in columns:
        key = (contact or {}).get("crm_id") or wanted
        sql = """SELECT * FROM salesforce."Contact"
                 WHERE "Id" = $id OR (len($id) = 15 AND starts_with("Id", $id)) LIMIT 1"""
        record = _first(store, sql, key)
    if record is not None and contact is None and "mainstay.contact" in columns:
        contact = _first(store, "SELECT * FROM mainstay.contact WHERE crm_id = $id LIMIT 1", record["Id"])
    if record is None and contact is None:
        raise NotFound(f"Nobody with the id {wanted} has been pulled. Search by name, phone or email.")
    return {
        "name": _name(record, contact),
        "record_id": record["Id"] if record else (contact or {}).get("crm_id"),
        "contact_id": contact["id"] if contact else None,
        "record": _shown(record),
        "contact": _shown(contact),
    }


def _first(store: Store, sql: str, wanted: str) -> dict[str, Any] | None:
    rows = store.rows(sql, {"id": wanted})
    return rows[0] if rows else None


def _shown(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if not name.startswith("_")}


def _name(record: dict[str, Any] | None, contact: dict[str, Any] | None) -> str:
    sides = (
        ((record or {}).get("FirstName"), (record or {}).get("LastName")),
        ((contact or {}).get("first_name"), (contact or {}).get("last_name")),
    )
    for first, last in sides:
        if name := " ".join(part for part in (first, last) if part):
            return name
    return str((record or {}).get("Name") or "No name")


def changes_of_person(store: Store, record_id: str | None, contact_id: str | None) -> list[dict[str, Any]]:
    """What the latest preview of each direction would do to a person: action, reason, predicted, codes, fields."""
    rows = store.rows(
        f"""WITH latest AS (
               SELECT direction, max(preview_id) AS preview_id FROM view.preview WHERE only_record IS NULL
               GROUP BY direction
           ), few AS MATERIALIZED (
               SELECT c.* FROM preview.change AS c JOIN latest USING (preview_id, direction)
               WHERE c.salesforce_id = $record_id OR c.mainstay_id = $contact_id
               ORDER BY c.direction, c.seq LIMIT 50
           )
           SELECT c.preview_id, c.change_id, c.direction, c.action, c.reason, c.rule, c.guards, c.predicted_status,
                  c.codes, c.certainty, c.fields, p.created_at
           FROM ({whole_changes("few")}) AS c JOIN view.preview AS p USING (preview_id)
           ORDER BY c.direction, c.seq""",
        {"record_id": record_id or "", "contact_id": contact_id or ""},
    )
    return [{**row, "fields": orjson.loads(row["fields"]) if row["fields"] else []} for row in rows]


def results_of_person(store: Store, record_id: str | None, contact_id: str | None) -> list[dict[str, Any]]:
    """The latest 200 sync results of a person with the fields each change named, newest first."""
    rows = store.rows(
        f"""WITH mine AS MATERIALIZED (
               SELECT s.*, b.preview_id, b.approved_by
               FROM (SELECT * FROM view.sync_result WHERE record_id = $record_id OR mainstay_id = $contact_id
                     ORDER BY result_number DESC LIMIT 200) AS s
               LEFT JOIN view.batch AS b USING (batch_id)
           ), few AS MATERIALIZED (
               SELECT * FROM preview.change WHERE (preview_id, change_id) IN (SELECT preview_id, change_id FROM mine)
           )
           SELECT mine.name, mine.finished_at, mine.direction, mine.status, mine.codes, mine.is_as_predicted,
                  mine.batch_id, mine.approved_by, c.action, c.fields
           FROM mine
           LEFT JOIN ({whole_changes("few")}) AS c ON c.preview_id = mine.preview_id AND c.change_id = mine.change_id
           ORDER BY mine.result_number DESC""",
        {"record_id": record_id or "", "contact_id": contact_id or ""},
    )
    return [{**row, "fields": orjson.loads(row["fields"]) if row["fields"] else []} for row in rows]


def message_counts(store: Store, contact_id: str | None) -> dict[str, int]:
    """Messages of a contact: total, incoming, outgoing, and one count per kind of outgoing message."""
    rows = store.rows(
        "SELECT kind, is_incoming, count(*) AS n FROM view.message WHERE contact_id = $contact_id GROUP BY ALL",
        {"contact_id": contact_id or ""},
    )
    counts = {"total": sum(row["n"] for row in rows), "incoming": 0, "outgoing": 0}
    for row in rows:
        counts["incoming" if row["is_incoming"] else "outgoing"] += row["n"]
        if not row["is_incoming"]:
            counts[row["kind"]] = row["n"]
    return counts


def message_span(store: Store, contact_id: str | None) -> tuple[datetime, datetime] | None:
    """The moments of the first and the latest message of a contact."""
    row = store.rows(
        "SELECT min(sent_at) AS first, max(sent_at) AS latest FROM view.message WHERE contact_id = $contact_id",
        {"contact_id": contact_id or ""},
    )[0]
    return (row["first"], row["latest"]) if row["first"] is not None else None


def messages(
    store: Store, contact_id: str | None, *, kind: str | None = None, since: datetime | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """Messages of a contact, oldest first: sent_at, is_incoming, body, kind, reason, channel, is_failed, error_code.

    The latest `limit`; with `since`, the first `limit` from that moment on.
    """
    order = "DESC" if since is None else "ASC"
    return store.rows(
        f"""SELECT * FROM (
               SELECT message_id, sent_at, is_incoming, body, kind, reason, channel, is_failed, error_code
               FROM view.message
               WHERE contact_id = $contact_id AND ($kind IS NULL OR kind = $kind)
                 AND ($since IS NULL OR sent_at >= $since)
               ORDER BY sent_at {order}, message_id {order} LIMIT $limit
           ) ORDER BY sent_at, message_id""",
        {"contact_id": contact_id or "", "kind": kind, "since": since, "limit": limit},
    )


def campaigns_of_person(store: Store, contact_id: str | None) -> list[dict[str, Any]]:
    """Campaigns that wrote to a contact, latest first: name, script_name, type, status, sent_at, message_count."""
    return store.rows(
        """WITH mine AS (
               SELECT campaign_id, any_value(reason) AS reason, count(*) AS message_count,
                      max(sent_at) AS last_message_at
               FROM view.message WHERE contact_id = $contact_id AND campaign_id IS NOT NULL GROUP BY campaign_id
           )
           SELECT mine.campaign_id, coalesce(c.name, replace(mine.reason, 'Campaign: ', '')) AS name, c.script_name,
                  c.type, c.status, c.sent_at, mine.message_count, mine.last_message_at
           FROM mine LEFT JOIN view.campaign AS c USING (campaign_id)
           ORDER BY coalesce(c.sent_at, mine.last_message_at) DESC, mine.campaign_id""",
        {"contact_id": contact_id or ""},
    )


CAMPAIGN_SORTS: Final = {
    "sent": "sent_at DESC NULLS LAST",
    "name": "name",
    "responded": "responded_count DESC NULLS LAST",
    "status": "status",
}


def campaigns(
    store: Store, *, text: str = "", status: str | None = None, sort: str = "sent", size: int = 50, page: int = 1
) -> list[dict[str, Any]]:
    """One page of campaigns; each row also carries `total`, the number of campaigns that match."""
    return store.rows(
        f"""SELECT *, count(*) OVER () AS total FROM view.campaign
            WHERE ($status IS NULL OR status = $status)
              AND ($text = '' OR contains(lower(name), $text) OR contains(lower(coalesce(script_name, '')), $text))
            ORDER BY {CAMPAIGN_SORTS[sort]}, campaign_id LIMIT $size OFFSET $skip""",
        {"text": text.strip().lower(), "status": status, "size": size, "skip": (page - 1) * size},
    )
