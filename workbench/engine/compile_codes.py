"""Which partial errors a request will meet: one condition per rule, in the order Mainstay evaluates them.

Each bad field is dropped with its own error and the rest applies. Codes travel as one text, NULL where there is none:
most requests have none, and a text costs nothing to carry; `codes_of` makes the list.
Source: Mainstay API reference, section 4 (PUT step 7, POST step 4) and section 8.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.domain.rules import CUSTOM_VALUE_LIMIT, NAME_LIMIT
from workbench.engine.compile import Pair, fits, lines
from workbench.engine.plans import ExportPlan
from workbench.store.quoting import literal

_TOO_LONG = "custom-values-too-long"
# The SMS status the contact has once this request's phone is applied (section 10, items 3 and 4).
_SMS_AFTER = (
    "CASE WHEN phone_fate = 'cleared' THEN NULL "
    "WHEN phone_fate = 'changes' AND phone_now IS NULL THEN 'opted-in' ELSE sms_now END"
)
_TAKEN_NAME = "method = 'PUT' AND preferred_now IS NOT NULL"


def when(condition: str, code: str) -> str:
    """The code where the condition holds, else NULL."""
    return f"CASE WHEN {condition} THEN {literal(code)} END"


def code_list(checks: Sequence[str]) -> str:
    """The codes that apply, in one text; empty where none does.

    `nullif` of it belongs into a query around: nullif(x, '') evaluates x twice.
    """
    return f"concat_ws(chr(31),\n           {lines(checks)})" if checks else "''"


def phone_checks() -> list[str]:
    """What the phone itself meets; its fate was decided with the verdict."""
    return [when("phone_fate = 'invalid'", "invalid-phone"), when("phone_fate = 'reverted'", "contact-out-of-sync")]


def standard_checks(plan: ExportPlan) -> list[str]:
    """Statuses, email, preferred name, language, legal names. Reads the contact's own values beside them."""
    return [*_status_codes(plan), *_value_codes(plan)]


def custom_checks(pairs: Sequence[Pair]) -> list[str]:
    """Failed casts, one a field."""
    return [
        when(_is_unfit(pair), f"invalid-attribute-data: {pair.mainstay.name}")
        for pair in pairs
        if pair.mainstay.is_custom and fits(pair.mainstay, pair.column) != "true"
    ]


def too_long_check(condition: str) -> str:
    """One code for all custom values that are too long, after all other codes."""
    return when(condition, _TOO_LONG)


def any_too_long(pairs: Sequence[Pair]) -> str:
    """Whether a custom value that is sent is too long; a failed cast hides its length."""
    # Counting bytes is free, counting characters is not, and no text has more characters than bytes.
    worded = (p for p in pairs if p.mainstay.is_custom and p.mainstay.data_type in ("Text", "URL", "Multi-Choice"))
    too_long = [
        f"({pair.sends} AND strlen({pair.column}) > {CUSTOM_VALUE_LIMIT} "
        f"AND length({pair.column}) > {CUSTOM_VALUE_LIMIT} AND {fits(pair.mainstay, pair.column)})"
        for pair in worded
    ]
    return "\n           OR ".join(too_long) or "false"


def _status_codes(plan: ExportPlan) -> list[str]:
    """Unknown statuses, missing channels, and what only the learner may do: opt back in, pause."""
    channels = (
        ("messaging_status_sms", _SMS_AFTER, plan.has_sms),
        ("messaging_status_web_bot", "web_now", plan.has_web_bot),
    )
    wrong = [
        f"({pair.sends} AND {_is_wrong_status(pair, now) if has_channel else 'true'})"
        for name, now, has_channel in channels
        if (pair := plan.pair(name)) is not None
    ]
    return [when(" OR ".join(wrong), "invalid-messaging-status")] if wrong else []


def _is_wrong_status(pair: Pair, now: str) -> str:
    wanted = pair.column
    is_unknown = f"{wanted} IS NULL OR canon_status({wanted}) IS NULL OR ({now}) IS NULL"
    is_learners = f"{wanted} = 'paused' OR ({wanted} = 'opted-in' AND ({now}) = 'opted-out')"
    return f"({is_unknown} OR ({wanted} IS DISTINCT FROM ({now}) AND ({is_learners})))"


def _value_codes(plan: ExportPlan) -> list[str]:
    codes: list[str] = []
    if (pair := plan.pair("email")) is not None:
        codes.append(when(_is_unfit(pair), "invalid-email"))
    if (pair := plan.pair("preferred_name")) is not None:
        is_taken = f"({_TAKEN_NAME} AND {pair.column} IS DISTINCT FROM preferred_now)"
        codes.append(when(f"{pair.sends} AND {is_taken}", "invalid-preferred-name"))
        codes.append(when(f"NOT {is_taken} AND {_is_long_name(pair)}", "invalid-attribute-data: preferred_name"))
    if (pair := plan.pair("language")) is not None:
        codes.append(when(_is_unfit(pair), "invalid-language"))
    legal = [pair for name in ("first_name", "last_name") if (pair := plan.pair(name)) is not None]
    return codes + [when(_is_long_name(pair), f"invalid-attribute-data: {pair.mainstay.name}") for pair in legal]


def _is_unfit(pair: Pair) -> str:
    return f"{pair.sends} AND {pair.column} IS NOT NULL AND NOT ({fits(pair.mainstay, pair.column)})"


def _is_long_name(pair: Pair) -> str:
    return f"{pair.sends} AND length({pair.column}) > {NAME_LIMIT}"
