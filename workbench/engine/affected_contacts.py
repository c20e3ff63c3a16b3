"""Which contacts an import preview has to look at again, given what moved since the last full one.

Not the changed contacts alone. Told are:
- at first, who changed, who asked a person, who was refused because of another record, or names one that is not there;
- then who shares a matching value with them or with a record that changed or that one of them reaches, or reached such
  a record before;
- and then, turn by turn, who wants a unique value that one of these wants or whose record has it: who gets it is
  decided in order. With several objects every turn looks all these ways, through all objects at once (decision 15).
Whom they reach is told from them and from test contacts: any other who carries the same record, or is after it, had
asked a person, or is told as well. Keys are read of those found alone. They are found by hashes, which are kept beside
the landed rows: values that hash alike only let one contact more be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from workbench.engine import compile_import_keys as keys
from workbench.engine.affected import is_full_pull_since
from workbench.engine.compile import mainstay_text
from workbench.engine.plans import ImportPlan
from workbench.engine.run import Run
from workbench.store.quoting import identifier, literal
from workbench.store.steps import make_table, make_view

_BEFORE: Final = """
SELECT sobject, salesforce_id, mainstay_id AS contact_id, action, codes
FROM store.preview.change
WHERE preview_id = {baseline} AND sobject IN ({sobjects})
"""
# `is_there` is always true: a condition that DuckDB does not see through (compile.landed_rows).
_FIRST: Final = """
SELECT contact_row, 0 AS turn, true AS is_there
FROM (
    SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c WHERE c.last_modified_at >= $since
    UNION
    SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c
    WHERE c.id IN (
        SELECT contact_id FROM work.before
        WHERE action = 'conflict' OR (action = 'blocked' AND list_has_any(codes, {of_others}))
        UNION ALL
        SELECT contact_id FROM store.journal.conflict_decision WHERE decided_at >= $since
    ){orphans}
)
"""
# Refused for what another record holds, or for one that is not there: that may be otherwise now.
_OF_OTHERS: Final = ("DUPLICATE_VALUE", "ENTITY_IS_DELETED", "FIELD_INTEGRITY_EXCEPTION", "INVALID_CROSS_REFERENCE_KEY")
_ORPHANS: Final = """
    UNION
    SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c
    ANTI JOIN (
        SELECT unnest(["Id", "Id"[1:15]]) AS id FROM store.salesforce.{parents} WHERE NOT coalesce("IsDeleted", false)
    ) AS parent ON parent.id = {value}
    WHERE {value} IS NOT NULL"""

_CHANGED: Final = """SELECT s."Id" AS record_id FROM store.salesforce.{table} AS s WHERE s."SystemModstamp" >= $since"""
# Only a full pull can let a row vanish without a trace.
_VANISHED: Final = """
    UNION
    SELECT b.salesforce_id AS record_id FROM work.before AS b
    ANTI JOIN store.salesforce.{table} AS s ON s."Id" = b.salesforce_id
    WHERE b.sobject = {sobject} AND b.salesforce_id IS NOT NULL
    UNION
    SELECT b.salesforce_id AS record_id FROM work.before AS b
    ANTI JOIN store.mainstay.contact AS c ON c.id = b.contact_id
    WHERE b.sobject = {sobject} AND b.salesforce_id IS NOT NULL"""
_TOUCHED: Final = """
SELECT record_id, 0 AS turn, true AS is_there
FROM (
    {changed}
)
"""

# Records that contacts of this turn are linked to.
_LINKED: Final = "SELECT crm_id_key AS record_id FROM work.{contacts} WHERE turn = {turn} AND crm_id_key IS NOT NULL"
_MATCHED: Final = "SELECT record_id FROM work.{records} WHERE turn = {turn}"
# What one of them would have changed may stay as it was: a unique value that somebody else waits for.
_LEFT: Final = """
    UNION ALL
    SELECT salesforce_id AS record_id FROM work.before
    WHERE salesforce_id IS NOT NULL
      AND contact_id IN (SELECT contact_id FROM work.{contacts} WHERE turn = {turn})"""
_TOUCH: Final = """
INSERT INTO work.{touched}
SELECT DISTINCT found.record_id, {turn} AS turn, true AS is_there
FROM (
    {found}
) AS found
ANTI JOIN work.{touched} AS known ON known.record_id = found.record_id
"""
# Whatever is found again keeps the turn in which it was found first.
_ADD: Final = """
INSERT INTO work.{near}
SELECT found.*, {turn} AS turn
FROM (
{found}
) AS found
ANTI JOIN work.{near} AS known ON known.{row} = found.{row}
"""

_ROWS: Final = "SELECT contact_row FROM work.affected_contact WHERE is_there AND turn = {turn}"
_IDS: Final = "SELECT record_id FROM work.{touched} WHERE is_there AND turn = {turn}"
# Keys that came up first in this turn: none is looked for twice.
_CONTACTS_KEYS: Final = """
    SELECT hash({key}) FROM work.{contacts} WHERE {key} IS NOT NULL GROUP BY {key} HAVING min(turn) = {turn}"""
_ALL_KEYS: Final = """
    SELECT hash({key}) FROM (
        SELECT {key}, turn FROM work.{contacts} UNION ALL SELECT {key}, turn FROM work.{records}
    ) WHERE {key} IS NOT NULL GROUP BY {key} HAVING min(turn) = {turn}"""

# Who was linked to it, too: who is now, and was not, has changed or had asked a person.
_WHO_REACHED: Final = """SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c
    WHERE c.id IN (
        SELECT contact_id FROM work.before
        WHERE salesforce_id IN (SELECT record_id FROM work.{touched} WHERE is_there AND turn = {turn}))"""
# They are told to nobody, but a record that one of them carries is taken.
_TEST_CONTACTS: Final = """SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c WHERE c.test_user"""
_WHO_SHARES: Final = """SELECT c.rowid AS contact_row FROM store.mainstay.contact AS c
    WHERE {number} IN ({numbers}
    )"""
_GROWN: Final = """
INSERT INTO work.affected_contact
SELECT DISTINCT found.contact_row, {turn} + 1 AS turn, true AS is_there
FROM (
    {found}
) AS found
ANTI JOIN work.affected_contact AS known ON known.contact_row = found.contact_row
"""

_SHOWN: Final = "SELECT * EXCLUDE (turn) FROM work.{contacts}"


def find_affected_contacts(run: Run, plans: Sequence[ImportPlan]) -> None:
    """Make work.affected_contact, the landed rows of whom is told, and the keys that the steps of each object read."""
    con, scope = run.con, run.scope
    sobjects = ", ".join(literal(plan.sobject) for plan in plans)
    make_view(con, "before", _BEFORE.format(baseline=scope.baseline, sobjects=sobjects))
    first = _FIRST.format(of_others=list(_OF_OTHERS), orphans="".join(map(_orphans, plans)))
    make_table(con, "affected_contact", first, {"since": scope.since})
    is_whole = is_full_pull_since(run)
    for plan in plans:
        _begin(run, plan, is_whole=is_whole)
    turn, has_more = 0, True
    while has_more:
        for plan in plans:
            _fetch(run, plan, _ROWS.format(turn=turn), turn)
        looks_all_ways = turn == 0 or len(plans) > 1
        grown = sum(_grow(run, plan, turn, all_ways=looks_all_ways) for plan in plans)
        turn += 1
        has_more = grown > 0 and (len(plans) > 1 or bool(keys.contact_claims(plans[0])))
    for plan in plans:
        _fetch(run, plan, _ROWS.format(turn=turn), turn)
        _add_contacts(run, plan, _TEST_CONTACTS, turn + 1)


def show_keys(run: Run, plan: ImportPlan) -> None:
    """Make work.contact_key and work.record_now those of one object that were found."""
    make_view(run.con, "contact_key", _SHOWN.format(**_names(plan)))
    make_view(run.con, "record_now", f"FROM work.{_names(plan)['records']}")


def _names(plan: ImportPlan) -> dict[str, str]:
    """What one object's tables are called: contacts and records with their keys, and Ids of records that count."""
    return {name: f"{name}_near_{plan.earlier}" for name in ("contacts", "records", "touched")}


