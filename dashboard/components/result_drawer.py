"""One sync result in a drawer: the guide's fields, what was predicted, every request with its answer."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import link
from dashboard.components.resend_view import resend_editor
from dashboard.components.text import STATUS_COLOURS, STATUS_LABELS, count, md, plural, when
from workbench import views, views_dashboard
from workbench.domain.error_dictionary import entry_of
from workbench.errors import NotFound

# The guide knows two states; a success with a message is our third one.
GUIDE_STATUS = {"success": "Success", "partial": "Success", "fail": "Fail", "unknown": "Unknown"}
TABS = ("Requests", "Field changes", "Resend Payload", "All fields")
SYSTEMS = {"salesforce": "Salesforce", "mainstay": "Mainstay"}


def open_result(name: str) -> None:
    """Show a sync result; call it outside of every container, as the last thing of a page."""
    st.query_params["result"] = st.session_state["linked_result"] = name  # the address of the page opens it again
    drawer = st.dialog(md(name), width=720, position="right", icon=":material/receipt_long:", on_dismiss=_closed)
    drawer(session.calm(_drawer))(name)


def _closed() -> None:
    st.query_params.pop("result", None)


def _drawer(name: str) -> None:
    try:
        result = session.read(views_dashboard.sync_result, name)
    except NotFound as missing:
        st.warning(md(missing), icon=":material/search_off:")
        return
    _head(result)
    st.html(markup.verdicts(result))
    if result["is_as_predicted"] is False:
        st.caption("The answer differs from the prediction: the data moved after the pull, or a rule of ours is wrong.")
    for item in error_items(result["fail_message"]):
        _finding(item, result["endpoint"] or "")
    requests, changes, again, guide = st.tabs(TABS, key=f"result_tab_{name}", on_change="rerun")
    for tab, show in ((requests, _attempts), (changes, _changes), (again, resend_editor), (guide, _guide)):
        if tab.open:  # the others run when they are opened
            with tab:
                show(result)


def _guide(result: dict[str, Any]) -> None:
    st.html(markup.facts(guide_fields(result)))
    st.caption("Fail Message")
    st.code(result["fail_message"] or "(none)", language="json", wrap_lines=True)
    st.caption("Request Body")
    st.code(pretty(result["request_body"]), language="json", wrap_lines=True)


def _head(result: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.pill(STATUS_LABELS[result["status"]], STATUS_COLOURS[result["status"]]), width="content")
        st.markdown(f"**{md(result['person'] or 'Name not pulled')}**", width="content")
        st.caption(f"{result['direction']} · {when(result['finished_at'], seconds=True)}", width="content")
        st.space("stretch")
        if who := result["record_id"] or result["mainstay_id"]:
            link("people", "Open person", id=who)
        if address := record_address(result["record_id"]):
            st.link_button("Salesforce", address, icon=":material/open_in_new:", type="tertiary")


def record_address(record_id: str | None) -> str | None:
    """The record's own page in the connected org; Mainstay publishes no address of a contact."""
    org = session.settings().salesforce.instance_url
    return f"{org.rstrip('/')}/{record_id}" if org and record_id else None


def _finding(item: dict[str, Any], endpoint: str) -> None:
    code, message = str(item.get("code", "")), str(item.get("message", ""))
    entry = entry_of(code, method=endpoint.split(" ", 1)[0], message=message)
    with st.container(border=True, gap="small"):
        st.html(f"<div>{markup.code(code)}</div><p class='wb-quote'>{markup.cell(message)}</p>")
        if entry is not None:
            st.caption(f"{md(entry.meaning)}  \n**Next:** {md(entry.next_step)}")
            link("errors", f"Error dictionary, entry {entry.number}", entry=str(entry.number))


def error_items(fail_message: str | None) -> list[dict[str, Any]]:
    """The error items of an answer; a text that is no list of them becomes one item.

    >>> error_items('[{"code": "not-found"}]'), error_items("timeout"), error_items(None)
    ([{'code': 'not-found'}], [{'message': 'timeout'}], [])
    """
    found = views.json_or_text(fail_message)
    if found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    return [
        {"code": item.get("code") or item.get("errorCode") or item.get("statusCode") or "", **item}
        if isinstance(item, dict) and "code" not in item
        else item
        if isinstance(item, dict)
        else {"message": str(item)}
        for item in listed
    ]


def _attempts(result: dict[str, Any]) -> None:
    attempts = result["attempts_made"]
    if not attempts:
        st.caption("No request was sent for this change.")
    for attempt in attempts:
        answer = attempt["response_status"] or "no answer"
        with st.container(border=True, gap="small"):
            st.html(
                f'<div class="wb-line"><b>{attempt["number"]}. {SYSTEMS.get(attempt["system"], attempt["system"])} '
                f"answered {answer}</b><small>{attempt['ms'] or 0:,.0f} ms · "
                f"{when(attempt['sent_at'], seconds=True)}</small></div>"
            )
            st.code(f"{attempt['method']} {attempt['url']}", language=None, wrap_lines=True)
            st.caption("Sent")
            st.code(pretty(attempt["request_body"]), language="json", wrap_lines=True)
            st.caption("Answered")
            st.code(pretty(attempt["response_body"]), language="json", wrap_lines=True, height=260)


def _changes(result: dict[str, Any]) -> None:
    change = result["change"]
    if change is None:
        st.caption("The preview of this change is no longer kept.")
        return
    st.caption(f"{md(change['reason'])} · preview {change['preview_id']}")
    if change["fields"]:
        st.html(markup.differences(change["fields"]))
    else:
        st.caption("No field changed; the change is about the link between the two records.")


def pretty(body: str | None) -> str:
    """A stored body, indented where it is JSON."""
    found = views.json_or_text(body)
    if found is None:
        return "(empty)"
    return found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)


def guide_fields(result: dict[str, Any]) -> list[tuple[str, Any]]:
    """The fields of a Sync Result as the guide names them, then ours."""
    return [
        ("Sync Result Name", result["name"]),
        ("Direction", result["direction"]),
        ("Status", GUIDE_STATUS[result["status"]]),
        ("Request Endpoint", result["endpoint"]),
        ("SObject Name", result["sobject"]),
        ("SObject Id", result["record_id"]),
        ("Mainstay ID", result["mainstay_id"]),
        ("Answer", f"{result['response_status'] or 'none'} after {plural(result['attempts'] or 0, 'request')}"),
        ("Batch", f"{count(result['batch_id'])}, change {result['change_id']}"),
        ("Origin", result["origin"]),
    ]
