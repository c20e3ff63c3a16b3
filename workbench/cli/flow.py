"""The flow: pull, preview, changes, push, results, and the intake of exported messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer

from workbench import operations, views, views_refused
from workbench.cli.output import make_table, out, plural, print_json, print_lines, print_table, say
from workbench.cli.progress import progress_bars
from workbench.cli.session import Json, end_stopped, person, session_of, stoppable
from workbench.store.mappings import current_mapping

PANEL = "Sync"
SHOWN_ROWS = 30


Part = Literal["salesforce", "mainstay", "messages", "campaigns"]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(rich_help_panel=PANEL)(pull)
    app.command("import-messages", rich_help_panel=PANEL)(import_messages)
    for command in (preview, changes, refused, explain, push):
        app.command(rich_help_panel=PANEL)(command)


def pull(
    context: typer.Context,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew, not only what changed.")] = False,
    only: Annotated[Part | None, typer.Option(help="Only this part.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Read both systems into the store. Nothing is written to either."""
    session = session_of(context)
    kept = "What had landed is kept; run workbench pull again to go on."
    with stoppable(kept) as presses, progress_bars(is_quiet=json, stop=presses) as bars:
        report = operations.pull_systems(session.store, session.settings, only=only, full=full, progress=bars)
    if json:
        print_json(report)
        return
    print_table(
        report["pulls"], {"system": "system", "object": "object", "rows": "rows", "mode": "mode", "pull_id": "pull"}
    )
    for line in [*(f"Fields changed: {item}" for item in report["drift"]), *report["problems"]]:
        say(line, style="yellow")
    if current_mapping(session.store) is None:
        say("Next: workbench mapping import FILE")
    else:
        say("Next: workbench preview export")


def import_messages(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="A Conversations Export of Mainstay, CSV.")],
    json: Json = False,
) -> None:
    """Read messages from a Conversations Export; needs no token."""
    count = operations.import_messages(session_of(context).store, file)
    if json:
        print_json({"messages": count})
    else:
        out().print(f"{plural(count, 'message')} read from {file.name}.", markup=False)


