"""Set up: sandbox, check, status, disconnect, fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench import operations, views
from workbench.cli.output import age, out, plural, print_json, print_lines, print_table, say
from workbench.cli.session import Json, Session, person, session_of, stop_on_signals, stoppable
from workbench.errors import ConfigurationError
from workbench.store.mappings import mapping_history

if TYPE_CHECKING:
    from workbench.simulators.sandbox import Sandbox
    from workbench.simulators.world import World

PANEL = "Set up"
System = Literal["salesforce", "mainstay"]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (sandbox, check, status, disconnect, fields):
        app.command(rich_help_panel=PANEL)(command)


def sandbox(
    *,
    contacts: Annotated[int, typer.Option(min=1, help="How many people.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    data: Annotated[
        Path | None,
        typer.Option(help="Given records instead: a folder with salesforce/*.csv and mainstay/contacts.csv."),
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="A small named story instead; a wrong name lists them.")] = None,
    faults: Annotated[str, typer.Option(help="How the network misbehaves; a wrong name lists the profiles.")] = "none",
    messages_per_contact: Annotated[float, typer.Option(min=0, max=100, help="How many messages, in the mean.")] = 2.4,
    save: Annotated[
        Path | None, typer.Option(help="Keep both systems in this folder at the end; --data starts from it again.")
    ] = None,
    page_size: Annotated[int, typer.Option(min=1, max=2000, help="Rows per page of Mainstay's lists.")] = 500,
    port_salesforce: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
    port_mainstay: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
    json: Json = False,
) -> None:
    """Run both systems here, filled with synthetic people, until Ctrl-C."""
    stopped = stop_on_signals()  # some of the imports swallow an interrupt
    from workbench.simulators import world  # noqa: PLC0415  the sandbox is heavy, and only this command needs it
    from workbench.simulators.faults import PROFILES  # noqa: PLC0415
    from workbench.simulators.sandbox import Sandbox  # noqa: PLC0415

    stop_on_signals(stopped)
    _known("scenario", scenario and world.scenario_name(scenario), world.SCENARIOS)
    if save is not None and save.exists() and any(save.iterdir()):
        raise ConfigurationError(f"{save} is not empty. Name a new folder to keep the sandbox in.")
    _known("fault profile", faults, PROFILES)
    people = _people(scenario, contacts, seed, messages_per_contact) if data is None else world.from_folder(data)
    servers = Sandbox(people, port_salesforce, port_mainstay, page_size=page_size, faults=faults)
    kept = "Nothing of the sandbox is kept." if save is None else f"Kept in {save}: start with --data {save}."
    with stoppable(kept), servers as running, _saved_at_the_end(running, save):
        if json:
            print_json(running.connection)
        else:
            out().print("Both systems are running. In another shell:\n")
            for name, value in running.settings_env().items():
                out().print(f"export {name}='{value}'", markup=False, soft_wrap=True)
            out().print("\nThen: workbench check, workbench mapping import, workbench pull. Ctrl-C stops both.")
        stopped.wait()
        raise KeyboardInterrupt


@contextmanager
def _saved_at_the_end(running: Sandbox, folder: Path | None) -> Iterator[None]:
    from workbench.simulators import world  # noqa: PLC0415

    try:
        yield
    finally:
        if folder is not None:
            world.to_folder(running.world_now(), folder)


def _people(scenario: str | None, contacts: int, seed: int, messages_each: float) -> World:
    from workbench.simulators import world  # noqa: PLC0415

    if scenario is not None:
        return world.scenario(scenario, seed=seed)
    try:
        return world.generate(contacts, seed, messages_each=messages_each)
    except ValueError as error:
        raise ConfigurationError(f"{error}. Ask for fewer --contacts.") from None


def _known(kind: str, name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        raise ConfigurationError(f"There is no {kind} {name}. There are: {', '.join(sorted(names))}.")


def check(context: typer.Context, *, json: Json = False) -> None:
    """Try both connections step by step; each step says what to do where it fails."""
    session = session_of(context)
    steps = operations.check_connections(session.store, session.settings)
    rows = [{"step": step.name, "ok": step.ok, "sentence": step.sentence} for step in steps]
    if json:
        print_lines(rows)
    else:
        for row in rows:
            mark = "[green]ok  [/]" if row["ok"] else "[red]no  [/]"
            out().print(mark + f"[bold]{row['step']}[/]: ", end="")
            out().print(row["sentence"], markup=False)
    failed = [step.name for step in steps if not step.ok]
    if failed:
        say(f"{plural(len(failed), 'step')} failed.")
        raise typer.Exit(2 if all(name.endswith("settings") for name in failed) else 3)


def status(context: typer.Context, *, json: Json = False) -> None:
    """What is connected, pulled, mapped and open."""
    session = session_of(context)
    found = _status(session)
    if json:
        print_json(found)
        return
    out().print(f"[bold]Store[/]      {found['database']}")
    for name, connection in found["connections"].items():
        text = (
            f"{connection['host']} ({connection['login']})"
            if connection["login"]
            else "not connected: docs/settings.md"
        )
        out().print(f"[bold]{name.capitalize():<11}[/]", end="")
        out().print(text, markup=False, soft_wrap=True)
    current = found["mapping"]
    out().print(
        f"[bold]Mapping[/]    revision {current['revision']} by {current['author']}, {current['digest'][:12]}"
        if current
        else "[bold]Mapping[/]    none yet: workbench mapping import FILE"
    )
    if found["pulls"]:
        rows = [{**row, "age": age(row["age_seconds"])} for row in found["pulls"]]
        print_table(rows, {"system": "pulled", "object": "object", "rows": "rows", "age": "when", "pull_id": "pull"})
    else:
        out().print("Nothing pulled yet: workbench pull")
    if found["preview"]:
        out().print(f"Latest preview: {found['preview']['preview_id']} ({found['preview']['direction']})")
    if found["open_batches"]:
        columns = ["batch", "preview", "direction", "state", "rows", "requested_by", "approved_by"]
        print_table(found["open_batches"], columns, title="Open batches")
    else:
        out().print("No open batches.")


def _status(session: Session) -> dict[str, Any]:
    settings, store = session.settings, session.store
    kinds = operations.connection_kinds(settings)
    history = mapping_history(store)
    previews = store.rows("SELECT preview_id, direction, created_at FROM view.preview ORDER BY preview_id DESC LIMIT 1")
    return {
        "database": str(Path(settings.database).resolve()),
        "connections": {
            "salesforce": {
                "connected": kinds["salesforce"] is not None,
                "login": kinds["salesforce"],
                "host": settings.salesforce.instance_url or settings.salesforce.domain,
                "credential": "set, hidden" if kinds["salesforce"] else None,
            },
            "mainstay": {
                "connected": kinds["mainstay"] is not None,
                "login": kinds["mainstay"],
                "host": settings.mainstay.base_url,
                "credential": "set, hidden" if kinds["mainstay"] else None,
            },
        },
        "mapping": {
            "revision": history[0].revision,
            "digest": history[0].digest,
            "author": history[0].author,
            "created_at": history[0].created_at,
        }
        if history
        else None,
        "pulls": [
            {
                "system": row["system"],
                "object": row["object"],
                "pull_id": row["pull_id"],
                "rows": row["row_count"],
                "mode": row["mode"],
                "finished_at": row["finished_at"],
                "age_seconds": row["age_seconds"],
            }
            for row in views.latest_pulls(store)
        ],
        "preview": previews[0] if previews else None,
        "open_batches": [batch_line(row) for row in views.batches(store, only_open=True)],
    }


def batch_line(row: dict[str, Any]) -> dict[str, Any]:
    """A batch as lists show it."""
    return {
        "batch": row["batch_id"],
        "preview": row["preview_id"],
        "direction": row["direction"],
        "state": row["state"],
        "rows": row["approved_count"],
        "requested_by": row["requested_by"],
        "approved_by": row["approved_by"],
        "is_four_eyes": row["is_four_eyes"],
        "created_at": row["created_at"],
    }


def disconnect(
    context: typer.Context,
    *,
    system: Annotated[System | None, typer.Argument(help="One system; both unless given.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Drop the credentials from .env. What was pulled and pushed stays readable."""
    done = operations.disconnect(system, by=person(context, ""))
    if json:
        print_json({"removed": done.removed, "still_set": done.still_set})
    say(f"Removed from .env: {', '.join(done.removed)}." if done.removed else "No credentials were in .env.")
    if done.still_set:
        say(f"This shell still sets them; run: unset {' '.join(done.still_set)}", style="yellow")


