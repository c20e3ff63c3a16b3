"""Frames larger than memory should be: appended to a file block by block, read back as one frame mapped from it.

The mapped pages belong to the file cache, so a world of a million people costs the process little memory of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import polars as pl
import pyarrow as pa

SPOOLED_FROM: Final = 100_000  # rows: below, a frame stays in memory


class Spool:
    """One growing frame on disk, a context manager: `append` blocks of equal columns, then `frame`.

    The file has no name once it is mapped, so that it vanishes with the last frame that shows it.
    """

    def __init__(self) -> None:
        # Closed by __exit__ or frame(); the name is needed to map the file.
        with tempfile.NamedTemporaryFile(prefix="sandbox-", suffix=".arrow", delete=False) as made:
            self._path = Path(made.name)
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        self._empty: pl.DataFrame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        with suppress(OSError):  # Windows keeps the name of a mapped file; it is a temporary one all the same
            self._path.unlink(missing_ok=True)

    def append(self, block: pl.DataFrame) -> None:
        """One more block, with the columns and types of those before."""
        # By way of plain strings: a view would be written with all the bytes of the frame it was cut from.
        table = block.to_arrow()
        table = table.cast(pa.schema([column.with_type(_viewed(column.type)) for column in table.schema]))
        if self._writer is None:
            self._empty = block.clear()
            self._writer = pa.ipc.new_file(str(self._path), table.schema)
        self._writer.write_table(table.combine_chunks())

    @property
    def size(self) -> int:
        """Bytes on disk so far."""
        return self._path.stat().st_size

    def frame(self) -> pl.DataFrame:
        """Everything appended, in order; nothing can be appended afterwards. Raises ValueError where nothing was."""
        if self._writer is None or self._empty is None:
            raise ValueError("nothing was spooled")
        self._writer.close()
        table = pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
        mapped = pl.from_arrow(table, rechunk=False)
        assert isinstance(mapped, pl.DataFrame)
        return mapped


def _viewed(kind: pa.DataType) -> pa.DataType:
    """The type with views for its strings: a mapped frame uses the file's bytes as they are."""
    if pa.types.is_large_string(kind):
        return pa.string_view()
    if pa.types.is_large_list(kind):
        return pa.large_list(_viewed(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_viewed(field.type)) for field in kind])
    return kind


def spooled(blocks: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One frame of these blocks, in memory while it is small and mapped from disk otherwise."""
    kept: list[pl.DataFrame] = []
    height = 0
    coming = iter(blocks)
    for block in coming:
        kept.append(block)
        height += block.height
        if height > SPOOLED_FROM:
            break
    else:
        return pl.concat(kept)
    with Spool() as spool:
        for block in kept:
            spool.append(block)
        kept.clear()
        for block in coming:
            spool.append(block)
        return spool.frame()


def merged(runs: Sequence[pl.DataFrame], *, newest: str, then: str) -> pl.DataFrame:
    """Runs that are each sorted by the moment `newest` (falling) and `then` (rising), as one frame sorted so.

    Only one block's rows are in memory at a time: each run gives its rows between two moments, and these are sorted.
    """
    return spooled(_merged_blocks(runs, newest, then))


def _merged_blocks(runs: Sequence[pl.DataFrame], newest: str, then: str) -> Iterator[pl.DataFrame]:
    stamps = [run[newest].to_physical().to_numpy() for run in runs]
    total = sum(len(stamp) for stamp in stamps)
    every = max(1, total // 100_000)
    sample = np.sort(np.concatenate([stamp[::every] for stamp in stamps]))
    cuts = np.unique(sample[:: max(1, SPOOLED_FROM // every)])[::-1]
    begun = [0] * len(runs)
    for cut in [*cuts.tolist(), None]:
        parts = []
        for number, (run, stamp) in enumerate(zip(runs, stamps, strict=True)):
            # The stamps fall, so reversed they rise; all at or above the cut belong to this block.
            end = len(stamp) if cut is None else len(stamp) - int(np.searchsorted(stamp[::-1], cut))
            parts.append(run.slice(begun[number], end - begun[number]))
            begun[number] = end
        yield pl.concat(parts).sort(newest, then, descending=[True, False])


def rows_at(frame: pl.DataFrame, positions: np.ndarray[Any, Any]) -> pl.DataFrame:
    """The rows at these rising positions, without making the frame's chunks one."""
    ends = np.cumsum(frame.get_column(frame.columns[0]).chunk_lengths())
    starts = np.concatenate([[0], ends[:-1]])
    chunk = np.searchsorted(ends, positions, side="right")
    parts = []
    for number in np.unique(chunk):
        start, end = int(starts[number]), int(ends[number])
        parts.append(frame.slice(start, end - start)[positions[chunk == number] - start])
    return pl.concat(parts) if parts else frame.clear()