def preview(
    context: typer.Context,
    *,
    direction: Annotated[
        Literal["export", "import"], typer.Argument(help="export: Salesforce to Mainstay; import: the other way.")
    ],
    sobject: Annotated[
        list[str] | None, typer.Option("--object", help="Only this Salesforce object; repeatable.", show_default=False)
    ] = None,
    only_changed: Annotated[
        bool,
        typer.Option(
            "--only-changed",
            help="Only records changed since the last full preview of this direction, and whoever they decide about.",
        ),
    ] = False,
    contact: Annotated[
        str | None, typer.Option(help="Only this record: a Salesforce Id or a Mainstay ID.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """What a sync would do, record by record, and what it would be answered. Nothing is sent."""
    session = session_of(context)
    kept = "An unfinished preview is not kept; workbench status names the latest."
    with stoppable(kept) as presses, progress_bars(is_quiet=json, stop=presses) as bars:
        report = operations.make_preview(
            session.store,
            session.settings,
            direction,
            sobjects=sobject,
            only_record=contact,
            only_changed=only_changed,
            progress=bars,
        )
    found = {
        "preview": report.preview_id,
        "direction": str(report.direction),
        "counts": report.counts,
        "buckets": report.buckets,
        "guards": report.guards,
        "conflicts": report.conflicts,
        "seconds": round(report.seconds, 3),
        "stage_seconds": {name: round(seconds, 3) for name, seconds in report.stage_seconds.items()},
    }
    if json:
        print_json(found)
        return
    out().print(f"Preview [bold]{report.preview_id}[/] ({direction}) in {report.seconds:.1f} s. Nothing was sent.")
    out().print(
        make_table([{"action": name, "records": n} for name, n in report.counts.items()], ["action", "records"])
    )
    print_table(report.buckets, {"system": "system", "object": "object", "bucket": "bucket", "row_count": "records"})
    if report.guards:
        print_table(report.guards, {"guard": "guard", "row_count": "records", "sentence": "look twice"})
        say("Guarded changes are approved by name: workbench batch create ... --guard NAME, or --all.", style="yellow")
    if report.conflicts:
        say(f"{plural(report.conflicts, 'field')} changed on both sides: workbench conflicts --open", style="yellow")
    say(f"Next: workbench changes {report.preview_id}, workbench batch create {report.preview_id} --by NAME")


def changes(
    context: typer.Context,
    *,
    preview: Annotated[int, typer.Argument(help="The number of the preview.", show_default=False)],
    action: Annotated[str | None, typer.Option(help="Only this action.", show_default=False)] = None,
    code: Annotated[str | None, typer.Option(help="Only changes with this predicted code.", show_default=False)] = None,
    where: Annotated[
        str | None,
        typer.Option("--sql", help="A condition over view.change, as in: rule = 'phone'.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"At most so many; {SHOWN_ROWS} in a table, all with --json.")
    ] = None,
    json: Json = False,
) -> None:
    """The changes of a preview: requests, field values before and after, predicted answer."""
    store = session_of(context).store
    if json:
        print_lines(views.changes(store, preview, action=action, code=code, where=where, limit=limit))
        return
    shown = limit or SHOWN_ROWS
    rows = list(views.changes(store, preview, action=action, code=code, where=where, limit=shown + 1))
    if not rows:
        say("No change fits.")
        return
    table = [
        {
            "change": row["change"],
            "action": row["action"],
            "record": row["salesforce_id"] or row["mainstay_id"],
            "fields": [item["field"] for item in row["fields"]],
            "predicted": row["predicted"]["status"],
            "codes": row["predicted"]["codes"] or row["reason"],
        }
        for row in islice(rows, shown)
    ]
    print_table(table, ["change", "action", "record", "fields", "predicted", "codes"])
    if len(rows) > shown:
        say(f"The first {shown}; --limit shows more, --json all.")


def refused(
    context: typer.Context,
    *,
    preview: Annotated[int, typer.Argument(help="The number of the preview.", show_default=False)],
    json: Json = False,
) -> None:
    """Why phones and e-mail addresses of an export preview are refused, counted by reason. No value is shown."""
    store = session_of(context).store
    views.latest_preview(store, preview)
    rows = views_refused.refused_values(store, preview)
    if json:
        print_lines(rows)
        return
    if not rows:
        say("No phone and no e-mail address is refused.")
        return
    print_table(rows, {"code": "code", "reason": "why", "row_count": "records", "distinct_values": "different values"})


def explain(
    context: typer.Context,
    *,
    record: Annotated[
        str, typer.Argument(help="A Salesforce Id, a Mainstay ID, or the id of a change.", show_default=False)
    ],
    preview: Annotated[
        int | None, typer.Option(help="In this preview; its latest unless given.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Every step one record went through in a preview, in words, with the values that decided."""
    found = operations.explain_record(session_of(context).store, record, preview)
    if json:
        print_json(found.as_dict())
        return
    out().print(f"[bold]{found.change_id}[/] ({found.direction}): {found.action}")
    print_table([{"step": step.name, "what": step.sentence} for step in found.steps], {"step": "step", "what": "what"})
    _print_sides(found.sides)
    for step in found.steps:
        if "body" in step.values:
            out().print(orjson.dumps(step.values["body"]).decode(), markup=False, soft_wrap=True)


def _print_sides(sides: Sequence[Mapping[str, Any]]) -> None:
    """Both systems' values of every mapped pair that has one, and what would be sent."""
    rows = [row for row in sides if not all(row[name] is None for name in ("salesforce", "mainstay", "sent"))]
    headings = {
        "salesforce_field": "Salesforce field", "salesforce": "its value", "mainstay_field": "Mainstay field",
        "mainstay": "its value ", "sent": "would be sent",
    }  # fmt: skip
    print_table(rows, headings, title="Both sides")


def push(
    context: typer.Context,
    *,
    batch: Annotated[int, typer.Argument(help="The number of an approved batch.", show_default=False)],
    canary: Annotated[
        int | None, typer.Option(min=1, help="Send so many first, then judge before going on.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    by: Annotated[str | None, typer.Option(help="Who pushes; kept with the batch.", show_default=False)] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON line per chunk while it runs, the report as the last one.")
    ] = False,
) -> None:
    """Send an approved batch, or go on with one that paused."""
    session = session_of(context)
    kept = f"Everything answered so far is kept; workbench push {batch} goes on."
    with stoppable(kept) as presses, progress_bars(is_quiet=json) as bars:
        report = operations.push_batch(
            session.store,
            session.settings,
            batch,
            by=person(context, by),
            canary=canary,
            dry_run=dry_run,
            progress=bars,
            on_event=print_json if json else lambda event: bars.note("push", _so_far(event)),
        )
    found: dict[str, Any] = {
        "batch": report.batch,
        "state": str(report.state),
        "counts": dict(report.counts),
        "pending": report.pending,
        "reason": report.reason,
        "requests": report.requests,
        "requests_per_change": round(report.requests_per_change, 4),
        "seconds": round(report.seconds, 3),
        "scores": views.scores(session.store, [batch]),
    }
    if dry_run:
        found["planned"] = list(report.planned)
    if json:
        print_json({"event": "report", **found})
    elif dry_run:
        _print_planned(found)
    else:
        print_push(found)
    if presses() and report.state == "paused":
        end_stopped(kept)
    if not dry_run and (report.state != "done" or found["counts"].get("fail") or found["counts"].get("unknown")):
        raise typer.Exit(1)


def _so_far(event: Mapping[str, Any]) -> str:
    """Predicted against actual, in the middle of a push.

    >>> _so_far({"predicted": {"success": 99, "fail": 1}, "actual": {"success": 100}})
    'predicted 99 success, 1 fail; so far 100 success'
    """
    words = [", ".join(f"{count:,} {name}" for name, count in event[key].items()) for key in ("predicted", "actual")]
    return f"predicted {words[0]}; so far {words[1]}"


def _print_planned(found: Mapping[str, Any]) -> None:
    """What a push would send."""
    planned = found["planned"]
    rows = [{**item, "body": orjson.dumps(item["body"]).decode()} for item in planned[:SHOWN_ROWS]]
    print_table(rows, ["change", "system", "method", "path", "body"])
    changes = plural(found["pending"], "change")
    say(f"A push would send {plural(len(planned), 'request')} of {changes}. Nothing was sent.")


def print_push(found: Mapping[str, Any]) -> None:
    """A finished push for people."""
    counts = ", ".join(f"{count:,} {status}" for status, count in found["counts"].items() if count) or "nothing sent"
    out().print(
        f"Batch [bold]{found['batch']}[/] is {found['state']}: {counts}; {plural(found['requests'], 'request')} "
        f"in {found['seconds']:.1f} s."
    )
    if found["reason"]:
        say(f"{found['reason']}.", style="yellow")
    if found["scores"]:
        out().print(score_table(found["scores"]))


def score_table(scores: Sequence[Mapping[str, Any]]) -> Any:
    """Predicted against actual, per code."""
    rows = [{**row, "hit_rate": f"{row['hit_rate']:.1%}"} for row in scores]
    return make_table(rows, {"code": "code", "predicted": "predicted", "actual": "actual", "hit_rate": "hit rate"})
