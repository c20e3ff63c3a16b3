"""What a formula field looks at: the parents whose change changes it, and whether the clock does.

A formula's value can change without any change of the record's stamp (Salesforce wire reference, section 4).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from workbench.errors import ConfigurationError, RemoteError
from workbench.salesforce.describe import MAX_PARENTS, SObject, resolve_path

_TEXTS: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|/\*.*?\*/""", re.DOTALL)
_CLOCK: Final = re.compile(r"\b(?:TODAY|NOW|TIMENOW)\s*\(", re.IGNORECASE)
_PATH: Final = re.compile(r"(?<![\w.$])[A-Za-z]\w*(?:\.[A-Za-z]\w*)*")


class FormulaSources:
    """Collects what the formulas behind field paths look at, through formulas of formulas and of parents."""

    def __init__(self, describe: Callable[[str], SObject]) -> None:
        self._describe = describe
        self.parents: set[tuple[str, ...]] = set()
        self.is_by_clock = False
        self._seen: set[tuple[str, tuple[str, ...]]] = set()

    def follow(self, sobject: str, path: str, through: tuple[str, ...] = ()) -> None:
        """Take in the field at the end of a path from an object that is itself reached `through` relationships."""
        try:
            resolved = resolve_path(path, sobject, self._describe)
        except (ConfigurationError, RemoteError):
            return  # a function's name, or something this user may not see
        relationships = resolved.field.name.split(".")[:-1]
        for depth in range(1, len(relationships) + 1):
            parent = (*through, *relationships[:depth])
            if len(parent) <= MAX_PARENTS:
                self.parents.add(parent)
        owner = resolved.steps[-1][2] if resolved.steps else sobject
        here = (*through, *relationships)
        leaf = resolved.field.name.rsplit(".", 1)[-1]
        formula = self._describe(owner).formulas.get(leaf)
        if formula is None or (leaf, here) in self._seen:
            return
        self._seen.add((leaf, here))
        plain = _TEXTS.sub(" ", formula)
        self.is_by_clock = self.is_by_clock or _CLOCK.search(plain) is not None
        for part in dict.fromkeys(_PATH.findall(plain)):
            self.follow(owner, part, here)
