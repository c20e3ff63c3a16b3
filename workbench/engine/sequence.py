"""Records of a batch that touch one phone, walked in FIFO order through the ladder.

Identity errors depend on order: a phone shared by two records, freed by an earlier one, or a CRM ID acquired on the
way. Set-based SQL finds these records and their groups; only they are walked, and the walk replaces their
set-based prediction. Source: DESIGN section 6, "Sequence"; the order is SystemModstamp, then Id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import duckdb
import orjson
import pyarrow as pa

from workbench.domain import ladder, rules
from workbench.engine.compile import landed_rows
from workbench.engine.compile_export import value_now
from workbench.engine.plans import ExportPlan
from workbench.store.steps import make_table

_WALK_SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        ("contact_id", pa.string()),
        ("contact_row", pa.int64()),
        ("rule", pa.string()),
        ("action", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("body", pa.string()),
        ("fields", pa.string()),
        ("codes", pa.string()),
        ("clears", pa.bool_()),
    ]
)
_KNOWN_PHONE = "coalesce(phone_text(w.{name}_key), nullif(c.{name}, ''))"
_REACHED = """
WITH touched AS (
    SELECT DISTINCT touch.phone FROM work.touch_outgoing AS touch SEMI JOIN work.group_outgoing USING (seq)
)
SELECT contact_row, true AS is_there
FROM work.verdict_outgoing SEMI JOIN work.group_outgoing USING (seq)
WHERE contact_row IS NOT NULL
UNION
SELECT owner.contact_row, true AS is_there
FROM work.phone_owner AS owner SEMI JOIN touched ON touched.phone = owner.phone
"""
_ACTION_OF_RULE = {"crm_id": "update", "phone": "link", "none": "create"}
_CODE_SEPARATOR = "\x1f"
_NUMBERS = (int, float)
_PLAIN = (str, int)


@dataclass
class Directory:
    """The contacts that walked records can reach, by each of their three names; new ones join as they are made."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    crm_ids: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)  # contacts that are there already: where their landed row is

    def by_id(self, contact_id: str) -> ladder.Contact | None:
        return self.contacts.get(contact_id)

    def by_crm_id(self, crm_id: str) -> ladder.Contact | None:
        return self.contacts.get(self.crm_ids.get(crm_id, ""))

    def by_phone(self, phone: str) -> ladder.Contact | None:
        return self.contacts.get(self.phones.get(phone, ""))

    def save(self, contact: dict[str, Any]) -> None:
        """Add or replace a contact and its names."""
        contact_id = contact["id"]
        before = self.contacts.get(contact_id)
        if before is not None and before.get("phone"):
            self.phones.pop(before["phone"], None)
        self.contacts[contact_id] = contact
        if contact.get("phone"):
            self.phones[contact["phone"]] = contact_id
        if contact.get("crm_id"):
            self.crm_ids[contact["crm_id"]] = contact_id


def label_groups(con: duckdb.DuckDBPyConnection) -> None:
    """work.group_outgoing: seq, group_id; records that share a contended phone, directly or by others.

    Connected components: each record takes the least label of its phones, each phone the least of its records, and
    each label the label of the record it names, so that long chains shrink by halves; until nothing moves. A group is
    named by its first record's seq.
    """
    con.execute(
        "CREATE OR REPLACE TABLE work.group_outgoing AS "
        "SELECT seq, min(seq) AS group_id FROM work.collision_outgoing GROUP BY seq"
    )
    while _relabel(con):
        pass


def _relabel(con: duckdb.DuckDBPyConnection) -> bool:
    """One round; whether a label moved."""
    con.execute(
        "CREATE OR REPLACE TABLE work.group_next AS "
        "WITH phone AS (SELECT c.phone, min(g.group_id) AS group_id FROM work.collision_outgoing AS c "
        "JOIN work.group_outgoing AS g ON g.seq = c.seq GROUP BY c.phone), "
        "least AS (SELECT c.seq, min(phone.group_id) AS group_id FROM work.collision_outgoing AS c "
        "JOIN phone ON phone.phone = c.phone GROUP BY c.seq) "
        "SELECT least.seq, named.group_id FROM least JOIN least AS named ON named.seq = least.group_id"
    )
    moved = con.execute(
        "SELECT count(*) FROM work.group_outgoing AS g JOIN work.group_next AS n ON n.seq = g.seq "
        "WHERE n.group_id <> g.group_id"
    ).fetchone()
    con.execute("DROP TABLE work.group_outgoing")
    con.execute("ALTER TABLE work.group_next RENAME TO group_outgoing")
    return bool(moved and moved[0])


