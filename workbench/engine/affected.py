"""Which records an export preview has to look at again, given what moved since the last full one.

Not the changed records alone: a phone that one of them took or let go may decide about others. So, starting from the
records and contacts that changed, on either side:
- before: records that the last full preview led to such a contact, or decided in one group with such a record, and,
  once any contact changed, those whose rival for a phone it does not name;
- now: records that want, hold or give up a phone which an affected record or a changed contact has, and so on, turn by
  turn, through all objects at once: what one of them sends, a later one finds (decision 15).
The same steps then run on these records alone; what they say of them is what a full preview would say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.engine import compile_export
from workbench.engine.plans import ExportPlan
from workbench.engine.run import Run
from workbench.store.quoting import identifier, literal
from workbench.store.steps import make_table, make_view

# Phones are numbers (compile_export). `is_there` is always true: a condition that DuckDB does not see through makes it
# read hardly any other row of a large table (compile.landed_rows).
_CONTACTS: Final = """
SELECT c.id AS contact_id, nullif(c.crm_id, '') AS crm_id, {contact_phone} AS phone, true AS is_there
FROM store.mainstay.contact AS c
WHERE c.last_modified_at >= $since
"""
# Only a full pull can let a row vanish without a trace.
_VANISHED_CONTACTS: Final = """
UNION ALL
SELECT DISTINCT b.mainstay_id AS contact_id, CAST(NULL AS VARCHAR) AS crm_id, CAST(0 AS UBIGINT) AS phone,
       true AS is_there
FROM work.before AS b
ANTI JOIN store.mainstay.contact AS c ON c.id = b.mainstay_id
WHERE b.mainstay_id IS NOT NULL
"""
_FULL_PULLS: Final = """
SELECT count(*) FROM store.journal.pull AS pull
WHERE pull.mode = 'full'
  AND pull.pull_id > (SELECT min(pull_id) FROM store.preview.pin WHERE preview_id = $baseline)
