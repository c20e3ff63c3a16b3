"""Which contacts an import preview has to look at again, given what moved since the last full one.

Not the changed contacts alone: whoever shares a matching value with one, is linked to or matches the same record, or
asked a person before, may be decided otherwise now. Whom a contact reaches is told from all records and from every
contact that has a say in it, told or not. Decisions 11 and 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.engine import compile_import
from workbench.engine.affected import is_full_pull_since
from workbench.engine.plans import ImportPlan
from workbench.engine.run import Run
from workbench.store.quoting import identifier, literal
from workbench.store.steps import make_table, make_view

_BEFORE: Final = """
SELECT sobject, salesforce_id, mainstay_id AS contact_id, group_id, action
FROM store.preview.change
WHERE preview_id = {baseline} AND sobject IN ({sobjects})
"""
_ASKED: Final = "SELECT contact_id, true AS is_there FROM work.before WHERE action = 'conflict'"
_CHANGED_CONTACTS: Final = """
SELECT c.id AS contact_id, true AS is_there
FROM store.mainstay.contact AS c
WHERE c.last_modified_at >= $since
"""
_CHANGED_RECORDS: Final = """
SELECT s."Id" AS record_id, true AS is_there
FROM store.salesforce.{table} AS s
WHERE s."SystemModstamp" >= $since
"""
# Only a full pull can let a row vanish without a trace.
_VANISHED_RECORDS: Final = """
UNION ALL
SELECT b.salesforce_id AS record_id, true AS is_there
FROM work.before AS b
ANTI JOIN store.salesforce.{table} AS s ON s."Id" = b.salesforce_id
WHERE b.sobject = {sobject} AND b.salesforce_id IS NOT NULL
"""
# Records that an affected contact is linked to, was led to, or matches now, beside those that changed themselves.
_TOUCHED_RECORDS: Final = """
SELECT DISTINCT record_id, true AS is_there
FROM (
    SELECT record_id FROM work.changed_record
    UNION ALL
    SELECT crm_id_key AS record_id FROM work.contact_key
    WHERE crm_id_key IS NOT NULL AND contact_id IN (SELECT contact_id FROM work.affected_contact WHERE is_there)
    UNION ALL
    SELECT salesforce_id AS record_id FROM work.before
    WHERE salesforce_id IS NOT NULL AND contact_id IN (SELECT contact_id FROM work.affected_contact WHERE is_there)
    {matching}
) AS touched
"""
_MATCHING_RECORDS: Final = """UNION ALL
    SELECT record_id FROM work.record_now WHERE {key} IN (SELECT {key} FROM work.contact_key
        WHERE {key} IS NOT NULL AND contact_id IN (SELECT contact_id FROM work.affected_contact WHERE is_there))"""
_GROWN: Final = """
INSERT INTO work.affected_contact
SELECT DISTINCT found.contact_id, true AS is_there
FROM (
    SELECT contact_id FROM work.contact_key
    WHERE crm_id_key IN (SELECT record_id FROM work.touched_record WHERE is_there)
    UNION ALL
    SELECT contact_id FROM work.before
    WHERE salesforce_id IN (SELECT record_id FROM work.touched_record WHERE is_there)
    UNION ALL
    SELECT fellow.contact_id FROM work.before AS fellow
    SEMI JOIN (
        SELECT sobject, group_id FROM work.before
        WHERE group_id IS NOT NULL AND contact_id IN (SELECT contact_id FROM work.affected_contact WHERE is_there)
    ) AS grouped ON grouped.sobject = fellow.sobject AND grouped.group_id = fellow.group_id
    {matching}
) AS found
ANTI JOIN work.affected_contact AS known ON known.contact_id = found.contact_id
"""
_MATCHING_CONTACTS: Final = """UNION ALL
    SELECT contact_id FROM work.contact_key WHERE {key} IN (
        SELECT {key} FROM work.contact_key
        WHERE {key} IS NOT NULL AND contact_id IN (SELECT contact_id FROM work.affected_contact WHERE is_there)
        UNION ALL
        SELECT {key} FROM work.record_now
        WHERE {key} IS NOT NULL AND record_id IN (SELECT record_id FROM work.touched_record WHERE is_there))"""


# Those who have a say in whom an affected contact reaches: linked to a record that it reaches, or after the same one.
_CONCERNED: Final = """
SELECT key.*
FROM work.contact_key AS key
WHERE key.contact_id IN (
    SELECT contact_id FROM work.affected_contact
    UNION ALL
    SELECT contact_id FROM work.contact_key
    WHERE crm_id_key IN (SELECT record_id FROM work.touched_record WHERE is_there)
    {matching})
"""

# Made once of each object, for the search and for the steps that follow.
_KEYS: Final = {"contact_key": compile_import.contact_key, "record_now": compile_import.record_now}


def find_affected_contacts(run: Run, plans: Sequence[ImportPlan]) -> None:
    """Make work.affected_contact, contact_id of all these objects together, and the keys that the steps of each read.

    One object is gone through once. With several it is repeated until nobody new is found: an object decided before
    may leave a contact to a later one, or take it.
    """
    con, scope = run.con, run.scope
    sobjects = ", ".join(literal(plan.sobject) for plan in plans)
    make_view(con, "before", _BEFORE.format(baseline=scope.baseline, sobjects=sobjects))
    is_whole = is_full_pull_since(run)
    asked = f"{_CHANGED_CONTACTS}\nUNION\n{_ASKED}"
    make_table(con, "affected_contact", asked, {"since": scope.since})
    for plan in plans:
        for name, keys in _KEYS.items():
            make_table(con, f"{name}_{plan.earlier}", keys(plan))
    is_growing = True
    while is_growing:
        is_growing = sum(_grow(run, plan, is_whole=is_whole) for plan in plans) > 0 and len(plans) > 1
    for plan in plans:
        _show(run, plan, "contact_key")
        _touch(run, plan)
        make_table(con, f"concerned_{plan.earlier}", _CONCERNED.format(matching=_each(_MATCHING_CONTACTS, plan)))


def show_keys(run: Run, plan: ImportPlan) -> None:
    """Make work.record_now that of one object, and work.contact_key that of the contacts which have a say in it."""
    _show(run, plan, "concerned")


def _show(run: Run, plan: ImportPlan, contacts: str) -> None:
    """Make work.contact_key and work.record_now those of one object; `contacts`: all of them, or the concerned."""
    make_view(run.con, "contact_key", f"FROM work.{contacts}_{plan.earlier}")
    make_view(run.con, "record_now", f"FROM work.record_now_{plan.earlier}")


def _grow(run: Run, plan: ImportPlan, *, is_whole: bool) -> int:
    """Add those whom affected contacts and changed records of one object decide about; return how many."""
    about = {"table": identifier(plan.sobject), "sobject": literal(plan.sobject)}
    _show(run, plan, "contact_key")
    changed = _CHANGED_RECORDS + (_VANISHED_RECORDS if is_whole else "")
    make_table(run.con, "changed_record", changed.format(**about), {"since": run.scope.since})
    _touch(run, plan)
    found = run.con.execute(_GROWN.format(matching=_each(_MATCHING_CONTACTS, plan))).fetchone()
    return int(found[0]) if found else 0


def _touch(run: Run, plan: ImportPlan) -> None:
    """Make work.touched_record of one object: those that affected contacts reach, and those that changed."""
    make_table(run.con, "touched_record", _TOUCHED_RECORDS.format(matching=_each(_MATCHING_RECORDS, plan)))


def _each(template: str, plan: ImportPlan) -> str:
    """The same of each matching key."""
    return "\n    ".join(template.format(key=key) for key in plan.match_keys)
