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

SCREENS = {
    "": [("overview", "Overview", "space_dashboard")],
    "Review": [
        ("preview", "Preview", "preview"),
        ("approvals", "Approvals", "fact_check"),
        ("results", "Sync results", "receipt_long"),
    ],
    "People": [("people", "People", "person_search"), ("campaigns", "Campaigns", "campaign")],
    "Configure": [
        ("mapping", "Field mapping", "schema"),
        ("field_types", "Field types", "data_object"),
        ("errors", "Error dictionary", "menu_book"),
        ("app_logs", "App logs", "terminal"),
        ("settings", "Settings", "tune"),
    ],
}

st.set_page_config(
    page_title="Mainstay Workbench",
    page_icon=str(HERE / "static" / "favicon.svg"),  # a local file: an icon name would be fetched from the internet
    layout="wide",
    initial_sidebar_state="expanded",
)
st.html(HERE / "static" / "app.css")
pages = {
    group: [
        st.Page(
            f"screens/{name}.py",
            title=title,
            icon=f":material/{icon}:",
            default=name == "overview",
            url_path=None if name == "overview" else name,
        )
        for name, title, icon in screens
        if (HERE / "screens" / f"{name}.py").is_file()
    ]
    for group, screens in SCREENS.items()
}
page = st.navigation(pages, position="hidden" if session.is_embedded() else "sidebar")
if not session.is_embedded():
    st.logo(str(HERE / "static" / "logo.svg"), icon_image=str(HERE / "static" / "favicon.svg"), size="large")
    sidebar.show()
session.guarded(page.run)
