"""Approvals: batches between a preview and its push. Nothing is sent that a person has not approved in this form."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session, worker
from dashboard.components import batch_view, undo_view
from dashboard.components.change_grid import PAGE_SIZE, change_grid, opened, pager, to_first_page
from dashboard.components.change_view import open_change
from dashboard.components.layout import empty, header, link
from dashboard.components.text import ACTION_LABELS, STATE_COLOURS, ago, count, md, plural
from workbench import operations, views, views_review
from workbench.views import OPEN_STATES

KEY = "batch_rows"
SHORT_ROUTES = {"export": "to Mainstay", "import": "to Salesforce"}


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


def slice_filter(batch: dict[str, Any]) -> dict[str, str | None]:
    """Which rows are looked at: by prediction, action and code."""
    quiet: dict[str, Any] = {"label_visibility": "collapsed", "on_change": to_first_page, "args": (KEY,)}
    found = session.read(views_review.batch_summary, batch["batch_id"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status = st.segmented_control(
            "Predicted", [name for name in ("success", "partial", "fail") if name in found["status"]], key="row_status",
            format_func=str.capitalize, **quiet,
        )  # fmt: skip
        action = st.selectbox(
            "Action", list(found["action"]), index=None, placeholder="Any action", key="row_action", width=150,
            format_func=lambda name: ACTION_LABELS.get(name, name), **quiet,
        )  # fmt: skip
        code = st.selectbox(
            "Code", list(found["code"]), index=None, placeholder="Any code", key="row_code", width=270, **quiet
        )
    return {"status": status, "action": action, "code": code}


def rows_of(batch: dict[str, Any]) -> list[str]:
    """The rows; the change ids that the approver leaves out, by ticks or by whole slices."""
    is_open = batch["state"] == "submitted" and session.person().may("decide")
    number = batch["batch_id"]
    chosen = slice_filter(batch)
    grid = st.container()
    found = session.read(views_review.page_of_batch, number, **chosen, size=PAGE_SIZE, page=1)
    total = found[0]["total"] if found else 0
    if not total:
        st.caption("No row of this batch fits.")
        return sorted(left_out_of(number)) if is_open else []
    shown = "_".join(str(value) for value in chosen.values())
    page = pager(total, f"{KEY}_{number}_{shown}")
    if page > 1:
        found = session.read(views_review.page_of_batch, number, **chosen, size=PAGE_SIZE, page=page)
    key = f"{KEY}_{number}_{shown}_{page}_{st.session_state.get(f'taken_back_{number}', 0)}"
    with grid:
        ticked = change_grid(found, key, is_selectable=is_open)
    if change_id := opened(key):
        st.session_state["opened_change"] = (batch["preview_id"], change_id)
    if not is_open:
        return []
    kept: dict[str, list[str]] = st.session_state.setdefault(f"left_out_{number}", {})
    kept[f"{shown}_{page}"] = ticked
    leaving_out(batch, chosen, total)
    return sorted(left_out_of(number))


def left_out_of(number: int) -> set[str]:
    return {change_id for ids in st.session_state.get(f"left_out_{number}", {}).values() for change_id in ids}


def leaving_out(batch: dict[str, Any], chosen: dict[str, str | None], total: int) -> None:
    """Partial approval by slice, and what is left out by now."""
    number = batch["batch_id"]
    out = sorted(left_out_of(number))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if out:
            st.caption(f"**{plural(len(out), 'change')} left out**: {md(', '.join(out[:6]))}"
                       + (" …" if len(out) > 6 else ""), width="content")  # fmt: skip
            st.button("Take all back", type="tertiary", icon=":material/undo:", on_click=take_back, args=(number,))
        else:
            st.caption("Tick a row to leave it out, or filter and leave out the whole slice.", width="content")
        st.space("stretch")
        if any(chosen.values()):
            st.button(
                f"Leave out all {count(total)} filtered", type="tertiary", icon=":material/filter_alt:",
                on_click=leave_out_slice, args=(number, chosen),
            )  # fmt: skip


def leave_out_slice(number: int, chosen: dict[str, str | None]) -> None:
    kept: dict[str, list[str]] = st.session_state.setdefault(f"left_out_{number}", {})
    kept["slice " + " ".join(str(value) for value in chosen.values())] = views_review.ids_of_batch(
        session.store(), number, **chosen
    )


def take_back(number: int) -> None:
    st.session_state[f"left_out_{number}"] = {}
    st.session_state[f"taken_back_{number}"] = st.session_state.get(f"taken_back_{number}", 0) + 1  # unticks the grid


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
    elif not is_at_work:
        undo_view.undo_button(batch)
    if batch["state"] == "draft" and st.button(
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
if linked_batch in {str(row["batch_id"]) for row in every} - {str(row["batch_id"]) for row in listed}:
    listed = every  # an address leads to its batch, also when that one is closed and others are open
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
    else:
        undo_view.reopen()
