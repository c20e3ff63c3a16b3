"""Pushes run in a process of their own: closing the tab, or the dashboard, stops none. Their state is in the store."""

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
COMMAND: Final = (sys.executable, "-c", "from workbench.cli import main; main()", "push")
TOLD_CHARACTERS: Final = 2_000


@dataclass(frozen=True)
class Work:
    """A running or finished push that this server started."""

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
def _works() -> dict[int, Work]:
    return {}


def start_push(batch_id: int, *, by: Person) -> Work:
    """Push an approved or paused batch in its own process, which inherits this one's settings.

    Raises ApprovalRefused while a push of the batch, started here, still runs; NotAllowed below approver, and after
    an old sign-in.
    """
    name = operations.check_push(session.settings(), by)
    before = _works().get(batch_id)
    if before is not None and before.is_running:
        raise ApprovalRefused(f"A push of batch {batch_id} is already at work.")
    said = tempfile.TemporaryFile()  # noqa: SIM115 - stays open as long as the process may write
    process = subprocess.Popen(
        [*COMMAND, str(batch_id), "--by", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,  # Ctrl-C on the dashboard does not reach it
    )
    _works()[batch_id] = Work(process, said)
    return _works()[batch_id]


def work_of(batch_id: int) -> Work | None:
    return _works().get(batch_id)
