"""What was sent and what follows from it: results (as tables and files), their clearing, resend, undo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
import typer

from workbench import operations, views, views_conflicts
from workbench.cli.output import out, plural, print_json, print_lines, print_table, say
from workbench.cli.session import Json, person, session_of
from workbench.errors import ConfigurationError

if TYPE_CHECKING:
    from workbench.operations import UndoReport

PANEL = "Sync"
SHOWN_ROWS = 30

app = typer.Typer(invoke_without_command=True)
Status = Literal["success", "partial", "fail", "unknown"]
Direction = Literal["export", "import"]


def register(root: typer.Typer) -> None:
    """Add this module's commands."""
    root.add_typer(app, name="results", rich_help_panel=PANEL)
    for command in (calibration, resend, undo):
        root.command(rich_help_panel=PANEL)(command)


@app.callback()
def results(
    context: typer.Context,
    *,
    batch: Annotated[int | None, typer.Option(help="Only of this batch.", show_default=False)] = None,
    status: Annotated[Status | None, typer.Option(help="Only these.", show_default=False)] = None,
    code: Annotated[str | None, typer.Option(help="Only with this code in the answer.", show_default=False)] = None,
    direction: Annotated[Direction | None, typer.Option(help="Only export or import.", show_default=False)] = None,
    record: Annotated[
        str | None, typer.Option(help="Only of this Salesforce Id or Mainstay ID.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"At most so many; {SHOWN_ROWS} in a table, all elsewhere.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write them to this CSV file, safe for spreadsheets.", show_default=False)
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write them to this Parquet file.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Sync results, newest first: what every sent change was answered."""
    if context.invoked_subcommand is not None:
        return
    store = session_of(context).store
    chosen: dict[str, Any] = {
        "batch_id": batch, "status": status, "code": code, "direction": direction, "record": record,
    }  # fmt: skip
    if csv is not None or parquet is not None:
        written = {}
        if csv is not None:
            found = views.results(store, **chosen, limit=limit)
            written[str(csv)] = operations.write_csv(found, csv)
        if parquet is not None:
            table = views.results_table(store, **chosen, limit=limit)
            written[str(parquet)] = operations.write_parquet(table, parquet)
        _print_written(written, json=json)
        return
    if json:
        print_lines(views.results(store, **chosen, limit=limit))
        return
    shown = limit or SHOWN_ROWS
    rows = list(views.results(store, **chosen, limit=shown + 1))
    if not rows:
        say("No result fits." if any(chosen.values()) else "No results yet: workbench push BATCH.")
        return
    columns = {"name": "name", "status": "status", "direction": "direction", "record_id": "record", "codes": "codes",
               "predicted_codes": "predicted", "at": "when (UTC)"}  # fmt: skip
    print_table(rows[:shown], columns)
    if len(rows) > shown:
        say(f"The newest {shown}; --limit shows more, --json all.")


def calibration(context: typer.Context, *, json: Json = False) -> None:
    """How well each code was foretold over all pushes: hits, false alarms, misses, by certainty and rules version."""
    rows = views_conflicts.calibration(session_of(context).store)
    if json:
        print_lines(rows)
    elif not rows:
        say("Nothing was pushed yet that met or expected a code.")
    else:
        shown = [{**row, "hit_rate": f"{row['hit_rate']:.1%}"} for row in rows]
        names = ("code", "certainty", "rules_version", "predicted", "actual", "hits", "false_alarms", "misses")
        print_table(shown, {**{name: name.replace("_", " ") for name in names}, "hit_rate": "hit rate"})


def _print_written(written: Mapping[str, int], *, json: bool) -> None:
    if json:
        print_json({"files": [{"file": file, "rows": rows} for file, rows in written.items()]})
        return
    for file, rows in written.items():
        out().print(f"{plural(rows, 'result')} written to {file}.", markup=False)


@app.command()
def clear(
    context: typer.Context,
    *,
    older_than: Annotated[str, typer.Option(help="Only results older than this: 90d, 12w, 36h.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the typed confirmation.")] = False,
    json: Json = False,
) -> None:
    """Archive old results to Parquet beside the store, then purge them; only of batches that are past sending."""
    store = session_of(context).store
    now = datetime.now(UTC)
    before = operations.moment_before(older_than, now)
    count = operations.count_clearable(store, before)
    if count and not yes:
        _confirm(count, before)
    done = operations.clear_results(store, before, now, by=person(context, ""))
    if json:
        print_json({"results": done.results, "attempts": done.attempts, "archives": [str(file) for file in done.files]})
        return
    if not done.results:
        say(f"No result is older than {older_than}, or its batch is still at work.")
        return
    out().print(f"{plural(done.results, 'result')} and {plural(done.attempts, 'attempt')} cleared, kept in:")
    for file in done.files:
        out().print(f"  {file}", markup=False)


def _confirm(count: int, before: datetime) -> None:
    """Raise ConfigurationError unless the person types what is about to happen."""
    words = f"clear {count}"
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{plural(count, 'result')} would be cleared. Nobody is here to confirm it: say --yes, or use a terminal."
        )
    say(f"{plural(count, 'result')} from before {before:%Y-%m-%d %H:%M} UTC will be archived and then purged.")
    if typer.prompt(f"Type '{words}' to go on", err=True).strip() != words:
        raise ConfigurationError("Not confirmed. Nothing was cleared.")


def resend(
    context: typer.Context,
    *,
    result: Annotated[str, typer.Argument(help="The name of a sync result, like SR-0000012.", show_default=False)],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="field=value in the request; an empty value takes it out; repeatable."),
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Only foretell the answer; make nothing.")] = False,
    by: Annotated[
        str, typer.Option("--by", help="Who asks for it; your login name unless given.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Send one result's request again, as it was or edited, as a batch of one row that waits for approval."""
    session = session_of(context)
    edits = operations.read_edits(set_ or ())
    if simulate:
        told = operations.simulate_resend(session.store, session.settings, result, edits=edits)
        requests, status, codes = told.requests, told.status, told.codes
        found: dict[str, Any] = {"batch": None, "preview": None, "change": None}
    else:
        made = operations.resend(session.store, session.settings, result, by=person(context, by), edits=edits)
        requests, (status, codes) = made.requests, made.simulated
        found = {"batch": made.batch, "preview": made.preview, "change": made.change}
    shown = [
        {"system": item.system, "method": item.method, "path": item.path, "body": item.values} for item in requests
    ]
    if json:
        print_json({**found, "simulated": {"status": status, "codes": list(codes)}, "requests": shown})
        return
    table = [{**item, "body": orjson.dumps(item["body"]).decode()} for item in shown]
    print_table(table, ["system", "method", "path", "body"])
    foretold = ", ".join([str(status), *codes]) if status else "cannot be foretold"
    out().print(f"Foreseen: {foretold} (as of the last pull).", markup=False)
    if found["batch"] is None:
        say("Simulated only. Nothing was made, nothing was sent.")
    else:
        say(f"Next: workbench batch approve {found['batch']} --by NAME, workbench push {found['batch']}")


def undo(
    context: typer.Context,
    *,
    batch: Annotated[int, typer.Argument(help="The number of a batch that was pushed.", show_default=False)],
    json: Json = False,
) -> None:
    """Preview what would put back what a batch wrote, and say what cannot be undone. Nothing is sent.

    Needs a pull after the push: a value that somebody changed since is left alone.
    """
    session = session_of(context)
    report = operations.undo_batch(session.store, session.settings, batch, by=person(context, ""))
    if json:
        print_json(
            {
                "batch": report.batch,
                "preview": report.preview,
                "direction": report.direction,
                "changes": report.changes,
                "restored": report.restored,
                "partly": report.partly,
                "cannot": list(report.cannot),
                "needless": list(report.needless),
                "left_out": [
                    {name: row[name] for name in ("change", "salesforce_id", "mainstay_id", "reason")}
                    for row in views.changes(session.store, report.preview, action="none")
                ],
                "seconds": round(report.seconds, 3),
            }
        )
        return
    _print_undo(report)


def _print_undo(report: UndoReport) -> None:
    out().print(
        f"Preview [bold]{report.preview}[/] would put back {report.restored:,} of {plural(report.changes, 'change')} "
        f"of batch {report.batch}{f', {report.partly:,} of them in part' if report.partly else ''}. Nothing was sent."
    )
    if report.cannot:
        out().print("What cannot be undone:")
        print_table(report.cannot, {"changes": "changes", "why": "why", "fields": "fields", "examples": "e.g."})
    if report.needless:
        out().print("What needs no undoing:")
        print_table(report.needless, {"changes": "changes", "why": "why"})
    if left := report.changes - report.restored:
        say(f"{plural(left, 'change')} left out; which and why: workbench changes {report.preview} --action none")
    if report.restored:
        say(f"Next: workbench changes {report.preview}, workbench batch create {report.preview} --by NAME")
