"""Typed settings, read once at the edge and passed down; no other module reads the environment.

Environment variables start with `WORKBENCH_` and nest by `__` (`WORKBENCH_MAINSTAY__TOKEN`); a `.env` file in the
working folder is honoured. Secrets are `SecretStr`: they print as stars.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from workbench.errors import ConfigurationError

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
Role = Literal["viewer", "analyst", "approver", "admin"]
# Wildcards and paths are left out on purpose: each page that may embed is named.
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")

_JSON_SENTENCES: Final[dict[Any, str]] = {
    dict: 'write names and values as JSON, in braces and double quotes, as in {"Dana Lee": "analyst"}',
    list: 'write a list as JSON, in square brackets and double quotes, as in ["https://acme.my.salesforce.com"]',
}
_VERSION: Final = re.compile(r"[1-9]\d{1,2}\.0")


def folded(name: str) -> str:
    """A name for comparing people: case and spaces do not make another person.

    >>> folded("  dana  LEE ") == folded("Dana Lee")
    True
    """
    return " ".join(name.casefold().split())


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MainstaySettings(_Section):
    """Where Mainstay is and how to talk to it. Source: reference of its API, section 1."""

    base_url: str = "https://api.admithub.com/"
    token: SecretStr | None = None
    auth_scheme: str = "APIToken"
    concurrency: int = Field(default=8, ge=1, le=64)
    requests_per_second: float | None = Field(default=None, gt=0)
    timeout_seconds: float = Field(default=30.0, gt=0)
    bulk: bool = False
    bulk_rows: int = Field(default=100, ge=1, le=500)
    bulk_threshold: int = Field(default=500, ge=1)
    has_sms: bool = True
    has_web_bot: bool = True


class SalesforceSettings(_Section):
    """Where the org is and how to log in: a session token, or OAuth, or the older password login."""

    instance_url: str | None = None
    access_token: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    security_token: SecretStr | None = None
    domain: str = "login"
    consumer_key: str | None = None
    consumer_secret: SecretStr | None = None
    private_key_file: Path | None = None
    login_url: str | None = None
    api_version: str = "62.0"
    timeout_seconds: float = Field(default=60.0, gt=0)
    bulk_threshold: int | None = Field(default=2000, ge=1)

    @field_validator("api_version")
    @classmethod
    def _version(cls, version: str) -> str:
        if not _VERSION.fullmatch(version):
            raise ValueError("a version of Salesforce's API is written with its decimal, as in 62.0")
        return version


class PushSettings(_Section):
    """The stop rule and the size of a chunk (intents written, sent, outcomes written)."""

    stop_margin: float = Field(default=0.2, ge=0, le=1)
    stop_minimum: int = Field(default=20, ge=1)
    chunk: int = Field(default=500, ge=1, le=10_000)
    bulk_chunk: int = Field(default=10_000, ge=1, le=100_000)


class ApprovalSettings(_Section):
    """Four eyes: the approver is another person than the requester. Off is recorded on every batch."""

    four_eyes: bool = True


class AccessSettings(_Section):
    """Who may do what, and who sees whose data.

    Without any `roles`, everybody who reaches this machine's shell or dashboard acts in `local_role`; with them, a
    person not named may do nothing. `framed_by`: origins of pages that may show the people screen inside their own.
    """

    roles: dict[str, Role] = {}
    user: str | None = None
    local_role: Role = "admin"
    sign_in_minutes: int = Field(default=15, ge=1)
    masking: Literal["viewers", "everyone", "nobody"] = "viewers"
    reveal_from: Role = "analyst"
    framed_by: list[str] = []

    @field_validator("roles")
    @classmethod
    def _folded(cls, roles: dict[str, Role]) -> dict[str, Role]:
        return {folded(name): role for name, role in roles.items()}

    @field_validator("framed_by")
    @classmethod
    def _only_origins(cls, origins: list[str]) -> list[str]:
        if wrong := [one for one in origins if not _ORIGIN.fullmatch(one)]:
            raise ValueError(
                f"{', '.join(wrong)}: an origin is a scheme and a host, like https://acme.my.salesforce.com"
            )
        return origins


class GuardSettings(_Section):
    """From where a preview's guards speak; a guarded change is approved knowingly or not at all."""

    fan_out_cap: int = Field(default=100, ge=0)
    mass_change_share: float = Field(default=0.5, ge=0, le=1)
    mass_change_minimum: int = Field(default=100, ge=1)


class Settings(BaseSettings):
    """Every setting of the workbench."""

    model_config = SettingsConfigDict(
        env_prefix="WORKBENCH_", env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    database: str = "data/workbench.duckdb"
    mainstay: MainstaySettings = MainstaySettings()
    salesforce: SalesforceSettings = SalesforceSettings()
    push: PushSettings = PushSettings()
    approval: ApprovalSettings = ApprovalSettings()
    guard: GuardSettings = GuardSettings()
    access: AccessSettings = AccessSettings()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"


def load_settings() -> Settings:
    """The settings of this process.

    Raises ConfigurationError naming every variable that does not fit, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"WORKBENCH_{'__'.join(str(part).upper() for part in item['loc'])}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False)
        ]
        raise ConfigurationError("Some settings do not fit:", problems) from None
    except SettingsError:
        raise ConfigurationError("Some settings cannot be read:", _unreadable()) from None


def _unreadable() -> list[str]:
    """A sentence per variable that has to hold JSON and does not, without its value."""
    given = {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}
    return [
        f"{name}: {sentence}"
        for name, sentence in _sentences_of_json()
        if (text := given.get(name.lower())) is not None and not _is_json(text)
    ]


def _sentences_of_json() -> Iterator[tuple[str, str]]:
    """Every variable that is read as JSON, and how it is written."""
    for section, about in Settings.model_fields.items():
        kind = about.annotation
        if not (isinstance(kind, type) and issubclass(kind, _Section)):
            continue
        name = f"WORKBENCH_{section.upper()}"
        first = next(iter(kind.model_fields)).upper()
        yield name, f"this is a group of settings. Set them one by one, as in {name}__{first}"
        for part, inner in kind.model_fields.items():
            if (origin := get_origin(inner.annotation)) in _JSON_SENTENCES:
                yield f"{name}__{part.upper()}", _JSON_SENTENCES[origin]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def hosts_of(settings: Settings) -> dict[str, str]:
    """The host per system that pulls and pushes go to; without the systems that are not set."""
    salesforce = settings.salesforce
    login = salesforce.instance_url or salesforce.login_url
    if login is None and salesforce.username:
        login = f"https://{salesforce.domain}.salesforce.com"
    found = {"salesforce": login, "mainstay": settings.mainstay.base_url if settings.mainstay.token else None}
    return {system: host for system, url in found.items() if url and (host := urlsplit(url).hostname)}


def is_sandbox(settings: Settings) -> bool:
    """Whether everything that is set runs on this machine, so that nothing leaves it.

    >>> is_sandbox(Settings(salesforce=SalesforceSettings(instance_url="http://127.0.0.1:8000")))
    True
    >>> is_sandbox(Settings(salesforce=SalesforceSettings(instance_url="https://x.my.salesforce.com")))
    False
    """
    hosts = set(hosts_of(settings).values())
    return bool(hosts) and hosts <= LOOPBACK
