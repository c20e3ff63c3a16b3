"""Write the parts of the documentation that the code itself knows: docs/cli.md, from the real commands.

Run it after changing a command: python docs/make_reference.py. A test fails while cli.md is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from typer.main import get_command

from workbench.cli.commands import app

TARGET: Final = Path(__file__).with_name("cli.md")
_VALUES: Final = {int: "N", Path: "PATH"}

HEAD = """# The command line

Made from the commands themselves by `docs/make_reference.py`.

- Every command has `--help`. `--database FILE` names the store, before or after the command;
  else `WORKBENCH_DATABASE` does (see [settings](settings.md)).
- Data goes to stdout, messages to stderr. `--json` prints one JSON object; row lists print one object a line (NDJSON).
- Exit codes: 0 done; 1 a question of data (a stale batch, an approval refused, a push with failures or paused);
  2 wrong usage or configuration; 3 a remote system; 4 the store is busy; 130 stopped by Ctrl-C.
"""


def cli_reference() -> str:
    """The whole page."""
    return HEAD + "".join(_page(name, command) for name, command in commands())


def commands() -> Iterator[tuple[str, Any]]:
    """(full name, command) of every command that does something, groups opened, in order of appearance."""
    yield from _walk("workbench", get_command(app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    if getattr(command, "invoke_without_command", False):
        yield name, command
    for part, child in below.items():
        yield from _walk(f"{name} {part}", child)


def _page(name: str, command: Any) -> str:
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option" and item.name != "help"]
    usage = " ".join([name, *(_placeholder(item) for item in arguments), *(["[OPTIONS]"] if options else [])])
    lines = [f"\n## `{name}`\n", f"{' '.join(command.help.split())}\n", f"```\n{usage}\n```\n"]
    if arguments or options:
        lines.append("| | |\n|---|---|")
        lines += [f"| `{_placeholder(item)}` | {_help(item)} |" for item in arguments]
        lines += [f"| `{_names(item)}` | {_help(item)} |" for item in options]
        lines.append("")
    return "\n".join(lines)


def _placeholder(item: Any) -> str:
    name = "|".join(_choices(item)) or item.name.upper()
    return name if item.required else f"[{name}]"


def _names(item: Any) -> str:
    names = ", ".join([*item.opts, *item.secondary_opts])
    if item.is_flag:
        return names
    choices = "\\|".join(_choices(item))
    return f"{names} {choices or _VALUES.get(item.type_descriptor.annotation, 'TEXT')}"


def _choices(item: Any) -> list[str]:
    annotation = item.type_descriptor.annotation
    return [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []


def _help(item: Any) -> str:
    text = " ".join((getattr(item, "help", None) or "").split()).replace("|", r"\|")
    has_default = isinstance(item.default, int) and not isinstance(item.default, bool)
    return f"{text} Default: {item.default}." if has_default else text


if __name__ == "__main__":
    TARGET.write_text(cli_reference())