def _begin(run: Run, plan: ImportPlan, *, is_whole: bool) -> None:
    """Make the tables of one object: its changed records, and no keys yet."""
    about = {"table": identifier(plan.sobject), "sobject": literal(plan.sobject)}
    changed = (_CHANGED + (_VANISHED if is_whole else "")).format(**about)
    names = _names(plan)
    make_table(run.con, names["touched"], _TOUCHED.format(changed=changed), {"since": run.scope.since})
    for name, query in (
        ("contacts", keys.contact_key(plan, claims=True)),
        ("records", keys.record_now(plan, claims=True)),
    ):
        make_table(run.con, names[name], f"SELECT *, 0 AS turn FROM ({query}) LIMIT 0")  # noqa: S608  our query


def _fetch(run: Run, plan: ImportPlan, rows: str, turn: int) -> None:
    """Add the keys of these contacts as those of a turn, and of the records that they reach."""
    about = {**_names(plan), "turn": turn}
    _add_contacts(run, plan, rows, turn)
    reached = _LINKED + (_LEFT if keys.contact_claims(plan) else "")
    run.con.execute(_TOUCH.format(**about, found=reached.format(**about)))
    numbers = keys.record_numbers(plan)
    wanted = {key: _CONTACTS_KEYS.format(**about, key=key) for key in plan.match_keys}
    for where in (
        f's."Id" IN ({_IDS.format(**about)})',
        *(f"{plan.kept.of('s', numbers[key])} IN ({wanted[key]}\n    )" for key in plan.match_keys),
    ):
        found = keys.record_now(plan, where=where, claims=True)
        run.con.execute(_ADD.format(near=about["records"], row="record_row", turn=turn, found=found))
    run.con.execute(_TOUCH.format(**about, found=_MATCHED.format(**about)))


