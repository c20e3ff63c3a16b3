"""The codes that a filter may name: those that are foretold anywhere, and whatever else the rows themselves carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.domain.error_dictionary import family
from workbench.domain.known_names import CODES, unknown_names
from workbench.store.database import Store

_OF_PREVIEW: Final = "SELECT DISTINCT unnest(codes) AS code FROM preview.change WHERE preview_id = $preview_id"
_OF_RESULTS: Final = "SELECT DISTINCT unnest(codes) AS code FROM journal.outcome"


def unknown_codes_of_preview(store: Store, preview_id: int, given: Sequence[str]) -> str:
    """The sentence about codes that no change of any preview could carry; empty where there are none."""
    return _unknown(store, given, _OF_PREVIEW, {"preview_id": preview_id})


def unknown_codes_of_results(store: Store, given: Sequence[str]) -> str:
    """The same for the codes of answers."""
    return _unknown(store, given, _OF_RESULTS, {})


def _unknown(store: Store, given: Sequence[str], sql: str, params: dict[str, int]) -> str:
    if CODES.issuperset(given):
        return ""
    carried = [row["code"] for row in store.rows(sql, params)]
    return unknown_names("code", given, sorted(CODES.union(carried, map(family, carried))))
