"""One sync result in a drawer: the guide's fields, what was predicted, every request with its answer."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboard.components import markup
from dashboard.components.page import link
from dashboard.components.text import STATUS_COLOURS, counted, markdown_safe, when
from dashboard.session import read
from workbench import views, views_dashboard
from workbench.domain.error_dictionary import entry_of
from workbench.errors import NotFound


def open_result(name: str) -> None:
    """Show a sync result; call it outside of every container, as the last thing of a page."""
    st.dialog(markdown_safe(name), width="large", position="right", icon=":material/receipt_long:")(_drawer)(name)


def _drawer(name: str) -> None:
    try:
        result = read(views_dashboard.sync_result, name)
    except NotFound as missing:
        st.warning(markdown_safe(missing))
        return
    _head(result)
    _findings(result)
    fields = views.json_or_text((result["change"] or {}).get("fields")) or []
    tabs = st.tabs(
        [counted(len(fields), "field change"), counted(len(result["attempt_list"]), "request"), "All fields"]
    )
    with tabs[0]:
        if fields:
            st.html(markup.differences(fields))
        else:
            st.caption("No field changed; the change is about the link between the two records.")
    with tabs[1]:
        _attempts(result["attempt_list"])
    with tabs[2]:
        st.html(markup.facts(guide_fields(result)))


def _head(result: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.pill(result["status"], STATUS_COLOURS[result["status"]]), width="content")
        st.markdown(f"**{markdown_safe(result['person'] or 'Name not pulled')}**", width="content")
        st.caption(f"{result['direction']} · {when(result['finished_at'], seconds=True)}", width="content")


def _findings(result: dict[str, Any]) -> None:
    """What was predicted beside what came, and each code with its way into the dictionary."""
    predicted, actual = result["predicted_codes"] or [], result["codes"] or []
    rows = [
        (
            "Predicted",
            markup.pill(result["predicted_status"] or "unknown", _colour(result["predicted_status"])),
            _codes(predicted),
        ),
        ("Actual", markup.pill(result["status"], _colour(result["status"])), _codes(actual)),
    ]
    st.html(markup.table(("", "Status", "Codes"), rows, label="Predicted and actual"))
    if result["is_as_predicted"] is False:
        st.warning(
            "The answer differs from the prediction: the data moved after the pull, or a rule is wrong.",
            icon=":material/help:",
        )
    method = (result["endpoint"] or " ").split(" ")[0]
    for item in _items(result["fail_message"]):
        entry = entry_of(str(item.get("code", "")), method=method, message=str(item.get("message", "")))
        with st.container(border=True, gap="small"):
            st.markdown(f"`{item.get('code', '')}`  \n{markdown_safe(item.get('message', ''))}".replace("``", ""))
            if entry is not None:
                st.caption(f"{markdown_safe(entry.meaning)} **Next:** {markdown_safe(entry.next_step)}")
                link("errors", f"Error dictionary, entry {entry.number}", entry=str(entry.number))


def _items(fail_message: str | None) -> list[dict[str, Any]]:
    """The error items of an answer; a text that is no list of them becomes one item."""
    found = views.json_or_text(fail_message)
    if found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    return [item if isinstance(item, dict) else {"message": str(item)} for item in listed]


def _codes(codes: list[str]) -> Any:
    return markup.Html("<br>".join(markup.code(code) for code in codes)) if codes else "no error"


def _colour(status: str | None) -> str:
    return STATUS_COLOURS.get(status or "", "gray")


def _attempts(attempts: list[dict[str, Any]]) -> None:
    if not attempts:
        st.caption("No request was sent for this change.")
    for attempt in attempts:
        status = attempt["response_status"]
        st.markdown(
            f"**{attempt['number']}.** {attempt['method']} · {status or 'no answer'} · "
            f"{attempt['ms'] or 0:.0f} ms · {when(attempt['sent_at'], seconds=True)}"
        )
        st.code(attempt["url"], language=None, wrap_lines=True)
        st.caption("Request body")
        st.code(pretty(attempt["request_body"]), language="json", wrap_lines=True)
        st.caption("Response body")
        st.code(pretty(attempt["response_body"]), language="json", wrap_lines=True)


def pretty(body: str | None) -> str:
    """A stored body, indented where it is JSON."""
    found = views.json_or_text(body)
    return (
        "(empty)"
        if found is None
        else found
        if isinstance(found, str)
        else json.dumps(found, indent=2, ensure_ascii=False)
    )


def guide_fields(result: dict[str, Any]) -> list[tuple[str, Any]]:
    """The fields of a Sync Result as the guide names them, then ours."""
    status = (
        "Fail" if result["status"] == "fail" else "Success" if result["status"] in {"success", "partial"} else "Unknown"
    )
    return [
        ("Sync Result Name", result["name"]),
        ("Direction", result["direction"]),
        ("Status", status),
        ("Fail Message", result["fail_message"]),
        ("Request Endpoint", result["endpoint"]),
        ("Request Body", result["request_body"]),
        ("SObject Name", result["sobject"]),
        ("SObject Id", result["record_id"]),
        ("Mainstay ID", result["mainstay_id"]),
        ("Batch, change", f"{result['batch_id']}, {result['change_id']}"),
        ("Answer", f"{result['response_status']} after {counted(result['attempts'] or 0, 'request')}"),
        ("Origin", result["origin"]),
    ]
