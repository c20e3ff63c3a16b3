"""Sync results: the end of every pushed change, filtered, sorted and paged by the store."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components.clear_view import clear_button
from dashboard.components.export import COLUMNS, downloads, result_rows
from dashboard.components.layout import empty, header
from dashboard.components.result_drawer import open_result
from dashboard.components.text import STATUS_COLOURS, STATUS_LABELS, count, when
from workbench import views_dashboard, views_work
from workbench.domain.error_dictionary import ENTRIES
from workbench.views_dashboard import DIRECTION_NAMES, ResultFilter

SIZES: Final = (25, 50, 100)
CODES: Final = tuple(dict.fromkeys(entry.code for entry in ENTRIES))
# A header click sorts in the store: column -> (first click, second click).
SORT_OF: Final = {
    "When": ("newest", "oldest"),
    "Status": ("status", "status-desc"),
    "Direction": ("direction", "direction-desc"),
    "Codes": ("code", "code-desc"),
    "Requests": ("attempts-desc", "attempts"),
}


def to_first_page() -> None:
    st.session_state["page"] = 1


def on_open() -> None:
    row = st.session_state["open_button"].row
    st.session_state["open_result"] = st.session_state["shown_results"][row]


def on_header() -> None:
    """Clicking a selected header again deselects it, so the last column is remembered."""
    chosen = st.session_state["grid"]["selection"]["columns"]
    title = str(chosen[0]).rstrip(" ↓↑") if chosen else st.session_state.get("sort_column")
    st.session_state["sort_column"] = title
    if pair := SORT_OF.get(title or ""):
        st.session_state["sort"] = pair[1] if st.session_state.get("sort") == pair[0] else pair[0]
        to_first_page()


def chosen_filter() -> ResultFilter:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = st.text_input(
            "Search", type="search", live="150ms", placeholder="Name, id, result", key="text",
            bind="query-params", on_change=to_first_page, width=185, label_visibility="collapsed",
        )  # fmt: skip
        status = st.segmented_control(
            "Status", list(STATUS_LABELS), key="status", bind="query-params", on_change=to_first_page,
            label_visibility="collapsed",
        )  # fmt: skip
        direction = st.selectbox(
            "Direction", list(DIRECTION_NAMES), index=None, placeholder="Both directions", key="direction",
            bind="query-params", on_change=to_first_page, width=142, label_visibility="collapsed",
        )  # fmt: skip
        code = st.selectbox(
            "Code", known_codes(), index=None, placeholder="Any code", key="code", bind="query-params",
            on_change=to_first_page, width=160, label_visibility="collapsed",
        )  # fmt: skip
        misses = st.toggle(
            "Surprises", key="surprises", bind="query-params", on_change=to_first_page,
            help="Only results that differ from their prediction.",
        )  # fmt: skip
    batch = st.query_params.get("batch", "")
    return ResultFilter(
        status=status,
        direction=direction,
        code=code,
        batch_id=int(batch) if batch.isdigit() and len(batch) < 10 else None,
        only_misses=misses,
        text=text or "",
    )


def known_codes() -> list[str]:
    """The published codes, then whatever else came back so far."""
    return list(dict.fromkeys([*CODES, *session.read(views_work.seen_codes)]))


def grid_columns(rows: list[dict[str, Any]], sort: str) -> dict[str, list[Any]]:
    def title(name: str) -> str:
        first, second = SORT_OF[name]
        return f"{name} ↓" if sort == first else f"{name} ↑" if sort == second else name

    return {
        "Result": [row["name"] for row in rows],
        title("When"): [when(row["finished_at"], seconds=True) for row in rows],
        title("Status"): [[STATUS_LABELS[row["status"]]] for row in rows],
        "Person": [row["person"] or row["record_id"] or row["mainstay_id"] or "" for row in rows],
        title("Direction"): [row["direction"] for row in rows],
        title("Codes"): [", ".join(row["codes"] or ()) for row in rows],
        "Predicted": [predicted(row) for row in rows],
        title("Requests"): [row["attempts"] for row in rows],
    }


def predicted(row: dict[str, Any]) -> str:
    if row["is_as_predicted"]:
        return "as predicted"
    return ", ".join(row["predicted_codes"] or ()) or "no error expected"


def column_config(titles: list[str]) -> dict[str, Any]:
    widths = {"When": 130, "Person": 150, "Direction": 125, "Codes": 195, "Predicted": 112, "Requests": 85}
    config: dict[str, Any] = {
        "Result": st.column_config.ButtonColumn(
            "Result", key="open_button", on_click=on_open, type="tertiary", alignment="left", width=110
        )
    }
    for title in titles[1:]:
        name = title.rstrip(" ↓↑")
        if name == "Status":
            config[title] = st.column_config.MultiselectColumn(
                title, options=list(STATUS_LABELS.values()), color=list(STATUS_COLOURS.values()), width=95
            )
        elif name == "Requests":
            config[title] = st.column_config.NumberColumn(title, width=widths[name])
        else:
            config[title] = st.column_config.TextColumn(title, width=widths[name])
    return config


@st.fragment
@session.calm
def results() -> None:
    chosen = chosen_filter()
    total = session.read(views_dashboard.count_results, chosen)
    if not total:
        st.info("No sync result matches. Clear a filter to see more.", icon=":material/filter_alt_off:")
        return
    size = st.session_state.get("size", 50)
    sort = st.session_state.setdefault("sort", "newest")
    pages = max(1, -(-total // size))
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = pages
    above = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        first = (st.session_state.get("page", 1) - 1) * size
        st.caption(f"{count(first + 1)}–{count(min(first + size, total))} of **{count(total)}**", width="content")
        downloads(lambda: result_rows(chosen, sort), COLUMNS, "sync-results")
        clear_button()
        st.space("stretch")
        page = st.pagination(pages, key="page")
        st.selectbox(
            "Rows", SIZES, index=1, key="size", label_visibility="collapsed", width=85, on_change=to_first_page
        )
    rows = session.read(views_dashboard.page_of_results, chosen, sort=sort, size=size, page=page)
    st.session_state["shown_results"] = [row["name"] for row in rows]
    shown = grid_columns(rows, sort)
    above.dataframe(
        shown, key="grid", hide_index=True, height=min(600, 38 + 36 * len(rows)), row_height=36, placeholder="",
        alt="Sync results", column_config=column_config(list(shown)), on_select=on_header,
        selection_mode="single-column",
    )  # fmt: skip
    if name := st.session_state.pop("open_result", None):
        open_result(name)


with header("Sync results"):
    st.caption("Open a result for its requests and answers. A column header sorts.", width="content")
if not session.read(views_dashboard.count_results, ResultFilter()):
    empty(
        "No sync results yet",
        "Every pushed change ends here, with its request, its answer and its prediction.",
        icon="receipt_long",
        command="workbench push BATCH",
    )
else:
    results()
linked = st.query_params.get("result")
if linked and st.session_state.get("linked_result") != linked:
    st.session_state["linked_result"] = linked
    open_result(linked)
