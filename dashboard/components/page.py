"""What every page shares: the same title line, the org badges, calm empty states, links between screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

from dashboard.components.text import markdown_safe
from dashboard.session import Org, orgs
from workbench.errors import WorkbenchError

SCREENS: Final = {
    "overview": ("Overview", ":material/space_dashboard:"),
    "results": ("Sync results", ":material/receipt_long:"),
    "errors": ("Error dictionary", ":material/menu_book:"),
}
_COLOURS: Final = {"sandbox": "green", "production": "red", "not connected": "gray"}
_ICONS: Final = {
    "sandbox": ":material/science:",
    "production": ":material/warning:",
    "not connected": ":material/link_off:",
}


@contextmanager
def header(title: str, caption: str = "") -> Iterator[None]:
    """The title line of a page, with room for page-level controls on the right."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False)
        st.space("stretch")
        yield
    if caption:
        st.caption(caption)


def org_badges() -> None:
    """Which org a push would reach, on every page."""
    for org in orgs():
        with st.container(gap=None):
            st.caption(org.system)
            org_badge(org)


def org_badge(org: Org) -> None:
    text = (
        org.kind.capitalize() if org.kind == "not connected" else f"{org.kind.capitalize()} · {markdown_safe(org.host)}"
    )
    st.badge(text, icon=_ICONS[org.kind], color=_COLOURS[org.kind])  # type: ignore[arg-type]


def link(screen: str, label: str | None = None, **query: str) -> None:
    """A link to another screen of this dashboard."""
    title, icon = SCREENS[screen]
    st.page_link(f"screens/{screen}.py", label=label or title, icon=icon, query_params=query or None)


def empty(title: str, command: str, why: str) -> None:
    """Nothing here yet: why, and the command that fills it."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"**{title}**", width="content")
        st.caption(why, width="content")
        st.code(command, language=None, width="content")
        st.space("small")


@contextmanager
def told() -> Iterator[None]:
    """Show what the workbench could not do, in its own words, where the page would have broken."""
    try:
        yield
    except WorkbenchError as error:
        st.error(markdown_safe(error), icon=":material/error:")


Action = Callable[[], None]
