"""Clear All: sync results go to an archive beside the store, are read back, and only then leave the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from dashboard import session
from dashboard.components.text import md, plural
from workbench import operations
from workbench.errors import WorkbenchError

AGES: Final = {"90d": "Older than 90 days", "30d": "Older than 30 days", "7d": "Older than 7 days", "0h": "All of them"}
TYPED: Final = "CLEAR"


def clear_button() -> None:
    """For an admin; everybody else sees that it exists and whom to ask."""
    may = session.person().may("clear")
    note = "Use with caution: for storage only. The results are archived first." if may else "Takes the role admin."
    if st.button("Clear", icon=":material/delete_sweep:", type="tertiary", disabled=not may, help=note):
        _dialog()


@st.dialog("Clear sync results", icon=":material/delete_sweep:")
@session.calm
def _dialog() -> None:
    if (told := st.session_state.pop("cleared_results", None)) is not None:
        st.success(told, icon=":material/task_alt:")
        return
    st.warning(
        "Use with caution. Resend, undo and the scores of predictions need what is cleared here; it is kept as Parquet "
        "files beside the store.",
        icon=":material/warning:",
    )
    age = st.selectbox("Which", list(AGES), format_func=AGES.__getitem__, key="clear_age")
    before = operations.moment_before(age, datetime.now(UTC))
    number = operations.count_clearable(session.store(), before)
    st.markdown(f"**{plural(number, 'result')}** of batches at their end would be archived and cleared.")
    typed = st.text_input(f"Type {TYPED} to confirm", key="clear_typed", placeholder=TYPED)
    ready = bool(number) and typed.strip() == TYPED
    if not st.button("Archive and clear", type="primary", icon=":material/delete_sweep:", disabled=not ready):
        return
    try:
        done = operations.clear_results(session.store(), before, datetime.now(UTC), by=session.person())
    except WorkbenchError as refused:
        st.error(md(refused), icon=":material/block:")
        return
    files = ", ".join(md(file.name) for file in done.files)
    st.session_state["cleared_results"] = (
        f"{plural(done.results, 'result')} and {plural(done.attempts, 'request')} were archived in {files} and cleared."
    )
    st.rerun(scope="fragment")
