"""The dashboard's navigation: `streamlit run dashboard/app.py` (dashboard/serve.py is the same with safe headers)."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # `streamlit run` puts this folder on the path, not the one above it
    sys.path.insert(0, str(HERE.parent))

from dashboard.components.page import SCREENS, org_badges  # noqa: E402 - after the path is set
from dashboard.session import visitor  # noqa: E402 - after the path is set

st.set_page_config(page_title="Mainstay Workbench", page_icon=str(HERE / "static" / "favicon.svg"), layout="wide")
st.html(HERE / "static" / "app.css")

GROUPS = {
    "": ("overview",),
    "Review": ("previews", "approvals", "results", "people", "campaigns"),
    "Configure": ("mapping", "fields", "errors", "logs", "settings"),
}
pages = {
    group: [
        st.Page(
            HERE / "screens" / f"{name}.py",
            title=SCREENS[name][0],
            icon=SCREENS[name][1],
            default=name == "overview",
        )
        for name in names
        if name in SCREENS
    ]
    for group, names in GROUPS.items()
}
is_embedded = st.query_params.get("embed") == "true"
page = st.navigation(pages, position="hidden" if is_embedded else "sidebar")
if not is_embedded:
    st.logo(str(HERE / "static" / "logo.svg"), icon_image=str(HERE / "static" / "favicon.svg"), size="large")
    with st.sidebar:
        org_badges()
        st.caption(f"{visitor().name} · {visitor().role}")
page.run()
