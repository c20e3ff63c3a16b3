"""Field mapping: what is synced with what, why a pair is or is not valid, what a change of it would alter."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import card, empty, header
from dashboard.components.text import DIRECTION_LABELS, count, md, plural, when
from workbench import operations, views_mapping
from workbench.domain.mapping import ExportMapping, ImportMapping, Mapping, SObjectMapping
from workbench.errors import WorkbenchError
from workbench.store.mappings import current_mapping, mapping_at

WINS = {
    "salesforce": "Salesforce wins",
    "mainstay": "Mainstay wins",
    "newest": "The newest wins",
    "ask": "A person decides",
}
SENDING = {"export": "salesforce", "import": "mainstay"}


def side_of(item: SObjectMapping, direction: str) -> ExportMapping | ImportMapping | None:
    return item.export if direction == "export" else item.import_


def object_mapping(item: SObjectMapping, rows: list[dict[str, Any]]) -> None:
    """Both directions of one Salesforce object."""
    for direction in DIRECTION_LABELS:
        side = side_of(item, direction)
        own = [row for row in rows if row["sobject"] == item.sobject and row["direction"] == direction]
        title = f"{item.sobject} · {DIRECTION_LABELS[direction]}"
        with card(title, note=plural(len(own), "pair")):
            if side is None:
                st.caption("Not mapped in this direction.")
                continue
            switches(side)
            pair_table(own, direction)


def switches(side: ExportMapping | ImportMapping) -> None:
    """The settings of a direction."""
    criteria = f"records where {side.criteria} is true" if side.criteria else "every record"
    facts: list[tuple[str, Any]] = [
        ("Sync", markup.pill("on", "green") if side.enabled else markup.pill("off", "gray")),
        ("Sync criteria", criteria),
    ]
    if isinstance(side, ExportMapping):
        facts += [
            ("Field deletions", "sent as UNSET: they clear Mainstay" if side.include_field_deletions else "not sent"),
            ("Sends", "all mapped fields" if side.include_all_fields else "only what differs"),
        ]
    else:
        every = "all matching fields must agree" if side.match == "all" else "one matching field is enough"
        facts += [
            ("Unmatched contacts", "become new records" if side.create_unmatched else "are left alone"),
            ("Matching", every),
        ]
    st.html(markup.facts(facts))


def pair_table(rows: list[dict[str, Any]], direction: str) -> None:
    """Pairs from the sending to the receiving side."""
    first, second = ("Salesforce", "Mainstay") if direction == "export" else ("Mainstay", "Salesforce")
    lines = [
        (
            field(row, SENDING[direction]),
            "→",
            field(row, "mainstay" if direction == "export" else "salesforce"),
            marks(row),
            verdict(row),
        )
        for row in rows
    ]
    st.html(markup.table((first, "", second, "Role", "Valid"), lines, label=f"Pairs, {direction}"))


def field(row: dict[str, Any], system: str) -> markup.Html:
    kind = row[f"{system}_type"]
    shown = f" <small>{markup.cell(kind)}</small>" if kind else ""
    return markup.Html(markup.cell(row[system]) + shown)


def marks(row: dict[str, Any]) -> markup.Html:
    named = {
        "is_locked": ("always mapped", "gray"),
        "is_matching": ("matching", "violet"),
        "is_required": ("required", "blue"),
        "is_lookup": ("lookup", "gray"),
        "is_formula": ("formula", "gray"),
    }
    return markup.Html(" ".join(markup.pill(*named[name]) for name in named if row[name]))


def verdict(row: dict[str, Any]) -> markup.Html:
    if row["problem"]:
        return markup.Html(f"{markup.pill('not valid', 'red')}<br><small>{markup.cell(row['problem'])}</small>")
    if not row["salesforce_type"] and not row["is_locked"]:
        return markup.Html('<span class="wb-faded">not checked</span>')
    return markup.Html("✓")


def conflicts(item: SObjectMapping) -> None:
    """Who wins where both sides changed a value."""
    with card("When both sides changed"):
        names = {"default": "Every other field"}
        ordered = sorted(item.conflicts.items(), key=lambda rule: rule[0] == "default")
        st.html(markup.facts([(names.get(name, name), WINS[rule]) for name, rule in ordered]))


def changes(revisions: list[Any]) -> None:
    """The history, and what moved between two revisions."""
    rows = [
        (str(line.revision), when(line.created_at), line.author, line.reason, markup.code(line.digest[:12]))
        for line in revisions
    ]
    st.html(markup.table(("Revision", "Saved", "By", "Reason", "Fingerprint"), rows, label="Revisions"))
    if len(revisions) < 2:
        return
    numbers = [line.revision for line in revisions]
    with st.container(horizontal=True, gap="small"):
        before = st.selectbox("From", numbers, index=1, key="diff_before", width=120)
        after = st.selectbox("To", numbers, index=0, key="diff_after", width=120)
    st.html(differences(session.read(mapping_at, before).mapping, session.read(mapping_at, after).mapping))


def differences(before: Mapping, after: Mapping) -> str:
    found = operations.diff_mappings(before, after)
    lines = [(one.sobject, one.direction, one.what, one.before, one.after) for one in found]
    return (
        markup.table(("Object", "Direction", "What", "Before", "After"), lines, label="Differences")
        if lines
        else "<p>They mean the same.</p>"
    )


def editor(text: str) -> None:
    """The document as text: check it, weigh what it would alter, save it with a reason."""
    who = session.person()
    with st.container(key="wb-mono"):
        edited = st.text_area("Mapping", text, height=460, key="mapping_text", label_visibility="collapsed")
    is_changed = edited != text
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Download", edited, "mapping.yaml", "application/yaml", icon=":material/download:")
        st.caption("Edited, not saved." if is_changed else "As saved.", width="content")
        st.space("stretch")
        is_checking = st.button("Check", icon=":material/rule:")
        is_weighing = st.button("What would it alter?", icon=":material/difference:", disabled=not is_changed)
    if is_checking or is_weighing:
        check(edited, weigh=is_weighing)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reason = st.text_input("Reason", key="mapping_reason", placeholder="Kept with the revision", max_chars=300)
        may = who.may("edit_mapping") and is_changed
        if st.button("Save revision", type="primary", icon=":material/save:", disabled=not (may and reason)):
            save(edited, reason)


def check(text: str, *, weigh: bool) -> None:
    try:
        with st.spinner("Comparing over the current pulls" if weigh else "Checking"):
            found = operations.check_mapping(session.store(), session.settings(), text)
            impacts = operations.impact_of_mapping(session.store(), session.settings(), text) if weigh else []
    except WorkbenchError as refused:
        st.error("  \n".join(md(line) for line in str(refused).splitlines()), icon=":material/error:")
        return
    against = {"pull": "the fields as pulled", "live": "the fields as they are now", None: "no field catalogue yet"}
    st.success(f"Valid against {against[found.checked_against]}.", icon=":material/check_circle:")
    for impact in impacts:
        figures = [
            ("Payloads altered", impact.altered_payloads),
            ("Newly fail", impact.newly_fails),
            ("No longer fail", impact.no_longer_fails),
            ("Newly partial", impact.newly_partial),
            ("Newly matched", impact.newly_matches),
            ("No longer matched", impact.no_longer_matches),
            ("Newly excluded", impact.newly_excluded),
        ]
        with card(DIRECTION_LABELS[impact.direction.value], note=f"of {plural(impact.records, 'record')}"):
            st.html(markup.figures([(name, count(number)) for name, number in figures]))


def save(text: str, reason: str) -> None:
    who = session.person()
    try:
        saved = operations.import_mapping(session.store(), session.settings(), text, by=who, reason=reason)
    except WorkbenchError as refused:
        st.error("  \n".join(md(line) for line in str(refused).splitlines()), icon=":material/error:")
        return
    st.session_state["mapping_saved"] = (
        f"Revision {saved.revision.revision} counts now. Open batches that were made of the one before are stale."
        if saved.is_new
        else "It means the same as the current revision; nothing new was saved."
    )
    st.rerun()


with header("Field mapping"):
    pass
current = session.read(current_mapping)
if current is None:
    empty(
        "No mapping yet", "A mapping says which fields are synced, in which direction, under which criteria.",
        icon="schema", command="workbench mapping import data/mappings/starter.yaml",
    )  # fmt: skip
    st.stop()
if told := st.session_state.pop("mapping_saved", None):
    st.success(told, icon=":material/check_circle:")
saved_revisions = session.read(views_mapping.history)
st.caption(
    f"Revision {current.revision}, saved {when(saved_revisions[0].created_at)} by {md(saved_revisions[0].author)}"
)
all_rows = session.read(views_mapping.pairs, current.revision)
broken = [row for row in all_rows if row["problem"]]
for sentence in session.read(views_mapping.other_problems, current.revision):
    st.error(md(sentence), icon=":material/error:")
if broken:
    st.error(
        f"{plural(len(broken), 'pair')} cannot be used; a push is refused until the mapping is corrected.",
        icon=":material/error:",
    )
tabs = st.tabs(["Mapping", "As text", "History"])
with tabs[0]:
    for one in current.mapping.objects:
        object_mapping(one, all_rows)
        conflicts(one)
with tabs[1]:
    editor(session.read(views_mapping.document, current.revision))
with tabs[2]:
    changes(saved_revisions)
