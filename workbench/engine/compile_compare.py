"""Export: what differs. Pairs are compared slice by slice, one hash each, before anybody looks at a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.engine.compile import Pair, either, fingerprint, lines, mainstay_text, row_hash, salesforce_text
from workbench.engine.compile_export import value_now, wanted_value
from workbench.engine.plans import ExportPlan, Slice
from workbench.store.quoting import identifier


def blank_counts(plan: ExportPlan, sample: str = "") -> str:
    """One row: how many values of each pair are blank, first in Salesforce, then in Mainstay."""
    left = [f"count(*) - count(s.{identifier(pair.salesforce.name)})" for pair in plan.pairs]
    right = [f"count(*) - count(c.{identifier(pair.mainstay.path)})" for pair in plan.pairs]
    return f"""SELECT (SELECT [{", ".join(left)}] FROM store.salesforce.{identifier(plan.sobject)} AS s{sample}),
       (SELECT [{", ".join(right)}] FROM store.mainstay.contact AS c{sample})"""


def sparse_pairs(plan: ExportPlan, blanks: tuple[list[int], list[int]], tolerance: int) -> list[Pair]:
    """Pairs that get a hash of their own.

    A blank in Salesforce beside a value in Mainstay is no change, but it would make the whole slice's hash differ;
    so it is with pairs that are blank more often in Salesforce than in Mainstay, where blanks are not sent.
    """
    if plan.include_field_deletions:
        return []
    return [pair for pair, left, right in zip(plan.pairs, *blanks, strict=True) if left > right + tolerance]


def hash_outgoing(plan: ExportPlan, slices: Sequence[Slice]) -> str:
    """work.hash_outgoing: one row per work.pair_outgoing: one hash a slice of the values that would be sent."""
    hashes = [f"{row_hash([_plain_wanted(pair) for pair in item.dense])} AS {item.name}" for item in slices]
    hashes += [f"{fingerprint(_plain_wanted(pair))} AS {pair.fingerprint}" for item in slices for pair in item.sparse]
    return f"""SELECT w.seq,
       w.contact_row,
       w.contact_phone,
       {lines(hashes)}
FROM work.pair_outgoing AS w
JOIN store.salesforce.{identifier(plan.sobject)} AS s ON s.rowid = w.record_row"""


def differing(plan: ExportPlan, slices: Sequence[Slice]) -> str:
    """work.differing: seq of every pair that may differ, and in which slices; the slices decide by value."""
    if plan.include_all_fields:
        return everything(slices)
    flags = [f"{either(_unequal(item))} AS {item.name}" for item in slices]
    return f"""WITH compared AS (
    SELECT w.seq,
           {lines(flags)}
    FROM work.hash_outgoing AS w
    JOIN store.mainstay.contact AS c ON c.rowid = w.contact_row
)
SELECT * FROM compared
WHERE {either([item.name for item in slices])}"""


def everything(slices: Sequence[Slice]) -> str:
    """work.differing where every slice has to be looked at."""
    return f"SELECT {', '.join(['seq', *(f'true AS {item.name}' for item in slices)])} FROM work.pair_outgoing"


def side(plan: ExportPlan, item: Slice) -> str:
    """work.side_N: one row per work.looked_at row whose slice may differ: both sides' values as Mainstay keeps them."""
    values = [f"{wanted_value(pair)} AS {pair.column}" for pair in item.pairs]
    values += [f"{value_now(pair)} AS {pair.now}" for pair in item.pairs]
    if not item.pairs[0].mainstay.is_custom:  # what the rules of standard fields look at besides
        values += [
            "nullif(c.phone, '') AS phone_now",
            "nullif(c.messaging_status_sms, '') AS sms_now",
            "nullif(c.messaging_status_web_bot, '') AS web_now",
            "nullif(c.preferred_name, '') AS preferred_now",
        ]
    return f"""SELECT w.seq,
       {lines(values)}
FROM work.looked_at AS w
JOIN store.salesforce.{identifier(plan.sobject)} AS s ON s.rowid = w.record_row
JOIN store.mainstay.contact AS c ON c.rowid = w.contact_row
WHERE w.{item.name}"""


# Mainstay keeps these in one form, and Salesforce fields of such a type come in it: the plain text nearly always tells.
_KEPT_PLAIN: Final = ("Number", "True/False", "Date")


def _plain_wanted(pair: Pair) -> str:
    return salesforce_text(pair.salesforce) if pair.mainstay.data_type in _KEPT_PLAIN else wanted_value(pair)


def _plain_now(pair: Pair) -> str:
    return mainstay_text(pair.mainstay) if pair.mainstay.data_type in _KEPT_PLAIN else value_now(pair)


def _unequal(item: Slice) -> list[str]:
    now = row_hash([_plain_now(pair) for pair in item.dense])
    dense = [f"w.{item.name} IS DISTINCT FROM {now}"] if item.dense else []
    return dense + [
        f"(w.{pair.fingerprint} IS NOT NULL AND w.{pair.fingerprint} IS DISTINCT FROM {fingerprint(_plain_now(pair))})"
        for pair in item.sparse
    ]
