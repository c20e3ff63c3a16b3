"""Resend Payload: the request of a result as it was or edited, what it would be answered, then a batch of one row."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup, organisation
from dashboard.components.layout import link
from dashboard.components.text import STATUS_COLOURS, STATUS_LABELS, md
from workbench import operations
from workbench.domain.error_dictionary import entry_of
from workbench.errors import WorkbenchError
from workbench.views_dashboard import DIRECTION_NAMES


def resend_editor(result: dict[str, Any]) -> None:
    """Inside the drawer of a result."""
    name = result["name"]
    try:
        requests = session.read(_requests, name)
    except WorkbenchError as refused:
        st.info(md(refused), icon=":material/info:")
        return
    if (made := st.session_state.get(f"resent_{name}")) is not None:
        st.success(f"Batch {made.batch} of one row waits for a second person.", icon=":material/task_alt:")
        link("approvals", f"Open batch {made.batch}", batch=str(made.batch))
        return
    if session.is_masked():
        st.info("The payload is somebody's data. Show personal data on this screen to edit it.", icon=":material/lock:")
        return
    first = requests[0]
    direction = next(key for key, label in DIRECTION_NAMES.items() if label == result["direction"])
    st.html(organisation.route(direction))
    st.caption(f"{md(first.method)} {md(first.path)}. Edits stay in this request; nothing changes in Salesforce.")
    before = json.dumps(first.values, indent=2, ensure_ascii=False)
    with st.container(key="wb-mono"):
        text = st.text_area("Payload", before, key=f"payload_{name}", height=230, label_visibility="collapsed")
    edits, problem = edits_of(first.values, text)
    if problem:
        st.warning(md(problem), icon=":material/data_object:")
    elif edits:
        st.caption(f":orange[:material/edit: Edited]: {md(', '.join(edits))}")
    _simulated(name, edits, problem)
    _actions(name, edits, is_readable=not problem)


def _actions(name: str, edits: dict[str, Any], *, is_readable: bool) -> None:
    who = session.person()
    with st.container(horizontal=True):
        if st.button(
            "Simulate", icon=":material/science:", disabled=not is_readable, key=f"simulate_{name}",
            help="What Mainstay's rules answer, over the contacts of the last pull. Nothing is sent.",
        ):  # fmt: skip
            st.session_state[f"simulated_{name}"] = edits
            st.rerun(scope="fragment")
        if st.button("Request resend", type="primary", icon=":material/send:", key=f"resend_{name}",
                     disabled=not is_readable or not who.may("request"),
                     help="A batch of one row, which a second person approves before it is sent."):  # fmt: skip
            try:
                st.session_state[f"resent_{name}"] = operations.resend(
                    session.store(), session.settings(), name, by=who, edits=edits
                )
            except WorkbenchError as refused:
                st.error(md(refused), icon=":material/block:")
                return
            st.rerun(scope="fragment")


def _simulated(name: str, edits: dict[str, Any], problem: str) -> None:
    """The prediction for exactly these edits; for other ones it would be a lie."""
    asked = st.session_state.get(f"simulated_{name}")
    if asked is None or problem or asked != edits:
        return
    try:
        found = operations.simulate_resend(session.store(), session.settings(), name, edits=edits)
    except WorkbenchError as refused:
        st.warning(md(refused), icon=":material/block:")
        return
    if found.status is None:
        st.info("No rules are known for this request; its answer cannot be foreseen.", icon=":material/help:")
        return
    with st.container(border=True, gap="small"):
        pill = markup.pill(f"predicted {STATUS_LABELS[found.status].lower()}", STATUS_COLOURS[found.status])
        st.html(f'<div class="wb-line"><b>{pill}</b><small>over the contacts of the last pull</small></div>')
        for code in found.codes:
            entry = entry_of(code, method=found.requests[0].method, message="")
            st.html(markup.code_link(code, entry.number if entry else None))
            if entry is not None:
                st.caption(f"{md(entry.meaning)} **Next:** {md(entry.next_step)}")


def _requests(store: Any, name: str) -> Any:
    return operations.simulate_resend(store, session.settings(), name).requests


def edits_of(before: dict[str, Any], text: str) -> tuple[dict[str, Any], str]:
    """(edits by field name, what is wrong with the text): custom fields as `custom.<name>`, None takes a field out.

    >>> edits_of({"email": "a@b.c", "custom": {"GPA": 3}}, '{"email": "x@b.c", "custom": {}}')
    ({'email': 'x@b.c', 'custom.GPA': None}, '')
    >>> edits_of({}, "{")[1]
    'This is no JSON: line 1, column 2.'
    """
    try:
        after = json.loads(text)
    except json.JSONDecodeError as error:
        return {}, f"This is no JSON: line {error.lineno}, column {error.colno}."
    if not isinstance(after, dict) or not isinstance(after.get("custom", {}), dict):
        return {}, "A payload is a JSON object; its custom fields are an object too."
    old, new = _flat(before), _flat(after)
    changed = {name: new[name] for name in new if name not in old or old[name] != new[name]}
    return {**changed, **{name: None for name in old if name not in new}}, ""


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    custom = values.get("custom") or {}
    own = {name: value for name, value in values.items() if name != "custom"}
    return {**own, **{f"custom.{name}": value for name, value in custom.items()}}
