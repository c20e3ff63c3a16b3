"""Who holds a batch: one push at a time, and a push that died loses its hold.

A claim names its process, so that the next push on this machine sees at once whether it still lives. From another
machine that cannot be seen; there the hold ends when the batch has not moved for an hour.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused
from workbench.store.batches import BatchRow

LEASE: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Claim:
    """`text` is what the journal keeps: run id, host, process and when that process began."""

    run: str
    host: str
    process: int
    began: str

    @property
    def text(self) -> str:
        return f"{self.run}|{self.host}|{self.process}|{self.began}"


def new_claim() -> Claim:
    process = os.getpid()
    return Claim(uuid4().hex, platform.node(), process, _began(process) or "")


def read_claim(text: str | None) -> Claim | None:
    """The claim in a journal's text; None where there is none, or one that no push wrote."""
    parts = (text or "").split("|")
    if len(parts) != 4 or not parts[2].isdecimal():
        return None
    return Claim(parts[0], parts[1], int(parts[2]), parts[3])


def check_free(batch: BatchRow, now: datetime) -> None:
    """Raise ApprovalRefused while another push holds the batch and lives, or may live."""
    if batch.state is not BatchState.PUSHING:
        return
    holder = read_claim(batch.claim)
    if holder is None or not _may_live(holder, batch, now):
        return
    raise ApprovalRefused(
        f"Batch {batch.batch_id} is being pushed by process {holder.process} on {holder.host} "
        f"(last sign of life {batch.changed_at:%H:%M:%S} UTC). Wait for it to end."
    )


def _may_live(holder: Claim, batch: BatchRow, now: datetime) -> bool:
    if holder.host != platform.node():
        return now - batch.changed_at < LEASE
    began = _began(holder.process)
    return began is not None and began == holder.began


def _began(process: int) -> str | None:
    """When a process of this machine began, as a text to compare; None where it is gone (or a zombie)."""
    try:
        after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _answers(process)
    return None if after_name[0] in {"Z", "X"} else after_name[19]


def _answers(process: int) -> str | None:
    """Where the system has no /proc: whether the process takes signals at all."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""
