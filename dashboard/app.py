"""Navigation only: which screens exist, and what stands around all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, str(HERE.parent))

from dashboard import session  # noqa: E402 - the path has to be set first
from dashboard.components import door, organisation, sidebar  # noqa: E402
from dashboard.components.layout import SCREENS, has_screen  # noqa: E402

GROUPS = {
    "": ("overview",),
    "Review": ("previews", "conflicts", "approvals", "results"),
    "People": ("people", "campaigns", "labels"),
    "Configure": ("mapping", "fields", "errors", "logs", "settings"),
}

st.set_page_config(
    page_title="Mainstay Workbench",
    page_icon=str(HERE / "static" / "favicon.svg"),  # a local file: an icon name would be fetched from the internet
    layout="wide",
    initial_sidebar_state="auto",
)
st.html(session.style(HERE / "static"))
pages = {
    name: st.Page(f"screens/{name}.py", title=SCREENS[name][0], icon=SCREENS[name][1], default=name == "overview")
    for names in GROUPS.values()
    for name in names
    if has_screen(name)
}
is_alone = session.is_embedded() or not door.is_open()
page = st.navigation(
    {group: [pages[name] for name in names if name in pages] for group, names in GROUPS.items()},
    position="hidden" if is_alone else "sidebar",
    expanded=True,
)
if not is_alone:
    st.logo(str(HERE / "static" / "logo.svg"), icon_image=str(HERE / "static" / "favicon.svg"), size="large")
    sidebar.show()
    organisation.strip()
screen = next(name for name, one in pages.items() if one == page)
session.enter(screen)
session.guarded(lambda: door.show(screen, page.run))
