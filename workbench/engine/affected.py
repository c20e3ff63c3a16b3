"""Which records an export preview has to look at again, given what moved since the last full one.

Not the changed records alone: a phone that one of them took or let go may decide about others. So, starting from the
records and contacts that changed, on either side:
- before: records that the last full preview led to such a contact, or decided in one group with such a record, and,
  once any contact changed, those whose rival for a phone it does not name;
- now: records that want, hold or give up a phone which an affected record or a changed contact has, and so on.
The same steps then run on these records alone; what they say of them is what a full preview would say.
"""

from __future__ import annotations

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
_VANISHED_RECORDS: Final = """
    UNION
    SELECT before.salesforce_id FROM work.before AS before
    ANTI JOIN {records} AS s ON s."Id" = before.salesforce_id"""
_FULL_PULLS: Final = """
SELECT count(*) FROM store.journal.pull AS pull
WHERE pull.mode = 'full'
  AND pull.pull_id > (SELECT min(pull_id) FROM store.preview.pin WHERE preview_id = $baseline)
"""
_BEFORE: Final = """
SELECT salesforce_id, mainstay_id, group_id, action, rule
FROM store.preview.change
WHERE preview_id = {baseline} AND sobject = {sobject}
"""

_SEED: Final = """
WITH touched AS (
    SELECT s."Id" AS record_id FROM {records} AS s WHERE s."SystemModstamp" >= $since{vanished}
    UNION
    SELECT crm_id FROM work.changed_contact WHERE crm_id IS NOT NULL
    UNION
    SELECT salesforce_id FROM work.before
    WHERE mainstay_id IN (SELECT contact_id FROM work.changed_contact WHERE is_there)
    UNION
    SELECT salesforce_id FROM work.before
    WHERE (action = 'conflict' OR (action = 'blocked' AND rule = 'crm_id'))
      AND (SELECT count(*) FROM work.changed_contact) > 0
)
SELECT record_id, 0 AS round, true AS is_there FROM touched
UNION
SELECT fellow.salesforce_id, 0 AS round, true AS is_there
FROM work.before AS fellow
SEMI JOIN (
    SELECT before.group_id FROM work.before AS before JOIN touched ON touched.record_id = before.salesforce_id
    WHERE before.group_id IS NOT NULL
) AS grouped ON grouped.group_id = fellow.group_id
"""

_LATEST: Final = "SELECT record_id FROM work.affected WHERE is_there AND round = {round}"
_PHONES: Final = """
SELECT DISTINCT found.phone, {round} AS round, true AS is_there
FROM (
    SELECT {record_phone} AS phone FROM {records} AS s WHERE s."Id" IN ({latest})
    UNION ALL
    SELECT {contact_phone} AS phone FROM store.mainstay.contact AS c WHERE c.crm_id IN ({latest})
    UNION ALL
    SELECT phone FROM work.changed_contact
) AS found
ANTI JOIN work.affected_phone AS known ON known.phone = found.phone
WHERE fitting_phone(found.phone) IS NOT NULL
"""

_LATEST_PHONES: Final = "SELECT phone FROM work.affected_phone WHERE is_there AND round = {round}"
_GROWN: Final = """
SELECT DISTINCT found.record_id, {round} + 1 AS round, true AS is_there
FROM (
    SELECT s."Id" AS record_id FROM {records} AS s WHERE {record_phone} IN ({latest_phones})
    UNION ALL
    SELECT c.crm_id AS record_id FROM store.mainstay.contact AS c WHERE {contact_phone} IN ({latest_phones})
) AS found
ANTI JOIN work.affected AS known ON known.record_id = found.record_id
WHERE found.record_id <> ''
"""

_RECORDS: Final = """
SELECT * FROM work.any_record WHERE record_id IN (SELECT record_id FROM work.affected WHERE is_there)
"""
_REACHED: Final = """
WITH reached AS (
    SELECT c.rowid AS contact_row, true AS is_there FROM store.mainstay.contact AS c
    WHERE c.crm_id IN (SELECT record_id FROM work.affected WHERE is_there)
    UNION
    SELECT c.rowid AS contact_row, true AS is_there FROM store.mainstay.contact AS c
    WHERE {contact_phone} IN (SELECT phone FROM work.affected_phone WHERE is_there)
)
SELECT * FROM work.any_contact WHERE contact_row IN (SELECT contact_row FROM reached WHERE is_there)
"""


def keep_affected(run: Run, plan: ExportPlan) -> None:
    """Make work.record_key and work.contact_now of what may have to be decided anew, and what that may reach."""
    con, scope = run.con, run.scope
    names = {
        "records": f"store.salesforce.{identifier(plan.sobject)}",
        "record_phone": plan.kept.of("s", compile_export.record_phone(plan)),
        "contact_phone": plan.kept.of("c", compile_export.contact_phones()[0]),
    }
    make_view(con, "any_record", compile_export.record_key(plan))
    make_view(con, "any_contact", compile_export.contact_now(plan))
    make_view(con, "before", _BEFORE.format(baseline=scope.baseline, sobject=literal(plan.sobject)))
    full = con.execute(_FULL_PULLS, {"baseline": scope.baseline}).fetchone()
    is_whole, since = bool(full and full[0]), {"since": scope.since}
    make_table(con, "changed_contact", (_CONTACTS + (_VANISHED_CONTACTS if is_whole else "")).format(**names), since)
    vanished = _VANISHED_RECORDS.format(**names) if is_whole else ""
    make_table(con, "affected", _SEED.format(vanished=vanished, **names), since)
    con.execute("CREATE OR REPLACE TABLE work.affected_phone (phone UBIGINT, round INTEGER, is_there BOOLEAN)")
    turn, is_growing = 0, True
    while is_growing:
        latest, latest_phones = _LATEST.format(round=turn), _LATEST_PHONES.format(round=turn)
        con.execute(f"INSERT INTO work.affected_phone {_PHONES.format(round=turn, latest=latest, **names)}")
        grown = con.execute(
            f"INSERT INTO work.affected {_GROWN.format(round=turn, latest_phones=latest_phones, **names)}"
        ).fetchone()
        turn, is_growing = turn + 1, bool(grown and grown[0])
    make_table(con, "record_key", _RECORDS)
    make_table(con, "contact_now", _REACHED.format(**names))
