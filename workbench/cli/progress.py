"""Progress bars on stderr: what is being done, how far it is, at what rate, and how long it will still take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from workbench.interrupts import Presses


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="dim")


class _Stage(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text.from_markup(task.description, emoji=False)  # a TextColumn draws :words: as pictures


class Bars:
    """Called with (stage, done, total), it draws one bar per stage; a Ctrl-C that got lost ends the work there."""

    def __init__(self, bars: Progress, stop: Presses | None = None) -> None:
        self._bars = bars
        self._stop = stop
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if self._stop is not None:
            self._stop.raise_if_pressed()
        if stage not in self._tasks:
            for task in self._bars.tasks:
                if task.total is None:  # a stage without a total is over when the next one starts
                    self._bars.update(task.id, visible=False)
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def note(self, stage: str, text: str) -> None:
        """Say more about a stage, in front of its bar."""
        if stage in self._tasks:
            self._bars.update(self._tasks[stage], description=f"{stage} [dim]{text}[/]")


@contextmanager
def progress_bars(*, is_quiet: bool = False, stop: Presses | None = None) -> Iterator[Bars]:
    """Bars on stderr; silent where there is no terminal. `stop`: presses, which end the work after their step."""
    console = Console(stderr=True, emoji=False)
    columns = (
        SpinnerColumn(),
        _Stage(),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=is_quiet or not console.is_terminal) as bars:
        yield Bars(bars, stop)
        if stop is not None:
            stop.raise_if_pressed()
