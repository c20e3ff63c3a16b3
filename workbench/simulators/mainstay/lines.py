"""JSON texts one after the other, parted by commas, so that a page of a list is one cut out of the whole."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable

import numpy as np
import polars as pl

from workbench.simulators.spool import SPOOLED_FROM


class JsonLines:
    """Texts by position; many of them lie in a file without a name, mapped, and cost no memory of their own."""

    def __init__(self, blocks: Iterable[pl.Series], count: int) -> None:
        ends = [np.zeros(1, np.int64)]
        with tempfile.SpooledTemporaryFile(max_size=0 if count > SPOOLED_FROM else 1 << 40) as file:
            for block in blocks:
                if len(block) == 0:
                    continue
                lengths = block.str.len_bytes().to_numpy().astype(np.int64) + 1
                ends.append(ends[-1][-1] + np.cumsum(lengths))
                file.write(block.str.join(",").item().encode() + b",")
            self._ends = np.concatenate(ends)
            if count > SPOOLED_FROM:
                file.flush()
                self._text: bytes | mmap.mmap = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            else:
                file.seek(0)
                self._text = file.read()

    def __getitem__(self, position: int) -> bytes:
        return self.between(position, position + 1)

    def between(self, start: int, stop: int) -> bytes:
        """The texts of these positions with commas between them."""
        return self._text[self._ends[start] : self._ends[stop] - 1] if stop > start else b""
