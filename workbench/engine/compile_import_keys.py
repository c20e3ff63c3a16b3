"""Import: who is who. The narrow queries of one ImportMapping, keys alone; values come later, where needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from workbench.domain.fields import SalesforceField, column_type
from workbench.engine import compile_refusals as refusals
from workbench.engine.compile import Pair, fingerprint, lines, mainstay_text, salesforce_text
from workbench.engine.plans import ImportPlan
from workbench.store.quoting import identifier

_SEPARATOR: Final = "chr(31)"
_UNION: Final = "\n    UNION ALL\n"
# Which contacts a preview of one, or of what changed, tells about. What they reach is told from others, too.
_LOOKED_AT: Final = {
    "only": "c.contact_id = $only",
    "since": "c.contact_row IN (SELECT contact_row FROM work.affected_contact WHERE is_there)",
}


def settled(pair: Pair, text: str) -> str:
    """Text as Salesforce would store and compare it for this pair."""
    kind, other = pair.salesforce.type, pair.mainstay.data_type
    if "phone" in (kind, other.lower()):
        return f"coalesce(canon_phone({text}), {text})"
    if "email" in (kind, other):
        return f"small({text})"
    if kind == "datetime":
        moment = f"strftime(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
        return f"coalesce({moment}, {text})"
    if kind == "reference":
        return f"coalesce({refusals.long_id(text)}, {text})"
    macro = {"boolean": "canon_truth", "date": "canon_date"} | dict.fromkeys(refusals.NUMERIC, "canon_number")
    return f"coalesce({macro[kind]}({text}), {text})" if kind in macro else text


def record_text(field: SalesforceField) -> str:
    """As for exports, but UNSET is a text like any other: Salesforce has no such keyword."""
    if column_type(field) != "VARCHAR":
        return salesforce_text(field)
    return f"nullif(s.{identifier(field.name)}, '')"


def incoming_value(pair: Pair) -> str:
    """The pair's value in a landed contact `c`, as Salesforce would store it."""
    return settled(pair, mainstay_text(pair.mainstay))


def record_value(pair: Pair) -> str:
    """The pair's value in a landed record `s`, in the same form."""
    return settled(pair, record_text(pair.salesforce))


def _match_keys(plan: ImportPlan, value: Callable[[Pair], str]) -> dict[str, str]:
    """Case does not count and a blank matches nothing: its key is NULL. Source: guide, "Matching Mapping"."""
    parts = [f"lower({value(pair)})" for pair in plan.pairs if pair.is_matching]
    if plan.match == "all":
        parts = [f" || {_SEPARATOR} || ".join(parts)]
    return {f"match_key_{index}": part for index, part in enumerate(parts)}


def contact_claims(plan: ImportPlan) -> dict[str, str]:
    """claim_key_0, ...: the unique values that a landed contact `c` brings, as Salesforce compares them."""
    return _claims(plan, incoming_value)


def record_claims(plan: ImportPlan) -> dict[str, str]:
    """The same that a landed record `s` holds now."""
    return _claims(plan, lambda pair: record_text(pair.salesforce))


def _claims(plan: ImportPlan, value: Callable[[Pair], str]) -> dict[str, str]:
    unique = (pair for pair in plan.pairs if pair.salesforce.unique)
    return {f"claim_key_{index}": f"lower({value(pair)})" for index, pair in enumerate(unique)}


def contact_numbers(plan: ImportPlan) -> dict[str, str]:
    """Key -> its hash of a landed contact `c`; 0 is blank. Contacts and records are looked for by these numbers."""
    keys = _match_keys(plan, incoming_value) | contact_claims(plan)
    return {name: fingerprint(key) for name, key in keys.items()}


def record_numbers(plan: ImportPlan) -> dict[str, str]:
    """The same of a landed record `s`."""
    keys = _match_keys(plan, record_value) | record_claims(plan)
    return {name: fingerprint(key) for name, key in keys.items()}


def contact_key(plan: ImportPlan, *, where: str = "", claims: bool = False) -> str:
    """work.contact_key: one row per contact `c` that meets a condition: its keys, its moment, where its landed row is.

    `contact_row` holds as long as the store stays attached. `claims`: the unique values, too.
    """
    keys = _match_keys(plan, incoming_value) | (contact_claims(plan) if claims else {})
    return f"""SELECT c.id AS contact_id,
       c.rowid AS contact_row,
       c.last_modified_at AS modified_at,
       full_id(nullif(c.crm_id, '')) AS crm_id_key,
       coalesce(c.test_user, false) AS is_test,
       {_named(keys)}
FROM store.mainstay.contact AS c{f" WHERE {where}" if where else ""}"""


