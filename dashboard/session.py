"""Access to the store and the settings; reads are kept until something they show has changed."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import streamlit as st

from dashboard.components.text import md
from workbench import operations, views_dashboard
from workbench.errors import WorkbenchError
from workbench.logs import get_logger
from workbench.settings import Settings, load_settings
from workbench.store import Store

P = ParamSpec("P")
T = TypeVar("T")

log = get_logger(__name__)

ROLES: Final = ("viewer", "analyst", "approver", "admin")
# What a role may do; every later role may also do what the earlier ones may.
NEEDED: Final = {
    "request": "analyst",
    "edit_mapping": "analyst",
    "decide": "approver",
    "push": "approver",
    "disconnect": "admin",
}


@dataclass(frozen=True)
class Person:
    """Who sits in front of the screen."""

    name: str
    role: str

    def may(self, deed: str) -> bool:
        """Whether the role reaches far enough for request | edit_mapping | decide | push | disconnect."""
        return ROLES.index(self.role) >= ROLES.index(NEEDED[deed])


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    return load_settings()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    return operations.open_store(settings())


def person() -> Person:
    """From the settings' `dashboard` part where this version has one, else the operating system's user, an approver.

    A session may be given less than that (to look with another's eyes), never more.
    """
    chosen = getattr(settings(), "dashboard", None)
    granted = getattr(chosen, "role", None) or "approver"
    wanted = st.session_state.get("role", granted)
    role = min(granted, wanted, key=_rank)
    return Person(getattr(chosen, "user", None) or _system_user(), role if role in ROLES else "viewer")


def _rank(role: str) -> int:
    return ROLES.index(role) if role in ROLES else 0


def _system_user() -> str:
    with suppress(KeyError, OSError):  # a container may run under a number without a name
        return getpass.getuser()
    return f"user {os.getuid()}"


def read(function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`function(store, *args)`, kept while nothing in the store has moved (a new pull, preview, step or result)."""
    key = (settings().database, *_moment(), f"{function.__module__}.{function.__qualname__}")
    found: T = _read(function, key, args, kwargs)
    return found


def _moment() -> tuple[Any, ...]:
    """What moves with every commit: the file's time and size, asked without opening it; else numbers from inside."""
    files = (Path(settings().database), Path(f"{settings().database}.wal"))
    if not files[0].is_file():
        return views_dashboard.moment(store())
    return tuple((found.st_mtime_ns, found.st_size) for file in files if (found := _stat(file)) is not None)


def _stat(file: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):  # the write-ahead file comes and goes
        return file.stat()
    return None


# Streamlit hashes every argument but those whose name starts with an underscore; `key` speaks for the function.
@st.cache_data(max_entries=400, show_spinner=False)
def _read(_function: Callable[..., Any], key: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    del key
    return _function(store(), *args, **kwargs)


def is_embedded() -> bool:
    """Whether the page stands inside another one (`?embed=true`)."""
    return str(st.query_params.get("embed", "")).lower() == "true" or bool(st.context.is_embedded)


def guarded(run: Callable[[], None]) -> None:
    """Run a screen; what the workbench refuses is shown as its sentence, a bug is logged and said calmly."""
    try:
        run()
    except WorkbenchError as error:
        st.error(_sentence(error), icon=":material/error:")
    except Exception:
        log.exception("a screen failed")
        st.error(
            "This screen met a fault and stopped. The details are in the log of the dashboard's process.",
            icon=":material/error:",
        )


def _sentence(error: WorkbenchError) -> str:
    return "  \n".join(md(line) for line in str(error).splitlines())
