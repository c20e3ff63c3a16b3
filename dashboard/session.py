"""Access to the store and the settings; reads are kept until something they show has changed."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache, wraps
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import uuid4

import streamlit as st

from dashboard import privacy
from dashboard.components.text import md
from workbench import operations, views_dashboard
from workbench.domain.access import ROLES, Person, person_named
from workbench.errors import StoreBusy, WorkbenchError
from workbench.logs import get_logger
from workbench.settings import AccessSettings, Settings, load_settings
from workbench.store import Store

P = ParamSpec("P")
T = TypeVar("T")

log = get_logger(__name__)

# A page says that the store is busy rather than stand still for as long as a command would wait.
PATIENCE_SECONDS: Final = 10.0
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def settings() -> Settings:
    """As the environment and `.env` say; read anew when that file has changed, so a role taken away is gone."""
    return _settings(_stamp(Path(".env")))


@lru_cache(maxsize=1)  # asked a hundred times by one run of a page: Streamlit's own cache would hash each time
def _settings(stamp: tuple[int, int] | None) -> Settings:
    del stamp
    return load_settings()


def forget() -> None:
    """Begin as a new server would: settings, store and every kept reading."""
    _settings.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()


@cache
def style(folder: Path) -> str:
    """Every sheet of a folder as one element: each element costs the browser a piece of the first load."""
    return f"<style>{''.join(sheet.read_text() for sheet in sorted(folder.glob('*.css')))}</style>"


@st.cache_resource(show_spinner=False)
def store() -> Store:
    opened = operations.open_store(settings())
    opened.patience_seconds = PATIENCE_SECONDS
    return opened


def has_sign_in() -> bool:
    """Whether an identity provider is set (`[auth]` in .streamlit/secrets.toml)."""
    return "is_logged_in" in st.user


def is_signed_in() -> bool:
    return has_sign_in() and bool(st.user["is_logged_in"])


def person() -> Person:
    """Who sits in front of the screen: signed in where a provider is set, else the user of this machine.

    A session may be given less than its role (to look with another's eyes), never more.
    """
    granted = _signed_in() if has_sign_in() else _local()
    wanted = st.session_state.get("role")
    if wanted is None or granted.role is None:
        return granted
    known = wanted if wanted in ROLES else "viewer"
    return replace(granted, role=min(granted.role, known, key=ROLES.index))


def _signed_in() -> Person:
    claims: dict[str, Any] = st.user.to_dict()
    if not claims.get("is_logged_in"):
        return Person("nobody", None, LONG_AGO)
    # An address that the provider did not verify may be anybody's.
    email = claims.get("email") if claims.get("email_verified", True) else None
    name = str(email or claims.get("sub") or "nobody")
    moment = claims.get("auth_time") or claims.get("iat")
    signed_in_at = datetime.fromtimestamp(float(moment), UTC) if moment else LONG_AGO
    return person_named(settings().access, name, signed_in_at=signed_in_at, is_local=False)


def _local() -> Person:
    name = settings().access.user or _system_user()
    visitor = st.context.ip_address  # None on this machine
    if isinstance(visitor, str) and not ip_address(visitor).is_loopback:
        return Person(f"a visitor from {visitor}", None)
    return person_named(settings().access, name)


def _system_user() -> str:
    with suppress(KeyError, OSError):  # a container may run under a number without a name
        return getpass.getuser()
    return f"user {os.getuid()}"


def read(function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`function(store, *args)`, kept while nothing in the store has moved (a new pull, preview, step or result)."""
    key = (settings().database, *_moment(), f"{function.__module__}.{function.__qualname__}")
    found: T = _read(function, key, args, kwargs)
    return privacy.masked(found) if is_masked() else found


def is_masked() -> bool:
    """Whether personal data is hidden on the screen that is shown now."""
    return hides(person(), settings().access) and not is_revealed()


def hides(who: Person, access: AccessSettings) -> bool:
    """Whether a person sees personal data masked until it is revealed."""
    return access.masking == "everyone" or (access.masking == "viewers" and not who.reaches("analyst"))


def is_revealed() -> bool:
    return "revealed" in st.session_state and st.session_state["revealed"] == st.session_state.get("screen", "")


def reveal() -> None:
    """Show personal data on this screen until another is opened; who did is kept in the app log first."""
    who, screen = person(), st.session_state.get("screen", "")
    if who.reaches(settings().access.reveal_from):
        operations.note_reveal(store(), who, screen)
        st.session_state["revealed"] = screen


def hide() -> None:
    st.session_state.pop("revealed", None)


def enter(screen: str) -> None:
    """A screen is shown; what was revealed on another one is hidden again."""
    if st.session_state.get("screen") != screen:
        st.session_state["screen"] = screen
        st.session_state.pop("revealed", None)


def _moment() -> tuple[Any, ...]:
    """What moves with every commit: the file's time and size, asked without opening it; else numbers from inside."""
    files = (Path(settings().database), Path(f"{settings().database}.wal"))
    if not files[0].is_file():
        return views_dashboard.moment(store())
    return tuple((found.st_mtime_ns, found.st_size) for file in files if (found := _stat(file)) is not None)


def _stamp(file: Path) -> tuple[int, int] | None:
    found = _stat(file)
    return None if found is None else (found.st_mtime_ns, found.st_size)


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


def calm(part: Callable[P, None]) -> Callable[P, None]:
    """`guarded` for what is redrawn by itself: the body of a fragment, a dialog or a drawer."""

    @wraps(part)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        guarded(lambda: part(*args, **kwargs))

    return run


def guarded(run: Callable[[], None]) -> None:
    """Run a screen; what the workbench refuses is shown as its sentence, a bug is logged and said calmly."""
    try:
        run()
    except StoreBusy as busy:
        st.warning(_sentence(busy), icon=":material/hourglass_top:")
        st.button("Try again", icon=":material/refresh:", key=f"busy_{uuid4().hex}")  # several parts may say it
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
