"""One direction of one object, being edited: its settings, its pairs, and who wins where both sides changed."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components import mapping_draft
from dashboard.components.layout import card
from dashboard.components.pair_dialog import open_pair
from dashboard.components.text import plural
from workbench import views_mapping
from workbench.domain import mapping_edit
from workbench.domain.mapping import ExportMapping, ImportMapping, SObjectMapping

WINS: Final = {
    "ask": "A person decides",
    "salesforce": "Salesforce wins",
    "mainstay": "Mainstay wins",
    "newest": "The newest wins",
}
EVERY_RECORD: Final = "Every record"
ROLES: Final = ("always mapped", "matching", "required", "lookup", "formula", "custom", "deprecated")
ROLE_TONES: Final = ("gray", "violet", "blue", "gray", "gray", "gray", "orange")


def side_of(item: SObjectMapping, direction: str) -> ExportMapping | ImportMapping | None:
    return item.export if direction == "export" else item.import_


def settings(item: SObjectMapping, direction: str) -> None:
    """The direction's settings; each change is kept at once."""
    side = side_of(item, direction)
    may = session.person().may("edit_mapping")

    def switch(name: str, label: str, told: str, *, now: bool) -> None:
        key = _key(item.sobject, direction, name)
        st.toggle(label, value=now, key=key, disabled=not may, on_change=_keep,
                  args=(item.sobject, direction, name, key), help=told)  # fmt: skip

    with card("Settings"), st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        switch("enabled", "Sync this direction", "Off: the mapping is kept, and nothing is previewed or sent.",
               now=bool(side and side.enabled))  # fmt: skip
        criteria(item, direction, may=may)
        if direction == "export":
            export = item.export or ExportMapping()
            switch("include_field_deletions", "Include field deletions",
                   "A value cleared in Salesforce is sent as UNSET and clears Mainstay's.",
                   now=export.include_field_deletions)  # fmt: skip
            switch("include_all_fields", "Include all fields",
                   "Send every mapped field with each change; off: only what differs.",
                   now=export.include_all_fields)  # fmt: skip
        else:
            incoming = item.import_ or ImportMapping()
            switch("create_unmatched", "Create unmatched records",
                   "A contact that matches nobody becomes a new record; off: it is left alone.",
                   now=incoming.create_unmatched)  # fmt: skip
            key = _key(item.sobject, direction, "match")
            st.segmented_control(
                "Matching fields that must agree", ("all", "any"), default=incoming.match, key=key, required=True,
                disabled=not may, format_func={"all": "All of them", "any": "Any one"}.__getitem__, on_change=_keep,
                args=(item.sobject, direction, "match", key),
            )  # fmt: skip


def criteria(item: SObjectMapping, direction: str, *, may: bool) -> None:
    """Record sync criteria: a Boolean field, formulas too; blank means every record."""
    side = side_of(item, direction)
    now = side.criteria if side else None
    known = session.read(views_mapping.salesforce_choices, item.sobject, depth=0)
    options = [EVERY_RECORD, *(name for name, field in known.items() if field.type == "boolean")]
    if now and now not in options:
        options.append(now)
    key = _key(item.sobject, direction, "criteria")
    st.selectbox(
        "Record sync criteria", options, index=options.index(now) if now else 0, key=key, width=260, disabled=not may,
        on_change=_keep, args=(item.sobject, direction, "criteria", key),
        help="Only records where this is true are synced; in an import, as it would be after the change.",
    )  # fmt: skip


def _keep(sobject: str, direction: str, name: str, key: str) -> None:
    value: Any = st.session_state[key]
    if name == "criteria" and value == EVERY_RECORD:
        value = None
    mapping_draft.edit(lambda old: mapping_edit.set_switch(old, sobject, direction, name, value))


def _key(sobject: str, direction: str, name: str) -> str:
    """A widget's key. It changes when a draft is given up or rewritten as text, never by the widget's own edit."""
    return f"map_{st.session_state.get('mapping_reset', 0)}_{sobject}_{direction}_{name}"