def fields(
    context: typer.Context,
    *,
    action: Annotated[
        Literal["refresh"] | None, typer.Argument(help="refresh: read both catalogues anew first.", show_default=False)
    ] = None,
    sobject: Annotated[
        str | None, typer.Option(help="Show this Salesforce object's fields instead of Mainstay's.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """The fields that can be mapped: Mainstay's, or one Salesforce object's."""
    session = session_of(context)
    if action == "refresh":
        drift = operations.refresh_fields(session.store, session.settings)
        say("\n".join(str(item) for item in drift) or "Both catalogues are read; nothing changed.")
    rows = views.fields(session.store, "salesforce" if sobject else "mainstay", sobject)
    if json:
        print_lines(rows)
    elif not rows:
        say("No fields known yet: workbench fields refresh." if not sobject else f"No fields of {sobject} are known.")
    elif sobject:
        columns = {"name": "name", "label": "label", "type": "type", "length": "length", "custom": "custom",
                   "calculated": "formula", "updateable": "writable", "reference_to": "refers to"}  # fmt: skip
        print_table(rows, columns, title=f"{sobject}: {plural(len(rows), 'field')}")
    else:
        columns = {"name": "name", "data_type": "type", "is_custom": "custom", "is_deprecated": "deprecated",
                   "is_writable": "writable", "options": "options"}  # fmt: skip
        print_table(rows, columns, title=f"Mainstay: {plural(len(rows), 'field')}")