def incoming(plan: ImportPlan, *, only: bool = False, since: bool = False) -> str:
    """work.incoming: every contact of work.contact_key in order of change, and whether it is told."""
    looked_at = [_LOOKED_AT[name] for name, is_asked in (("only", only), ("since", since)) if is_asked]
    return f"""SELECT row_number() OVER (ORDER BY c.modified_at, c.contact_id) AS seq,
       c.* EXCLUDE (modified_at),
       {_claimed(plan)} AS is_claimed,
       {" AND ".join(looked_at) or "true"} AS is_looked_at
FROM work.contact_key AS c"""


def _claimed(plan: ImportPlan) -> str:
    """Whether an object decided before has a record for the contact, makes one, or asks: no other is made then."""
    takers = [
        f"SELECT mainstay_id FROM work.change_of_{index}\n"
        "             WHERE action IN ('link', 'create', 'conflict') OR candidate_id IS NOT NULL"
        for index in range(plan.earlier)
    ]
    return f"c.contact_id IN ({' UNION ALL '.join(takers)})" if takers else "false"


def record_now(plan: ImportPlan, *, where: str = "", claims: bool = False) -> str:
    """work.record_now: one row per living record `s` that meets a condition: keys, stored criteria, its landed row."""
    keys = _match_keys(plan, record_value) | (record_claims(plan) if claims else {})
    stored = f"coalesce(s.{identifier(plan.criteria.name)}, false)" if plan.criteria else "true"
    return f"""SELECT s."Id" AS record_id,
       s.rowid AS record_row,
       {stored} AS meets_criteria,
       {_named(keys)}
FROM store.salesforce.{identifier(plan.sobject)} AS s
WHERE NOT coalesce(s."IsDeleted", false){f" AND {where}" if where else ""}"""


def _named(keys: Mapping[str, str]) -> str:
    return lines([f"{key} AS {name}" for name, key in keys.items()])


def record_prefix(plan: ImportPlan) -> str:
    """work.record_prefix: the first three characters of the SObject's Ids, which all share; NULL without any."""
    table = f"store.salesforce.{identifier(plan.sobject)}"
    return f'SELECT (SELECT "Id"[1:3] FROM {table} LIMIT 1) AS key_prefix'


def match_incoming(plan: ImportPlan) -> str:
    """work.match_incoming: per unlinked contact, the records its matching fields reach, and who else reaches them.

    Each side is counted by key before anything is joined, so that a value which thousands share costs one row.
    match_count: records reached; rival_count: unlinked contacts with the same key, itself included.
    """
    reached = [_reached_by(key) for key in plan.match_keys]
    if len(reached) == 1:
        return reached[0]
    return f"""WITH reached AS (
{_UNION.join(reached)}
),
per_contact AS (
    SELECT seq,
           min(record_row) AS record_row,
           CASE WHEN count(DISTINCT record_row) > 1 THEN count(DISTINCT record_row) ELSE max(match_count) END
               AS match_count,
           max(rival_count) AS rival_count
    FROM reached
    GROUP BY seq
),
per_record AS (
    SELECT record_row, count(*) AS contact_count
    FROM per_contact
    WHERE record_row IS NOT NULL
    GROUP BY record_row
)
SELECT per_contact.seq,
       per_contact.record_row,
       per_contact.match_count,
       greatest(per_contact.rival_count, coalesce(per_record.contact_count, 0)) AS rival_count
FROM per_contact
LEFT JOIN per_record ON per_record.record_row = per_contact.record_row"""


def _reached_by(key: str) -> str:
    """seq, record_row, match_count, rival_count of each unlinked contact with this key."""
    return f"""    SELECT u.seq,
           found.record_row,
           coalesce(found.row_count, 0) AS match_count,
           rivals.row_count AS rival_count
    FROM work.unlinked AS u
    JOIN (SELECT {key}, count(*) AS row_count
          FROM work.unlinked WHERE {key} IS NOT NULL GROUP BY {key}) AS rivals ON rivals.{key} = u.{key}
    LEFT JOIN (SELECT {key}, min(record_row) AS record_row, count(*) AS row_count
               FROM work.record_now WHERE {key} IN (SELECT {key} FROM work.unlinked) GROUP BY {key}) AS found
      ON found.{key} = u.{key}"""
