"""What a notebook cell shows besides results: progress while a verb works, and errors as one sentence."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

from workbench.errors import WorkbenchError

Progress = Callable[[str, int, int | None], None]
REDRAW_SECONDS: Final = 0.25


def shell() -> Any | None:
    """The running Jupyter kernel's shell; None in a script, a test or plain IPython."""
    ipython = sys.modules.get("IPython")
    found = ipython.get_ipython() if ipython is not None else None
    return found if hasattr(found, "kernel") else None


@contextmanager
def cell_progress() -> Iterator[Progress]:
    """A callable (stage, done, total) that keeps one line per stage in the cell; silent outside of notebooks."""
    if shell() is None:
        yield lambda _stage, _done, _total: None
        return
    bars = _Bars()
    try:
        yield bars.report
    finally:
        bars.finish()


class _Bars:
    def __init__(self) -> None:
        from IPython.display import DisplayHandle  # noqa: PLC0415  only notebooks have it

        self._display: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        self._stages: dict[str, tuple[int, int | None, float]] = {}
        self._started_at = time.monotonic()
        self._drawn_at = 0.0
        self._is_shown = False

    def report(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        started = self._stages[stage][2] if stage in self._stages else now
        self._stages[stage] = (done, total, started)
        if now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            self._draw("".join(self._line(name) for name in self._stages))

    def finish(self) -> None:
        """Leave one quiet line behind instead of the bars: how many of what, and how long it took."""
        if not self._is_shown:
            return
        counted = [f"{name} {done:,}" for name, (done, total, _) in self._stages.items() if total is not None]
        seconds = time.monotonic() - self._started_at
        self._draw(f"<small>{escape(', '.join([*counted, f'{seconds:.1f} s']))}</small>")

    def _line(self, name: str) -> str:
        done, total, started = self._stages[name]
        if total is None:
            return f"<div>{escape(name)}</div>"
        bar = f'<progress value="{done}" max="{total}"></progress>'
        seconds = max(time.monotonic() - started, 0.001)
        rate = f", {done / seconds:,.0f}/s" if done and seconds > REDRAW_SECONDS else ""
        return f"<div>{bar} {escape(name)}: {done:,} of {total:,}{rate}</div>"

    def _draw(self, html: str) -> None:
        from IPython.display import HTML  # noqa: PLC0415  as above

        shown = HTML(html)  # type: ignore[no-untyped-call]
        if self._is_shown:
            self._display.update(shown)
        else:
            self._display.display(shown)
        self._is_shown = True


def tell_errors_plainly() -> None:
    """In notebooks, show our own errors as their sentence; a bug keeps its whole traceback.

    `_render_traceback_` is IPython's protocol for exceptions that print themselves.
    """
    if shell() is not None:
        WorkbenchError._render_traceback_ = _sentence  # type: ignore[attr-defined]


def _sentence(error: WorkbenchError) -> list[str]:
    return [f"{type(error).__name__}: {error}"]
