"""Pushes and pulls run in processes of their own: closing the tab, or the dashboard, stops none.

What they do stands in the store; here is only who is at work.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, Final

import streamlit as st

from dashboard import session
from workbench import operations
from workbench.domain.access import Person
from workbench.errors import ApprovalRefused

# `python -m workbench.cli` would import the package twice.
COMMAND: Final = (sys.executable, "-c", "from workbench.cli import main; main()")
TOLD_CHARACTERS: Final = 2_000


@dataclass(frozen=True)
class Work:
    """A running or finished command that this server started."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def fault(self) -> str:
        """What it said last, where it ended with a fault; blank while it runs or when all went well."""
        if self.process.poll() in {None, 0}:
            return ""
        self.said.seek(0)
        return self.said.read().decode(errors="replace").strip()[-TOLD_CHARACTERS:]


@st.cache_resource(show_spinner=False)
def _works() -> dict[str, Work]:
    return {}


def start_push(batch_id: int, *, by: Person, canary: int | None = None) -> Work:
    """Push an approved or paused batch; `canary` changes go first and are judged before the rest follows.

    Raises ApprovalRefused while a push of the batch, started here, still runs; NotAllowed below approver, and after
    an old sign-in.
    """
    name = operations.check_push(session.settings(), by)
    first = ("--canary", str(canary)) if canary else ()
    return _start(f"push {batch_id}", f"A push of batch {batch_id}", "push", str(batch_id), "--by", name, *first)


def start_pull() -> Work:
    """Read what is new in both systems. Raises ApprovalRefused while a pull that was started here still runs."""
    return _start("pull", "A pull", "pull")


def work_of(batch_id: int) -> Work | None:
    """The push of a batch that was started here last."""
    return _works().get(f"push {batch_id}")


def pull_at_work() -> Work | None:
    """The pull that was started here last."""
    return _works().get("pull")


def _start(key: str, what: str, *arguments: str) -> Work:
    before = _works().get(key)
    if before is not None and before.is_running:
        raise ApprovalRefused(f"{what} is already at work.")
    said = tempfile.TemporaryFile()  # noqa: SIM115 - stays open as long as the process may write
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,  # Ctrl-C on the dashboard does not reach it
    )
    _works()[key] = Work(process, said)
    return _works()[key]
