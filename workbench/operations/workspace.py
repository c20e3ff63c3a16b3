"""Opening the store and letting go of the connections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.domain.access import Person, allowed
from workbench.salesforce.login import login_kinds
from workbench.settings import Settings, load_settings
from workbench.store import Store

CREDENTIALS: Final = {
    "mainstay": ("token",),
    "salesforce": ("access_token", "password", "security_token", "consumer_key", "consumer_secret", "private_key_file"),
}


@dataclass(frozen=True)
class Disconnected:
    """What `disconnect` did: variables taken out of `.env`, and those this shell still sets by itself."""

    removed: tuple[str, ...]
    still_set: tuple[str, ...]


def open_store(settings: Settings) -> Store:
    """The store that WORKBENCH_DATABASE names, made or migrated where needed."""
    return Store(settings.database)


def disconnect(system: str | None = None, *, by: str | Person = "", env_file: Path | None = None) -> Disconnected:
    """Take the credentials of one system (or both) out of `.env`. Everything pulled and pushed stays readable.

    What the shell itself exports cannot be taken away from here; those variables are named instead.
    Raises NotAllowed below admin.
    """
    allowed(by, "disconnect")
    chosen = {name: fields for name, fields in CREDENTIALS.items() if system in (None, name)}
    variables = {f"WORKBENCH_{name.upper()}__{field.upper()}" for name, fields in chosen.items() for field in fields}
    removed = _strip(env_file or Path(".env"), variables)
    now = load_settings()
    still = [
        f"WORKBENCH_{name.upper()}__{field.upper()}"
        for name, fields in chosen.items()
        for field in fields
        if getattr(getattr(now, name), field) is not None
    ]
    return Disconnected(tuple(removed), tuple(still))


def _strip(env_file: Path, variables: set[str]) -> list[str]:
    if not env_file.is_file():
        return []
    kept: list[str] = []
    removed: list[str] = []
    for line in env_file.read_text().splitlines(keepends=True):
        name = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", line)
        if name is not None and name[1].upper() in variables:
            removed.append(name[1].upper())
        else:
            kept.append(line)
    if removed:
        env_file.write_text("".join(kept))
    return removed


def connection_kinds(settings: Settings) -> dict[str, str | None]:
    """How each system would be logged in to; None where its settings do not suffice."""
    kinds = login_kinds(settings.salesforce)
    return {
        "salesforce": kinds[0] if kinds else None,
        "mainstay": "token" if settings.mainstay.token is not None else None,
    }
