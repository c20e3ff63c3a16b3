"""Sync results: the end of every pushed change, filtered, sorted and paged by the store."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components.clear_view import clear_button
from dashboard.components.export import COLUMNS, downloads, result_rows
from dashboard.components.layout import empty, header
from dashboard.components.markup import pill
from dashboard.components.result_drawer import open_result
from dashboard.components.table import Column, Sort, table_html, table_place
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


def on_open(name: str) -> None:
    st.session_state["open_result"] = name


def on_sort(title: str) -> None:
    if title not in SORT_OF:  # a browser may send anything
        return
    first, second = SORT_OF[title]
    st.session_state["sort"] = second if st.session_state.get("sort") == first else first
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


def columns(sort: str) -> list[Column]:
    def sorted_by(title: str) -> Sort:
        first, second = SORT_OF[title]
        if sort not in (first, second):
            return "none"
        return "descending" if sort == "newest" or sort.endswith("-desc") else "ascending"

    def column(title: str, width: int, **named: Any) -> Column:
        return Column(title, width, sort=sorted_by(title) if title in SORT_OF else None, **named)

    return [
        column("Result", 11),
        column("When", 14),
        column("Status", 9),
        column("Person", 14),
        column("Direction", 13),
        column("Codes", 18),
        column("Predicted", 12),
        column("Requests", 9, is_number=True),
    ]


def cells(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row["name"],
        when(row["finished_at"], seconds=True),
        pill(STATUS_LABELS[row["status"]], STATUS_COLOURS[row["status"]]),
        row["person"] or row["record_id"] or row["mainstay_id"],
        row["direction"],
        ", ".join(row["codes"] or ()),
        predicted(row),
        row["attempts"],
    )


def predicted(row: dict[str, Any]) -> str:
    if row["is_as_predicted"]:
        return "as predicted"
    return ", ".join(row["predicted_codes"] or ()) or "no error expected"


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
    place = table_place("results", on_open=on_open, on_sort=on_sort)
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
    place.html(table_html("Sync results", columns(sort), [cells(row) for row in rows], "results?result="))
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
