"""The `workbench` command. Nothing heavy is loaded before it runs: `commands` holds what it can do."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; every error is one sentence on stderr."""
    from workbench.cli.commands import run_and_leave  # noqa: PLC0415  loading it takes a while that Ctrl-C may end

    run_and_leave(arguments)
