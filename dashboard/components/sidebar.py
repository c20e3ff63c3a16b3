"""Which systems this is about, on every page."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from dashboard import session
from dashboard.components.text import md
from workbench.settings import Settings

Colour = Literal["green", "red", "gray"]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


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
    hosts = {name: host_of(url) for name, url in addresses(settings).items()}
    is_set = settings.mainstay.token is not None or settings.salesforce.instance_url is not None
    if not is_set:
        return "Not connected", "gray", ":material/link_off:", "No connection is set. What was pulled stays readable."
    names = ", ".join(sorted({host for host in hosts.values() if host}))
    if all(host in LOOPBACK for host in hosts.values() if host):
        return "Sandbox", "green", ":material/science:", "Both systems run on this machine; nothing leaves it."
    return "Real systems", "red", ":material/public:", f"Pushes write to {names}."


def addresses(settings: Settings) -> dict[str, str | None]:
    """system -> the address that pulls and pushes go to, where one is set."""
    salesforce = settings.salesforce
    login = salesforce.instance_url or salesforce.login_url
    if login is None and salesforce.username:
        login = f"https://{salesforce.domain}.salesforce.com"
    return {"salesforce": login, "mainstay": settings.mainstay.base_url if settings.mainstay.token else None}


def host_of(url: str | None) -> str | None:
    return urlsplit(url).hostname if url else None
