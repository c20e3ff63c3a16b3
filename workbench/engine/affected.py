"""Which records an export preview has to look at again, given what moved since the last full one.

Not the changed records alone: a phone that one of them took or let go may decide about others. So, starting from the
records and contacts that changed, on either side:
- before: records that the last full preview led to such a contact, or decided in one group with such a record, and,
  once any contact changed, those whose rival for a phone it does not name;
- now: records that want, hold or give up a phone which an affected record or a changed contact has, and so on.
The same steps then run on these records alone; what they say of them is what a full preview would say.
"""

from __future__ import annotations

from workbench.engine.run import Run
from workbench.store.quoting import identifier
from workbench.store.steps import make_table

_CONTACTS = """
SELECT c.id AS contact_id, nullif(c.crm_id, '') AS crm_id
FROM store.mainstay.contact AS c
WHERE c.last_modified_at >= $since
"""
# Only a full pull can let a row vanish without a trace.
_VANISHED_CONTACTS = """
UNION ALL
SELECT DISTINCT b.mainstay_id AS contact_id, CAST(NULL AS VARCHAR) AS crm_id
FROM store.preview.change AS b
ANTI JOIN store.mainstay.contact AS c ON c.id = b.mainstay_id
WHERE b.preview_id = $baseline AND b.sobject = $sobject AND b.mainstay_id IS NOT NULL
"""
_VANISHED_RECORDS = """
    UNION
    SELECT before.salesforce_id FROM before ANTI JOIN store.salesforce.{table} AS s ON s."Id" = before.salesforce_id"""
_FULL_PULLS = """
SELECT count(*) FROM store.journal.pull AS pull
WHERE pull.mode = 'full'
  AND pull.pull_id > (SELECT min(pull_id) FROM store.preview.pin WHERE preview_id = $baseline)
"""

_SEED = """
WITH before AS (
    SELECT salesforce_id, mainstay_id, group_id, action, rule
    FROM store.preview.change
    WHERE preview_id = $baseline AND sobject = $sobject
),
touched AS (
    SELECT s."Id" AS record_id FROM store.salesforce.{table} AS s WHERE s."SystemModstamp" >= $since{vanished}
    UNION
    SELECT crm_id FROM work.changed_contact WHERE crm_id IS NOT NULL
    UNION
    SELECT before.salesforce_id FROM before JOIN work.changed_contact AS c ON c.contact_id = before.mainstay_id
    UNION
    SELECT salesforce_id FROM before
    WHERE (action = 'conflict' OR (action = 'blocked' AND rule = 'crm_id'))
      AND (SELECT count(*) FROM work.changed_contact) > 0
)
SELECT record_id FROM touched
UNION
SELECT fellow.salesforce_id
FROM before AS fellow
SEMI JOIN (
    SELECT before.group_id FROM before JOIN touched ON touched.record_id = before.salesforce_id
    WHERE before.group_id IS NOT NULL
) AS grouped ON grouped.group_id = fellow.group_id
"""

_PHONES = """
SELECT phone_key AS phone FROM work.record_key SEMI JOIN work.affected USING (record_id) WHERE phone_key IS NOT NULL
UNION
SELECT phone_key FROM work.contact_now AS n SEMI JOIN work.affected AS a ON a.record_id = n.crm_id_key
WHERE phone_key IS NOT NULL
UNION
SELECT phone_key FROM work.contact_now SEMI JOIN work.changed_contact USING (contact_id) WHERE phone_key IS NOT NULL
"""

_GROWN = """
SELECT record_id FROM work.affected
UNION
SELECT record_id FROM work.record_key AS k SEMI JOIN work.affected_phone AS p ON p.phone = k.phone_key
UNION
SELECT crm_id_key FROM work.contact_now AS n SEMI JOIN work.affected_phone AS p ON p.phone = n.phone_key
WHERE crm_id_key IS NOT NULL
"""

_RECORDS = "SELECT * FROM work.record_key SEMI JOIN work.affected USING (record_id)"
_REACHED = """
SELECT * FROM work.contact_now AS n
WHERE crm_id_key IN (SELECT record_id FROM work.affected)
   OR phone_key IN (SELECT phone FROM work.affected_phone)
"""


def keep_affected(run: Run, sobject: str) -> None:
    """Reduce work.record_key and work.contact_now to what may have to be decided anew, and what that may reach."""
    con, scope = run.con, run.scope
    seed = {"since": scope.since, "baseline": scope.baseline, "sobject": sobject}
    full = con.execute(_FULL_PULLS, {"baseline": scope.baseline}).fetchone()
    table, is_whole = identifier(sobject), bool(full and full[0])
    if is_whole:
        make_table(con, "changed_contact", _CONTACTS + _VANISHED_CONTACTS, seed)
    else:
        make_table(con, "changed_contact", _CONTACTS, {"since": scope.since})
    vanished = _VANISHED_RECORDS.format(table=table) if is_whole else ""
    make_table(con, "affected", _SEED.format(table=table, vanished=vanished), seed)
    count, known = -1, 0
    while count != known:
        count = known
        make_table(con, "affected_phone", _PHONES)
        make_table(con, "affected", _GROWN)
        found = con.execute("SELECT count(*) FROM work.affected").fetchone()
        known = found[0] if found else 0
    make_table(con, "record_key", _RECORDS)
    make_table(con, "contact_now", _REACHED)
