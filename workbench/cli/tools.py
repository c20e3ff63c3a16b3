"""Look closer: sql, dashboard, logs, diagnose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench import operations, views
from workbench.cli.output import cell, out, plural, print_json, print_lines, print_table, say
from workbench.cli.session import Json, session_of, stop_on_signals, stoppable

PANEL = "Look closer"
SHOWN_ROWS = 100


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (sql, dashboard, logs, diagnose):
        app.command(rich_help_panel=PANEL)(command)


def sql(
    context: typer.Context,
    *,
    query: Annotated[str, typer.Argument(help="One SELECT; docs/views.md lists the names to rely on.")],
    json: Json = False,
) -> None:
    """Ask the store a question in SQL, read-only."""
    table = views.run_sql(session_of(context).store, query)
    if json:
        print_lines(row for part in table.to_batches(max_chunksize=10_000) for row in part.to_pylist())
        return
    rows = table.slice(0, SHOWN_ROWS).to_pylist()
    print_table(rows, {name: cell(name) for name in table.column_names})
    if table.num_rows > SHOWN_ROWS:
        say(f"{SHOWN_ROWS} of {plural(table.num_rows, 'row')}; --json prints all.")


def dashboard(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
) -> None:
    """Open the dashboard on this store, until Ctrl-C."""
    session = session_of(context)
    stop_on_signals()
    with (
        stoppable("The store is untouched."),
        operations.running_dashboard(session.settings, port=port, open_browser=browser) as running,
    ):
        out().print(f"Dashboard: {running.url} (Ctrl-C stops it)")
        running.wait()


def logs(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    json: Json = False,
) -> None:
    """Technical faults, newest first; data questions are in the results."""
    rows = views.logs(session_of(context).store, limit=limit)
    if json:
        print_lines(rows)
    elif not rows:
        say("No technical faults are logged.")
    else:
        print_table(rows, {"happened_at": "when (UTC)", "level": "level", "logger": "where", "event": "what"})


def diagnose(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="The zip file to write.", show_default=False)],
    json: Json = False,
) -> None:
    """Write a bundle for support: versions, settings without secrets, counts and the log, nobody's data."""
    session = session_of(context)
    parts = operations.write_diagnosis(session.store, session.settings, file)
    if json:
        print_json({"file": str(file), "parts": parts})
        return
    out().print(f"{file} holds {', '.join(parts)}.", markup=False)
    say("Names, addresses, phones, ids and secrets are masked. Look into it before you send it.")
