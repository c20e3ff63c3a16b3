"""What the `workbench` command can do: the same verbs as in Python, for a shell.

Exit codes: 0 done, 1 a question of data (stale, blocked, partly failed), 2 wrong usage or configuration, 3 a remote
system, 4 the store is busy, 130 stopped by Ctrl-C. Data goes to stdout, messages to stderr.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from workbench.cli import batch, conflicts, demo, direction, flow, lab, mapping, match, results, setup, tools
from workbench.cli.output import say
from workbench.cli.session import NOTHING_HALF_DONE, Session, Stopped, is_interrupt, session_of
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound, WorkbenchError
from workbench.interrupts import INTERRUPTED, heard_presses

# Questions about the data or the settings; everything else is a technical fault and goes to the application log.
_ORDINARY = (ApprovalRefused, ConfigurationError, NotFound)

app = typer.Typer(
    name="workbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: workbench demo. Exit codes: 0 done, 1 data, 2 usage or configuration, 3 remote, 4 store busy.",
)
for part in (demo, setup, direction, flow, conflicts, results, lab, match, tools):
    part.register(app)
app.add_typer(mapping.app, name="mapping", rich_help_panel="Set up")
app.add_typer(batch.app, name="batch", rich_help_panel="Sync")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        sys.stdout.write(f"{version('mainstay-workbench')}\n")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(help="The store, before or after the command; else WORKBENCH_DATABASE.", show_default=False),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """See what a Salesforce and Mainstay sync will do, record by record, before anything is sent."""
    session = session_of(context)
    session.named_database = database
    session.start_logs()


def run_and_leave(arguments: Sequence[str] | None = None) -> None:
    """What `workbench.cli.main` does."""
    session = Session()
    code = _run(_database_first(list(sys.argv[1:] if arguments is None else arguments)), session)
    try:
        session.close()
    except WorkbenchError as error:
        say(f"The application log could not be written: {error}", style="red")
    sys.exit(code)


def _run(arguments: list[str], session: Session) -> int:
    with heard_presses() as presses:
        try:
            app(arguments, prog_name="workbench", obj=session)
        except SystemExit as ending:
            # Typer ends a command with this code too, without a word.
            if ending.code != INTERRUPTED or isinstance(ending.__context__, Stopped):
                return ending.code if isinstance(ending.code, int) else int(bool(ending.code))
        except KeyboardInterrupt:
            pass
        except Exception as error:  # noqa: BLE001  the edge: a bug ends in a sentence too
            if not (presses() or is_interrupt(error)):
                return _tell(error, session)
    say(NOTHING_HALF_DONE, style="yellow")
    return INTERRUPTED


def _tell(error: Exception, session: Session) -> int:
    """Say what went wrong, and keep technical faults for the application log; the exit code."""
    if isinstance(error, WorkbenchError):
        say(str(error), style="red")
        if not isinstance(error, _ORDINARY):
            session.faults.note(error)
        return error.exit_code
    say(f"Something unexpected went wrong: {type(error).__name__}: {error}", style="red")
    say("WORKBENCH_LOG_LEVEL=DEBUG shows where.")
    session.faults.note(error)
    if session.settings.log_level == "DEBUG":
        traceback.print_exception(error)
    return 1


def _database_first(arguments: list[str]) -> list[str]:
    """Move `--database X` to the front, so that it may also follow the command, where people put it."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--database="):
            return [argument, *arguments[:place], *arguments[place + 1 :]]
        if argument == "--database" and place + 1 < len(arguments):
            return ["--database", arguments[place + 1], *arguments[:place], *arguments[place + 2 :]]
    return arguments
