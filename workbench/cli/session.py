"""What every command shares: settings, the store (opened when first needed), and how errors and Ctrl-C end."""

from __future__ import annotations

import getpass
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from workbench import logs, operations
from workbench.cli.output import say
from workbench.domain.access import Person, person_named
from workbench.interrupts import INTERRUPTED, Presses, heard_presses
from workbench.settings import Settings, load_settings

if TYPE_CHECKING:
    from workbench.operations import FaultLog
    from workbench.store import Store

NOTHING_HALF_DONE = "Stopped. Nothing is left half done; the same command may be run again."

Json = Annotated[bool, typer.Option("--json", help="Print JSON (row lists: one object a line) for programs.")]


class Session:
    """One run of the command line. `named_database` is what --database said."""

    def __init__(self) -> None:
        self.named_database: str | None = None
        self._is_store_open = False

    @cached_property
    def settings(self) -> Settings:
        settings = load_settings()
        if self.named_database is None:
            return settings
        return settings.model_copy(update={"database": self.named_database})

    @cached_property
    def store(self) -> Store:
        store = operations.open_store(self.settings)
        self._is_store_open = True
        return store

    @cached_property
    def faults(self) -> FaultLog:
        return operations.FaultLog()

    def start_logs(self) -> None:
        """Log to stderr from now on, and remember warnings for the application log."""
        logs.start(self.settings.log_level)
        logging.getLogger("workbench").addHandler(self.faults)

    def close(self) -> None:
        """Write the remembered faults, where this run touched the store anyway."""
        logging.getLogger("workbench").removeHandler(self.faults)
        if self._is_store_open and len(self.faults):
            self.faults.save(self.store)


def session_of(context: typer.Context) -> Session:
    """The session of this run."""
    found = context.find_root().obj
    assert isinstance(found, Session)
    return found


def person(context: typer.Context, by: str | None) -> Person:
    """Who takes a step: the name given, else the login name, in the role that the settings give it."""
    return person_named(session_of(context).settings.access, by or getpass.getuser())


def stop_on_signals(stopped: threading.Event | None = None) -> threading.Event:
    """Let Ctrl-C and a plain kill end a long-running command in order, also where a shell started it unheard.

    The event is set by then: an interrupt that falls into a library's import may be swallowed there. Some libraries
    (polars) put a handler of their own in place as they are imported: call it again after them, with the same event.
    """
    stopped = stopped or threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        signal.default_int_handler(number, frame)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopped


class Stopped(typer.Exit):
    """The end of a command after Ctrl-C, when the sentence was said."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


def end_stopped(kept: str) -> NoReturn:
    """Say what was kept after Ctrl-C, and leave with its exit code."""
    say(f"Stopped. {kept}", style="yellow")
    raise Stopped from None


@contextmanager
def stoppable(kept: str) -> Iterator[Presses]:
    """Turn Ctrl-C into a sentence that says what was kept; whatever fails after it, failed because of it."""
    with heard_presses() as presses:
        try:
            yield presses
        except (KeyboardInterrupt, Exception) as error:
            if not (presses() or is_interrupt(error)):
                raise
            end_stopped(kept)


def is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: DuckDB ends a running query with one of its own, others follow from it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or str(error) == "Query interrupted":
            return True
        error = error.__context__
    return False
