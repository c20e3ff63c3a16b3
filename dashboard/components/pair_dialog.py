"""One field mapping in a side drawer: both pickers with types and marks, its role, and whether the pair is valid."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components import mapping_draft
from dashboard.components.text import DIRECTION_LABELS, md
from workbench import views_mapping
from workbench.domain import mapping_edit
from workbench.domain.fields import Direction, MainstayField, SalesforceField, pair_problem

MARKS: Final = {
    "export": ("Required", "Validation blocks the mapping while it is not mapped; new contacts need it."),
    "import": ("Matching", "Used to find the Salesforce record of a contact that is not linked yet; case is ignored."),
}


def open_pair(sobject: str, direction: str, row: dict[str, Any] | None) -> None:
    """Edit the pair in `row` (of `views_mapping.pairs`), or add one."""
    title = "Edit field mapping" if row else "Add field mapping"

    @st.dialog(f"{title} · {sobject}, {DIRECTION_LABELS[direction]}", width="medium")
    def drawer() -> None:
        _form(sobject, direction, row)

    drawer()


def _form(sobject: str, direction: str, row: dict[str, Any] | None) -> None:
    salesforce = session.read(views_mapping.salesforce_choices, sobject)
    mainstay = session.read(views_mapping.mainstay_choices)
    if not salesforce:
        st.info(f"The fields of {md(sobject)} have not been read yet; type their API names.", icon=":material/info:")
    key = f"pair_{sobject}_{direction}_{row['position'] if row else 'new'}_{mapping_draft.generation()}"
    source = _pick("Salesforce field", {name: _salesforce(one) for name, one in salesforce.items()},
                   row["salesforce"] if row else None, f"{key}_sf")  # fmt: skip
    goal = _pick("Mainstay field", {name: _mainstay(one) for name, one in mainstay.items()},
                 row["mainstay"] if row else None, f"{key}_ms")  # fmt: skip
    label, told = MARKS[direction]
    was = bool(row and (row["is_required"] or row["is_matching"]))
    is_marked = st.checkbox(label, value=was, key=f"{key}_mark", help=told)
    if source and goal:
        _verdict(salesforce.get(source), mainstay.get(goal), direction, is_matching=direction == "import" and is_marked)
    position = row["position"] if row else None
    with st.container(horizontal=True, horizontal_alignment="right"):
        if row and st.button("Delete", icon=":material/delete:", key=f"{key}_drop"):
            mapping_draft.edit(lambda old: mapping_edit.drop_pair(old, sobject, direction, row["position"]))
            st.rerun()
        if st.button(
            "Keep", type="primary", icon=":material/check:", disabled=not (source and goal), key=f"{key}_keep"
        ):
            pair = (str(source), str(goal))
            mapping_draft.edit(
                lambda old: mapping_edit.put_pair(old, sobject, direction, pair, is_marked=is_marked, position=position)
            )
            st.rerun()


def _pick(label: str, shown: dict[str, str], now: str | None, key: str) -> str | None:
    """A searchable list; a name that is not in it can be typed (a path through more parents, a field made today)."""
    options = list(dict.fromkeys([*([now] if now else []), *shown]))
    chosen: str | None = st.selectbox(
        label, options, index=0 if now else None, placeholder="Search by name, label or type", key=key,
        format_func=lambda name: shown.get(name, f"{name} · not known"), accept_new_options=True,
    )  # fmt: skip
    return chosen


def _salesforce(field: SalesforceField) -> str:
    marks = [field.type]
    marks += ["lookup"] if field.is_lookup else []
    marks += ["formula"] if field.calculated else []
    marks += ["custom"] if field.custom else []
    label = f" ({field.label})" if field.label and field.label != field.name else ""
    return f"{field.name}{label} · {', '.join(marks)}"


def _mainstay(field: MainstayField) -> str:
    marks = [field.data_type]
    marks += ["custom"] if field.is_custom else []
    marks += ["deprecated"] if field.is_deprecated else []
    marks += [] if field.is_writable else ["read-only"]
    return f"{field.path} · {', '.join(marks)}"


def _verdict(source: SalesforceField | None, goal: MainstayField | None, direction: str, *, is_matching: bool) -> None:
    if source is None or goal is None:
        st.warning(
            "One of the two is not among the fields as last read; it is checked when you save.",
            icon=":material/help:",
        )
        return
    problem = pair_problem(source, goal, Direction(direction))
    if is_matching and (source.is_lookup or source.calculated):
        problem = f"a {'lookup' if source.is_lookup else 'formula'} field cannot be used for matching"
    elif is_matching and goal.name == "id":
        problem = None  # Mainstay's own id may match, though nothing ever writes it
    if problem:
        st.error(f"Not valid: {md(problem)}.", icon=":material/block:")
    else:
        st.success(
            f"Valid: a {md(source.type)} of Salesforce and a {md(goal.data_type)} of Mainstay.",
            icon=":material/check_circle:",
        )
