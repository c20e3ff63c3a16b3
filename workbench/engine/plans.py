"""One SObject's export or import with both ends of every pair known: what the compiler works from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.domain.fields import SalesforceField
from workbench.domain.formula import Ast
from workbench.engine.compile import Pair


@dataclass(frozen=True)
class ExportPlan:
    """One SObject's export with both ends of every pair known."""

    sobject: str
    pairs: tuple[Pair, ...]
    criteria: str | None
    include_field_deletions: bool
    include_all_fields: bool
    has_sms: bool = True
    has_web_bot: bool = True

    def pair(self, mainstay_path: str) -> Pair | None:
        return next((pair for pair in self.pairs if pair.mainstay.path == mainstay_path), None)


@dataclass(frozen=True)
class ImportPlan:
    """One SObject's import with both ends of every pair known.

    `formula`: what the criteria depend on, None where it cannot be evaluated after a change; `inputs`: the fields it
    reads, by path. `parents`: reference field -> the pulled object it leads to, where that is certain.
    `earlier`: how many objects of the same preview were decided before; a contact that one of them takes is left to it.
    """

    sobject: str
    pairs: tuple[Pair, ...]
    criteria: SalesforceField | None
    create_unmatched: bool
    match: str
    required: tuple[str, ...]
    formula: Ast | None = None
    inputs: Mapping[str, SalesforceField] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    earlier: int = 0

    @property
    def match_keys(self) -> list[str]:
        """Names of the key columns: one composite key for `all`, one a field for `any`."""
        matching = sum(pair.is_matching for pair in self.pairs)
        return ["match_key_0"] if self.match == "all" else [f"match_key_{index}" for index in range(matching)]
