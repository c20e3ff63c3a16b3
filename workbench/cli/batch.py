"""workbench batch ...: slices of a preview on their way through approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench import operations, views
from workbench.cli.output import cell, out, plural, print_json, print_lines, print_table, say
from workbench.cli.session import Json, person, session_of
from workbench.cli.setup import batch_line

if TYPE_CHECKING:
    from workbench.stages.approve import BatchReport

app = typer.Typer(no_args_is_help=True, help="Slices of a preview on their way through approval.")

Batch = Annotated[int, typer.Argument(help="The number of the batch.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who does it; your login name unless given.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why; kept with the batch.")]


@app.command()
def create(
    context: typer.Context,
    *,
    preview: Annotated[int, typer.Argument(help="The number of the preview.", show_default=False)],
    everything: Annotated[
        bool, typer.Option("--all", help="Take predicted failures and guarded changes too, knowingly.")
    ] = False,
    action: Annotated[list[str] | None, typer.Option(help="Only update, link or create; repeatable.")] = None,
    code: Annotated[list[str] | None, typer.Option(help="Only changes with this predicted code; repeatable.")] = None,
    guard: Annotated[
        list[str] | None, typer.Option(help="Only changes with this guard, knowingly, as in: blank-value; repeatable.")
    ] = None,
    change: Annotated[list[str] | None, typer.Option(help="Only this change; repeatable.")] = None,
    by: By = "",
    draft: Annotated[bool, typer.Option("--draft", help="Do not submit it yet.")] = False,
    json: Json = False,
) -> None:
    """Take a slice of a preview and submit it for approval.

    Without a filter: everything that is predicted to succeed, wholly or in part, and carries no guard.
    """
    chosen = operations.Slice(
        actions=tuple(action or ()),
        codes=tuple(code or ()),
        guards=tuple(guard or ()),
        change_ids=tuple(change or ()),
        all=everything,
    )
    report = operations.create_batch(
        session_of(context).store, preview, by=person(context, by), chosen=chosen, draft=draft
    )
    _print(
        report, json=json, next_step="workbench batch submit {0}" if draft else "workbench batch approve {0} --by NAME"
    )


@app.command()
def show(context: typer.Context, *, batch: Batch, json: Json = False) -> None:
    """One batch: its counts and every step it took."""
    found = views.batch(session_of(context).store, batch)
    if json:
        print_json({**batch_line(found), **_counts(found), "events": found["events"]})
        return
    for name, value in {**batch_line(found), **_counts(found)}.items():
        out().print(f"[bold]{name.replace('_', ' '):<14}[/] {cell(value)}")
    columns = {"happened_at": "when (UTC)", "from_state": "from", "to_state": "to", "who": "who", "reason": "reason"}
    print_table(found["events"], columns)


@app.command("list")
def list_(
    context: typer.Context,
    *,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not finished.")] = False,
    json: Json = False,
) -> None:
    """Every batch, newest first."""
    rows = [
        {**batch_line(row), **_counts(row)} for row in views.batches(session_of(context).store, only_open=only_open)
    ]
    if json:
        print_lines(rows)
    elif not rows:
        say("No batches yet: workbench batch create PREVIEW --by NAME.")
    else:
        columns = ["batch", "preview", "direction", "state", "rows", "success", "partial", "fail", "unknown",
                   "requested_by", "approved_by"]  # fmt: skip
        print_table(rows, columns)


@app.command()
def submit(context: typer.Context, *, batch: Batch, by: By = "", json: Json = False) -> None:
    """Hand a draft to the approvers."""
    report = operations.submit_batch(session_of(context).store, batch, by=person(context, by))
    _print(report, json=json, next_step="workbench batch approve {0} --by NAME")


@app.command()
def approve(
    context: typer.Context,
    *,
    batch: Batch,
    by: By = "",
    leave_out: Annotated[list[str] | None, typer.Option("--except", help="Leave this change out; repeatable.")] = None,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Let a submitted batch go; by another person than the one who asked."""
    session = session_of(context)
    report = operations.approve_batch(
        session.store,
        session.settings,
        batch,
        by=person(context, by),
        except_changes=tuple(leave_out or ()),
        reason=reason,
    )
    _print(report, json=json, next_step="workbench push {0}")


@app.command()
def reject(context: typer.Context, *, batch: Batch, by: By = "", reason: Reason = "", json: Json = False) -> None:
    """Refuse a submitted batch, with the reason."""
    _print(operations.reject_batch(session_of(context).store, batch, by=person(context, by), reason=reason), json=json)


@app.command()
def pause(context: typer.Context, *, batch: Batch, by: By = "", reason: Reason = "", json: Json = False) -> None:
    """Ask a running push to let nothing more leave; workbench push goes on later."""
    is_paused = operations.pause_batch(session_of(context).store, batch, by=person(context, by), reason=reason)
    if json:
        print_json({"batch": batch, "state": "paused" if is_paused else "pushing", "asked": not is_paused})
    elif is_paused:
        out().print(f"Batch [bold]{batch}[/] is paused: its push was no longer there.")
    else:
        out().print(f"Batch [bold]{batch}[/] will pause as soon as what is under way is answered.")


@app.command()
def cancel(context: typer.Context, *, batch: Batch, by: By = "", reason: Reason = "", json: Json = False) -> None:
    """Give a batch up before, or between, its pushes."""
    _print(operations.cancel_batch(session_of(context).store, batch, by=person(context, by), reason=reason), json=json)


def _counts(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[f"{name}_count"] for name in ("sent", "success", "partial", "fail", "unknown")}


def _print(report: BatchReport, *, json: bool, next_step: str = "") -> None:
    if json:
        print_json(
            {
                "batch": report.batch,
                "preview": report.preview,
                "direction": report.direction,
                "state": report.state,
                "rows": report.rows,
                "requested_by": report.requested_by,
                "approved_by": report.approved_by,
                "is_four_eyes": report.is_four_eyes,
                "predicted": report.predicted,
                "left_out": report.left_out,
                "digest": report.digest,
            }
        )
    else:
        expected = ", ".join(f"{count:,} {status}" for status, count in report.predicted.items())
        out().print(
            f"Batch [bold]{report.batch}[/] of preview {report.preview}: {report.state}, "
            f"{plural(report.rows, 'change')}{f' (predicted: {expected})' if expected else ''}."
        )
    for reason, count in report.left_out.items():
        say(f"Left out: {plural(count, 'change')}: {reason}.", style="yellow")
    if next_step and not json:
        say(f"Next: {next_step.format(report.batch)}")