def pairs(item: SObjectMapping, direction: str, rows: list[dict[str, Any]]) -> None:
    """The pairs as a grid; a pair's button opens it, the one below the grid adds one."""
    may = session.person().may("edit_mapping")
    st.session_state["pair_rows"] = rows
    order = (("salesforce", "Salesforce"), ("mainstay", "Mainstay"))
    (first, first_label), (second, second_label) = order if direction == "export" else order[::-1]

    def on_open() -> None:
        st.session_state["pair_opened"] = st.session_state["pair_rows"][st.session_state[button].row]

    button = f"pair_button_{item.sobject}_{direction}"
    with card("Field mappings", note=plural(len(rows), "pair")):
        opener = st.column_config.ButtonColumn(
            f"{first_label} field", key=button, on_click=on_open, type="tertiary", alignment="left", width=230
        )
        st.dataframe(
            {
                f"{first_label} field": [row[first] for row in rows],
                f"{first_label} type": [row[f"{first}_type"] for row in rows],
                f"{second_label} field": [row[second] for row in rows],
                f"{second_label} type": [row[f"{second}_type"] for row in rows],
                "Role": [roles(row) for row in rows],
                "Valid": [verdict(row) for row in rows],
            },
            hide_index=True, height="content", row_height=36, alt="Field mappings", placeholder="not read",
            key=f"pair_grid_{item.sobject}_{direction}",
            column_config={
                f"{first_label} field": opener if may else st.column_config.TextColumn(width=230),
                f"{second_label} field": st.column_config.TextColumn(width=230),
                "Role": st.column_config.MultiselectColumn(
                    "Role", options=list(ROLES), color=list(ROLE_TONES), width=190
                ),
                "Valid": st.column_config.TextColumn(width=330),
            },
        )  # fmt: skip
        if st.button(
            "Add field mapping", icon=":material/add:", disabled=not may, key=f"add_{item.sobject}_{direction}"
        ):
            open_pair(item.sobject, direction, None)
    opened = st.session_state.pop("pair_opened", None)
    if opened is not None and opened["is_locked"]:
        st.toast("The record Id and the CRM ID are always mapped to each other.", icon=":material/lock:")
    elif opened is not None:
        open_pair(item.sobject, direction, opened)


def roles(row: dict[str, Any]) -> list[str]:
    names = {"always mapped": "is_locked", **{name: f"is_{name}" for name in ROLES[1:]}}
    return [name for name, column in names.items() if row[column]]


def verdict(row: dict[str, Any]) -> str:
    if row["problem"]:
        return f"✗ {row['problem']}"
    if row["salesforce_type"] is None and not row["is_locked"]:
        return "not checked: fields have not been read"
    return "✓"


def conflicts(item: SObjectMapping) -> None:
    """Who wins where both sides changed a value since they last agreed."""
    may = session.person().may("edit_mapping")
    shared = [field.mainstay for field in item.export.fields] if item.export else []
    back = {field.mainstay for field in item.import_.fields} if item.import_ else set()
    names = ["default", *dict.fromkeys([*(name for name in shared if name in back), *item.conflicts])]
    with card("When both sides changed"):
        st.caption("Only fields that are mapped both ways can conflict.")
        with st.container(horizontal=True, gap="small"):
            for name in dict.fromkeys(names):
                key = _key(item.sobject, "conflicts", name)
                choices = list(WINS) if name == "default" else ["", *WINS]
                now = item.conflicts.get(name, "" if name != "default" else "ask")
                st.selectbox(
                    "Every other field" if name == "default" else name, choices, index=choices.index(now), key=key,
                    width=200, disabled=not may, format_func=lambda one: WINS.get(one, "As every other"),
                    on_change=_keep_rule, args=(item.sobject, name, key),
                )  # fmt: skip


def _keep_rule(sobject: str, name: str, key: str) -> None:
    rule = st.session_state[key] or None
    mapping_draft.edit(lambda old: mapping_edit.set_conflict(old, sobject, name, rule))
