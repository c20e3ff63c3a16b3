"""workbench conflicts ...: fields that differ between linked records, and who decides which side counts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from typer.core import TyperGroup

from workbench import operations, views_conflicts
from workbench.cli.output import out, print_json, print_lines, print_table, say
from workbench.cli.session import Json, person, session_of

PANEL = "Sync"
SHOWN_ROWS = 30


class _NumberFirst(TyperGroup):
    """`workbench conflicts 7` names a preview, `workbench conflicts decide ...` a command."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0].isdigit():
            args = ["--preview", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_NumberFirst, invoke_without_command=True)


def register(root: typer.Typer) -> None:
    """Add this module's commands."""
    root.add_typer(app, name="conflicts", rich_help_panel=PANEL)


@app.callback()
def conflicts(
    context: typer.Context,
    *,
    preview: Annotated[
        int | None,
        typer.Option(help="The number of a preview, may stand alone; the latest unless given.", show_default=False),
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only what waits for a person.")] = False,
    cause: Annotated[str | None, typer.Option(help="Only this cause, as in: ask.", show_default=False)] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"At most so many; {SHOWN_ROWS} in a table, all with --json.")
    ] = None,
    json: Json = False,
) -> None:
    """Fields that differ between linked records: who changed them, which side counts, and what a person must decide."""
    if context.invoked_subcommand is not None:
        return
    store = session_of(context).store
    if json:
        print_lines(views_conflicts.conflicts(store, preview, only_open=only_open, cause=cause, limit=limit))
        return
    shown = limit or SHOWN_ROWS
    rows = views_conflicts.conflicts(store, preview, only_open=only_open, cause=cause, limit=shown + 1)
    if not rows:
        say("No field differs in a way that needs a decision.")
        return
    columns = {"salesforce_id": "record", "field": "field", "baseline": "last agreed", "salesforce_value": "Salesforce",
               "mainstay_value": "Mainstay", "winner": "counts", "reason": "why"}  # fmt: skip
    print_table([{**row, "winner": row["winner"] or row["decision"] or "open"} for row in rows[:shown]], columns)
    if len(rows) > shown:
        say(f"The first {shown}; --limit shows more, --json all.")
    say("Decide one with: workbench conflicts decide RECORD FIELD salesforce|mainstay --by NAME")


@app.command()
def decide(
    context: typer.Context,
    *,
    record: Annotated[str, typer.Argument(help="A Salesforce Id, a Mainstay ID, or the id of a change.")],
    field: Annotated[str, typer.Argument(help="The field by its Mainstay name, as in: custom.Campus.")],
    winner: Annotated[Literal["salesforce", "mainstay"], typer.Argument(help="Whose value counts.")],
    by: Annotated[str, typer.Option(help="Who decides; your login name unless given.", show_default=False)] = "",
    note: Annotated[str, typer.Option(help="Why; kept with the decision.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Say which side's value counts for one field. The next preview honours it, until one of the two values changes."""
    found = operations.decide_conflict(
        session_of(context).store, record, field, winner, by=person(context, by), note=note
    )
    if json:
        print_json(found)
        return
    kept = found[f"{winner}_value"]
    told = "blank" if kept is None else repr(kept)
    out().print(f"{field} of {found['salesforce_id']}: {winner}'s value ({told}) counts.", markup=False)
    say("Next: preview again, in the direction that writes it.")
