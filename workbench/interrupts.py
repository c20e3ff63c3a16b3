"""Ctrl-C, heard whoever handles it: a library may swallow the exception, or end with an error of its own instead."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130  # the exit code for it, as shells give it


class Presses:
    """Whether Ctrl-C was pressed since `heard_presses` began; asked after its end, it tells what was heard by then."""

    def __init__(self, heard: int | None) -> None:
        self._heard = heard
        self._is_pressed = False

    def __call__(self) -> bool:
        if self._heard is not None and not self._is_pressed:
            self._is_pressed = signal.SIGINT in _read(self._heard)
        return self._is_pressed

    def raise_if_pressed(self) -> None:
        """Raise the KeyboardInterrupt that got lost."""
        if self():
            raise KeyboardInterrupt

    def end(self) -> None:
        """Listen a last time."""
        self()
        self._heard = None


@contextmanager
def heard_presses() -> Iterator[Presses]:
    """Note every Ctrl-C beside whoever handles it. Only the main thread is told of signals; elsewhere none is heard."""
    if threading.current_thread() is not threading.main_thread():
        yield Presses(None)
        return
    heard, hearing = os.pipe()
    for end in (heard, hearing):
        os.set_blocking(end, False)
    presses = Presses(heard)
    before = signal.set_wakeup_fd(hearing, warn_on_full_buffer=False)
    try:
        yield presses
    finally:
        signal.set_wakeup_fd(before)
        presses.end()
        os.close(heard)
        os.close(hearing)


def _read(heard: int) -> bytes:
    try:
        return os.read(heard, 1024)
    except BlockingIOError:
        return b""
