"""Which contact has a key: a sorted array of hashes for the base, a small dict for what was written since."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl


class KeyIndex:
    """Unique texts to row numbers; 16 bytes a key instead of a Python object each.

    Raises ValueError where a key of the base occurs twice: Mainstay cannot hold that.
    """

    def __init__(self, keys: pl.Series) -> None:
        self._keys = keys
        filled = np.flatnonzero(keys.is_not_null().to_numpy())
        hashes = keys.hash().to_numpy()[filled]
        order = np.argsort(hashes)
        self._hashes, self._positions = hashes[order], filled[order]
        self._written: dict[str, int | None] = {}
        self._check()

    def _check(self) -> None:
        """Equal keys have equal hashes, and those stand side by side."""
        doubtful = np.flatnonzero(self._hashes[1:] == self._hashes[:-1])
        if len(doubtful) == 0:
            return
        places = np.unique(np.concatenate([doubtful, doubtful + 1]))
        keys = self._keys.gather(self._positions[places])
        twice = keys.filter(keys.is_duplicated()).unique().sort().head(3).to_list()
        if twice:
            msg = f"Mainstay keeps {self._keys.name} unique, but it occurs more than once: {', '.join(twice)}"
            raise ValueError(msg)

    def get(self, key: Any) -> int | None:
        """The row that has this key now."""
        if not isinstance(key, str):
            return None
        return self._written[key] if key in self._written else self._base(key)

    def _base(self, key: str) -> int | None:
        wanted = pl.Series([key], dtype=pl.String).hash().item()
        for place in range(int(np.searchsorted(self._hashes, np.uint64(wanted))), len(self._hashes)):
            if self._hashes[place] != wanted:
                break
            position = int(self._positions[place])
            if self._keys[position] == key:
                return position
        return None

    def places(self, keys: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The rows of many keys of the base at once, as `get`, but -1 for a key that is unknown or was written."""
        wanted = keys.hash().to_numpy()
        place = np.minimum(np.searchsorted(self._hashes, wanted), max(len(self._hashes) - 1, 0))
        if len(self._hashes) == 0:
            return np.full(len(keys), -1)
        return np.where(self._hashes[place] == wanted, self._positions[place], -1)

    def set(self, key: str, position: int) -> None:
        self._written[key] = position

    def drop(self, key: str) -> None:
        """Nobody has this key any more."""
        self._written[key] = None

    def forget_written(self) -> None:
        self._written.clear()