def walk(con: duckdb.DuckDBPyConnection, plan: ExportPlan) -> int:
    """Make work.walk_outgoing, one row per walked record with its outcome in order; return how many."""
    directory = _directory(con, plan)
    institution = ladder.Institution(
        {pair.mainstay.name: pair.mainstay for pair in plan.custom}, plan.has_sms, plan.has_web_bot
    )
    records = con.execute(
        "SELECT v.seq, v.record_id, phone_text(v.phone_key), p.left_fields, p.body FROM work.verdict_outgoing AS v "
        "JOIN work.new_outgoing AS p ON p.seq = v.seq WHERE p.is_walked ORDER BY v.seq"
    ).fetchall()
    rows = [
        {"seq": seq, **_send(plan, directory, institution, record_id, phone, orjson.loads(body), frozenset(left or ()))}
        for seq, record_id, phone, left, body in records
    ]
    con.register("walked", pa.Table.from_pylist(rows, schema=_WALK_SCHEMA))
    con.execute(
        "CREATE OR REPLACE TABLE work.walk_outgoing AS "
        "SELECT * REPLACE (CAST(rule AS match_rule) AS rule, CAST(action AS action) AS action) FROM walked"
    )
    con.unregister("walked")
    return len(rows)


def _send(  # noqa: PLR0917  one record's context, in reading order
    plan: ExportPlan,
    directory: Directory,
    institution: ladder.Institution,
    record_id: str,
    phone: str | None,
    body: dict[str, Any],
    left: frozenset[str],
) -> dict[str, Any]:
    """One record in package order: PUT by CRM ID, PUT by phone, POST; the first that finds its contact answers."""
    filled = _without(body, left)
    filled.pop("crm_id", None)
    if (target := directory.by_crm_id(record_id)) is not None:
        rule, name, sent = "crm_id", record_id, _update(plan, filled, target, left)
    elif phone is not None and (target := directory.by_phone(phone)) is not None:
        rule, name, sent = "phone", phone, {"crm_id": record_id, **_update(plan, filled, target, left)}
    else:
        rule, name, sent = "none", "", {"crm_id": record_id, **filled}
    if rule == "none":
        answer = ladder.post(sent, directory, institution)
    else:
        answer = ladder.put(name, sent, directory, institution)
    is_written = answer.contact is not None
    if answer.contact is not None:
        directory.save({**answer.contact, "id": answer.contact.get("id") or f"new:{record_id}"})
    row = directory.rows.get(target["id"]) if target is not None else None
    return {
        "contact_id": None if target is None or row is None else target["id"],
        "contact_row": row,
        "rule": rule,
        "action": _ACTION_OF_RULE[rule] if is_written else "blocked",
        "method": "POST" if target is None else "PUT",
        "path": f"contacts/{quote(name, safe='')}/" if name else "contacts/",
        "body": _json(sent),
        "fields": None if target is None else _json(_field_changes(sent, target)),
        "codes": _CODE_SEPARATOR.join(dict.fromkeys(answer.codes)) or None,
        "clears": rules.UNSET in sent.values() or rules.UNSET in sent.get("custom", {}).values(),
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _without(body: dict[str, Any], left: frozenset[str]) -> dict[str, Any]:
    """The values of a body, less those that are left to the contact."""
    if not left:
        return body
    filled = {name: value for name, value in body.items() if name != "custom" and name not in left}
    custom = {name: value for name, value in body.get("custom", {}).items() if f"custom.{name}" not in left}
    return {**filled, "custom": custom} if custom else filled


def _update(
    plan: ExportPlan, filled: Mapping[str, Any], contact: ladder.Contact, left: frozenset[str]
) -> dict[str, Any]:
    """What a PUT to this contact carries: the values that differ, and the clears that the mapping includes."""
    return _with_clears(plan, _delta(plan, filled, contact), filled, contact, left)


def _delta(plan: ExportPlan, filled: Mapping[str, Any], contact: ladder.Contact) -> dict[str, Any]:
    """The values that differ from this contact's, or all of them where the mapping includes all fields."""
    if plan.include_all_fields:
        return dict(filled)
    known = contact.get("custom", {})
    custom = {name: v for name, v in filled.get("custom", {}).items() if _differs(v, known.get(name))}
    differs = {name: v for name, v in filled.items() if name != "custom" and _differs(v, contact.get(name))}
    return {**differs, "custom": custom} if custom else differs


def _with_clears(
    plan: ExportPlan,
    sent: dict[str, Any],
    filled: Mapping[str, Any],
    contact: ladder.Contact,
    left: frozenset[str],
) -> dict[str, Any]:
    """`sent` and UNSET for each mapped value that is blank in Salesforce, filled on this contact and not left to it."""
    if not plan.include_field_deletions:
        return sent
    custom, known = dict(sent.get("custom", {})), contact.get("custom", {})
    for pair in plan.pairs:
        name = pair.mainstay.name
        if pair.mainstay.path in left:
            continue
        if pair.mainstay.is_custom and name not in filled.get("custom", {}) and known.get(name) is not None:
            custom[name] = rules.UNSET
        elif not pair.mainstay.is_custom and name not in filled and contact.get(name) is not None:
            sent = {**sent, name: rules.UNSET}
    return {**sent, "custom": custom} if custom else sent


def _field_changes(sent: Mapping[str, Any], contact: ladder.Contact) -> list[dict[str, Any]]:
    changes = _changed(sent, contact, "")
    return changes + _changed(sent.get("custom", {}), contact.get("custom", {}), "custom.")


def _changed(sent: Mapping[str, Any], known: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """What is sent and differs from what is known, as texts."""
    found = []
    for name, value in sent.items():
        if type(value) is dict:
            continue
        before = known.get(name)
        # Most values are texts, and need no look of their own.
        before = before if type(before) is str and before != rules.UNSET else _text(before)
        after = value if type(value) is str and value != rules.UNSET else _text(value)
        if before != after:
            found.append({"field": prefix + name, "before": before, "after": after})
    return found


def _differs(value: Any, other: Any) -> bool:
    # Most values are texts or whole numbers on both sides: only the rest is worth a closer look.
    if type(value) is type(other) and type(value) in _PLAIN:
        return bool(value != other)
    return _text(value) != _text(other)


def _text(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        return None if value == rules.UNSET else value
    if value is None:
        return None
    if kind is bool:
        return "true" if value else "false"
    return rules.number_text(value) if kind in _NUMBERS else str(value)


def _directory(con: duckdb.DuckDBPyConnection, plan: ExportPlan) -> Directory:
    """Every contact that a walked record is linked to, or that holds a phone one of them touches."""
    columns = ", ".join(
        [
            "reached.contact_row",
            "c.id",
            "nullif(c.crm_id, '')",
            *(_KNOWN_PHONE.format(name=name) for name in ("phone", "previous_phone")),
        ]
        + [f"nullif(c.{name}, '')" for name in ("messaging_status_sms", "messaging_status_web_bot", "preferred_name")]
        + [value_now(pair) for pair in plan.pairs]
    )
    make_table(con, "reached_contact", _REACHED)
    contacts = landed_rows("store.mainstay.contact", "SELECT contact_row FROM work.reached_contact WHERE is_there")
    cursor = con.execute(
        f"""SELECT {columns}
        FROM work.reached_contact AS reached
        JOIN (SELECT *, phone_key AS contact_phone FROM work.contact_now) AS w ON w.contact_row = reached.contact_row
        JOIN {contacts} AS c ON c.landed_row = reached.contact_row"""
    )
    names = [f"_{key}" for key in ("row", "id", "crm", "phone", "previous", "sms", "web", "preferred")]
    directory = Directory()
    for row in cursor.fetchall():
        keys = dict(zip(names, row, strict=False))
        directory.rows[keys["_id"]] = keys["_row"]
        directory.save(_contact(keys, zip(plan.pairs, row[len(names) :], strict=True)))
    return directory


def _contact(keys: Mapping[str, Any], values: Iterable[Any]) -> dict[str, Any]:
    custom: dict[str, Any] = {}
    contact: dict[str, Any] = {"custom": custom}
    for pair, value in values:
        (custom if pair.mainstay.is_custom else contact)[pair.mainstay.name] = value
    contact.update(
        id=keys["_id"],
        crm_id=keys["_crm"],
        phone=keys["_phone"],
        previous_phone=keys["_previous"],
        messaging_status_sms=keys["_sms"],
        messaging_status_web_bot=keys["_web"],
        preferred_name=keys["_preferred"],
    )
    return contact
