"""Sync results: the end of every pushed change, filtered, sorted and paged by the store."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.components.page import empty, header, told
from dashboard.components.result_drawer import open_result
from dashboard.components.text import count, when
from dashboard.session import read
from workbench import views_dashboard
from workbench.views_dashboard import ResultFilter

SIZES = (25, 50, 100)
STATUSES = ("success", "partial", "fail", "unknown")
DIRECTIONS = ("SF to Mainstay", "Mainstay to SF")
SORTS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "status": "By status",
    "record": "By record",
    "attempts": "Most requests",
}


def to_first_page() -> None:
    st.session_state["page"] = 1


def chosen_filter() -> ResultFilter:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = st.text_input(
            "Search", type="search", placeholder="Result, record or Mainstay ID", key="text", bind="query-params",
            on_change=to_first_page, width=240, label_visibility="collapsed",
        )  # fmt: skip
        status = st.segmented_control(
            "Status", STATUSES, key="status", bind="query-params", on_change=to_first_page, label_visibility="collapsed",
            format_func=str.capitalize,
        )  # fmt: skip
        direction = st.selectbox(
            "Direction", DIRECTIONS, index=None, placeholder="Both directions", key="direction", bind="query-params",
            on_change=to_first_page, width=175, label_visibility="collapsed",
        )  # fmt: skip
        code = st.selectbox(
            "Code", read(views_dashboard.result_codes), index=None, placeholder="Any code", key="code",
            bind="query-params", on_change=to_first_page, width=250, label_visibility="collapsed",
        )  # fmt: skip
        surprises = st.toggle(
            "Surprises", key="surprises", bind="query-params", on_change=to_first_page,
            help="Only results that differ from their prediction.",
        )  # fmt: skip
    batch = st.query_params.get("batch", "")
    return ResultFilter(text, status, direction, code, int(batch) if batch.isdigit() else None, surprises)


def on_open() -> None:
    row = st.session_state["open_button"].row
    st.session_state["open_result"] = st.session_state["shown_results"][row]


def shown(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The columns of the grid."""
    return {
        "Result": [row["name"] for row in rows],
        "When": [when(row["finished_at"], seconds=True) for row in rows],
        "Status": [[row["status"]] for row in rows],
        "Person": [row["person"] or row["record_id"] or row["mainstay_id"] for row in rows],
        "Direction": [row["direction"] for row in rows],
        "Codes": [", ".join(row["codes"] or ()) for row in rows],
        "Predicted": ["✓ as predicted" if row["is_as_predicted"] else row["predicted_status"] or "–" for row in rows],
        "Requests": [row["attempts"] for row in rows],
    }


@st.fragment
def results() -> None:
    chosen = chosen_filter()
    total = read(views_dashboard.count_results, chosen)
    if not total:
        st.info("No sync result matches. Clear a filter to see more.", icon=":material/filter_alt_off:")
        return
    size = st.session_state.get("size", 50)
    pages = max(1, -(-total // size))
    st.session_state["page"] = min(st.session_state.get("page", 1), pages)
    above = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        first = (st.session_state["page"] - 1) * size
        st.caption(f"{count(first + 1)} to {count(min(first + size, total))} of **{count(total)}**", width="content")
        st.space("stretch")
        page = st.pagination(pages, key="page")
        sort = st.selectbox(
            "Order",
            list(SORTS),
            key="sort",
            format_func=SORTS.__getitem__,
            label_visibility="collapsed",
            width=150,
            on_change=to_first_page,
        )
        st.selectbox(
            "Rows", SIZES, index=1, key="size", label_visibility="collapsed", width=85, on_change=to_first_page
        )
    rows = read(views_dashboard.page_of_results, chosen, sort, size, page)
    st.session_state["shown_results"] = [row["name"] for row in rows]
    above.dataframe(
        shown(rows), key="grid", hide_index=True, height=600, row_height=36, placeholder="", alt="Sync results",
        column_config={
            "Result": st.column_config.ButtonColumn(
                "Result", key="open_button", on_click=on_open, type="tertiary", alignment="left", width=110
            ),
            "When": st.column_config.TextColumn(width=130),
            "Status": st.column_config.MultiselectColumn(
                "Status", options=list(STATUSES), color=["green", "orange", "red", "gray"], width=90
            ),
            "Person": st.column_config.TextColumn(width=170),
            "Direction": st.column_config.TextColumn(width=125),
            "Codes": st.column_config.TextColumn(width=260),
            "Predicted": st.column_config.TextColumn(width=120),
            "Requests": st.column_config.NumberColumn(width=80),
        },
    )  # fmt: skip
    if name := st.session_state.pop("open_result", None):
        open_result(name)


with header("Sync results", "Open a result for its requests, its answers and its prediction."):
    pass
with told():
    if not read(views_dashboard.count_results, ResultFilter()):
        empty(
            "No sync results yet",
            "workbench push BATCH",
            "Every pushed change ends here, with its request and its answer.",
        )
        st.stop()
    results()
    linked = st.query_params.get("result")
    if linked and st.session_state.get("linked_result") != linked:
        st.session_state["linked_result"] = linked
        open_result(linked)
