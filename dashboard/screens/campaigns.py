"""Campaigns: what was sent to an audience, and how many answered."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.components.change_grid import PAGE_SIZE, pager, to_first_page
from dashboard.components.layout import empty, header
from workbench import views_people

KEY = "campaigns"
STATUSES = ("in_progress", "completed", "scheduled", "cancelled", "draft")
SORTS = {"sent": "Latest first", "name": "By name", "responded": "Most answers", "status": "By status"}

with header("Campaigns"):
    pass
if not session.read(views_people.campaigns, size=1):
    empty("No campaigns", "Campaigns come with a pull of Mainstay.", icon="campaign", command="workbench pull")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    text = st.text_input(
        "Search", type="search", live="300ms", placeholder="Campaign or script", key="campaign_text", width=260,
        label_visibility="collapsed", on_change=to_first_page, args=(KEY,),
    )  # fmt: skip
    status = st.selectbox(
        "Status", STATUSES, index=None, placeholder="Any status", key="campaign_status", width=170,
        label_visibility="collapsed", on_change=to_first_page, args=(KEY,),
        format_func=lambda one: one.replace("_", " ").capitalize(),
    )  # fmt: skip
    sort = st.selectbox(
        "Order", list(SORTS), key="campaign_sort", width=150, label_visibility="collapsed",
        format_func=SORTS.__getitem__,
    )  # fmt: skip
grid = st.container()
first = session.read(views_people.campaigns, text=text or "", status=status, sort=sort, size=1)
if not first:
    st.info("No campaign fits. Clear a filter to see more.", icon=":material/filter_alt_off:")
    st.stop()
page = pager(first[0]["total"], KEY, noun="campaign")
rows = session.read(views_people.campaigns, text=text or "", status=status, sort=sort, size=PAGE_SIZE, page=page)
flags = {"is_test": "test", "is_hidden": "hidden", "is_recurring": "recurring"}
grid.dataframe(
    {
        "Campaign": [row["name"] for row in rows],
        "Script Name": [row["script_name"] for row in rows],
        "Type": [row["type"] for row in rows],
        "Status": [(row["status"] or "").replace("_", " ") for row in rows],
        "Time (Sent)": [row["sent_at"] for row in rows],
        "Recipients": [row["recipients"] for row in rows],
        "Sent": [row["sent_count"] for row in rows],
        "Answered": [row["responded_count"] for row in rows],
        "Engagement": [row["engagement"] for row in rows],
        "Flags": [", ".join(word for name, word in flags.items() if row[name]) for row in rows],
    },
    hide_index=True, height="content" if len(rows) < 16 else 640, row_height=36, alt="Campaigns", placeholder="",
    column_config={
        "Campaign": st.column_config.TextColumn(width=195),
        "Script Name": st.column_config.TextColumn(width=130),
        "Type": st.column_config.TextColumn(width=85),
        "Recipients": st.column_config.TextColumn(width=125),
        "Time (Sent)": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", width=130),
        "Status": st.column_config.TextColumn(width=85),
        "Sent": st.column_config.NumberColumn(format="localized", width=60),
        "Answered": st.column_config.NumberColumn(format="localized", width=75),
        "Flags": st.column_config.TextColumn(width=70),
        "Engagement": st.column_config.ProgressColumn(format="percent", width=105, min_value=0, max_value=1),
    },
)  # fmt: skip
