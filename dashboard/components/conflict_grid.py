"""A page of differing fields as a grid: tick rows to decide on them together, open one for its whole story."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard.components.text import CAUSE_LABELS, SYSTEM_LABELS, when

PAGE_SIZE: Final = 50
WINNERS: Final = ("Salesforce", "Mainstay", "Waits")
TONES: Final = ("blue", "violet", "orange")
Pair = tuple[str, str]


def key_of(row: dict[str, Any]) -> Pair:
    """What a decision names: the change and the field by its Mainstay name."""
    return (row["change_id"], row["field"])


def conflict_grid(rows: list[dict[str, Any]], key: str) -> tuple[list[Pair], Pair | None]:
    """(ticked pairs, the pair whose row was just opened); remembered by name, so a list that moves is safe."""
    st.session_state[f"{key}_pairs"] = [key_of(row) for row in rows]

    def on_open() -> None:
        st.session_state[f"{key}_opened"] = st.session_state[f"{key}_pairs"][st.session_state[f"{key}_button"].row]

    columns: dict[str, list[Any]] = {
        "Field": [row["field"] for row in rows],
        "Record": [row["salesforce_id"] or row["mainstay_id"] for row in rows],
        "Salesforce": [shown(row["salesforce_value"]) for row in rows],
        "Mainstay": [shown(row["mainstay_value"]) for row in rows],
        "Last agreed": [shown(row["baseline"]) if row["has_baseline"] else "never seen equal" for row in rows],
        "Counts": [[winner_of(row)] for row in rows],
        "Why": [CAUSE_LABELS.get(row["cause"], row["cause"]) for row in rows],
        "Salesforce changed": [when(row["salesforce_modified_at"]) for row in rows],
        "Mainstay changed": [when(row["mainstay_modified_at"]) for row in rows],
    }
    event: Any = st.dataframe(
        columns, key=f"{key}_grid", hide_index=True, height=min(560, 38 + 36 * max(3, len(rows))), row_height=36,
        placeholder="", alt="Fields that differ", on_select="rerun", selection_mode="multi-row",
        column_config={
            "Field": st.column_config.ButtonColumn(
                "Field", key=f"{key}_button", on_click=on_open, type="tertiary", alignment="left", width=150
            ),
            "Record": st.column_config.TextColumn(width=165),
            "Salesforce": st.column_config.TextColumn(width=165),
            "Mainstay": st.column_config.TextColumn(width=165),
            "Last agreed": st.column_config.TextColumn(width=140),
            "Counts": st.column_config.MultiselectColumn(options=list(WINNERS), color=list(TONES), width=95),
            "Why": st.column_config.TextColumn(width=190),
        },
    )  # fmt: skip
    opened: Pair | None = st.session_state.pop(f"{key}_opened", None)
    return [key_of(rows[place]) for place in event["selection"]["rows"] if place < len(rows)], opened


def winner_of(row: dict[str, Any]) -> str:
    """Which side counts by now: a decision taken since the preview goes before what the preview found."""
    winner = row["decision"] or row["winner"]
    return SYSTEM_LABELS[winner] if winner else "Waits"


def shown(value: str | None) -> str:
    return "(blank)" if value is None or value == "" else value
