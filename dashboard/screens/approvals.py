"""Approvals: batches between a preview and its push. Nothing is sent that a person has not approved in this form."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session, worker
from dashboard.components import batch_view
from dashboard.components.change_grid import PAGE_SIZE, change_grid, opened, pager, to_first_page
from dashboard.components.change_view import open_change
from dashboard.components.layout import empty, header, link
from dashboard.components.text import STATE_COLOURS, ago, md, plural
from workbench import operations, views, views_review
from workbench.views import OPEN_STATES

KEY = "batch_rows"
SHORT_ROUTES = {"export": "SF → MS", "import": "MS → SF"}


def choose_batch(rows: list[dict[str, Any]]) -> int:
    """The list on the left; its buttons carry batch numbers, so a list that moves opens no other batch."""
    numbers = [row["batch_id"] for row in rows]
    linked = st.query_params.get("batch", "")
    if linked.isdigit() and int(linked) in numbers:
        st.session_state["chosen_batch"] = int(linked)
    if st.session_state.get("chosen_batch") not in numbers:
        st.session_state["chosen_batch"] = numbers[0]
    for row in rows[:30]:
        number = row["batch_id"]
        with st.container(key=f"wb-pick-{number}"):
            is_chosen = number == st.session_state["chosen_batch"]
            st.button(
                f"**Batch {number}** · {SHORT_ROUTES[row['direction']]}  \n"
                f":{STATE_COLOURS[row['state']]}[{row['state']}] · {plural(row['approved_count'], 'change')} · "
                f"{ago(row['changed_at'])}",
                key=f"batch_{number}",
                type="secondary" if is_chosen else "tertiary",
                width="stretch",
                on_click=choose,
                args=(number,),
            )
    return int(st.session_state["chosen_batch"])


def choose(number: int) -> None:
    st.session_state["chosen_batch"] = number
    st.query_params["batch"] = str(number)
    to_first_page(KEY)


def rows_of(batch: dict[str, Any]) -> list[str]:
    """The rows, with those ticked that the approver leaves out."""
    is_open = batch["state"] == "submitted" and session.person().may("decide")
    number = batch["batch_id"]
    status = st.segmented_control(
        "Predicted", ("success", "partial", "fail"), key="row_status", format_func=str.capitalize,
        label_visibility="collapsed",
        on_change=to_first_page, args=(KEY,),
    )  # fmt: skip
    grid = st.container()
    found = session.read(views_review.page_of_batch, number, status=status, size=PAGE_SIZE, page=1)
    total = found[0]["total"] if found else 0
    if not total:
        st.caption("No row of this batch fits.")
        return []
    page = pager(total, f"{KEY}_{number}_{status}")
    if page > 1:
        found = session.read(views_review.page_of_batch, number, status=status, size=PAGE_SIZE, page=page)
    key = f"{KEY}_{number}_{status}_{page}"
    with grid:
        ticked = change_grid(found, key, is_selectable=is_open)
    if change_id := opened(key):
        st.session_state["opened_change"] = (batch["preview_id"], change_id)
    kept: dict[str, list[str]] = st.session_state.setdefault(f"left_out_{number}", {})
    if not is_open:
        return []
    kept[f"{status}_{page}"] = ticked
    left_out = sorted({change_id for ids in kept.values() for change_id in ids})
    named = f": {md(', '.join(left_out[:8]))}{' ...' if len(left_out) > 8 else ''}" if left_out else ""
    st.caption(f"Tick a row to leave it out{named}.")
    return left_out


def detail(batch: dict[str, Any]) -> None:
    batch_view.head(batch)
    if refusal := st.session_state.pop("batch_refusal", None):
        st.error(md(refusal), icon=":material/block:")
    work = worker.work_of(batch["batch_id"])
    is_at_work = batch["state"] == "pushing" or (work is not None and work.is_running)
    if is_at_work:
        batch_view.progress(batch["batch_id"])
    elif work is not None and (fault := work.fault()):
        st.error("The push ended early:", icon=":material/error:")
        st.code(fault, language=None, wrap_lines=True)
    batch_view.stands(batch)
    batch_view.contents(batch)
    batch_view.outcomes(batch)
    deciding = st.container()  # above the rows, filled after them: what is ticked there is left out
    tabs = st.tabs([plural(batch["row_count"], "row"), "History"])
    with tabs[0]:
        left_out = rows_of(batch)
    with tabs[1]:
        batch_view.history(batch)
    with deciding:
        actions(batch, left_out, is_at_work=is_at_work)


def actions(batch: dict[str, Any], left_out: list[str], *, is_at_work: bool) -> None:
    who = session.person()
    if batch["state"] == "submitted":
        batch_view.decide(batch, left_out)
    elif batch["state"] in {"approved", "paused"} and not is_at_work:
        batch_view.push(batch)
    elif batch["state"] == "draft" and st.button(
        "Hand in for approval", type="primary", icon=":material/send:", disabled=not who.may("request")
    ):
        batch_view.act(lambda: operations.submit_batch(session.store(), batch["batch_id"], by=who))


with header("Approvals"):
    shown = st.segmented_control(
        "Show", ("Open", "All"), default="Open", key="shown_batches", required=True, label_visibility="collapsed"
    )
every = session.read(views.batches)
listed = [row for row in every if shown == "All" or row["state"] in OPEN_STATES]
linked_batch = st.query_params.get("batch", "")
if not listed and linked_batch:
    listed = every
if not every:
    empty(
        "No batch yet", "Open a preview, choose what to send, and request approval.", icon="fact_check",
        command="workbench batch create PREVIEW",
    )  # fmt: skip
    link("previews", "Open the latest preview")
elif not listed:
    empty("Nothing is waiting", "Every batch has been decided and sent. All shows them.", icon="task_alt")
else:
    left, right = st.columns([1, 3.1], gap="medium")
    with left:
        wanted = choose_batch(listed)
    with right, st.container(border=True):
        detail(session.read(views.batch, wanted))
    if chosen_change := st.session_state.pop("opened_change", None):
        open_change(*chosen_change)
