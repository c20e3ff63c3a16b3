"""One push, as the soak starts it: python tests/soak/push_once.py STORE BATCH; exit 0 done, 1 paused, 3 stopped by a fault."""

from __future__ import annotations

import sys

from workbench.errors import WorkbenchError
from workbench.settings import load_settings
from workbench.stages.push import push_batch
from workbench.store import Store


def push_once(path: str, batch: int) -> int:
    try:
        report = push_batch(Store(path), load_settings(), batch, by="Soak")
    except WorkbenchError as error:
        if "done and cannot" in str(error):
            return 0
        print(error, file=sys.stderr)
        return 3
    return 0 if report.state == "done" else 1


if __name__ == "__main__":
    sys.exit(push_once(sys.argv[1], int(sys.argv[2])))
