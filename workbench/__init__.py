"""Mainstay Workbench: see what a Salesforce and Mainstay sync will do, record by record, before anything is sent.

    import workbench as wb

    wb.connect()                        # the store and both systems, from WORKBENCH_ settings
    wb.pull()
    p = wb.preview("export")            # or "import"
    p.counts, p.buckets, p.changes.df() # also .pl(), .arrow(), .sql
    p.explain("003...")                 # one record's way, in words
    b = p.batch(action="update", by="Dana")
    wb.approve(b, by="Sam")
    wb.push(b)
    wb.results().pl()
    wb.undo(b)                          # after another pull: a preview that puts back what was written

Nothing heavy is loaded before the first verb.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.notebook import (
        Workbench,
        approve,
        batch,
        connect,
        explain,
        import_csv,
        import_mapping,
        mapping,
        preview,
        pull,
        push,
        results,
        sql,
        undo,
    )

__all__ = [
    "Workbench",
    "approve",
    "batch",
    "connect",
    "explain",
    "import_csv",
    "import_mapping",
    "mapping",
    "preview",
    "pull",
    "push",
    "results",
    "sql",
    "undo",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("workbench.notebook"), name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
