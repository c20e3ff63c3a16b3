"""One person found from any record that points at them, and everything known about them in the order of time."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from workbench import views_people
from workbench.errors import NotFound
from workbench.store import Store
from workbench.store.quoting import identifier

STORY_MESSAGES: Final = 1000
_LOOKUPS: Final = """
SELECT f.name, f.relationship_name, f.reference_to FROM salesforce.field AS f
JOIN information_schema.columns AS c
    ON c.table_schema = 'salesforce' AND c.table_name = f.sobject AND c.column_name = f.name
WHERE f.sobject = $sobject AND len(f.reference_to) > 0 ORDER BY f.name"""


def resolve_person(store: Store, record_id: str, sobject: str = "", path: str = "") -> str:
    """The id of the person that a record stands for, as the guide's *Id Field API Name* does.

    `path`: an id field of `sobject`, reached through lookups where needed: `Contact__c`, `Application__r.Contact__c`.
    Without a path the record is the person. Raises NotFound, naming the part that leads nowhere.
    """
    if not path.strip():
        return record_id.strip()
    here, found = sobject.strip() or "Contact", record_id.strip()
    *lookups, last = path.strip().split(".")
    for name in lookups:
        field, target = _lookup(store, here, name)
        found, here = _value(store, here, found, field), target
    return _value(store, here, found, last)


def _lookup(store: Store, sobject: str, name: str) -> tuple[str, str]:
    """(its id field, the object it leads to) of a relationship like `Account` or `Application__r`."""
    for row in store.rows(_LOOKUPS, {"sobject": sobject}):
        if name.lower() in {str(row["relationship_name"]).lower(), row["name"].lower()}:
            return row["name"], row["reference_to"][0]
    raise NotFound(f"{sobject} has no lookup {name} among what was pulled. Map a field behind it, then pull.")


def _value(store: Store, sobject: str, record_id: str, field: str) -> str:
    columns = _columns(store, sobject)
    column = next((name for name in columns if name.lower() == field.lower()), None)
    if "Id" not in columns or column is None:
        missing = f"{sobject}.{field}" if columns else sobject
        raise NotFound(f"{missing} has not been pulled. Map a field of it, then pull.")
    rows = store.rows(
        f"""SELECT CAST({identifier(column)} AS VARCHAR) AS found FROM salesforce.{identifier(sobject)}
            WHERE "Id" = $id OR (len($id) = 15 AND starts_with("Id", $id)) LIMIT 1""",
        {"id": record_id},
    )
    if not rows:
        raise NotFound(f"There is no {sobject} {record_id} among what was pulled.")
    if not rows[0]["found"]:
        raise NotFound(f"{field} of {sobject} {record_id} is blank, so it leads to nobody.")
    return str(rows[0]["found"])


def _columns(store: Store, sobject: str) -> list[str]:
    rows = store.rows(
        """SELECT column_name AS name FROM information_schema.columns
           WHERE table_schema = 'salesforce' AND table_name = $sobject AND $sobject <> 'field'""",
        {"sobject": sobject},
    )
    return [row["name"] for row in rows]


def people_below(store: Store, record_id: str, sobject: str, *, limit: int = 200) -> list[dict[str, Any]]:
    """The people who look up to a record (the students of an account), in the shape of `views_people.find_people`."""
    lookups = [row["name"] for row in store.rows(_LOOKUPS, {"sobject": "Contact"}) if sobject in row["reference_to"]]
    if not lookups:
        return []
    points = " OR ".join(f"{identifier(name)} = $id" for name in lookups)
    rows = store.rows(
        f'SELECT "Id" AS id FROM salesforce."Contact" WHERE ({points}) AND "IsDeleted" IS NOT TRUE '
        'ORDER BY "Id" LIMIT $limit',
        {"id": record_id.strip(), "limit": limit},
    )
    return views_people.people_by_record(store, [row["id"] for row in rows])


def biography(
    store: Store, record_id: str | None, contact_id: str | None, *, zone: str = "UTC", limit: int = 300
) -> list[dict[str, Any]]:
    """Edits, pushes, decisions and messages of a person, newest first: at, kind, title, and what belongs to the kind.

    Messages of one day (in `zone`, an IANA name) are one line: count, incoming, body (the last words). Of edits, the
    first and the latest are known to both systems. `fields` holds what a push changed.
    """
    events = [*_edits(store, record_id, contact_id), *_pushes(store, record_id, contact_id)]
    events += [*_decisions(store, record_id), *_conversations(store, contact_id, ZoneInfo(zone))]
    return sorted(events, key=lambda event: (event["at"], event["title"]), reverse=True)[:limit]


def _edits(store: Store, record_id: str | None, contact_id: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    sides = (
        ("Salesforce", "Contact", "salesforce", '"Id"', record_id, "CreatedDate", "LastModifiedDate"),
        ("Mainstay", "contact", "mainstay", "id", contact_id, "created", "last_modified_at"),
    )
    for system, table, schema, key, wanted, created, edited in sides:
        columns = store.rows(
            """SELECT column_name AS name FROM information_schema.columns
               WHERE table_schema = $schema AND table_name = $table""",
            {"schema": schema, "table": table},
        )
        if wanted is None or not {created, edited} <= {row["name"] for row in columns}:
            continue
        rows = store.rows(
            f"""SELECT CAST({identifier(created)} AS TIMESTAMPTZ) AS created,
                       CAST({identifier(edited)} AS TIMESTAMPTZ) AS edited
                FROM {schema}.{identifier(table)} WHERE {key} = $id LIMIT 1""",
            {"id": wanted},
        )
        for row in rows:
            if row["created"]:
                found.append({"at": row["created"], "kind": "edit", "title": f"Created in {system}"})
            if row["edited"] and row["edited"] != row["created"]:
                found.append({"at": row["edited"], "kind": "edit", "title": f"Last edited in {system}"})
    return found


def _pushes(store: Store, record_id: str | None, contact_id: str | None) -> list[dict[str, Any]]:
    return [
        {
            "at": row["finished_at"],
            "kind": "push",
            "title": row["name"],
            "status": row["status"],
            "direction": row["direction"],
            "action": row["action"],
            "codes": row["codes"],
            "batch_id": row["batch_id"],
            "approved_by": row["approved_by"],
            "fields": row["fields"],
        }
        for row in views_people.results_of_person(store, record_id, contact_id)
    ]


def _decisions(store: Store, record_id: str | None) -> list[dict[str, Any]]:
    rows = store.rows(
        """SELECT decided_at, field, winner, decided_by FROM journal.conflict_decision
           WHERE record_id = $id ORDER BY decided_at DESC LIMIT 50""",
        {"id": record_id or ""},
    )
    return [
        {"at": row["decided_at"], "kind": "decision", "title": f"{row['field']}: {row['winner'].capitalize()} wins",
         "decided_by": row["decided_by"]}
        for row in rows
    ]  # fmt: skip


def _conversations(store: Store, contact_id: str | None, zone: tzinfo) -> list[dict[str, Any]]:
    messages = views_people.messages(store, contact_id, limit=STORY_MESSAGES)

    def day(message: dict[str, Any]) -> date:
        moment: datetime = message["sent_at"]
        return moment.astimezone(zone).date()

    found = []
    for _, group in groupby(messages, key=day):
        said = list(group)
        incoming = sum(1 for message in said if message["is_incoming"])
        reasons = list(dict.fromkeys(message["reason"] for message in said if message["reason"]))
        found.append(
            {"at": said[-1]["sent_at"], "kind": "messages", "title": "Messages", "count": len(said),
             "incoming": incoming, "reasons": reasons[:3], "body": said[-1]["body"] or ""}
        )  # fmt: skip
    return found
