"""Query results on the wire: nested JSON records, or CSV with every value quoted.

Source: Salesforce wire reference, sections 6 and 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import polars as pl

from workbench.simulators.salesforce.schema import SObject
from workbench.simulators.salesforce.soql_sql import Translated

_CSV_ROWS: Final = 10_000  # written at once


@dataclass(frozen=True)
class QueryResult:
    """All rows of a query; `frame` has the plan's columns and ids, and is empty for COUNT()."""

    plan: Translated
    frame: pl.DataFrame
    total: int

    def records(self, data_path: str, offset: int = 0, size: int | None = None) -> list[dict[str, Any]]:
        """A page of JSON records; urls start with `data_path`."""
        if self.plan.kind == "count":
            return []
        rows = self.frame.slice(offset, size).rows()
        if self.plan.kind == "aggregate":
            names = [column.path[0] for column in self.plan.columns]
            return [{"attributes": {"type": "AggregateResult"}, **dict(zip(names, row, strict=True))} for row in rows]
        shape = _shape(self.plan, data_path)
        return [shape.record(row) for row in rows]

    def csv(self, offset: int, size: int, delimiter: str = ",", line_ending: str = "\n") -> Iterator[bytes]:
        """A page of CSV in pieces, header first: every value quoted, null empty, parents as dotted columns."""
        names = [".".join(column.path) for column in self.plan.columns]
        yield (delimiter.join(f'"{name}"' for name in names) + line_ending).encode()
        shown = [pl.col(self.frame.columns[index]).alias(f"{index}") for index in range(len(names))]
        end = min(offset + size, self.total)
        for start in range(offset, end, _CSV_ROWS):
            rows = self.frame.slice(start, min(_CSV_ROWS, end - start)).select(shown)
            text: str = rows.write_csv(
                include_header=False, quote_style="always", separator=delimiter, line_terminator=line_ending
            )
            yield text.encode()


@dataclass
class _Shape:
    """How one record, or one parent inside it, is put together from a row: keys with a place or a parent's shape."""

    sobject: SObject
    id_place: int
    data_path: str
    slots: dict[str, int | _Shape] = field(default_factory=dict)
    compounds: set[str] = field(default_factory=set)

    def record(self, row: tuple[Any, ...]) -> Any:
        record_id = row[self.id_place]
        if record_id is None:
            return None
        name = self.sobject.name
        url = f"{self.data_path}/sobjects/{name}/{record_id}"
        record: dict[str, Any] = {"attributes": {"type": name, "url": url}}
        for key, slot in self.slots.items():
            record[key] = row[slot] if isinstance(slot, int) else slot.record(row)
        for key in self.compounds:
            record[key] = record[key] and orjson.loads(record[key])
        return record


def _shape(plan: Translated, data_path: str) -> _Shape:
    root = _Shape(plan.sobject, len(plan.columns), data_path)
    by_path: dict[tuple[str, ...], _Shape] = {(): root}
    for index, (path, sobject) in enumerate(plan.parents):
        by_path[path] = _Shape(sobject, len(plan.columns) + 1 + index, data_path)
    for index, column in enumerate(plan.columns):
        *parents, name = column.path
        for size in range(1, len(parents) + 1):
            path = tuple(parents[:size])
            by_path[path[:-1]].slots.setdefault(path[-1], by_path[path])
        holder = by_path[tuple(parents)]
        holder.slots[name] = index
        if column.is_compound:
            holder.compounds.add(name)
    return root