def _add_contacts(run: Run, plan: ImportPlan, rows: str, turn: int) -> None:
    found = keys.contact_key(plan, where=f"c.rowid IN ({rows})", claims=True)
    run.con.execute(_ADD.format(near=_names(plan)["contacts"], row="contact_row", turn=turn, found=found))


def _grow(run: Run, plan: ImportPlan, turn: int, *, all_ways: bool) -> int:
    """Add those whom contacts and records of a turn decide about; return how many."""
    ways = _who_shares(plan, keys.contact_claims(plan), turn)
    if all_ways:
        ways += [_WHO_REACHED.format(**_names(plan), turn=turn), *_who_shares(plan, plan.match_keys, turn)]
    if not ways:
        return 0
    grown = run.con.execute(_GROWN.format(turn=turn, found=_union(ways))).fetchone()
    return int(grown[0]) if grown else 0


def _who_shares(plan: ImportPlan, shared: Iterable[str], turn: int) -> list[str]:
    """Queries of contacts by keys that came up in a turn."""
    about, numbers = {**_names(plan), "turn": turn}, keys.contact_numbers(plan)
    return [
        _WHO_SHARES.format(number=plan.kept.of("c", numbers[key]), numbers=_ALL_KEYS.format(**about, key=key))
        for key in shared
    ]


def _orphans(plan: ImportPlan) -> str:
    """Queries of contacts that name a record which is not there."""
    found = [
        _ORPHANS.format(value=mainstay_text(pair.mainstay), parents=identifier(plan.parents[pair.salesforce.name]))
        for pair in plan.pairs
        if pair.salesforce.name in plan.parents
    ]
    return "".join(found)


def _union(ways: Iterable[str]) -> str:
    return "\n    UNION ALL\n    ".join(ways)
