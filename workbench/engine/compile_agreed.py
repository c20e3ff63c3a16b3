"""What both sides agree on, field by field: the wide queries behind journal.last_agreed and three-way comparisons.

One canonical form serves both directions: the value as Mainstay stores it, then as Salesforce does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from workbench.engine.compile import BothSides, Pair, canonical, landed_rows, lines, mainstay_text, salesforce_text
from workbench.engine.compile_import_keys import settled
from workbench.engine.plans import Slice, TwoWay
from workbench.store.quoting import identifier, literal

# What was kept later than these pulls stands.
_NOT_LATER: Final = "\n    WHERE last.agreed_at IS NULL OR last.agreed_at <= $pulled_at"


def agreed_text(pair: Pair, text: str) -> str:
    """Text in the one form that both directions compare."""
    stored = canonical(pair.mainstay, text)
    # A phone has one form on both sides; the rule's SQL names its text many times, so that twice is many times more.
    return stored if pair.mainstay.data_type.lower() == "phone" else settled(pair, stored)


def _left(pair: Pair) -> str:
    return identifier(f"salesforce {pair.mainstay.path}")


def _right(pair: Pair) -> str:
    return identifier(f"mainstay {pair.mainstay.path}")


def _both_sides(pairs: Sequence[Pair]) -> list[str]:
    left = [f"{agreed_text(pair, salesforce_text(pair.salesforce))} AS {_left(pair)}" for pair in pairs]
    right = [f"{agreed_text(pair, mainstay_text(pair.mainstay))} AS {_right(pair)}" for pair in pairs]
    return [*left, *right]


def _text(items: Sequence[str]) -> str:
    """All values as one text, as journal.last_agreed keeps them."""
    return f"concat_ws(chr(31),\n           {lines(items)})"


_LINKED: Final = """SELECT s.rowid AS record_row, c.rowid AS contact_row, s."Id" AS record_id, c.id AS contact_id,
       true AS is_there
FROM store.salesforce.{table} AS s
JOIN store.mainstay.contact AS c ON c.crm_id = s."Id"
WHERE NOT coalesce(s."IsDeleted", false)"""
# Each side by itself: a few rows joined with all of the other side, of which hardly any other is then read.
_CHANGED: Final = f"""{_LINKED} AND s."SystemModstamp" >= $since
UNION
{_LINKED} AND c.last_modified_at >= $since
  AND s."Id" IN (SELECT crm_id FROM store.mainstay.contact WHERE last_modified_at >= $since)"""
_OF_FEW: Final = " AND record_id IN (SELECT record_id FROM work.changed_pair WHERE is_there)"


def changed_pairs(both: TwoWay) -> str:
    """work.changed_pair: linked pairs of which either side changed, and where their landed rows are. Binds $since."""
    return _CHANGED.format(table=identifier(both.sobject))


def agreement(both: TwoWay, *, since: bool = False, first: bool = False) -> str:
    """work.agreement: linked pairs and their common values: record_id, contact_id, agreed, agreed_at, is_new.

    `agreed`: the values in the order of the pairs, chr(31) between them; empty is a common blank, chr(30) alone was
    never seen equal. A chr(31) within a value is kept as a space: should that field change, a person is asked.
    `is_new`: they are not those that are kept; of all linked pairs only such are told. `since`: reads
    work.changed_pair instead of all linked pairs. `first`: nothing is kept yet, so nothing is compared with it; else
    what was kept later than these pulls stands. Binds $pulled_at.
    """
    common = [
        f"CASE WHEN {_left(pair)} IS NOT DISTINCT FROM {_right(pair)} "
        f"THEN coalesce(replace({_right(pair)}, chr(31), ' '), '') ELSE coalesce(kept[{place}], chr(30)) END"
        for place, pair in enumerate(both.pairs, 1)
    ]
    kept = last_agreed(both.sobject, ", agreed_at")
    last = f"""
    LEFT JOIN (
{kept}{_OF_FEW if since else ""}
    ) AS last ON last.record_id = pair.record_id AND last.contact_id = pair.contact_id"""
    table = identifier(both.sobject)
    records = landed_rows(f"store.salesforce.{table}", "SELECT record_row FROM linked WHERE is_there", few=since)
    contacts = landed_rows("store.mainstay.contact", "SELECT contact_row FROM linked WHERE is_there", few=since)
    return f"""WITH pair AS (
{"SELECT * FROM work.changed_pair" if since else _LINKED.format(table=table)}
),
linked AS (
    SELECT pair.record_row,
           pair.contact_row,
           {"CAST(NULL AS VARCHAR)" if first else "last.agreed"} AS agreed_before,
           {"CAST(NULL AS TIMESTAMPTZ)" if first else "last.agreed_at"} AS agreed_at_before,
           is_there
    FROM pair{"" if first else last + _NOT_LATER}
),
side_by_side AS (
    SELECT s."Id" AS record_id,
           c.id AS contact_id,
           linked.agreed_before,
           linked.agreed_at_before,
           string_split(linked.agreed_before, chr(31)) AS kept,
           {lines(_both_sides(both.pairs))}
    FROM linked
    JOIN {records} AS s ON s.landed_row = linked.record_row
    JOIN {contacts} AS c ON c.landed_row = linked.contact_row
),
seen AS (
    SELECT record_id,
           contact_id,
           agreed_before,
           agreed_at_before,
           {_text(common)} AS agreed
    FROM side_by_side
)
SELECT record_id,
       contact_id,
       agreed,
       agreed IS DISTINCT FROM agreed_before AS is_new,
       CASE WHEN is_new THEN CAST($pulled_at AS TIMESTAMPTZ) ELSE agreed_at_before END AS agreed_at
