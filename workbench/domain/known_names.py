"""A name that a filter is given and that does not exist is a typing error; an empty answer would hide it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

from workbench.domain.error_dictionary import ENTRIES, OUTSIDE_MESSAGES
from workbench.domain.prediction_rules import RULES
from workbench.errors import ConfigurationError

# Codes that the dictionary, the API reference or a rule of prediction names; answers may bring others.
CODES: Final = frozenset([*(entry.code for entry in ENTRIES), *OUTSIDE_MESSAGES, *(rule.code for rule in RULES)])
_LISTED: Final = 10
_NEAREST: Final = 3


def unknown_names(kind: str, given: Sequence[str], known: Collection[str]) -> str:
    """The sentence about names that do not exist, with those that do or the nearest of many; empty where all do.

    >>> unknown_names("action", ["create", "creat"], ["update", "create"])
    'There is no action creat. Actions: update, create.'
    >>> unknown_names("code", ["invalid-fone"], CODES)
    'There is no code invalid-fone. Nearest: invalid-phone, invalid-email, invalid-language.'
    """
    unknown = [name for name in dict.fromkeys(given) if name not in known]
    if not unknown:
        return ""
    told = f"There is no {kind} {', '.join(unknown)}."
    if len(known) > _LISTED and (nearest := _nearest(unknown, known)):
        return f"{told} Nearest: {', '.join(nearest)}."
    return f"{told} {kind.capitalize()}{'es' if kind.endswith('s') else 's'}: {', '.join(known)}."


def require_known(kind: str, name: str | None, known: Collection[str]) -> None:
    """Raise ConfigurationError for a name that does not exist; None names nothing."""
    if name is not None and (sentence := unknown_names(kind, [name], known)):
        raise ConfigurationError(sentence)


def _nearest(unknown: Sequence[str], known: Collection[str]) -> list[str]:
    """In any case: the codes of Salesforce are written in capitals, those of Mainstay are not."""
    spelled = {name.lower(): name for name in sorted(known)}
    found = [near for name in unknown for near in get_close_matches(name.lower(), spelled, _NEAREST)]
    return [spelled[name] for name in dict.fromkeys(found)]
