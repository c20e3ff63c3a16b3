"""Navigation only: which screens exist, and what stands around all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, str(HERE.parent))

from dashboard import session  # noqa: E402 - the path has to be set first
from dashboard.components import sidebar  # noqa: E402
from dashboard.components.layout import SCREENS, has_screen  # noqa: E402

GROUPS = {
    "": ("overview",),
    "Review": ("previews", "approvals", "results"),
    "People": ("people", "campaigns"),
    "Configure": ("mapping", "fields", "errors", "logs", "settings"),
}

st.set_page_config(
    page_title="Mainstay Workbench",
    page_icon=str(HERE / "static" / "favicon.svg"),  # a local file: an icon name would be fetched from the internet
    layout="wide",
    initial_sidebar_state="expanded",
)
for sheet in sorted((HERE / "static").glob("*.css")):
    st.html(sheet)
pages = {
    group: [
        st.Page(f"screens/{name}.py", title=SCREENS[name][0], icon=SCREENS[name][1], default=name == "overview")
        for name in names
        if has_screen(name)
    ]
    for group, names in GROUPS.items()
}
page = st.navigation(pages, position="hidden" if session.is_embedded() else "sidebar")
if not session.is_embedded():
    st.logo(str(HERE / "static" / "logo.svg"), icon_image=str(HERE / "static" / "favicon.svg"), size="large")
    sidebar.show()
session.guarded(page.run)
