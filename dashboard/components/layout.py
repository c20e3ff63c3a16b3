"""What every screen looks like: one title line, calm empty states, the query behind a figure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from workbench.views_dashboard import SHOWN_SQL


@contextmanager
def header(title: str) -> Iterator[None]:
    """The title on the same baseline everywhere, with room for the page's controls on the right."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False)
        st.space("stretch")
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


def show_sql(name: str, **values: Any) -> None:
    """The query behind a figure, ready for a notebook cell."""
    with st.popover("Show SQL", icon=":material/code:", type="tertiary", width="content"):
        text = SHOWN_SQL[name].format(**values)
        st.caption('For a notebook cell or `workbench sql "..."`')
        st.code(text, language="sql")


def empty(title: str, text: str, *, icon: str = "inbox", command: str | None = None) -> None:
    """Nothing here yet: what it means and what to do next."""
    with st.container(border=True, horizontal_alignment="center", gap="small", key=f"wb-empty-{icon}"):
        st.space("small")
        st.markdown(f":material/{icon}: **{title}**", width="content")
        st.caption(text, width="content")
        if command:
            st.code(command, language="bash", width="content")
        st.space("small")