"""
_BEFORE: Final = """
SELECT sobject, salesforce_id, mainstay_id, group_id, action, rule, certainty
FROM store.preview.change
WHERE preview_id = {baseline} AND sobject IN ({sobjects})
"""

_CHANGED: Final = """SELECT s."Id" AS record_id FROM {records} AS s WHERE s."SystemModstamp" >= $since"""
_VANISHED: Final = """SELECT b.salesforce_id AS record_id
    FROM work.before AS b ANTI JOIN {records} AS s ON s."Id" = b.salesforce_id
    WHERE b.sobject = {sobject}"""
# A person said who counts: before the baseline otherwise, maybe.
_DECIDED: Final = "SELECT record_id FROM store.journal.conflict_decision WHERE decided_at >= $since"
# Refused for a phone that another object sends: decided anew whenever anything moved.
_TAKEN: Final = "SELECT salesforce_id FROM work.before WHERE action = 'blocked' AND certainty = 'possible'"
_SEED: Final = """
WITH grouped AS MATERIALIZED (
    SELECT sobject, group_id, salesforce_id FROM work.before WHERE group_id IS NOT NULL
),
touched AS (
    {moved}
    UNION
    SELECT crm_id FROM work.changed_contact WHERE crm_id IS NOT NULL
    UNION
    SELECT salesforce_id FROM work.before
    WHERE mainstay_id IN (SELECT contact_id FROM work.changed_contact WHERE is_there)
    UNION
    SELECT salesforce_id FROM work.before
    WHERE action = 'conflict' AND (SELECT count(*) FROM work.changed_contact) > 0
    UNION
    SELECT salesforce_id FROM work.before
    WHERE action = 'blocked' AND rule = 'crm_id' AND (SELECT count(*) FROM work.changed_contact) > 0
)
SELECT record_id, 0 AS turn, true AS is_there FROM touched
UNION
SELECT fellow.salesforce_id, 0 AS turn, true AS is_there
FROM grouped AS fellow
SEMI JOIN (
    SELECT sobject, group_id FROM grouped WHERE salesforce_id IN (SELECT record_id FROM touched)
) AS decided ON decided.group_id = fellow.group_id AND decided.sobject = fellow.sobject
"""

_LATEST: Final = "SELECT record_id FROM work.affected WHERE is_there AND turn = {turn}"
_NAMED_CONTACTS: Final = """
INSERT INTO work.contact_now
SELECT found.*
FROM ({found}) AS found
ANTI JOIN work.contact_now AS known ON known.contact_row = found.contact_row
"""
_PHONES: Final = """
INSERT INTO work.affected_phone
SELECT DISTINCT found.phone, {turn} AS turn, true AS is_there
FROM (
    {wanted}
    UNION ALL
    SELECT phone_key AS phone FROM work.contact_now
    UNION ALL
    SELECT phone FROM work.changed_contact
    UNION ALL
    SELECT TRY_CAST(crm_id AS UBIGINT) AS phone FROM work.changed_contact WHERE length(crm_id) = 10
) AS found
ANTI JOIN work.affected_phone AS known ON known.phone = found.phone
WHERE fitting_phone(found.phone) IS NOT NULL
"""
_WANTED: Final = "SELECT phone_key AS phone FROM work.{key}"

_LATEST_PHONES: Final = "SELECT phone FROM work.affected_phone WHERE is_there AND turn = {turn}"
_WANTING: Final = """SELECT s."Id" AS record_id FROM {records} AS s WHERE {record_phone} IN ({latest_phones})"""
_GROWN: Final = """
INSERT INTO work.affected
SELECT DISTINCT found.record_id, {turn} + 1 AS turn, true AS is_there
FROM (
    {wanting}
    UNION ALL
    SELECT crm_id_key AS record_id FROM work.contact_now WHERE crm_id_key IS NOT NULL
) AS found
ANTI JOIN work.affected AS known ON known.record_id = found.record_id
"""


def find_affected(run: Run, plans: Sequence[ExportPlan]) -> None:
    """Make work.contact_now, contacts that affected records may reach, and of each object the keys of those records."""
    con, scope = run.con, run.scope
    names = [_names(plan) for plan in plans]
    sobjects = ", ".join(literal(plan.sobject) for plan in plans)
    make_view(con, "before", _BEFORE.format(baseline=scope.baseline, sobjects=sobjects))
    is_whole, since = is_full_pull_since(run), {"since": scope.since}
    contacts = _CONTACTS.format(**names[0]) + (_VANISHED_CONTACTS if is_whole else "")
    make_table(con, "changed_contact", contacts, since)
    moved = [_each(_CHANGED, names), *([_each(_VANISHED, names)] if is_whole else [])]
    moved += [_DECIDED, *([_TAKEN] if len(plans) > 1 else [])]
    make_table(con, "affected", _SEED.format(moved="\n    UNION\n    ".join(moved)), since)
    con.execute("CREATE OR REPLACE TABLE work.affected_phone (phone UBIGINT, turn INTEGER, is_there BOOLEAN)")
    make_table(con, "contact_now", f"{compile_export.contact_now(plans[0])} LIMIT 0")
    for plan in plans:
        make_table(con, _key(plan), f"{compile_export.record_key(plan)} LIMIT 0")
    turn, is_growing = 0, True
    while is_growing:
        is_growing = _follow(run, plans, names, turn) > 0
        turn += 1


def _follow(run: Run, plans: Sequence[ExportPlan], names: Sequence[dict[str, str]], turn: int) -> int:
    """Fetch the keys of the records found last, and find those who share a phone with them; return how many."""
    con, latest, phones = run.con, _LATEST.format(turn=turn), _LATEST_PHONES.format(turn=turn)

    def reach(condition: str) -> None:
        con.execute(_NAMED_CONTACTS.format(found=compile_export.contact_now(plans[0], where=condition)))

    for plan in plans:
        found = compile_export.record_key(plan, where=f's."Id" IN ({latest})')
        con.execute(f"INSERT INTO work.{identifier(_key(plan))}\n{found}")
    reach(f"c.crm_id IN ({latest})")
    con.execute(_PHONES.format(wanted=_each(_WANTED, names), turn=turn))
    reach(f"{names[0]['contact_phone']} IN ({phones})")
    grown = con.execute(_GROWN.format(wanting=_each(_WANTING, names, latest_phones=phones), turn=turn)).fetchone()
    return int(grown[0]) if grown else 0


def show_affected(run: Run, plan: ExportPlan) -> None:
    """Make work.record_key that of one object's affected records."""
    make_view(run.con, "record_key", f"FROM work.{identifier(_key(plan))}")


def _key(plan: ExportPlan) -> str:
    return f"record_key_{plan.sobject}"


def is_full_pull_since(run: Run) -> bool:
    """Whether anything was pulled in full since the preview that is the baseline, from the attached store."""
    found = run.con.execute(_FULL_PULLS, {"baseline": run.scope.baseline}).fetchone()
    return bool(found and found[0])


def _names(plan: ExportPlan) -> dict[str, str]:
    """What the queries call an object's landed rows, its keys, its phone and that of contacts."""
    return {
        "sobject": literal(plan.sobject),
        "records": f"store.salesforce.{identifier(plan.sobject)}",
        "key": identifier(_key(plan)),
        "record_phone": plan.kept.of("s", compile_export.record_phone(plan)),
        "contact_phone": plan.kept.of("c", compile_export.contact_phones()[0]),
    }


def _each(template: str, names: Sequence[dict[str, str]], **more: object) -> str:
    """The same of each object."""
    return "\n    UNION ALL\n    ".join(template.format(**name, **more) for name in names)
