"""One differing field: both values, what they last agreed on, the rule; and the decision, for one row or many."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.conflict_grid import Pair, shown, winner_of
from dashboard.components.layout import link
from dashboard.components.text import CAUSE_LABELS, SYSTEM_LABELS, md, plural, when
from workbench import operations, views_conflicts
from workbench.errors import WorkbenchError
from workbench.store import Store


def decide_selection(preview: dict[str, Any], ticked: list[Pair]) -> None:
    """The two buttons below the grid; the name of the person and a note are kept with each decision."""
    who = session.person()
    if told := st.session_state.pop("conflicts_told", None):
        st.success(told, icon=":material/task_alt:")
    if not who.may("request"):
        st.caption(f"Deciding takes the role analyst; you are here as {who.role}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        note = st.text_input("Note", key="conflict_note", placeholder="Kept with the decision", max_chars=300)
        for winner, label in SYSTEM_LABELS.items():
            if st.button(
                f"{label} counts for {plural(len(ticked), 'row')}" if ticked else f"{label} counts",
                key=f"decide_{winner}", icon=":material/check:", disabled=not ticked or not who.may("request"),
            ):  # fmt: skip
                decide(ticked, winner, note=note, preview_id=preview["preview_id"])
    st.caption("The next preview honours a decision, as long as neither value changes. Nothing is sent by deciding.")


def decide(pairs: list[Pair], winner: str, *, note: str, preview_id: int) -> None:
    try:
        done = operations.decide_conflicts(
            session.store(), pairs, winner, by=session.person(), note=note, preview_id=preview_id
        )
    except WorkbenchError as refused:
        st.error(md(refused), icon=":material/block:")
        return
    st.session_state["conflicts_told"] = f"{SYSTEM_LABELS[winner]} counts for {plural(len(done), 'row')} from now on."
    st.rerun()


def open_conflict(preview_id: int, record: str, field: str) -> None:
    """Show one; call it outside of every container, as the last thing of a page."""
    st.dialog(f"{md(field)}", width="large", position="right", icon=":material/call_split:")(session.calm(_drawer))(
        preview_id, record, field
    )


def _drawer(preview_id: int, record: str, field: str) -> None:
    row = session.read(_one, preview_id, record, field)
    if row is None:
        st.warning("This field does not differ any more; a later preview settled it.", icon=":material/search_off:")
        return
    heads = [SYSTEM_LABELS["salesforce"], "Last agreed", SYSTEM_LABELS["mainstay"]]
    values = [row["salesforce_value"], row["baseline"] if row["has_baseline"] else "never seen equal",
              row["mainstay_value"]]  # fmt: skip
    moved = [when(row["salesforce_modified_at"]), "", when(row["mainstay_modified_at"])]
    cells = "".join(
        f"<div><span>{head}</span><b>{markup.cell(shown(value))}</b><small>{time}</small></div>"
        for head, value, time in zip(heads, values, moved, strict=True)
    )
    st.html(f'<div class="wb-three">{cells}</div>')
    st.markdown(md(row["reason"]))
    st.html(
        markup.facts(
            [
                ("Counts", winner_of(row)),
                ("Why", CAUSE_LABELS.get(row["cause"], row["cause"])),
                ("Rule of the mapping", row["rule"]),
                ("Decided by", row["decision_by"] or row["decided_by"]),
                ("Note", row["decision_note"]),
                ("Salesforce field", row["salesforce_field"]),
                ("Record Id", row["salesforce_id"]),
                ("Mainstay ID", row["mainstay_id"]),
            ]
        )
    )
    who = session.person()
    note = st.text_input("Note", key="one_note", placeholder="Kept with the decision", max_chars=300)
    with st.container(horizontal=True):
        for winner, label in SYSTEM_LABELS.items():
            if st.button(
                f"{label} counts", key=f"one_{winner}", icon=":material/check:", disabled=not who.may("request"),
                type="primary" if row["is_open"] else "secondary",
            ):  # fmt: skip
                decide([(row["change_id"], row["field"])], winner, note=note, preview_id=preview_id)
    if either := row["salesforce_id"] or row["mainstay_id"]:
        link("people", "Everything about this person", id=either)


def _one(store: Store, preview_id: int, record: str, field: str) -> dict[str, Any] | None:
    """One row of the worklist by its change or either record."""
    rows = views_conflicts.conflicts(store, preview_id, field=field)
    return next((row for row in rows if record in {row["change_id"], row["salesforce_id"], row["mainstay_id"]}), None)
