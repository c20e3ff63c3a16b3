"""Which records go into a request word for word: every value fits as it was pulled, none is refused or rewritten.

Most records are like that. Which ones is kept with the pull (decision 30); a preview then writes their requests from
the values as they lie there, without a look at each.
"""

from __future__ import annotations

from workbench.domain.rules import CUSTOM_VALUE_LIMIT, NAME_LIMIT
from workbench.engine.compile import TYPED, Pair, either, fits, salesforce_text
from workbench.engine.plans import ExportPlan
from workbench.engine.rules_sql import CANON_MACROS
from workbench.store.quoting import identifier, literal

# A new contact with a phone is opted in: these two say so, or tell it to stop.
_PLAIN_STATUSES = ("opted-in", "opted-out")
_NAMES = ("first_name", "last_name", "preferred_name")


def is_bare(pair: Pair) -> bool:
    """Whether the value stands in JSON without quotes."""
    return pair.mainstay.is_custom and pair.mainstay.data_type in ("Number", "True/False")


def verbatim(plan: ExportPlan) -> str:
    """1 where a landed record `s`, sent as a new contact, is taken as it stands; 0 where a value asks for a look."""
    doubts = [doubt for pair in plan.pairs for doubt in _doubts(plan, pair)]
    quoted = [_landed(pair) for pair in plan.pairs if not is_bare(pair)]
    if quoted:
        texts = f"concat({', '.join(quoted)})"
        doubts.append(f"strlen(json_of({texts})) <> strlen({texts}) + 2")  # something in it is escaped
    return f"CASE WHEN {either(doubts)} THEN CAST(0 AS UBIGINT) ELSE 1 END"


def _landed(pair: Pair) -> str:
    """The value as text, as it lies there. An empty one may raise a doubt of its own: there are few of them."""
    field = pair.salesforce
    return salesforce_text(field) if field.type in TYPED else f"s.{identifier(field.name)}"


def _doubts(plan: ExportPlan, pair: Pair) -> list[str]:
    """Conditions, each false or NULL where the value, or a blank, may go as it is."""
    text, field = _landed(pair), pair.mainstay
    if field.path == "phone":
        return [f"({text} IS NOT NULL AND canon_phone({text}) IS NULL)"]  # it is written as its ten digits
    if field.data_type == "messaging status":
        return [_status_doubt(plan, pair, text)]
    if field.data_type == "Multi-Choice":
        return [f"NOT ({fits(field, text)})", _too_long(text)]
    if not field.is_custom and field.name in _NAMES:
        return [f"strlen({text}) > {NAME_LIMIT}"]
    macro = CANON_MACROS.get(field.data_type)
    found = [f"{macro}({text}) IS DISTINCT FROM {text}"] if macro else []
    return [*found, _too_long(text)] if field.is_custom and not is_bare(pair) else found


def _status_doubt(plan: ExportPlan, pair: Pair, text: str) -> str:
    phone = plan.pair("phone")
    if pair.mainstay.name != "messaging_status_sms" or phone is None or not plan.has_sms:
        return f"{text} IS NOT NULL"
    known = ", ".join(literal(status) for status in _PLAIN_STATUSES)
    return f"({text} NOT IN ({known}) OR ({text} IS NOT NULL AND canon_phone({_landed(phone)}) IS NULL))"


def _too_long(text: str) -> str:
    """No text has more characters than bytes."""
    return f"strlen({text}) > {CUSTOM_VALUE_LIMIT}"