FROM seen{"" if first or since else " WHERE is_new"}"""


def rearranged(both: TwoWay, before: Sequence[str]) -> str:
    """The values kept in the order of the fields `before`, in the order of the pairs."""
    places = [
        f"string_split(agreed, chr(31))[{before.index(pair.mainstay.path) + 1}]"
        if pair.mainstay.path in before
        else "chr(30)"
        for pair in both.pairs
    ]
    return _text(places)


def written_value(both: Sequence[TwoWay]) -> str:
    """A CASE that brings a written value (sobject, field, after) into the common form."""
    branches = [
        f"WHEN sobject = {literal(item.sobject)} AND field = {literal(pair.mainstay.path)} "
        f"THEN {agreed_text(pair, 'after')}"
        for item in both
        for pair in item.pairs
    ]
    return f"CASE {' '.join(branches)} END"


def agreed_side(pairs: Sequence[Pair], candidates: str, values: BothSides) -> str:
    """work.side_N: both sides' values of a few two-way pairs, of the linked pairs that `candidates` selects.

    `candidates`: a SELECT of their record_row and contact_row, with a condition.
    """
    records = values.records(f"SELECT record_row FROM ({candidates})")
    contacts = values.contacts(f"SELECT contact_row FROM ({candidates})")
    return f"""SELECT s."Id" AS record_id,
           c.id AS contact_id,
           s."SystemModstamp" AS salesforce_modified_at,
           c.last_modified_at AS mainstay_modified_at,
           {lines(_both_sides(pairs))}
FROM ({candidates}) AS candidate
JOIN {records} AS s ON s.landed_row = candidate.record_row
JOIN {contacts} AS c ON c.landed_row = candidate.contact_row"""


def last_agreed(sobject: str, more: str = "") -> str:
    """work.last_agreed: the values that both sides of each linked pair last had, as journal.last_agreed keeps them."""
    return f"""SELECT record_id, contact_id, agreed{more}
