"""Conflicts: fields that differ between both systems, which side counts, and those that wait for a person."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup, organisation
from dashboard.components.conflict_grid import PAGE_SIZE, conflict_grid
from dashboard.components.conflict_view import decide_selection, open_conflict
from dashboard.components.layout import card, empty, header, link
from dashboard.components.text import CAUSE_LABELS, DIRECTION_LABELS, ago, count, plural
from workbench import views_conflicts, views_dashboard, views_review

KEY = "conflicts"


def choose_preview(previews: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One preview per direction is enough: older ones decide nothing any more."""
    by_id = {one["preview_id"]: one for one in previews.values()}
    linked = st.query_params.get("preview", "")
    numbers = sorted(by_id, reverse=True)
    start = int(linked) if linked.isdigit() and int(linked) in by_id else most_waiting(numbers)

    def label(number: int) -> str:
        return f"{DIRECTION_LABELS[by_id[number]['direction']]} · preview {number}"

    chosen = st.segmented_control(
        "Preview", numbers, default=start, format_func=label, key="conflict_preview", required=True,
        label_visibility="collapsed", on_change=first_page,
    )  # fmt: skip
    st.query_params["preview"] = str(chosen)
    return by_id[chosen]


def most_waiting(numbers: list[int]) -> int:
    """The preview with work for a person; the newest where there is none."""
    return max(
        numbers,
        key=lambda number: (
            sum(row["open_count"] for row in session.read(views_conflicts.count_conflicts, number)),
            sum(row["row_count"] for row in session.read(views_review.conflict_reasons, number)),
        ),
    )


def first_page() -> None:
    st.session_state[f"{KEY}_list"] = st.session_state.get(f"{KEY}_list", 0) + 1


def chosen_filter(counts: list[dict[str, Any]]) -> dict[str, Any]:
    quiet: dict[str, Any] = {"label_visibility": "collapsed", "on_change": first_page}
    waiting = sum(row["open_count"] for row in counts)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shown = st.segmented_control(
            "Show", ("open", "all"), default="open" if waiting else "all", key="show", required=True,
            format_func={"open": "Waiting for a person", "all": "All differences"}.__getitem__, **quiet,
        )  # fmt: skip
        cause = st.selectbox(
            "Cause", list(dict.fromkeys(row["cause"] for row in counts)), index=None, placeholder="Any cause",
            format_func=lambda name: CAUSE_LABELS.get(name, name), key="cause", width=230, disabled=shown == "open",
            **quiet,
        )  # fmt: skip
        field = st.selectbox(
            "Field", sorted({row["field"] for row in counts}), index=None, placeholder="Any field", key="field",
            width=200, **quiet,
        )  # fmt: skip
    return {"only_open": shown == "open", "cause": None if shown == "open" else cause, "field": field}


def total_of(counts: list[dict[str, Any]], chosen: dict[str, Any]) -> int:
    figure = "open_count" if chosen["only_open"] else "row_count"
    return sum(
        row[figure]
        for row in counts
        if chosen["cause"] in {None, row["cause"]} and chosen["field"] in {None, row["field"]}
    )


@st.fragment
@session.calm
def worklist(preview: dict[str, Any]) -> None:
    number = preview["preview_id"]
    counts = session.read(views_conflicts.count_conflicts, number)
    differing = sum(row["row_count"] for row in counts)
    waiting = sum(row["open_count"] for row in counts)
    settled = differing - waiting
    st.html(markup.figures([("Wait for a person", count(waiting)), ("Settled by a rule or a person", count(settled)),
                            ("Fields that differ", count(differing))]))  # fmt: skip
    if not waiting:
        st.success("Nothing waits for a person in this preview.", icon=":material/task_alt:")
    chosen = chosen_filter(counts)
    total = total_of(counts, chosen)
    if not total:
        st.info("No difference fits. Clear a filter to see more.", icon=":material/filter_alt_off:")
        return
    above = st.container()
    pages = max(1, -(-total // PAGE_SIZE))
    shown = "_".join(str(value) for value in chosen.values())
    key = f"{KEY}_{number}_{shown}_{st.session_state.get(f'{KEY}_list', 0)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"**{plural(total, 'difference')}**", width="content")
        st.space("stretch")
        page = st.pagination(pages, key=f"{key}_page") if pages > 1 else 1
    rows = session.read(
        views_conflicts.conflicts, number, **chosen, limit=PAGE_SIZE, offset=(int(page) - 1) * PAGE_SIZE
    )
    with above:
        ticked, opened = conflict_grid(rows, f"{key}_{page}")
    decide_selection(preview, ticked)
    if opened is not None:
        open_conflict(number, *opened)


def unmatched(preview: dict[str, Any]) -> None:
    """Whole records that no rule may match: they are settled in the systems themselves, not by a choice of values."""
    reasons = session.read(views_review.conflict_reasons, preview["preview_id"])
    if not reasons:
        return
    total = sum(row["row_count"] for row in reasons)
    with card("Records that no rule may match", note=plural(total, "record")):
        lines = [(row["reason"], row["row_count"]) for row in reasons]
        columns = ("Why a person decides", "Records")
        st.html(markup.table(columns, lines, label=columns[0], numbers=columns[1:]))
        st.caption("Merge or correct them in Salesforce or Mainstay; the next pull and preview takes them up.")
        link("previews", "Open these records", preview=str(preview["preview_id"]), action="conflict")


with header("Conflicts"):
    link("mapping", "The rules, in the mapping")
known = session.read(views_dashboard.latest_previews)
if not known:
    empty(
        "No preview yet", "A preview compares both systems with what they last agreed on, field by field.",
        icon="call_split", command="workbench preview export",
    )  # fmt: skip
    st.stop()
current = choose_preview(known)
st.html(organisation.route(current["direction"]))
if session.read(views_conflicts.count_conflicts, current["preview_id"]):
    worklist(current)
else:
    empty(
        "No field waits for you", f"No linked pair held a field that both systems moved, in preview "
        f"{current['preview_id']}, made {ago(current['created_at'])}.", icon="task_alt",
    )  # fmt: skip
unmatched(current)
linked_record, linked_field = st.query_params.get("record"), st.query_params.get("name")
if linked_record and linked_field and st.session_state.get("linked_conflict") != (linked_record, linked_field):
    st.session_state["linked_conflict"] = (linked_record, linked_field)
    open_conflict(current["preview_id"], linked_record, linked_field)
