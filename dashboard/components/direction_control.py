"""The one control that switches a direction: off, observe, queue, auto."""

from __future__ import annotations

from typing import Final

import streamlit as st

from dashboard import session
from dashboard.components.text import DIRECTION_LABELS, md, when
from workbench import operations
from workbench.domain.fields import Direction
from workbench.errors import WorkbenchError

STATES: Final = {"off": "Off", "observe": "Observe", "queue": "Queue", "auto": "Auto"}
MEANINGS: Final = {
    "off": "Nothing is requested or sent in this direction.",
    "observe": "Previews show what would happen; nothing is requested or sent.",
    "queue": "Changes wait in batches until a second person approves them.",
    "auto": "Changes that the mapping's policy allows are sent without a person.",
}


def direction_control(direction: str) -> None:
    """Show and switch how a direction runs; a refusal is said below and the switch stays where it was."""
    found = session.read(operations.list_directions)[Direction(direction)]
    key = f"direction_{direction}"
    st.session_state[key] = found["state"]  # the store decides, also after a refusal
    st.segmented_control(
        f"How {DIRECTION_LABELS[direction]} runs", list(STATES), key=key, format_func=STATES.__getitem__, required=True,
        on_change=_switch, args=(direction,), disabled=not session.person().may("switch"), label_visibility="collapsed",
        width="stretch",
    )  # fmt: skip
    by = f" Set by {md(found['who'])}, {when(found['changed_at'])}." if found["who"] else ""
    reason = f" {md(found['reason'])}" if found["reason"] else ""
    st.caption(MEANINGS[found["state"]] + by + reason)
    if refusal := st.session_state.pop(f"{key}_refused", None):
        st.warning(md(refusal), icon=":material/block:")


def _switch(direction: str) -> None:
    key = f"direction_{direction}"
    who = session.person()
    try:
        if who.may("switch"):  # the role may have changed since the page was drawn
            operations.set_direction(session.store(), direction, st.session_state[key], by=who)
    except WorkbenchError as refused:
        st.session_state[f"{key}_refused"] = str(refused)
