"""What every screen looks like: one title line, calm empty states, the query behind a figure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import streamlit as st

from dashboard.components import door
from dashboard.components.queries import show_sql

# name of the file under screens/ -> (title, icon), in the order of the navigation.
SCREENS: Final = {
    "overview": ("Overview", ":material/space_dashboard:"),
    "previews": ("Preview", ":material/preview:"),
    "conflicts": ("Conflicts", ":material/call_split:"),
    "approvals": ("Approvals", ":material/fact_check:"),
    "results": ("Sync results", ":material/receipt_long:"),
    "people": ("People", ":material/person_search:"),
    "campaigns": ("Campaigns", ":material/campaign:"),
    "labels": ("Label matches", ":material/join_inner:"),
    "mapping": ("Field mapping", ":material/schema:"),
    "fields": ("Field types", ":material/data_object:"),
    "errors": ("Error dictionary", ":material/menu_book:"),
    "logs": ("App logs", ":material/terminal:"),
    "settings": ("Settings", ":material/tune:"),
}
__all__ = ["SCREENS", "card", "empty", "has_screen", "header", "link", "show_sql"]
FOLDER: Final = Path(__file__).resolve().parents[1] / "screens"


@contextmanager
def header(title: str) -> Iterator[None]:
    """The title on the same baseline everywhere, with room for the page's controls on the right."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False)
        st.space("stretch")
        door.reveal_control()
        yield


@contextmanager
def card(title: str, *, note: str = "", sql: str | None = None, **values: Any) -> Iterator[None]:
    """A bordered part of a page with its title line; `sql` names the query it can show."""
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(title, anchor=False, width="content")
            if note:
                st.caption(note, width="content")
            st.space("stretch")
            if sql is not None:
                show_sql(sql, **values)
        yield


def has_screen(name: str) -> bool:
    return (FOLDER / f"{name}.py").is_file()


def link(screen: str, label: str | None = None, *, icon: str | None = None, **query: str) -> None:
    """A link to another screen; `label` is escaped by the caller, `icon=""` shows none. Nothing without that screen."""
    title, own_icon = SCREENS[screen]
    if has_screen(screen):
        shown = own_icon if icon is None else icon or None
        st.page_link(f"screens/{screen}.py", label=label or title, icon=shown, query_params=query or None)


def empty(title: str, text: str, *, icon: str = "inbox", command: str | None = None) -> None:
    """Nothing here yet: what it means and what to do next. `text` may be markdown of ours."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":material/{icon}: **{title}**", width="content")
        st.caption(text, width="content")
        if command:
            st.code(command, language="bash", width="content")
        st.space("small")
