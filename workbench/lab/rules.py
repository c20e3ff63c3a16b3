"""Match rules in words: attributes joined by `+` must all agree; rules joined by `>` apply in order.

`crm_id > phone > first_name + last_name + date_of_birth`: by CRM ID, then by phone, then by name and birthday.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import ConfigurationError


@dataclass(frozen=True)
class Rule:
    """Attributes that must all agree; a blank in any of them matches nothing."""

    attributes: tuple[str, ...]

    @property
    def name(self) -> str:
        return " + ".join(self.attributes)


def parse_rules(text: str | Iterable[str], known: Iterable[str]) -> tuple[Rule, ...]:
    """Rules in order, from `a > b + c` or a list of such.

    Raises ConfigurationError naming what exists, for an unknown attribute or an empty rule.

    >>> [rule.name for rule in parse_rules("crm_id > first_name+last_name", ["crm_id", "first_name", "last_name"])]
    ['crm_id', 'first_name + last_name']
    """
    parts = [text] if isinstance(text, str) else list(text)
    rules = [Rule(tuple(word.strip() for word in rule.split("+"))) for part in parts for rule in part.split(">")]
    names = list(known)
    unknown = sorted({word for rule in rules for word in rule.attributes} - set(names))
    if unknown:
        named = ", ".join(word or "(blank)" for word in unknown)
        raise ConfigurationError(f"Rules cannot use {named}. Both systems have: {', '.join(names)}.")
    return tuple(dict.fromkeys(rules))
