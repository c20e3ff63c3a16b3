"""One SObject's export or import with both ends of every pair known: what the compiler works from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from workbench.domain.fields import Direction, SalesforceField
from workbench.domain.formula import Ast
from workbench.domain.mapping import SObjectMapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine.compile import Pair
from workbench.engine.kept import NOTHING_KEPT, Kept
from workbench.store.quoting import identifier


@dataclass(frozen=True)
class TwoWay:
    """The pairs of one SObject that are mapped in both directions, and the mapping's rule for each conflict."""

    sobject: str
    pairs: tuple[Pair, ...]
    rules: tuple[str, ...]
    places: tuple[int, ...] = ()

    def has(self, pair: Pair) -> bool:
        """Whether this very pair is mapped both ways: another field beside either of its two has one owner."""
        return _names(pair) in {_names(own) for own in self.pairs}

    def of(self, item: Slice) -> tuple[Pair, ...]:
        """Those of a slice's pairs that are mapped both ways, as the three-way steps name them."""
        named = {_names(pair) for pair in item.pairs}
        return tuple(pair for pair in self.pairs if _names(pair) in named)

    def only(self, mainstay_path: str) -> TwoWay:
        """The same with one pair, or none."""
        chosen = [n for n, pair in enumerate(self.pairs) if pair.mainstay.path == mainstay_path]
        return TwoWay(
            self.sobject,
            tuple(self.pairs[n] for n in chosen),
            tuple(self.rules[n] for n in chosen),
            tuple(self.places[n] for n in chosen),
        )


def _names(pair: Pair) -> tuple[str, str]:
    return pair.salesforce.name, pair.mainstay.path


def two_way(mapping: SObjectMapping, catalogues: Catalogues) -> TwoWay:
    """The pairs both directions write; none where a direction is off: then the mapping itself names each owner."""
    if not (mapping.is_enabled(Direction.EXPORT) and mapping.is_enabled(Direction.IMPORT)):
        return TwoWay(mapping.sobject, (), ())
    assert mapping.export is not None
    assert mapping.import_ is not None
    known = catalogues.salesforce[mapping.sobject]
    written = {(field.salesforce, field.mainstay) for field in mapping.import_.fields}
    both = [f for f in mapping.export.fields if (f.salesforce, f.mainstay) in written]
    default = mapping.conflicts.get("default", "ask")
    return TwoWay(
        mapping.sobject,
        tuple(Pair(known[f.salesforce], catalogues.mainstay[f.mainstay], identifier(f.mainstay)) for f in both),
        tuple(mapping.conflicts.get(f.mainstay, default) for f in both),
        tuple(range(1, len(both) + 1)),
    )


NOT_TWO_WAY: Final = TwoWay("", (), ())

# Some eight values hash in one go, and are fetched where one of them differs; more slices than this mean more scans.
_SLICE_WIDTH: Final = 8
_MOST_SLICES: Final = 6


@dataclass(frozen=True)
class Slice:
    """Pairs that are compared by one hash and, where it differs, fetched together. `sparse` ones have a hash each."""

    name: str
    pairs: tuple[Pair, ...]
    sparse: tuple[Pair, ...] = ()

    @property
    def side(self) -> str:
        """The table of both sides' values."""
        return self.name.replace("slice", "side")

    @property
    def dense(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair not in self.sparse)


def slices_of(first: Sequence[Pair], rest: Sequence[Pair], sparse: Sequence[Pair] = ()) -> tuple[Slice, ...]:
    """`first` as one slice, then `rest` in even ones: slice_0, slice_1, ..."""
    parts_of_rest = min(_MOST_SLICES, max(1, round(len(rest) / _SLICE_WIDTH)))
    width = max(1, -(-len(rest) // parts_of_rest))
    parts = [first, *(rest[start : start + width] for start in range(0, len(rest), width))]
    filled = [tuple(part) for part in parts if part]
    return tuple(
        Slice(f"slice_{index}", part, tuple(pair for pair in part if pair in sparse))
        for index, part in enumerate(filled)
    )


@dataclass(frozen=True)
class ExportPlan:
    """One SObject's export with both ends of every pair known.

    `two_way`: the pairs that the import writes too; a three-way comparison may leave them alone.
    """

    sobject: str
    pairs: tuple[Pair, ...]
    criteria: str | None
    include_field_deletions: bool
    include_all_fields: bool
    has_sms: bool = True
    has_web_bot: bool = True
    two_way: TwoWay = NOT_TWO_WAY
    kept: Kept = NOTHING_KEPT

    def pair(self, mainstay_path: str) -> Pair | None:
        return next((pair for pair in self.pairs if pair.mainstay.path == mainstay_path), None)

    @property
    def standard(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if not pair.mainstay.is_custom)

    @property
    def custom(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.mainstay.is_custom)

    def slices(self, sparse: Sequence[Pair] = ()) -> tuple[Slice, ...]:
        """The standard fields, whose rules look at each other, then the custom ones."""
        return slices_of(self.standard, self.custom, sparse)


@dataclass(frozen=True)
class ImportPlan:
    """One SObject's import with both ends of every pair known.

    `formula`: what the criteria depend on, None where it cannot be evaluated after a change; `inputs`: the fields it
    reads, by path. `has_moving_parent`: another change of the preview may alter a parent's field among them.
    `parents`: reference field -> the pulled object it leads to, where that is certain.
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
    two_way: TwoWay = NOT_TWO_WAY
    kept: Kept = NOTHING_KEPT
    has_moving_parent: bool = False

    def slices(self) -> tuple[Slice, ...]:
        """What standard fields fill, then the rest."""
        first = [pair for pair in self.pairs if not pair.mainstay.is_custom]
        return slices_of(first, [pair for pair in self.pairs if pair.mainstay.is_custom])

    @property
    def match_keys(self) -> list[str]:
        """Names of the key columns: one composite key for `all`, one a field for `any`."""
        matching = sum(pair.is_matching for pair in self.pairs)
        return ["match_key_0"] if self.match == "all" else [f"match_key_{index}" for index in range(matching)]
