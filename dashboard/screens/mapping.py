"""Field mapping: what is synced with what, why a pair is or is not valid, what a change of it would alter."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.components import mapping_draft, mapping_editor, mapping_save
from dashboard.components.layout import empty, header
from dashboard.components.text import DIRECTION_LABELS, md, plural, when
from workbench import views_mapping
from workbench.domain import mapping_edit
from workbench.domain.mapping import Mapping, parse_mapping
from workbench.errors import ConfigurationError
from workbench.store.mappings import current_mapping

TABS = ("Mapping", "Review and save", "As text", "History")


def status(draft: mapping_draft.Draft | None) -> None:
    """Which revision counts, and whether there is a draft of it."""
    last = session.read(views_mapping.history)[0]
    st.caption(f"Revision {last.revision}, saved {when(last.created_at)} by {md(last.author)}")
    if draft is not None:
        with st.container(horizontal=True, vertical_alignment="center", key="wb-draft"):
            st.badge("Draft, not saved", icon=":material/edit:", color="orange")
            st.caption("Kept here until you save it or give it up, also when you reload the page.", width="content")


def edit(mapping: Mapping) -> None:
    """One object, one direction at a time."""
    names = [item.sobject for item in mapping.objects]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(names) > 1:
            sobject = st.segmented_control("Object", names, default=names[0], key="map_object", required=True)
        else:
            sobject = names[0]
        linked = st.query_params.get("direction", "export")
        direction = st.segmented_control(
            "Direction", list(DIRECTION_LABELS), default=linked if linked in DIRECTION_LABELS else "export",
            key="map_direction", required=True, format_func=DIRECTION_LABELS.__getitem__, on_change=keep_direction,
            label_visibility="collapsed" if len(names) == 1 else "visible",
        )  # fmt: skip
        st.space("stretch")
        objects(names, str(sobject))
    item = mapping.find(str(sobject))
    rows = [
        row
        for row in session.read(views_mapping.pairs_of, mapping)
        if row["sobject"] == item.sobject and row["direction"] == direction
    ]
    problems(mapping)
    mapping_editor.settings(item, str(direction))
    if mapping_editor.side_of(item, str(direction)) is None:
        st.caption("Not mapped in this direction yet; adding a field mapping begins it.")
    mapping_editor.pairs(item, str(direction), rows)
    mapping_editor.conflicts(item)


def keep_direction() -> None:
    """The address holds the stable key, not the words shown for it."""
    st.query_params["direction"] = st.session_state["map_direction"]


def problems(mapping: Mapping) -> None:
    broken = [row for row in session.read(views_mapping.pairs_of, mapping) if row["problem"]]
    for sentence in session.read(views_mapping.other_problems_of, mapping):
        st.error(md(sentence), icon=":material/error:")
    if broken:
        st.error(
            f"{plural(len(broken), 'pair')} cannot be used; a push is refused until the mapping is corrected.",
            icon=":material/error:",
        )


def objects(names: list[str], sobject: str) -> None:
    """Map one more object, or stop mapping one."""
    may = session.person().may("edit_mapping")
    with st.popover("Objects", icon=":material/category:", disabled=not may):
        new = st.text_input("API name", key="map_new_object", placeholder="Lead, Application__c ...")
        is_new = bool(new) and new.isidentifier() and new.lower() not in {name.lower() for name in names}
        if st.button("Map this object", icon=":material/add:", disabled=not is_new):
            mapping_draft.edit(lambda old: mapping_edit.add_object(old, new))
            st.rerun()
        st.caption("It starts switched off, with the basic pairs. Its fields are read at the next pull.")
        if len(names) > 1 and st.button(f"Stop mapping {sobject}", icon=":material/delete:"):
            mapping_draft.edit(lambda old: mapping_edit.drop_object(old, sobject))
            st.rerun()


def as_text(text: str) -> None:
    """The draft, or the current revision, as YAML: to read, to download, to edit whole."""
    may = session.person().may("edit_mapping")
    reset = st.session_state.get("mapping_reset", 0)
    with st.container(key="wb-mono"):
        edited = st.text_area("Mapping", text, height=460, key=f"mapping_text_{reset}_{mapping_draft.generation()}",
                              label_visibility="collapsed", disabled=not may)  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Download YAML", edited, "mapping.yaml", "application/yaml", icon=":material/download:")
        st.space("stretch")
        if st.button("Take into the draft", icon=":material/check:", disabled=not (may and edited != text)):
            try:
                parse_mapping(edited)
            except ConfigurationError as refused:
                st.error("  \n".join(md(line) for line in str(refused).splitlines()), icon=":material/error:")
                return
            mapping_draft.set_text(edited)
            st.session_state["mapping_reset"] = reset + 1
            st.rerun()


with header("Field mapping"):
    pass
if session.read(current_mapping) is None:
    empty(
        "No mapping yet", "A mapping says which fields are synced, in which direction, under which criteria.",
        icon="schema", command="workbench mapping import data/mappings/starter.yaml",
    )  # fmt: skip
    st.stop()
if told := st.session_state.pop("mapping_saved", None):
    st.success(told, icon=":material/check_circle:")
kept = mapping_draft.draft()
status(kept)
for tab, name in zip(st.tabs(TABS, key="tab", bind="query-params"), TABS, strict=True):
    if not tab.open:
        continue
    with tab:
        edited_mapping = mapping_draft.mapping()
        if name == "Mapping" and edited_mapping is not None:
            edit(edited_mapping)
        elif name == "Review and save" and kept is not None:
            mapping_save.review(kept)
        elif name == "Review and save":
            empty("Nothing to save", "Change a setting or a pair first; then this page says what it would alter.",
                  icon="draft")  # fmt: skip
        elif name == "As text":
            as_text(mapping_draft.text())
        elif name == "History":
            mapping_save.history(session.read(views_mapping.history))
