"""Taking a push back: read both systems, preview what would put values back, and say what cannot be undone."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session, worker
from dashboard.components import markup
from dashboard.components.layout import link
from dashboard.components.text import count, md, plural
from workbench import operations, views
from workbench.errors import ApprovalRefused, WorkbenchError

ENDED: Final = ("done", "cancelled", "stale")
POLL_SECONDS: Final = 1.0


def undo_button(batch: dict[str, Any]) -> None:
    """Below a batch at its end that has sent something."""
    if batch["state"] not in ENDED or not batch["sent_count"]:
        return
    may = session.person().may("request")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Undo", icon=":material/undo:", disabled=not may, key=f"undo_{batch['batch_id']}",
                     help="Previews what would put back what this batch wrote. Nothing is sent."):  # fmt: skip
            _dialog(batch["batch_id"])


@st.dialog("Undo this batch", width="large", icon=":material/undo:")
@session.calm
def _dialog(batch_id: int) -> None:
    report = session.read(operations.latest_undo, batch_id)
    if report is not None:
        _report(report)
        return
    st.markdown(
        "An undo is a sync of its own: values go back where they still stand as this batch left them, "
        "it is approved by a second person, and it says beforehand what cannot be taken back."
    )
    if (pull := worker.pull_at_work()) is not None and pull.is_running:
        _reading(batch_id)
        return
    if pull is not None and (fault := pull.fault()):
        st.error("Reading both systems ended early:", icon=":material/error:")
        st.code(fault, language=None, wrap_lines=True)
    try:
        with st.spinner("Comparing what was written with what stands now"):
            made = operations.undo_batch(session.store(), session.settings(), batch_id, by=session.person())
    except ApprovalRefused as refused:
        st.warning(md(refused), icon=":material/sync_problem:")
        if st.button("Read both systems now", type="primary", icon=":material/cloud_download:"):
            worker.start_pull()
            st.rerun(scope="fragment")
        return
    except WorkbenchError as refused:
        st.error(md(refused), icon=":material/block:")
        return
    _report(made)


@st.fragment(run_every=POLL_SECONDS)
@session.calm
def _reading(batch_id: int) -> None:
    """Waits for the pull; then the dialog goes on by a click, since a fragment cannot redraw the one around it."""
    pull = worker.pull_at_work()
    if pull is not None and pull.is_running:
        st.progress(0.5, "Reading what is new in both systems")
        return
    st.success("Both systems were read.", icon=":material/task_alt:")
    if st.button("Preview the undo", type="primary", icon=":material/preview:", key=f"undo_again_{batch_id}"):
        st.session_state["undo_dialog"] = batch_id
        st.rerun()


def reopen() -> None:
    """Show the dialog again after a pull that it started; the last thing of a page."""
    if (batch_id := st.session_state.pop("undo_dialog", None)) is not None:
        _dialog(batch_id)


def _report(report: operations.UndoReport) -> None:
    st.html(
        markup.figures(
            [
                ("Changes of the batch", count(report.changes)),
                ("Would be put back", count(report.restored)),
                ("Of these, in part", count(report.partly)),
                ("Stay as they are", count(report.changes - report.restored)),
            ]
        )
    )
    if report.cannot:
        st.subheader("What cannot be undone", anchor=False)
        rows = [(row["why"], ", ".join(row["fields"]) or None, row["changes"]) for row in report.cannot]
        st.html(markup.table(("Why", "Fields", "Changes"), rows, label="What cannot be undone", numbers=("Changes",)))
    else:
        st.caption("Everything this batch wrote can be put back.")
    if report.needless:
        st.subheader("What needs no undoing", anchor=False)
        needless = [(row["why"], row["changes"]) for row in report.needless]
        st.html(markup.table(("Why", "Changes"), needless, label="What needs no undoing", numbers=("Changes",)))
    link("previews", f"Look at every change, preview {report.preview}", preview=str(report.preview))
    who = session.person()
    if report.asked is not None:
        state = session.read(views.batch, report.asked)["state"]
        told = "waits for a second person" if state == "submitted" else f"is {state}"
        st.success(f"Batch {report.asked} {told}.", icon=":material/task_alt:")
        link("approvals", f"Open batch {report.asked}", batch=str(report.asked))
        return
    if st.button(f"Request approval for {plural(report.restored, 'change')}", type="primary", icon=":material/send:",
                 disabled=not report.restored or not who.may("request")):  # fmt: skip
        try:
            operations.create_batch(session.store(), report.preview, by=who)
        except WorkbenchError as refused:
            st.error(md(refused), icon=":material/block:")
            return
        st.rerun(scope="fragment")
