"""Settings: what this workbench is connected to, who may do what, and how it is set.

Values are changed in the environment or `.env`; a change there counts at once.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import BaseModel, SecretStr

from dashboard import session
from dashboard.components import access_view, markup
from dashboard.components.layout import card, header, link
from dashboard.components.text import md
from workbench import operations
from workbench.domain.access import NEEDED
from workbench.errors import WorkbenchError

KINDS = {None: "not connected", "token": "API token"}
SYSTEMS = {"both": None, "Salesforce": "salesforce", "Mainstay": "mainstay"}


def section(title: str, values: BaseModel, *, note: str = "", prefix: str) -> None:
    """One group of settings; secrets are only ever said to be set."""
    with card(title, note=note):
        rows: list[tuple[str, Any]] = [
            (label(name), shown(getattr(values, name))) for name in type(values).model_fields
        ]
        st.html(markup.facts(rows))
        st.caption(f"Set by {md(prefix)}…")


def label(name: str) -> str:
    words = [{"url": "URL", "api": "API", "sms": "SMS"}.get(word, word) for word in name.split("_")]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


def shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return markup.Html("•••••••• <small>set</small>")
    if isinstance(value, bool):
        return "on" if value else "off"
    return None if value is None else str(value)


def connections() -> None:
    """Try both connections, step by step; each step says what to do where it fails."""
    kinds = operations.connection_kinds(session.settings())
    with card("Connections", note="checking writes nothing"):
        st.html(
            markup.facts(
                [
                    ("Salesforce", kinds["salesforce"] or "not connected"),
                    ("Mainstay", KINDS.get(kinds["mainstay"], kinds["mainstay"])),
                ]
            )
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Check both connections", icon=":material/network_check:"):
                st.session_state["check_steps"] = steps()
            disconnect()
        if told := st.session_state.get("check_steps"):
            lines = [
                (markup.pill("right" if ok else "wrong", "green" if ok else "red"), name, sentence)
                for ok, name, sentence in told
            ]
            st.html(markup.table(("", "Step", "What was found"), lines, label="Connection checks"))


def steps() -> list[tuple[bool, str, str]]:
    try:
        with st.spinner("Asking both systems"):
            found = operations.check_connections(session.store(), session.settings())
    except WorkbenchError as refused:
        return [(False, "Check", str(refused))]
    return [(step.ok, step.name, step.sentence) for step in found]


def disconnect() -> None:
    """Let go of one system or both, once the word is typed; what was pulled and pushed stays readable."""
    may = session.person().may("disconnect")
    with st.popover("Disconnect", icon=":material/link_off:", disabled=not may,
                    help=None if may else f"It takes the role {NEEDED['disconnect']}."):  # fmt: skip
        chosen = st.segmented_control("System", list(SYSTEMS), default="both", required=True, key="disconnect_system")
        st.caption("Takes the secrets out of `.env`. Everything pulled and pushed stays readable.")
        typed = st.text_input("Type disconnect to confirm", key="disconnect_word")
        if st.button("Disconnect now", type="primary", disabled=typed.strip().lower() != "disconnect"):
            try:
                done = operations.disconnect(SYSTEMS[str(chosen)], by=session.person())
            except WorkbenchError as refused:
                st.error(md(refused), icon=":material/error:")
                return
            removed = f"Taken out of .env: {', '.join(done.removed)}." if done.removed else "Nothing was in .env."
            st.success(md(removed), icon=":material/link_off:")
            if done.still_set:
                st.warning(f"The environment still sets {md(', '.join(done.still_set))}; unset it and start again.")


def directions() -> None:
    with card("Directions", note="switched on the Overview"):
        rows = [
            ({"export": "Salesforce → Mainstay", "import": "Mainstay → Salesforce"}[str(direction)],
             f"{row['state']}{', by ' + row['who'] if row.get('who') else ''}")
            for direction, row in operations.list_directions(session.store()).items()
        ]  # fmt: skip
        st.html(markup.facts(rows))
        st.caption(
            "Sync method: changes are noticed by reading both systems (`workbench pull`, only what moved since), so "
            "neither PLATFORM\\_EVENT nor QUEUEABLE spends a limit of the org."
        )
        link("overview", "Overview")


settings = session.settings()
with header("Settings"):
    pass
connections()
left, right = st.columns(2)
with left:
    directions()
with right, card("This workbench"):
    st.html(markup.facts([("Store", settings.database), ("Log level", settings.log_level)]))
access_view.people()
access_view.embedding()
left, right = st.columns(2)
with left:
    section("Salesforce", settings.salesforce, prefix="WORKBENCH_SALESFORCE__")
with right:
    section("Mainstay", settings.mainstay, prefix="WORKBENCH_MAINSTAY__")
left, right = st.columns(2)
with left:
    section("Push", settings.push, prefix="WORKBENCH_PUSH__")
with right:
    section("Approval", settings.approval, prefix="WORKBENCH_APPROVAL__")
