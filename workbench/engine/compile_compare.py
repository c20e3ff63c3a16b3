"""Export: what differs. Pairs are compared slice by slice, one hash each, before anybody looks at a value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from workbench.engine.compile import (
    Pair,
    canonical,
    either,
    fingerprint,
    landed_rows,
    lines,
    mainstay_text,
    row_hash,
    salesforce_text,
)
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
    """Pairs that get a hash of their own, of an export that leaves blanks out.

    A blank in Salesforce beside a value in Mainstay is no change, but it would make the whole slice's hash differ;
    so it is with pairs that are blank more often in Salesforce than in Mainstay, where blanks are not sent.
    """
    return [pair for pair, left, right in zip(plan.pairs, *blanks, strict=True) if left > right + tolerance]


def salesforce_hashes(slices: Sequence[Slice]) -> dict[str, str]:
    """Column -> hash of the values in a landed record `s` that would be sent: one a slice, one a sparse pair.

    The phone is in none of them: what becomes of it was decided with the verdict.
    """
    return _hashes(slices, _plain_wanted)


def mainstay_hashes(slices: Sequence[Slice]) -> dict[str, str]:
    """The same of a landed contact `c`, as Mainstay keeps its values."""
    return _hashes(slices, _plain_now)


def is_kept(plan: ExportPlan, slices: Sequence[Slice]) -> bool:
    """Whether all hashes of both sides stand in the store, so that comparing them reads no value."""
    return plan.kept.has([*salesforce_hashes(slices).values(), *mainstay_hashes(slices).values()])


def kept_sparse(plan: ExportPlan) -> list[Pair] | None:
    """The pairs that got a hash of their own when all hashes were kept; None where some are not."""
    found = [pair for pair in _hashed(plan.pairs) if plan.kept.has([fingerprint(_plain_wanted(pair))])]
    return found if is_kept(plan, plan.slices(found)) else None


def _hashes(slices: Sequence[Slice], value: Callable[[Pair], str]) -> dict[str, str]:
    found = {item.name: row_hash([value(pair) for pair in dense]) for item in slices if (dense := _hashed(item.dense))}
    found |= {pair.fingerprint: fingerprint(value(pair)) for item in slices for pair in _hashed(item.sparse)}
    return found


def _hashed(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.mainstay.path != "phone"]


def differing(plan: ExportPlan, slices: Sequence[Slice], *, few: bool = False) -> str:
    """work.differing: every pair that may differ, and in which slices; the slices decide by value.

    `few`: there are hardly any pairs: their rows are picked out (compile.landed_rows).
    """
    if plan.include_all_fields:
        return everything(slices)
    wanted = [f"{plan.kept.of('s', text)} AS {name}" for name, text in salesforce_hashes(slices).items()]
    now = {name: plan.kept.of("c", text) for name, text in mainstay_hashes(slices).items()}
    cleared = _may_be_cleared(plan, slices)
    flags = [f"{either(_unequal(item, now, cleared))} AS {item.name}" for item in slices]
    table = f"store.salesforce.{identifier(plan.sobject)}"
    records = landed_rows(table, f"SELECT record_row FROM {_PAIRS}", few=few)
    contacts = landed_rows("store.mainstay.contact", f"SELECT contact_row FROM {_PAIRS}", few=few)
    return f"""WITH wanted AS (
    SELECT {_ROWS},
           {lines([_phone_differs(slices), *(f"had.{_had(name)}" for name in cleared), *wanted])}
    FROM work.pair_outgoing AS w{_HAD if cleared else ""}
    JOIN {records} AS s ON s.landed_row = w.record_row
),
compared AS (
    SELECT {_ROWS},
           {lines(flags)}
    FROM wanted AS w
    JOIN {contacts} AS c ON c.landed_row = w.contact_row
)
SELECT * FROM compared
WHERE {either([item.name for item in slices])}"""


def _phone_differs(slices: Sequence[Slice]) -> str:
    """Whether the phone of a pair has to be looked at; blank beside a phone is no change of a sparse one."""
    is_sparse = any(pair.mainstay.path == "phone" for item in slices for pair in item.sparse)
    differs = "w.phone_fate NOT IN ('same', 'absent')"
    return f"{differs if is_sparse else f'{differs} OR {_PHONE_BLANK}'} AS phone_differs"


def everything(slices: Sequence[Slice]) -> str:
    """work.differing where every slice has to be looked at."""
    return f"SELECT {', '.join([_ROWS, *(f'true AS {item.name}' for item in slices)])} FROM work.pair_outgoing AS w"


def side(plan: ExportPlan, item: Slice) -> str:
    """work.side_N: one row per work.differing row whose slice may differ: both sides' values as Mainstay keeps them."""
    values = [f"{wanted_value(pair)} AS {pair.column}" for pair in item.pairs]
    values += [f"{value_now(pair)} AS {pair.now}" for pair in item.pairs]
    if not item.pairs[0].mainstay.is_custom:  # what the rules of standard fields look at besides
        values += [
            "nullif(c.phone, '') AS phone_now",
            "nullif(c.messaging_status_sms, '') AS sms_now",
            "nullif(c.messaging_status_web_bot, '') AS web_now",
            "nullif(c.preferred_name, '') AS preferred_now",
        ]
    table = f"store.salesforce.{identifier(plan.sobject)}"
    records = landed_rows(table, f"SELECT record_row FROM work.differing WHERE {item.name}")
    contacts = landed_rows("store.mainstay.contact", f"SELECT contact_row FROM work.differing WHERE {item.name}")
    return f"""SELECT w.seq,
           s."SystemModstamp" AS salesforce_modified_at,
           c.last_modified_at AS mainstay_modified_at,
           {lines(values)}
FROM work.differing AS w
JOIN {records} AS s ON s.landed_row = w.record_row
JOIN {contacts} AS c ON c.landed_row = w.contact_row
WHERE w.{item.name}"""


