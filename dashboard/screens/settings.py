"""Settings: what this workbench is connected to and how it is set; changing them is done in the environment or .env."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import BaseModel, SecretStr

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import card, header
from dashboard.components.text import md
from workbench import operations
from workbench.errors import WorkbenchError

KINDS = {
    None: "not connected",
    "token": "API token",
}


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


def checks() -> None:
    """Try both connections, step by step; each step says what to do where it fails."""
    with card("Connections", note="nothing is written"):
        if st.button("Check both connections", icon=":material/network_check:"):
            try:
                with st.spinner("Asking both systems"):
                    steps = operations.check_connections(session.store(), session.settings())
                    st.session_state["check_steps"] = [(step.ok, step.name, step.sentence) for step in steps]
            except WorkbenchError as refused:
                st.session_state["check_steps"] = [(False, "Check", str(refused))]
        if told := st.session_state.get("check_steps"):
            lines = [
                (markup.pill("right" if ok else "wrong", "green" if ok else "red"), name, sentence)
                for ok, name, sentence in told
            ]
            st.html(markup.table(("", "Step", "What was found"), lines, label="Connection checks"))
        kinds = operations.connection_kinds(session.settings())
        st.html(
            markup.facts(
                [
                    ("Salesforce", kinds["salesforce"] or "not connected"),
                    ("Mainstay", KINDS.get(kinds["mainstay"], kinds["mainstay"])),
                ]
            )
        )
        st.caption("To let go of both: `workbench disconnect`. What was pulled and pushed stays readable.")


settings = session.settings()
who = session.person()
with header("Settings"):
    pass
checks()
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
with card("This workbench"):
    st.html(
        markup.facts(
            [("Store", settings.database), ("You", f"{who.name}, {who.role}"), ("Log level", settings.log_level)]
        )
    )
