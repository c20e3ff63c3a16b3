"""Field types: what both systems offer for mapping, as last read; reading anew says what moved."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components.layout import empty, header
from dashboard.components.text import SYSTEM_LABELS, md, plural, when
from workbench import operations, views
from workbench.errors import WorkbenchError


def refresh() -> None:
    """Read both catalogues from the systems; what moved stands in the store from then on."""
    try:
        st.session_state["fields_moved"] = len(operations.refresh_fields(session.store(), session.settings()))
    except WorkbenchError as refused:
        st.session_state["field_refusal"] = str(refused)


def drift() -> None:
    """What moved between the last two readings, for as long as they are the last two."""
    moved = session.read(views.field_drift)
    if moved:
        read = f"when they were last read, {when(moved[0]['found_at'])}"
        st.warning(
            f"{plural(len(moved), 'field')} had moved {read}:  \n" + "  \n".join(md(sentence(row)) for row in moved),
            icon=":material/difference:",
        )
    if st.session_state.pop("fields_moved", None) == 0:
        st.success("Read anew; nothing moved.", icon=":material/check_circle:")


def sentence(row: dict[str, Any]) -> str:
    what = {
        "new": f"is new, {row['after_type']}",
        "vanished": "has vanished",
        "retyped": f"was {row['before_type']} and is {row['after_type']} now",
    }
    return f"{SYSTEM_LABELS[row['system']]} {row['object']}.{row['field']} {what[row['kind']]}"


def fits(row: dict[str, Any], text: str) -> bool:
    return text.casefold() in f"{row['name']} {row.get('label', '')} {row.get('data_type', row.get('type'))}".casefold()


def mainstay_table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(
        {
            "Name": [row["name"] for row in rows],
            "Data type": [row["data_type"] for row in rows],
            "Custom": [row["is_custom"] for row in rows],
            "Deprecated": [row["is_deprecated"] for row in rows],
            "Writable": [row["is_writable"] for row in rows],
            "Options": [", ".join(row["options"]) for row in rows],
        },
        hide_index=True, height=620, row_height=34, alt="Mainstay fields", placeholder="",
        column_config={"Name": st.column_config.TextColumn(width=240)},
    )  # fmt: skip


def salesforce_table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(
        {
            "Object": [row["sobject"] for row in rows],
            "Name": [row["name"] for row in rows],
            "Label": [row["label"] for row in rows],
            "Type": [row["type"] for row in rows],
            "Length": [row["length"] or None for row in rows],
            "Required": [not row["nillable"] for row in rows],
            "Writable": [row["updateable"] for row in rows],
            "Formula": [row["calculated"] for row in rows],
            "Custom": [row["custom"] for row in rows],
            "Unique": [row["unique"] for row in rows],
            "Refers to": [", ".join(row["reference_to"]) for row in rows],
        },
        hide_index=True, height=620, row_height=34, alt="Salesforce fields", placeholder="",
        column_config={"Name": st.column_config.TextColumn(width=220), "Label": st.column_config.TextColumn(width=200)},
    )  # fmt: skip


with header("Field types"):
    st.button(
        "Read both anew", icon=":material/refresh:", on_click=refresh, disabled=not session.person().may("request")
    )
if refusal := st.session_state.pop("field_refusal", None):
    st.error(md(refusal), icon=":material/error:")
drift()
mainstay = session.read(views.fields, "mainstay")
salesforce = session.read(views.fields, "salesforce")
if not mainstay and not salesforce:
    empty("No fields yet", "Both field catalogues come with a pull.", icon="data_object", command="workbench pull")
    st.stop()
wanted = st.text_input(
    "Search", type="search", live="200ms", placeholder="Name, label or type", key="field_text", width=300,
    label_visibility="collapsed",
)  # fmt: skip
shown_mainstay = [row for row in mainstay if fits(row, wanted or "")]
shown_salesforce = [row for row in salesforce if fits(row, wanted or "")]
tabs = st.tabs([f"Mainstay ({len(shown_mainstay)})", f"Salesforce ({len(shown_salesforce)})"])
with tabs[0]:
    mainstay_table(shown_mainstay)
with tabs[1]:
    salesforce_table(shown_salesforce)
