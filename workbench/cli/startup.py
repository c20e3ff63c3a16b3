"""The installed command: what it need not wait for as it starts.

DuckDB imports pandas with the first value it binds, and pyarrow with the first moment it tells: a third of the time
of a short command, for frames that none of them makes. Both do without where the import fails. Whoever calls
`workbench.cli.main` from Python keeps pandas.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

from workbench.cli import main
from workbench.interrupts import INTERRUPTED

# Splink works with pandas frames.
_WITH_PANDAS = "match"


class _NoPandas:
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("The command line works without pandas", name=fullname)


def run() -> None:
    """The `workbench` command. Ctrl-C ends it calmly before there is anything to stop, and after it, too."""
    if _WITH_PANDAS not in sys.argv:
        sys.meta_path.insert(0, _NoPandas())
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # nothing is left to stop
    code = INTERRUPTED
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else code
        raise
    finally:
        _leave_at_once(code)
    sys.exit(code)


def _leave_at_once(code: int) -> None:
    """From here on everything is said, and only threads are waited for: Ctrl-C ends that, with the code there is."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))
    with suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
