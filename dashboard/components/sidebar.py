"""Which systems this is about, on every page."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dashboard import session
from dashboard.components.text import md
from workbench.settings import Settings, hosts_of, is_sandbox

Colour = Literal["green", "red", "gray"]


def show() -> None:
    who = session.person()
    with st.sidebar.container(gap="xxsmall", key="wb-where"):
        st.caption(f"{md(who.name)} · {who.role}")
        if session.is_signed_in():
            st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=st.logout, key="sign_out")


def connection_badge(settings: Settings) -> tuple[str, Colour, str, str]:
    """(label, colour, icon, explanation): a real organisation is never mistaken for the sandbox.

    Sandbox: everything this store is connected to runs on this machine.
    """
    hosts = hosts_of(settings)
    if not hosts:
        return "Not connected", "gray", ":material/link_off:", "No connection is set. What was pulled stays readable."
    if is_sandbox(settings):
        return "Sandbox", "green", ":material/science:", "Both systems run on this machine; nothing leaves it."
    return "Real systems", "red", ":material/public:", f"Pushes write to {', '.join(sorted(set(hosts.values())))}."
