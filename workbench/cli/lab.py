"""Match lab: lab, import-csv."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench import operations
from workbench.cli.output import out, plural, print_json, print_table, say
from workbench.cli.session import Json, Session, session_of, stop_on_signals, stoppable
from workbench.errors import ConfigurationError

if TYPE_CHECKING:
    from workbench.lab.columns import Guess
    from workbench.lab.intake import Draft
    from workbench.settings import Settings

PANEL: Final = "Match lab"
LOOK_SECONDS: Final = 0.2
STOP_SECONDS: Final = 10
STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# JupyterLab asks the internet for news and newer versions of itself; the notebooks need neither.
OFFLINE: Final = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import-csv", rich_help_panel=PANEL)(import_csv)
    app.command(rich_help_panel=PANEL)(lab)


def import_csv(
    context: typer.Context,
    *,
    salesforce: Annotated[Path, typer.Option(help="A report export of Salesforce, CSV, with the record Id.")],
    mainstay: Annotated[Path, typer.Option(help="A contacts export of Mainstay, CSV, with the Mainstay ID.")],
    sobject: Annotated[str, typer.Option("--object", help="The Salesforce object of the report.")] = "Contact",
    salesforce_column: Annotated[
        list[str] | None, typer.Option(help="HEADER=FIELD settles a column, HEADER=- leaves it out. Repeatable.")
    ] = None,
    mainstay_column: Annotated[list[str] | None, typer.Option(help="The same for the Mainstay file.")] = None,
    keep_mapping: Annotated[bool, typer.Option(help="Preview with the mapping there is, not with the draft.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; the guesses are right.")] = False,
    by: Annotated[str, typer.Option(help="Who saves the drafted mapping.")] = "import-csv",
    json: Json = False,
) -> None:
    """Preview and match two exported files: no account, no token, nothing is sent anywhere.

    Guesses what each column is and asks before it reads them. Replaces what was pulled into this store before.
    """
    from workbench.lab import intake  # noqa: PLC0415  the lab is heavy, and only these commands need it

    session = session_of(context)
    drafted = intake.draft(
        salesforce,
        mainstay,
        sobject=sobject,
        salesforce_columns=_named(salesforce_column),
        mainstay_columns=_named(mainstay_column),
    )
    if not json:
        _show_draft(drafted)
    if not yes:
        if json or not sys.stdin.isatty():
            raise ConfigurationError("Nobody is there to confirm the columns. Check them once, then add --yes.")
        typer.confirm("Are the columns what they are taken for?", abort=True)
    landed = intake.land(session.store, drafted)
    if not keep_mapping:
        reason = f"drafted from {salesforce.name} and {mainstay.name}"
        operations.import_mapping(
            session.store, session.settings, drafted.mapping, by=by, reason=reason, source="The drafted mapping"
        )
    previews = _previews(session)
    report = _match_report(session, sobject)
    if json:
        columns = {"salesforce": drafted.salesforce_columns, "mainstay": drafted.mainstay_columns}
        print_json(
            {
                "records": landed.records,
                "contacts": landed.contacts,
                "notices": landed.notices,
                "columns": {side: [_column(guess) for guess in guesses] for side, guesses in columns.items()},
                "mapping": drafted.mapping,
                "previews": [
                    {"preview": item.preview_id, "direction": str(item.direction), "counts": item.counts}
                    for item in previews
                ],
                "matching": report,
            }
        )
        return
    _show_import(landed.records, landed.contacts, landed.notices, previews, report)


def _named(options: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for option in options or ():
        header, separator, field = option.rpartition("=")
        if not separator or not header or not field:
            raise ConfigurationError(f"{option!r} does not read HEADER=FIELD.")
        found[header.strip()] = field.strip()
    return found


def _column(guess: Guess) -> dict[str, Any]:
    return {
        "column": guess.header,
        "field": guess.field,
        "type": guess.type,
        "why": guess.why,
        "filled": f"{guess.share:.0%}",
    }


def _show_draft(drafted: Draft) -> None:
    for file, guesses in (
        (drafted.salesforce, drafted.salesforce_columns),
        (drafted.mainstay, drafted.mainstay_columns),
    ):
        title = f"{file.path.name}: {plural(len(file), 'row')}"
        print_table([_column(guess) for guess in guesses], ["column", "field", "type", "why", "filled"], title=title)
        out().print()
    out().print("[bold]Mapping[/]")
    out().print(drafted.mapping, markup=False)


def _previews(session: Session) -> list[Any]:
    from workbench.domain.fields import Direction  # noqa: PLC0415
    from workbench.store.mappings import require_mapping  # noqa: PLC0415  as above

    mapping = require_mapping(session.store).mapping
    directions = [direction for direction in Direction if mapping.sobjects(direction)]
    return [operations.make_preview(session.store, session.settings, direction) for direction in directions]


def _match_report(session: Session, sobject: str) -> list[dict[str, Any]]:
    from workbench.lab import MatchLab  # noqa: PLC0415  as above

    return [dict(row) for row in MatchLab(session.store, sobject).waterfall().rows]


def _show_import(
    records: int, contacts: int, notices: Sequence[str], previews: Sequence[Any], report: Sequence[dict[str, Any]]
) -> None:
    out().print(f"{plural(records, 'record')} and {plural(contacts, 'contact')} are in the store. Nothing was sent.")
    for notice in notices:
        say(notice)
    for item in previews:
        rows = [{"action": name, "records": count} for name, count in item.counts.items()]
        print_table(rows, ["action", "records"], title=f"Preview {item.preview_id}: {item.direction}")
    print_table(report, list(report[0]) if report else [], title="Match rules, in order")
    out().print("Next: workbench changes PREVIEW, workbench explain ID, workbench label --by NAME, workbench lab.")


def lab(
    context: typer.Context,
    *,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Run both systems here, with synthetic people.")] = False,
    contacts: Annotated[int, typer.Option(min=10, help="How many people of the sandbox.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="The notebooks; else ./notebooks.", show_default=False)] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8888,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
) -> None:
    """Open JupyterLab on the notebooks, with this store and its connections ready, until Ctrl-C.

    With --sandbox the store is a new one in a temporary folder, unless --database names one.
    """
    session = session_of(context)
    place = _notebooks(folder)
    stop_on_signals()
    is_passing = sandbox and session.named_database is None
    kept = "The sandbox and its store are gone." if is_passing else "The store is kept."
    with stoppable(kept), ExitStack() as running:
        settings = session.settings
        if sandbox:
            settings = running.enter_context(_sandbox(session, contacts=contacts, seed=seed))
        database = Path(settings.database).resolve()
        settings = settings.model_copy(update={"database": str(database)})
        operations.open_store(settings)
        environment = {**os.environ, **operations.as_environment(settings)}
        say(f"Notebooks in {place}, store {database}. Ctrl-C stops everything.")
        if (code := _run_until_stopped(_jupyter(place, port=port, browser=browser), environment)) is not None:
            raise ConfigurationError(f"JupyterLab ended with code {code}; its own words are above.")


def _jupyter(place: Path, *, port: int, browser: bool) -> list[str]:
    arguments = [f"--ServerApp.root_dir={place}", f"--port={port}", "--ServerApp.ip=127.0.0.1", *OFFLINE]
    arguments += [] if browser else ["--no-browser"]
    # Containers run as root; JupyterLab then asks to be told so. It listens on this machine alone, with a token.
    arguments += ["--allow-root"] if os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", *arguments]


def _run_until_stopped(command: Sequence[str], environment: dict[str, str]) -> int | None:
    """Run JupyterLab until Ctrl-C, a plain kill or a closed terminal, and end it then; its code where it failed itself.

    From here on a signal only sets a flag: an exception raised wherever the program stands may be swallowed there, and
    a second Ctrl-C would interrupt the stopping. In a session of its own, JupyterLab hears of Ctrl-C from us alone.
    """
    stopping = threading.Event()
    for number in STOPPING:
        signal.signal(number, lambda *_: stopping.set())
    jupyter = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        # Looked at now and then: a signal that lands in another thread would not end a plain wait.
        while jupyter.poll() is None and not stopping.wait(LOOK_SECONDS):
            pass
    finally:
        _end(jupyter)
    if stopping.is_set():
        raise KeyboardInterrupt
    return jupyter.returncode or None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process group to end, then make it; kernels end with their server."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)


@contextmanager
def _sandbox(session: Session, *, contacts: int, seed: int) -> Iterator[Settings]:
    """Both systems, and a store that knows who is who: its own in a temporary folder unless one was named."""
    from workbench.lab.labels import save_truth  # noqa: PLC0415  as above
    from workbench.simulators import world  # noqa: PLC0415  heavy, and only the sandbox needs it

    with tempfile.TemporaryDirectory(prefix="workbench-lab-", ignore_cleanup_errors=True) as folder:
        database = session.named_database or str(Path(folder) / "sandbox.duckdb")
        base = session.settings.model_copy(update={"database": database})
        with operations.demo_sandbox(base, contacts=contacts, seed=seed) as settings:
            known = world.generate(contacts, seed).truth.to_arrow()
            save_truth(operations.open_store(settings), known, source=f"the sandbox, seed {seed}")
            say(f"Both systems run here with {contacts:,} synthetic people (seed {seed}).")
            yield settings


def _notebooks(folder: Path | None) -> Path:
    if find_spec("jupyterlab") is None:
        raise ConfigurationError("JupyterLab is not installed: pip install 'mainstay-workbench[notebooks]'.")
    here = Path("notebooks")
    beside = Path(__file__).resolve().parents[2] / "notebooks"  # of a checkout, from whatever folder it is called
    place = (folder or (beside if beside.is_dir() and not here.is_dir() else here)).resolve()
    if not place.is_dir():
        raise ConfigurationError(f"There is no folder {place}. Run this where the notebooks are, or give --folder.")
    return place
