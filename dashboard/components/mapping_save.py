"""From a draft to a revision: what changed, what it would alter, saved with a reason; and the revisions there are."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components import mapping_draft, markup
from dashboard.components.layout import card
from dashboard.components.text import DIRECTION_LABELS, count, md, plural, when
from workbench import operations, views
from workbench.domain.mapping import Mapping, parse_mapping
from workbench.errors import WorkbenchError
from workbench.store.mappings import mapping_at

AGAINST: Final = {"pull": "the fields as pulled", "live": "the fields as they are now", None: "no field catalogue yet"}


def review(draft: mapping_draft.Draft) -> None:
    """What the draft changes against the current revision, its impact, and the button that saves it."""
    base, saved = mapping_draft.saved_text()
    after = mapping_draft.mapping()
    if after is None:
        st.error("The text of the draft has a mistake; correct it under As text.", icon=":material/error:")
        return
    is_moved = draft.base != base
    if is_moved:
        st.warning(
            f"Revision {base} was saved while you edited revision {draft.base}. Saving replaces it: below stands what "
            f"your draft changes against revision {base}.",
            icon=":material/merge:",
        )
    with card("What changes", note=f"against revision {base}"):
        st.html(differences(parse_mapping(saved), after))
    is_weighed = weigh(draft.text)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reason = st.text_input("Reason", key="mapping_reason", placeholder="Kept with the revision", max_chars=300)
        replaces = st.checkbox(f"Replace revision {base}", key="mapping_replaces") if is_moved else True
        st.button("Give up the draft", icon=":material/delete:", on_click=mapping_draft.discard)
        may = session.person().may("edit_mapping") and is_weighed and replaces
        if st.button(
            "Save revision", type="primary", icon=":material/save:", disabled=not (may and reason), key="mapping_save",
            help=None if is_weighed else "See first what it would alter.",
        ):  # fmt: skip
            save(draft.text, reason)


def weigh(text: str) -> bool:
    """The impact of the draft over the current pulls; True once it was shown for exactly this text."""
    has_pulls = bool(session.read(views.latest_pulls))
    kept: dict[str, Any] = st.session_state.get("mapping_impact", {})
    with card("What it would alter", note="over the current pulls; nothing is sent or saved"):
        if st.button("See what it would alter", icon=":material/difference:", key="mapping_weigh"):
            st.session_state["mapping_impact"] = kept = {"text": text, **_measured(text, has_pulls=has_pulls)}
        if kept.get("text") != text:
            st.caption("Not measured yet for this draft.")
            return False
        if kept["refusal"]:
            st.error("  \n".join(md(line) for line in kept["refusal"].splitlines()), icon=":material/error:")
            return False
        st.caption(f"Valid against {AGAINST[kept['against']]}.")
        for impact in kept["impacts"]:
            st.html(impact_html(impact))
        if not kept["impacts"]:
            st.caption("Nothing to compare: no direction is on in both, or nothing has been pulled.")
        return True


def _measured(text: str, *, has_pulls: bool) -> dict[str, Any]:
    try:
        with st.spinner("Comparing over the current pulls"):
            checked = operations.check_mapping(session.store(), session.settings(), text)
            impacts = operations.impact_of_mapping(session.store(), session.settings(), text) if has_pulls else []
    except WorkbenchError as refused:
        return {"refusal": str(refused), "impacts": [], "against": None}
    return {"refusal": "", "impacts": impacts, "against": checked.checked_against}


def impact_html(impact: Any) -> str:
    figures = [
        ("Payloads altered", impact.altered_payloads),
        ("Newly fail", impact.newly_fails),
        ("No longer fail", impact.no_longer_fails),
        ("Newly partial", impact.newly_partial),
        ("Newly matched", impact.newly_matches),
        ("No longer matched", impact.no_longer_matches),
        ("Newly excluded", impact.newly_excluded),
    ]
    title = f"{DIRECTION_LABELS[impact.direction.value]}, {plural(impact.records, 'record')}"
    return f"<p><b>{title}</b></p>" + markup.figures([(name, count(number)) for name, number in figures])


def save(text: str, reason: str) -> None:
    who = session.person()
    try:
        saved = operations.import_mapping(session.store(), session.settings(), text, by=who, reason=reason)
    except WorkbenchError as refused:
        st.error("  \n".join(md(line) for line in str(refused).splitlines()), icon=":material/error:")
        return
    mapping_draft.discard()
    st.session_state.pop("mapping_reason", None)
    st.session_state["mapping_saved"] = (
        f"Revision {saved.revision.revision} counts now. Open batches that were made of the one before are stale."
        if saved.is_new
        else "It means the same as the current revision; nothing new was saved."
    )
    st.rerun()


def differences(before: Mapping, after: Mapping) -> str:
    found = operations.diff_mappings(before, after)
    lines = [(one.sobject, one.direction, one.what, one.before, one.after) for one in found]
    if not lines:
        return "<p>They mean the same.</p>"
    return markup.table(("Object", "Direction", "What", "Before", "After"), lines, label="Differences")


def history(revisions: list[Any]) -> None:
    """Every revision, and what moved between two of them."""
    rows = [
        (str(line.revision), when(line.created_at), line.author, line.reason, markup.code(line.digest[:12]))
        for line in revisions
    ]
    st.html(markup.table(("Revision", "Saved", "By", "Reason", "Fingerprint"), rows, label="Revisions"))
    if len(revisions) < 2:
        st.caption("With a second revision, this page also says what changed between two of them.")
        return
    numbers = [line.revision for line in revisions]
    with st.container(horizontal=True, gap="small"):
        before = st.selectbox("From", numbers, index=1, key="diff_before", width=120)
        after = st.selectbox("To", numbers, index=0, key="diff_after", width=120)
    old, new = session.read(mapping_at, before), session.read(mapping_at, after)
    st.html(differences(old.mapping, new.mapping))
