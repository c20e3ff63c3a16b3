"""Do the connections work, step by step."""

from __future__ import annotations

from workbench.settings import Settings
from workbench.stages.pull.check import Step, check


def check_connections(settings: Settings) -> list[Step]:
    """Try both connections; every step passes or says what to do."""
    return list(check(settings))
