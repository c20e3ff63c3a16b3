"""What a page needs to know: the settings, the store, who is looking, and reads that are cached until something grows."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar
from urllib.parse import urlsplit

import streamlit as st

from workbench import views_dashboard
from workbench.operations import connection_kinds, open_store
from workbench.settings import Settings, load_settings
from workbench.store import Store

P = ParamSpec("P")
T = TypeVar("T")
Role = Literal["viewer", "analyst", "approver", "admin"]
RANKS: tuple[Role, ...] = ("viewer", "analyst", "approver", "admin")


@dataclass(frozen=True)
class Visitor:
    """Who is looking, and what they may do: viewer reads, analyst requests, approver decides, admin configures."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        return RANKS.index(self.role) >= RANKS.index(role)


@dataclass(frozen=True)
class Org:
    """One side of the sync as a badge shows it."""

    system: str
    host: str
    kind: Literal["sandbox", "production", "not connected"]


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    return load_settings()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    return open_store(settings())


def visitor() -> Visitor:
    """The person this server runs for: named by the settings, else the operating system's user, an approver."""
    chosen = getattr(settings(), "dashboard", None)
    name = getattr(chosen, "user", None) or pwd.getpwuid(os.getuid()).pw_name
    return Visitor(name, getattr(chosen, "role", "approver"))


def orgs() -> tuple[Org, Org]:
    """Salesforce and Mainstay: where they are and whether a mistake there would be real."""
    kinds = connection_kinds(settings())
    salesforce, mainstay = settings().salesforce, settings().mainstay
    login = salesforce.instance_url or salesforce.login_url or f"https://{salesforce.domain}.salesforce.com"
    return (
        Org("Salesforce", _host(login), _kind(_host(login), connected=kinds["salesforce"] is not None)),
        Org("Mainstay", _host(mainstay.base_url), _kind(_host(mainstay.base_url), connected=mainstay.token is not None)),
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _kind(host: str, *, connected: bool) -> Literal["sandbox", "production", "not connected"]:
    if not connected:
        return "not connected"
    name = host.split(":")[0]
    is_sandbox = name in {"127.0.0.1", "localhost", "test.salesforce.com"} or ".sandbox." in name
    return "sandbox" if is_sandbox else "production"


def read(view: Callable[Concatenate[Store, P], T], *args: P.args, **named: P.kwargs) -> T:
    """The answer of a read model, asked again only after something was pulled, previewed, decided, pushed or saved."""
    key = (store().dsn, f"{view.__module__}.{view.__qualname__}", stamp())
    found: T = _read(key, args, tuple(sorted(named.items())), view)
    return found


def stamp() -> tuple[Any, ...]:
    return _stamp()


def refresh() -> None:
    """After an action: see its effect at once."""
    _stamp.clear()


@st.cache_data(ttl=2, show_spinner=False)
def _stamp() -> tuple[Any, ...]:
    return views_dashboard.stamp(store())


# Streamlit hashes every argument whose name starts with no underscore; `key` carries the view's name and the stamp.
@st.cache_data(max_entries=400, show_spinner=False)
def _read(key: tuple[Any, ...], args: tuple[Any, ...], named: tuple[tuple[str, Any], ...], _view: Any) -> Any:
    del key
    return _view(store(), *args, **dict(named))
