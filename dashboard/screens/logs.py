"""App logs: technical faults and reveals of personal data, apart from data questions (those are in Sync results)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components.layout import empty, header, link
from dashboard.components.text import plural
from workbench import operations, views

LIMIT: Final = 500
KINDS: Final = {"faults": "Technical faults", "reveals": "Personal data shown"}
REVEAL: Final = "dashboard.reveal"


def bundle() -> bytes:
    """Versions, settings without secrets, counts and the masked log, as a zip for support."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "diagnosis.zip"
        operations.write_diagnosis(session.store(), session.settings(), file)
        return file.read_bytes()


def is_of_kind(row: dict[str, Any], kind: str | None) -> bool:
    return kind is None or (row["logger"] == REVEAL) is (kind == "reveals")


def fits(row: dict[str, Any], text: str) -> bool:
    words = f"{row['logger']} {row['event']} {row['detail']}".casefold()
    return all(word in words for word in text.casefold().split())


def table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(
        {
            "When": [row["happened_at"] for row in rows],
            "Level": [row["level"].lower() for row in rows],
            "Where": [row["logger"] for row in rows],
            "What": [row["event"] for row in rows],
            "Detail": [row["detail"] for row in rows],
        },
        hide_index=True, height="content" if len(rows) < 16 else 620, row_height=36, alt="App log", placeholder="",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", width=165),
            "Level": st.column_config.TextColumn(width=80),
            "Where": st.column_config.TextColumn(width=170),
            "What": st.column_config.TextColumn(width=330),
            "Detail": st.column_config.TextColumn(width=420),
        },
    )  # fmt: skip


with header("App logs"):
    st.download_button(
        "Diagnosis for support", bundle, "mainstay-workbench-diagnosis.zip", "application/zip", key="diagnosis",
        icon=":material/medical_services:", on_click="ignore",
        help="Versions, settings without secrets, counts and the masked log. Nobody's data is in it.",
    )  # fmt: skip
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption("Technical faults and reveals. What Mainstay or Salesforce refuse about the data:", width="content")
    link("results", "Sync results")
rows = session.read(views.logs, limit=LIMIT)
if not rows:
    empty("No technical fault", "Nothing has gone wrong, and nobody revealed masked data.", icon="check_circle")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    text = st.text_input(
        "Search", type="search", live="200ms", placeholder="Where, what or detail", key="log_text", width=280,
        label_visibility="collapsed",
    )  # fmt: skip
    kind = st.segmented_control(
        "Kind", list(KINDS), key="log_kind", format_func=KINDS.__getitem__, label_visibility="collapsed"
    )
    levels = sorted({row["level"].lower() for row in rows})
    level = st.segmented_control("Level", levels, key="log_level", label_visibility="collapsed")
shown = [
    row for row in rows if level in {None, row["level"].lower()} and is_of_kind(row, kind) and fits(row, text or "")
]
if shown:
    table(shown)
else:
    st.info("No line fits. Clear a filter to see more.", icon=":material/filter_alt_off:")
note = f"the latest {LIMIT}" if len(rows) == LIMIT else "all there are"
st.caption(f"{plural(len(shown), 'line')} of {note}. Counts and ids only, no personal data.")
