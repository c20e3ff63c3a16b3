"""One proposed change in a drawer: why, field by field, the exact requests, the answer they will get."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboard import privacy, session
from dashboard.components import markup
from dashboard.components.layout import link
from dashboard.components.text import ACTION_COLOURS, ACTION_LABELS, DIRECTION_LABELS, STATUS_COLOURS, md, plural
from workbench import operations, views, views_review
from workbench.domain.error_dictionary import BY_NUMBER
from workbench.errors import WorkbenchError
from workbench.store import Store

GUARDS = {
    "consent": "Consent: a learner's opt-out is never reversed from here.",
    "blank-value": "Clears values that are there now.",
    "fan-out": "One write here re-syncs other records.",
    "mass-change": "A large share of all records changes the same field.",
}


def open_change(preview_id: int, change_id: str) -> None:
    """Show a change; call it outside of every container, as the last thing of a page."""
    st.query_params["change"] = st.session_state["linked_change"] = change_id  # the address of the page opens it again
    title = f"Change {md(change_id)}"
    drawer = st.dialog(title, width="large", position="right", icon=":material/preview:", on_dismiss=_closed)
    drawer(session.calm(_drawer))(preview_id, change_id)


def open_linked(preview_id: int) -> None:
    """Show the change that the address names, once."""
    linked = st.query_params.get("change")
    if linked and st.session_state.get("linked_change") != linked:
        open_change(preview_id, linked)


def _closed() -> None:
    st.query_params.pop("change", None)


def _drawer(preview_id: int, change_id: str) -> None:
    try:
        found = session.read(views_review.change, preview_id, change_id)
    except WorkbenchError as missing:
        st.warning(md(missing))
        return
    _head(found)
    tabs = st.tabs([plural(len(found["fields"]), "field"), plural(len(found["requests"]), "request"), "Why", "Ids"])
    with tabs[0]:
        if found["fields"]:
            st.html(markup.differences(found["fields"]))
        else:
            st.caption("No field would change.")
    with tabs[1]:
        requests(found["requests"])
    with tabs[2]:
        _why(found)
    with tabs[3]:
        st.html(
            markup.facts(
                [
                    ("Change", found["change_id"]),
                    ("SObject", found["sobject"]),
                    ("Record Id", found["salesforce_id"]),
                    ("Mainstay ID", found["mainstay_id"]),
                    ("Matched by", found["rule"]),
                    ("Collision group", found["group_id"]),
                ]
            )
        )
        if either := found["salesforce_id"] or found["mainstay_id"]:
            link("people", "Everything about this person", id=either)


def _head(found: dict[str, Any]) -> None:
    status = found["predicted_status"]
    pills = markup.pill(ACTION_LABELS[found["action"]], ACTION_COLOURS[found["action"]])
    if status:
        certain = "" if found["certainty"] in {None, "certain"} else f", {found['certainty']}"
        pills = markup.Html(pills + " " + markup.pill(f"predicted {status}{certain}", STATUS_COLOURS[status]))
    st.html(
        f'<div class="wb-head">{pills}<b>{markup.cell(found["person"] or "Name not pulled")}</b>'
        f"<small>{DIRECTION_LABELS[found['direction']]}</small></div>"
    )
    st.markdown(md(found["reason"]))
    for guard in found["guards"] or ():
        st.warning(GUARDS.get(guard, md(guard)), icon=":material/shield:")
    for row in found["expected"]:
        entry = BY_NUMBER.get(row["entry"] or 0)
        with st.container(border=True, gap="small"):
            kind = "refuses the whole request" if row["failure"] == "complete" else "takes the rest"
            st.markdown(f"`{row['code'].replace('`', '')}` · {kind}, {row['certainty']}")
            if entry is not None:
                st.caption(f"{md(entry.meaning)} **Next:** {md(entry.next_step)}")
                link("errors", f"Error dictionary, entry {entry.number}", entry=str(entry.number))


def requests(rows: list[dict[str, Any]]) -> None:
    """The exact requests of a change, in order."""
    if not rows:
        st.caption("No request would be sent.")
    for row in rows:
        st.markdown(f"**{row['ordinal']}.** {md(row['system'])} · {md(row['method'])} {md(row['path'])}")
        body = views.json_or_text(row["body"])
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        st.code("(no body)" if body is None else text, language="json", wrap_lines=True)


def _why(found: dict[str, Any]) -> None:
    """The record's way through the preview in words, with the values that decided."""
    try:
        story = session.read(explained, found["preview_id"], found["change_id"])
    except WorkbenchError as error:
        st.caption(md(error))
        return
    if session.is_masked():
        story = [(step, privacy.scrub(sentence)) for step, sentence in story]
    st.html(markup.facts(story))


def explained(store: Store, preview_id: int, change_id: str) -> list[tuple[str, str]]:
    """(step, sentence) of one change."""
    told = operations.explain_record(store, change_id, preview_id)
    return [(step.name, step.sentence) for step in told.steps]
