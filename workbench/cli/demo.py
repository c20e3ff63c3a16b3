"""workbench demo: the whole story on synthetic people, then the dashboard."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.columns import Columns
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from workbench import operations, views
from workbench.cli.flow import score_table
from workbench.cli.output import make_table, out, plural, say
from workbench.cli.progress import progress_bars
from workbench.cli.session import session_of, stop_on_signals, stoppable
from workbench.errors import ConfigurationError

if TYPE_CHECKING:
    from workbench.operations import Chapter, Previewed, Pulled, Pushed
    from workbench.settings import Settings
    from workbench.store import Store

TITLES: Final = {"export": "Export: Salesforce to Mainstay", "import": "Import: Mainstay to Salesforce"}
LEFT: Final = {"refused": "refused again", "conflict": "a person decides", "new": "new work"}
SHOWN_LEFT: Final = 8
BAR_WIDTH: Final = 24
COLOURS: Final = {
    "update": "cyan",
    "link": "blue",
    "create": "green",
    "none": "bright_black",
    "excluded": "bright_black",
    "conflict": "yellow",
    "blocked": "red",
}


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Start here")(demo)


def demo(
    context: typer.Context,
    *,
    contacts: Annotated[int, typer.Option(min=10, help="How many synthetic people.")] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the dashboard at the end.")] = True,
) -> None:
    """Both systems on this machine, then pull, preview, approve, push and score, told as a story.

    Uses a store of its own in a temporary folder, unless --database names one. Needs no account and no network.
    """
    session = session_of(context)
    stopped = stop_on_signals()
    kept = f"The store is kept: {session.named_database}." if session.named_database else "Nothing was kept."
    with stoppable(kept), tempfile.TemporaryDirectory(prefix="workbench-demo-") as folder:
        database = session.named_database or str(Path(folder) / "demo.duckdb")
        base = session.settings.model_copy(update={"database": database})
        started = time.perf_counter()
        with operations.demo_sandbox(base, contacts=contacts, seed=seed) as settings:
            store = operations.open_store(settings)
            if views.latest_pulls(store):
                raise ConfigurationError(f"{database} is already in use. The demo needs a store of its own.")
            teller = _Teller(store, time.perf_counter() - started, stopped)
            teller.opening(contacts, seed)
            story = operations.run_demo(store, settings, tell=teller.hear, watch=progress_bars)
            teller.ending(story.seconds, time.perf_counter() - started)
            if open_:
                _open_dashboard(settings)


def _open_dashboard(settings: Settings) -> None:
    with operations.running_dashboard(settings, open_browser=True) as running:
        out().print(f"\n[bold]Dashboard:[/] {running.url}   Ctrl-C stops everything.")
        with suppress(KeyboardInterrupt):
            running.wait()
    say("Stopped: the dashboard, both systems, and the store in its temporary folder.")


class _Teller:
    """Prints each chapter as it ends."""

    def __init__(self, store: Store, sandbox_seconds: float, stopped: threading.Event) -> None:
        self._store = store
        self._sandbox_seconds = sandbox_seconds
        self._stopped = stopped
        self._out = out()
        self._again: set[str] = set()

    def opening(self, contacts: int, seed: int) -> None:
        self._out.print()
        self._out.print(Text("Mainstay Workbench: what would a sync do, before anything is sent?", style="bold"))
        self._out.print(
            f"Both systems run on this machine with {contacts:,} synthetic people (seed {seed}); "
            f"ready in {self._sandbox_seconds:.1f} s."
        )

    def hear(self, chapter: Chapter) -> None:
        if self._stopped.is_set():  # an interrupt that a library swallowed ends the story here
            raise KeyboardInterrupt
        if isinstance(chapter, operations.Pulled):
            self._pulled(chapter)
        elif isinstance(chapter, operations.Previewed):
            self._left(chapter) if chapter.is_again else self._previewed(chapter)
        else:
            self._pushed(chapter)

    def ending(self, seconds: dict[str, float], total: float) -> None:
        self._heading("Time")
        every = {"start both systems": self._sandbox_seconds, **seconds}
        rows = [{"stage": name, "seconds": f"{value:.1f}"} for name, value in every.items()]
        rows.append({"stage": "all of it", "seconds": f"{total:.1f}"})
        self._show(make_table(rows, ["stage", "seconds"]))

    def _pulled(self, pulled: Pulled) -> None:
        rows = {f"{row['system']} {row['object']}": row["rows"] for row in pulled.report["pulls"]}
        what = ", ".join(f"{name} {count:,}" for name, count in rows.items())
        if pulled.is_first:
            self._heading("Pull")
            self._show(f"{what} in {pulled.seconds:.1f} s. Nothing is written to either system.")
        else:
            modes = {str(row["mode"]) for row in pulled.report["pulls"]}
            self._show(f"[dim]Pulled again ({', '.join(sorted(modes))}) in {pulled.seconds:.1f} s.[/]")

    def _previewed(self, previewed: Previewed) -> None:
        report = previewed.report
        self._heading(f"{TITLES[str(report.direction)]}: preview {report.preview_id}")
        self._show("Every record of both systems stands in exactly one bucket. Nothing is sent yet.")
        self._show(_bucket_tables(report.buckets, str(report.direction)))

    def _pushed(self, pushed: Pushed) -> None:
        batch, push = pushed.batch, pushed.push
        self._show(
            f"Requested by [bold]{batch.requested_by}[/], approved by [bold]{batch.approved_by}[/]: "
            f"batch {batch.batch} with {plural(batch.rows, 'change')}, predicted failures too, knowingly."
        )
        sent = ", ".join(f"{count:,} {status}" for status, count in push.counts.items() if count)
        self._show(f"Sent in {push.seconds:.1f} s: {sent}. Predicted against actual:")
        self._show(score_table(views.scores(self._store, [batch.batch])))
        self._show(self._requests(pushed))

    def _requests(self, pushed: Pushed) -> str:
        changes = max(sum(pushed.push.counts.values()), 1)
        own = f"{pushed.push.requests:,} requests, [bold]{pushed.push.requests / changes:.2f}[/] per change"
        package = views.package_requests(self._store, pushed.batch.batch)
        if package is None:
            return f"{own} (records go in groups of up to 200, then the CRM ID is written back)."
        return (
            f"{own}; the order PUT, PUT, POST would take {package:,}, "
            f"[bold]{package / changes:.2f}[/] per change, on the same data."
        )

    def _left(self, previewed: Previewed) -> None:
        report = previewed.report
        direction = str(report.direction)
        rows = views.leftovers(self._store, report.preview_id)
        left = sum(row["row_count"] for row in rows)
        if direction in self._again:
            self._heading("Export once more: what the import brought")
        self._again.add(direction)
        self._show(f"Previewed again: [bold]{report.counts['none']:,}[/] in sync, {left:,} left:")
        shown = [
            {"left": LEFT[row["kind"]], "why": row["why"], "records": row["row_count"]} for row in rows[:SHOWN_LEFT]
        ]
        if len(rows) > SHOWN_LEFT:
            rest = sum(row["row_count"] for row in rows[SHOWN_LEFT:])
            shown.append({"left": f"{plural(len(rows) - SHOWN_LEFT, 'reason')} more", "why": "", "records": rest})
        if shown:
            self._show(make_table(shown, ["left", "why", "records"]))

    def _heading(self, text: str) -> None:
        self._out.print()
        self._out.print(Rule(Text(text, style="bold"), align="left", style="dim"))

    def _show(self, what: Any) -> None:
        self._out.print(Padding(what, (0, 0, 0, 1)) if not isinstance(what, str) else f" {what}")


def _bucket_tables(buckets: list[dict[str, Any]], direction: str) -> Columns:
    sides = ("salesforce", "mainstay") if direction == "export" else ("mainstay", "salesforce")
    return Columns(
        [_bucket_table(side, [row for row in buckets if row["system"] == side]) for side in sides], padding=(0, 4)
    )


def _bucket_table(system: str, rows: list[dict[str, Any]]) -> Table:
    total = sum(row["row_count"] for row in rows)
    table = Table(title=f"{system.capitalize()}: {total:,}", title_justify="left", title_style="bold", box=None,
                  show_header=False, pad_edge=False)  # fmt: skip
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for row in sorted(rows, key=lambda one: -one["row_count"]):
        colour = COLOURS.get(row["bucket"].removeprefix("to_"), "white")
        width = max(1, round(BAR_WIDTH * row["row_count"] / max(total, 1)))
        table.add_row(row["bucket"].replace("_", " "), f"{row['row_count']:,}", Text("━" * width, style=colour))
    return table
