"""What both sides agree on, field by field: the wide queries behind journal.last_agreed and three-way comparisons.

One canonical form serves both directions: the value as Mainstay stores it, then as Salesforce does.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.compile import Pair, canonical, lines, mainstay_text, salesforce_text
from workbench.engine.compile_import import settled
from workbench.engine.plans import TwoWay
from workbench.store.quoting import identifier, literal


def agreed_text(pair: Pair, text: str) -> str:
    """Text in the one form that both directions compare."""
    return settled(pair, canonical(pair.mainstay, text))


def _left(pair: Pair) -> str:
    return identifier(f"salesforce {pair.mainstay.path}")


def _right(pair: Pair) -> str:
    return identifier(f"mainstay {pair.mainstay.path}")


def _both_sides(both: TwoWay) -> list[str]:
    left = [f"{agreed_text(pair, salesforce_text(pair.salesforce))} AS {_left(pair)}" for pair in both.pairs]
    right = [f"{agreed_text(pair, mainstay_text(pair.mainstay))} AS {_right(pair)}" for pair in both.pairs]
    return [*left, *right]


def _list(items: Sequence[str]) -> str:
    return f"CAST([\n           {lines(items)}] AS VARCHAR[])"


def agreement(both: TwoWay, *, since: bool = False, first: bool = False) -> str:
    """work.agreement: linked pairs whose common values are not those that are kept: record_id, contact_id, agreed.

    `agreed` stands in the order of the pairs: null was never seen equal, an empty text is a common blank.
    Binds $pulled_at (what was kept later than these pulls stands), and $since where `since` is set. `first`: nothing is
    kept yet, so nothing is compared with it.
    """
    changed = '\n      AND (s."SystemModstamp" >= $since OR c.last_modified_at >= $since)' if since else ""
    common = [
        f"CASE WHEN {_left(pair)} IS NOT DISTINCT FROM {_right(pair)} "
        f"THEN coalesce({_right(pair)}, '') ELSE kept[{place}] END"
        for place, pair in enumerate(both.pairs, 1)
    ]
    return f"""WITH side_by_side AS (
    SELECT s."Id" AS record_id,
           c.id AS contact_id,
           last.agreed AS kept,
           {lines(_both_sides(both))}
    FROM store.salesforce.{identifier(both.sobject)} AS s
    JOIN store.mainstay.contact AS c ON c.crm_id = s."Id"
    LEFT JOIN store.journal.last_agreed AS last ON last.record_id = s."Id"
                                               AND last.contact_id = c.id
                                               AND last.sobject = {literal(both.sobject)}
    WHERE NOT coalesce(s."IsDeleted", false)
      AND (last.agreed_at IS NULL OR last.agreed_at <= $pulled_at){changed}
),
seen AS (
    SELECT record_id,
           contact_id,
           kept,
           {_list(common)} AS agreed
    FROM side_by_side
)
SELECT record_id, contact_id, agreed
FROM seen{"" if first else " WHERE agreed IS DISTINCT FROM kept"}"""


def rearranged(both: TwoWay, before: Sequence[str]) -> str:
    """The list of values kept in the order of the fields `before`, in the order of the pairs."""
    places = [
        f"agreed[{before.index(pair.mainstay.path) + 1}]" if pair.mainstay.path in before else "NULL"
        for pair in both.pairs
    ]
    return _list(places)


def written_value(both: Sequence[TwoWay]) -> str:
    """A CASE that brings a written value (sobject, field, after) into the common form."""
    branches = [
        f"WHEN sobject = {literal(item.sobject)} AND field = {literal(pair.mainstay.path)} "
        f"THEN {agreed_text(pair, 'after')}"
        for item in both
        for pair in item.pairs
    ]
    return f"CASE {' '.join(branches)} END"


def disagreement(both: TwoWay, candidates: str) -> str:
    """work.disagreement: one row per linked pair and two-way field that differs, with the value both last had.

    `candidates`: a SELECT of the record_id and contact_id of linked pairs that may differ. Reads work.two_way_field.
    """
    return f"""WITH candidate AS (
    {candidates}
),
side_by_side AS (
    SELECT s."Id" AS record_id,
           c.id AS contact_id,
           s."SystemModstamp" AS salesforce_modified_at,
           c.last_modified_at AS mainstay_modified_at,
           {lines([*_both_sides(both), "last.agreed"])}
    FROM candidate
    JOIN store.salesforce.{identifier(both.sobject)} AS s ON s."Id" = candidate.record_id
    JOIN store.mainstay.contact AS c ON c.id = candidate.contact_id
    LEFT JOIN store.journal.last_agreed AS last ON last.record_id = candidate.record_id
                                               AND last.contact_id = candidate.contact_id
                                               AND last.sobject = {literal(both.sobject)}
),
one_by_one AS (
    SELECT record_id,
           contact_id,
           salesforce_modified_at,
           mainstay_modified_at,
           unnest(CAST([{", ".join(str(place) for place in both.places)}] AS BIGINT[])) AS place,
           unnest({_list([_left(pair) for pair in both.pairs])}) AS salesforce_value,
           unnest({_list([_right(pair) for pair in both.pairs])}) AS mainstay_value,
           unnest(CAST([{", ".join(f"agreed[{place}]" for place in both.places)}] AS VARCHAR[])) AS agreed
    FROM side_by_side
)
SELECT two_way.sobject,
       record_id,
       contact_id,
       two_way.field,
       two_way.salesforce_field,
       two_way.rule,
       agreed IS NOT NULL AS has_baseline,
       nullif(agreed, '') AS baseline,
       salesforce_value,
       mainstay_value,
       salesforce_modified_at,
       mainstay_modified_at
FROM one_by_one
JOIN work.two_way_field AS two_way ON two_way.sobject = {literal(both.sobject)} AND two_way.place = one_by_one.place
WHERE salesforce_value IS DISTINCT FROM mainstay_value"""
