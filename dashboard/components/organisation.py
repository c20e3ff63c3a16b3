"""Which organisations a page is about, and which of the two a step would write to: on every page, in one place."""

from __future__ import annotations

from typing import Final

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.sidebar import connection_badge
from dashboard.components.text import SYSTEM_LABELS
from workbench.settings import hosts_of

ENDS: Final = {"export": ("salesforce", "mainstay"), "import": ("mainstay", "salesforce")}


def strip() -> None:
    """One line above every page; a real organisation looks different from the sandbox."""
    label, colour, _, note = connection_badge(session.settings())
    hosts = hosts_of(session.settings())
    named = "".join(
        f"<span><b>{SYSTEM_LABELS[name]}</b> {markup.cell(hosts.get(name, 'not connected'))}</span>"
        for name in ("salesforce", "mainstay")
    )
    st.html(
        f'<div class="wb-org wb-org-{colour}" role="status"><strong>{markup.cell(label)}</strong>{named}'
        f"<em>{markup.cell(note)}</em></div>"
    )


def route(direction: str) -> markup.Html:
    """Where values come from and where they go: `Salesforce → writes to Mainstay (host)`."""
    sender, _ = ENDS[direction]
    return markup.Html(
        f'<span class="wb-route"><span>{SYSTEM_LABELS[sender]}</span><i aria-hidden="true">→</i>'
        f"{target(direction)}</span>"
    )


def target(direction: str) -> markup.Html:
    """The system that a direction writes to, with its host."""
    _, receiver = ENDS[direction]
    _, colour, _, _ = connection_badge(session.settings())
    host = hosts_of(session.settings()).get(receiver, "not connected")
    return markup.Html(
        f'<span class="wb-target wb-org-{colour}">writes to <b>{SYSTEM_LABELS[receiver]}</b> {markup.cell(host)}</span>'
    )