# Mainstay keeps these in one form, and Salesforce fields of such a type come in it: the plain text nearly always tells.
_KEPT_PLAIN: Final = ("Number", "True/False", "Date")
_COUNTABLE: Final = 200  # RE2 repeats a group a thousand times at most, and is slow long before
_HAD: Final = """
    LEFT JOIN work.had_value AS had ON had.record_id = w.record_id AND had.contact_id = w.contact_id"""
_PAIRS: Final = "work.pair_outgoing WHERE rule <> 'none'"  # all of them; a condition (compile.landed_rows)
_ROWS: Final = "w.seq, w.record_row, w.contact_row, w.phone_key, w.contact_phone"
_PHONE_BLANK: Final = "(w.phone_fate = 'absent' AND w.contact_phone IS NOT NULL)"


def _plain_wanted(pair: Pair) -> str:
    text = salesforce_text(pair.salesforce)
    return text if pair.mainstay.data_type in _KEPT_PLAIN else canonical(pair.mainstay, text)


def _plain_now(pair: Pair) -> str:
    text = mainstay_text(pair.mainstay)
    return text if pair.mainstay.data_type in _KEPT_PLAIN else canonical(pair.mainstay, text)


def _may_be_cleared(plan: ExportPlan, slices: Sequence[Slice]) -> dict[str, int]:
    """Fingerprint -> place among the two-way pairs.

    A blank beside a value is no change, but where both sides last had a value it was cleared: a person may be asked.
    """
    places = dict(zip((pair.mainstay.path for pair in plan.two_way.pairs), plan.two_way.places, strict=True))
    sparse = [pair for item in slices for pair in _hashed(item.sparse)]
    return {pair.fingerprint: places[pair.mainstay.path] for pair in sparse if pair.mainstay.path in places}


def had_value(plan: ExportPlan, slices: Sequence[Slice]) -> str | None:
    """work.had_value: linked records where such a pair had a value when both sides last agreed; None: there is no pair.

    `agreed` holds the values of all two-way pairs, chr(31) between them; chr(30) was never seen equal.
    """
    had = {_had(fingerprint): is_filled(place) for fingerprint, place in _may_be_cleared(plan, slices).items()}
    if not had:
        return None
    return f"""SELECT record_id,
       contact_id,
       {lines([f"{text} AS {name}" for name, text in had.items()])}
FROM work.last_agreed
WHERE {either(list(had.values()))}"""


def _had(fingerprint: str) -> str:
    """The column that says so of the pair with this fingerprint."""
    return f'"had {fingerprint[1:]}'


def is_filled(place: int) -> str:
    """Whether `agreed` has a value there. Reads no further than that, while a pattern can count so far."""
    if place > _COUNTABLE:
        return f"coalesce(agreed_value(agreed, {place}), '') <> ''"
    return f"regexp_matches(agreed, '^(?:[^\\x1F]*\\x1F){{{place - 1}}}[^\\x1E\\x1F]')"


def _unequal(item: Slice, now: Mapping[str, str], cleared: Collection[str]) -> list[str]:
    """Conditions under which a slice may differ. `now`: the contact's hashes by column."""
    found = [f"w.{item.name} <> {now[item.name]}"] if item.name in now else []
    found += [
        f"(w.{pair.fingerprint} <> 0 AND w.{pair.fingerprint} <> {now[pair.fingerprint]})"
        for pair in _hashed(item.sparse)
    ]
    found += [
        f"(w.{name} = 0 AND {now[name]} <> 0 AND coalesce(w.{_had(name)}, false))"
        for name in (pair.fingerprint for pair in _hashed(item.sparse))
        if name in cleared
    ]
    return [*found, *(["w.phone_differs"] if any(pair.mainstay.path == "phone" for pair in item.pairs) else [])]
