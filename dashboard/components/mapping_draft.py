"""The mapping a person is editing: kept by the server until it is saved or given up, so a reload loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from dashboard import session
from workbench import views_mapping
from workbench.domain.mapping import Mapping, dump_mapping, parse_mapping
from workbench.errors import ConfigurationError
from workbench.store.mappings import current_mapping


@dataclass(frozen=True)
class Draft:
    """`text` is the whole truth; `base`: the revision it began from; `generation` counts its edits."""

    base: int
    text: str
    generation: int = 0


@st.cache_resource(show_spinner=False)
def _drafts() -> dict[tuple[str, str], Draft]:
    return {}


def _key() -> tuple[str, str]:
    return session.settings().database, session.person().name


def draft() -> Draft | None:
    return _drafts().get(_key())


def saved_text() -> tuple[int, str]:
    """The current revision and its text as saved, comments too."""
    revision = session.read(current_mapping)
    if revision is None:
        return 0, ""
    return revision.revision, session.read(views_mapping.document, revision.revision)


def text() -> str:
    """What is being edited: the draft, else the current revision."""
    found = draft()
    return found.text if found is not None else saved_text()[1]


def mapping() -> Mapping | None:
    """What is being edited, as a mapping; None while its text has a mistake."""
    try:
        return parse_mapping(text())
    except ConfigurationError:
        return None


def generation() -> int:
    found = draft()
    return found.generation if found is not None else 0


def set_text(new: str) -> None:
    """Take a whole new text. What means the same as the saved one is still kept as written: a comment may differ."""
    base, saved = saved_text()
    found = draft() or Draft(base, saved)
    if new == found.text:
        return
    if new == saved and found.base == base:
        discard()
    else:
        _drafts()[_key()] = replace(found, text=new, generation=found.generation + 1)


def edit(change: Callable[[Mapping], Mapping]) -> None:
    """One edit. An edit that leads back to what is saved leaves no draft behind."""
    if not session.person().may("edit_mapping"):
        return
    before = mapping()
    if before is None:
        return
    after = change(before)
    base, saved = saved_text()
    if after == parse_mapping(saved) and (draft() or Draft(base, saved)).base == base:
        discard()
    elif after != before:
        set_text(dump_mapping(after))


def discard() -> None:
    _drafts().pop(_key(), None)
    st.session_state["mapping_reset"] = st.session_state.get("mapping_reset", 0) + 1
