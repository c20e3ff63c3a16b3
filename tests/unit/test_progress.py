"""Progress bars say what, how far, how fast and how long still."""

import io

from rich.console import Console
from rich.progress import Progress

from workbench.cli import progress
from workbench.cli.progress import Bars, progress_bars


def test_a_bar_tells_count_rate_and_remaining_time(monkeypatch):
    screen, now = io.StringIO(), [0.0]

    def console(**options):
        return Console(file=screen, force_terminal=True, width=120, color_system=None)

    def bars_by_our_clock(*columns, **options):
        return Progress(*columns, **options, get_time=lambda: now[0], auto_refresh=False)

    monkeypatch.setattr(progress, "Console", console)
    monkeypatch.setattr(progress, "Progress", bars_by_our_clock)
    with progress_bars() as bars:
        for second in range(5):
            now[0] = float(second)
            bars("Salesforce Contact", second * 1000, 10_000)
        bars.note("Salesforce Contact", "with :smile:")
        bars._bars.refresh()
        shown = screen.getvalue()
    for part in ("Salesforce Contact", "4000/10000", "1,000/s", "0:00:04", "0:00:06", "with :smile:"):
        assert part in shown


def test_a_stage_of_unknown_length_leaves_when_the_next_one_comes():
    bars = Progress(console=Console(file=io.StringIO()))
    told = Bars(bars)
    told("Mainstay messages", 10, None)
    told("Mainstay contacts", 1, 2)
    assert [(task.description, task.visible) for task in bars.tasks] == [
        ("Mainstay messages", False), ("Mainstay contacts", True),
    ]  # fmt: skip
