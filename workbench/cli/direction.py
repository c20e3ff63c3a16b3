"""workbench direction: whether each direction is off, observed, queued for approval, or runs by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench import operations
from workbench.cli.output import out, print_json, print_table
from workbench.cli.session import Json, person, session_of
from workbench.domain.fields import Direction
from workbench.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Set up")(direction)


def direction(
    context: typer.Context,
    *,
    which: Annotated[str | None, typer.Argument(help="export or import.", show_default=False)] = None,
    state: Annotated[str | None, typer.Argument(help="off, observe, queue or auto.", show_default=False)] = None,
    by: Annotated[
        str, typer.Option("--by", help="Who does it; your login name unless given.", show_default=False)
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the change.")] = "",
    json: Json = False,
) -> None:
    """Show how both directions run, or set one.

    Off and observe let nothing be requested or sent and pause a running push; queue waits for a person's approval.
    """
    store = session_of(context).store
    if which and state:
        before = operations.set_direction(store, which, state, by=person(context, by), reason=reason)
        if not json:
            out().print(f"{which}: {state} (was {before})")
            return
    found = [{**row, "direction": str(name)} for name, row in operations.list_directions(store).items()]
    if which is not None and which not in list(Direction):
        raise ConfigurationError(f"There is no direction {which!r}. Directions: {', '.join(Direction)}.")
    shown = [row for row in found if which in {None, row["direction"]}]
    if json:
        print_json({row["direction"]: {k: v for k, v in row.items() if k != "direction"} for row in shown})
        return
    columns = {"direction": "direction", "state": "state", "who": "who", "reason": "reason", "changed_at": "when (UTC)"}
    print_table(shown, columns)
