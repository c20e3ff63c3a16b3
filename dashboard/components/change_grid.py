"""Pages of changes as a grid: open a row for everything about it, tick rows to decide on them."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

from dashboard.components.text import ACTION_LABELS, count, plural

PAGE_SIZE = 50
ACTIONS = ("Update", "Link", "Create", "In sync", "Excluded", "Conflict", "Blocked")
ACTION_TONES = ("blue", "violet", "green", "gray", "gray", "orange", "red")
STATUSES = ("success", "partial", "fail", "unknown")
STATUS_TONES = ("green", "orange", "red", "gray")


def to_first_page(key: str) -> None:
    """Another filter, another list: it opens at its beginning."""
    st.session_state[f"{key}_list"] = st.session_state.get(f"{key}_list", 0) + 1


def pager(total: int, key: str, *, noun: str = "change") -> int:
    """The pages below a grid; the chosen page, counted from 1."""
    pages = max(1, -(-total // PAGE_SIZE))
    # A key per list: a page number set from here would compete with the one the browser keeps.
    widget = f"{key}_page_{st.session_state.get(f'{key}_list', 0)}_{pages}"
    first = (min(st.session_state.get(widget, 1), pages) - 1) * PAGE_SIZE
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = f"{count(first + 1)} to {count(min(first + PAGE_SIZE, total))} of **{plural(total, noun)}**"
        st.caption(shown if total > PAGE_SIZE else f"**{plural(total, noun)}**", width="content")
        st.space("stretch")
        return int(st.pagination(pages, key=widget)) if pages > 1 else 1


def change_grid(rows: list[dict[str, Any]], key: str, *, height: int = 420, is_selectable: bool = False) -> list[str]:
    """Show changes; return the change ids of the ticked rows. The opened row waits in `opened(key)`.

    Positions on a page are stable: the changes of a preview and the rows of a batch never move.
    """
    ids = [row["change_id"] for row in rows]
    st.session_state[f"{key}_ids"] = ids

    def on_open() -> None:
        st.session_state[f"{key}_opened"] = st.session_state[f"{key}_ids"][st.session_state[f"{key}_button"].row]

    columns: dict[str, list[Any]] = {
        "Change": ids,
        "Person": [row["person"] or row["salesforce_id"] or row["mainstay_id"] for row in rows],
        "Action": [[ACTION_LABELS[row["action"]]] for row in rows],
        "Predicted": [[row["predicted_status"]] if row["predicted_status"] else [] for row in rows],
        "Codes": [", ".join(row["codes"] or ()) for row in rows],
        "Fields": [", ".join(row["field_names"] or ()) for row in rows],
        "Reason": [row["reason"] for row in rows],
    }
    if rows and "actual" in rows[0] and any(row["actual"] for row in rows):
        columns["Actual"] = [[row["actual"]] if row["actual"] else [] for row in rows]
    if rows and "is_approved" in rows[0] and not all(row["is_approved"] for row in rows):
        columns["Left out"] = ["" if row["is_approved"] else row["left_out"] or "left out" for row in rows]
    status = functools.partial(
        st.column_config.MultiselectColumn, options=list(STATUSES), color=list(STATUS_TONES), width=95
    )
    event: Any = st.dataframe(  # type: ignore[call-overload] # its overloads want a literal on_select
        columns, key=f"{key}_grid", hide_index=True, height=height, row_height=36, placeholder="", alt="Changes",
        on_select="rerun" if is_selectable else "ignore", selection_mode="multi-row",
        column_config={
            "Change": st.column_config.ButtonColumn(
                "Change", key=f"{key}_button", on_click=on_open, type="tertiary", alignment="left", width=95
            ),
            "Person": st.column_config.TextColumn(width=165),
            "Action": st.column_config.MultiselectColumn(
                "Action", options=list(ACTIONS), color=list(ACTION_TONES), width=90
            ),
            "Predicted": status("Predicted"),
            "Actual": status("Actual"),
            "Codes": st.column_config.TextColumn(width=220),
            "Fields": st.column_config.TextColumn(width=210),
            "Reason": st.column_config.TextColumn(width=330),
            "Left out": st.column_config.TextColumn(width=220),
        },
    )  # fmt: skip
    if not is_selectable:
        return []
    return [ids[row] for row in event["selection"]["rows"] if row < len(ids)]


def opened(key: str) -> str | None:
    """The change whose row was just opened, once."""
    found: str | None = st.session_state.pop(f"{key}_opened", None)
    return found
