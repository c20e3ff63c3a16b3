"""workbench mapping ...: which fields are synced, in which direction, under which criteria."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from workbench import operations
from workbench.cli.output import out, plural, print_json, print_lines, print_table, say
from workbench.cli.session import Json, person, session_of
from workbench.domain.mapping import Mapping, parse_mapping
from workbench.errors import ConfigurationError
from workbench.store.mappings import current_mapping, mapping_at, mapping_document, mapping_history, require_mapping

app = typer.Typer(no_args_is_help=True, help="Which fields are synced, in which direction, under which criteria.")

By = Annotated[str, typer.Option("--by", help="Who saves it; your login name unless given.", show_default=False)]
Revision = Annotated[int | None, typer.Option("--revision", "-r", help="A revision; the current one unless given.")]
_UNCHECKED = "Fields were not checked: nothing is pulled yet and no connection is set. Check later: mapping validate."


@app.command("import")
def import_(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="A YAML mapping; - reads standard input.")],
    by: By = "",
    reason: Annotated[str, typer.Option(help="Why it changed; kept in the history.")] = "",
    json: Json = False,
) -> None:
    """Check a mapping and save it as the next revision. Nothing is saved while one problem remains."""
    session = session_of(context)
    text = _read(file)
    imported = operations.import_mapping(
        session.store, session.settings, text, by=person(context, by), reason=reason, source=file.name
    )
    if json:
        print_json(
            {
                "revision": imported.revision.revision,
                "digest": imported.revision.digest,
                "is_new": imported.is_new,
                "checked_against": imported.checked_against,
                "warnings": list(imported.warnings),
            }
        )
    _warn(imported.warnings)
    number = imported.revision.revision
    say(f"Saved as revision {number}." if imported.is_new else f"Unchanged: it means the same as revision {number}.")
    if imported.checked_against is None:
        say(_UNCHECKED, style="yellow")
    elif not operations.is_pulled_for(session.store, imported.revision.mapping):
        say("Next: workbench pull (the mapping needs more of Salesforce than was pulled).")


@app.command()
def export(context: typer.Context, *, revision: Revision = None, json: Json = False) -> None:
    """Print a mapping as it was saved: YAML, or JSON."""
    store = session_of(context).store
    chosen = require_mapping(store) if revision is None else mapping_at(store, revision)
    if json:
        document = chosen.mapping.model_dump(mode="json", by_alias=True)
        print_json({"revision": chosen.revision, "digest": chosen.digest, "mapping": document})
        return
    sys.stdout.write(mapping_document(store, chosen.revision))


@app.command()
def validate(
    context: typer.Context,
    *,
    file: Annotated[Path | None, typer.Argument(help="A YAML mapping; the current revision unless given.")] = None,
    json: Json = False,
) -> None:
    """Check a mapping without saving it: its shape, then every field against both systems."""
    session = session_of(context)
    if file is not None:
        text, source = _read(file), file.name
    else:
        revision = require_mapping(session.store).revision
        text, source = mapping_document(session.store, revision), f"Mapping revision {revision}"
    try:
        checked = operations.check_mapping(session.store, session.settings, text, source=source)
    except ConfigurationError as error:
        if json:
            print_json({"valid": False, "checked_against": None, "problems": error.problems or [str(error)]})
        raise
    if json:
        print_json(
            {
                "valid": True,
                "checked_against": checked.checked_against,
                "problems": [],
                "warnings": list(checked.warnings),
            }
        )
    _warn(checked.warnings)
    if checked.checked_against is None:
        say(_UNCHECKED, style="yellow")
    else:
        where = "the fields of the latest pull" if checked.checked_against == "pull" else "both systems, live"
        say(f"{source} is valid: shape, and every field against {where}.")


@app.command()
def diff(
    context: typer.Context,
    *,
    before: Annotated[str | None, typer.Argument(help="A revision number or a file.", show_default=False)] = None,
    after: Annotated[str | None, typer.Argument(help="A revision number or a file.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """What changed between two mappings. Without arguments: the last change; with one: from it to the current one."""
    session = session_of(context)
    current = current_mapping(session.store)
    if before is None or after is None:
        current = require_mapping(session.store)
    if before is None:
        assert current is not None
        before = str(max(current.revision - 1, 1))
    if after is None:
        assert current is not None
        old, new = (str(current.revision), before) if not before.isdigit() else (before, str(current.revision))
    else:
        old, new = before, after
    found = operations.diff_mappings(_mapping(context, old), _mapping(context, new))
    if json:
        print_lines(
            {
                "sobject": item.sobject,
                "direction": item.direction,
                "what": item.what,
                "before": item.before,
                "after": item.after,
            }
            for item in found
        )
        return
    out().print("\n".join(item.sentence() for item in found) or f"{old} and {new} mean the same.", markup=False)


@app.command()
def impact(
    context: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(help="A YAML mapping to try against the current pulls.")],
    json: Json = False,
) -> None:
    """What a mapping would change before it is saved: payloads altered, newly failing, newly matching."""
    session = session_of(context)
    found = operations.impact_of_mapping(session.store, session.settings, _read(file), source=file.name)
    if json:
        print_lines(item.as_dict() for item in found)
        return
    for item in found:
        out().print(item.sentence, markup=False)
        if item.examples:
            out().print(f"  For example: {', '.join(item.examples)}", markup=False)


@app.command()
def history(context: typer.Context, *, json: Json = False) -> None:
    """Every revision: who saved it, when and why."""
    lines = mapping_history(session_of(context).store)
    rows = [
        {
            "revision": line.revision,
            "digest": line.digest,
            "author": line.author,
            "reason": line.reason,
            "created_at": line.created_at,
        }
        for line in lines
    ]
    if json:
        print_lines(rows)
    elif not rows:
        say("No mapping yet: workbench mapping import FILE.")
    else:
        short = [{**row, "digest": str(row["digest"])[:12]} for row in rows]
        print_table(
            short, ["revision", "created_at", "author", "reason", "digest"], title=plural(len(rows), "revision")
        )


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        say(warning, style="yellow")


def _read(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"There is no file {file}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read as text: {error}") from None


def _mapping(context: typer.Context, named: str) -> Mapping:
    if named.isdigit():
        return mapping_at(session_of(context).store, int(named)).mapping
    return parse_mapping(_read(Path(named)), source=named)
