"""The installed command: what it need not wait for as it starts.

DuckDB imports pandas with the first value it binds, and pyarrow with the first moment it tells: a third of the time
of a short command, for frames that none of them makes. Both do without where the import fails. Whoever calls
`workbench.cli.main` from Python keeps pandas.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

from workbench.cli import main

# Splink works with pandas frames.
_WITH_PANDAS = "match"


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("The command line works without pandas", name=fullname)


def run() -> None:
    """The `workbench` command."""
    if _WITH_PANDAS not in sys.argv:
        sys.meta_path.insert(0, _NoPandas())
    main()
