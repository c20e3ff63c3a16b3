"""App logs: technical faults, apart from data questions (those are in the sync results)."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.components.layout import empty, header
from workbench import views

LIMIT = 500

with header("App logs"):
    pass
rows = session.read(views.logs, limit=LIMIT)
if not rows:
    empty(
        "No technical fault", "What Mainstay or Salesforce refuse about the data is found in Sync results.",
        icon="check_circle",
    )  # fmt: skip
    st.stop()
levels = sorted({row["level"] for row in rows})
level = st.segmented_control("Level", levels, key="log_level", label_visibility="collapsed")
shown = [row for row in rows if level in {None, row["level"]}]
st.dataframe(
    {
        "When": [row["happened_at"] for row in shown],
        "Level": [row["level"] for row in shown],
        "Where": [row["logger"] for row in shown],
        "What": [row["event"] for row in shown],
        "Detail": [row["detail"] for row in shown],
    },
    hide_index=True, height=640, row_height=36, alt="Technical faults", placeholder="",
    column_config={
        "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", width=170),
        "Detail": st.column_config.TextColumn(width=520),
    },
)  # fmt: skip
st.caption(f"The latest {LIMIT} at most; counts and ids only, no personal data.")