FROM store.journal.last_agreed
WHERE sobject = {literal(sobject)}"""


def disagreement(both: TwoWay, sides: Mapping[str, Sequence[Pair]], *, few: bool = False) -> str:
    """work.disagreement: one row per linked pair and two-way field that differs, with the value both last had.

    `sides`: table in work (agreed_side) -> the two-way pairs whose values it holds. Reads work.two_way_field.
    `few`: they hold hardly any of the linked pairs, so what was agreed on is picked out (compile.landed_rows).
    """
    found = [
        part
        for table, pairs in sides.items()
        for part in _differences(both, pairs, table, "record_id, contact_id", _left, _right)
    ]
    return _disagreement(both, [f"differing AS (\n    {_UNION.join(found) or _NOTHING}\n)"], few=few)


def disagreement_of_sides(both: TwoWay, slices: Sequence[Slice]) -> str:
    """The same from the sides of an export's slices, for the linked pairs of work.verdict_outgoing."""
    found = [
        part
        for item in slices
        for part in _differences(
            both, both.of(item), item.side, "seq", lambda p: settled(p, p.column), lambda p: settled(p, p.now)
        )
    ]
    by_seq = f"found AS (\n    {_UNION.join(found) or _NOTHING}\n)"
    differing = """differing AS (
    SELECT found.*, linked.record_id, linked.contact_id
    FROM found
    JOIN work.verdict_outgoing AS linked ON linked.seq = found.seq
    WHERE linked.crm_id_owners = 1 AND linked.action <> 'excluded'
)"""
    return _disagreement(both, [by_seq, differing])


_UNION: Final = "\n    UNION ALL\n    "
_CTE: Final = ",\n"
_NOTHING: Final = """SELECT 0 AS seq, '' AS record_id, '' AS contact_id, true AS is_there,
           CAST(NULL AS TIMESTAMPTZ) AS salesforce_modified_at,
           CAST(NULL AS TIMESTAMPTZ) AS mainstay_modified_at,
           0 AS place, '' AS salesforce_value, '' AS mainstay_value
    WHERE false"""


def _differences(  # noqa: PLR0917  what is compared, where it lies, and how both sides are named
    both: TwoWay,
    pairs: Sequence[Pair],
    table: str,
    key: str,
    left: Callable[[Pair], str],
    right: Callable[[Pair], str],
) -> list[str]:
    """One narrow SELECT a pair, of the rows where it differs: nothing else of a wide row is touched.

    `is_there`: see compile.landed_rows.
    """
    places = dict(zip((pair.mainstay.path for pair in both.pairs), both.places, strict=True))
    return [
        f"SELECT {key}, true AS is_there, salesforce_modified_at, mainstay_modified_at,\n"
        f"           {places[pair.mainstay.path]} AS place,\n"
        f"           {left(pair)} AS salesforce_value,\n"
        f"           {right(pair)} AS mainstay_value\n"
        f"    FROM work.{table} WHERE {_differ(pair, left(pair), right(pair))}"
        for pair in pairs
    ]


def _differ(pair: Pair, left: str, right: str) -> str:
    """Equal as they stand is equal in any form; a form is asked for only where they are not."""
    differ = f"{left} IS DISTINCT FROM {right}"
    return (
        f"{pair.column} IS DISTINCT FROM {pair.now} AND {differ}"
        if left == settled(pair, pair.column) != pair.column
        else differ
    )


def _disagreement(both: TwoWay, before: Sequence[str], *, few: bool = False) -> str:
    theirs = "\n        WHERE record_id IN (SELECT record_id FROM differing WHERE is_there)" if few else ""
    return f"""WITH {_CTE.join(before)},
compared AS (
    SELECT differing.*, string_split(last.agreed, chr(31))[differing.place] AS kept
    FROM differing
    LEFT JOIN (
        SELECT * FROM work.last_agreed{theirs}
    ) AS last ON last.record_id = differing.record_id AND last.contact_id = differing.contact_id
)
SELECT two_way.sobject,
       differing.record_id,
       differing.contact_id,
       differing.place,
       two_way.field,
       two_way.rule,
       coalesce(differing.kept <> chr(30), false) AS has_baseline,
       CASE WHEN differing.kept NOT IN ('', chr(30)) THEN differing.kept END AS baseline,
       differing.salesforce_value,
       differing.mainstay_value,
       differing.salesforce_modified_at,
       differing.mainstay_modified_at
FROM compared AS differing
JOIN work.two_way_field AS two_way ON two_way.sobject = {literal(both.sobject)} AND two_way.place = differing.place"""
