"""The query behind a figure: to read, and as a notebook cell."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

import streamlit as st

from workbench.views_dashboard import SHOWN_SQL
from workbench.views_review import REVIEW_SQL
from workbench.views_work import OVER_TIME_SQL, STANDING_SQL

QUERIES: Final = {**SHOWN_SQL, **REVIEW_SQL, "standings": STANDING_SQL, "over_time": OVER_TIME_SQL}

MIME: Final = "application/x-ipynb+json"


def query_text(name: str, **values: Any) -> str:
    """The query by its name, its values filled in. They are numbers of ours, never text from outside."""
    return QUERIES[name].format(**values)


def show_sql(name: str, **values: Any) -> None:
    """A button that opens the query, and offers it as a notebook; what is inside is made when it opens."""
    with st.container(width="content"):  # around the fragment, which would take the whole line
        _button(name, **values)


@st.fragment
def _button(name: str, **values: Any) -> None:
    key = f"sql_{name}_{zlib.crc32(repr(sorted(values.items())).encode())}"
    button = st.popover(
        "Show SQL", icon=":material/code:", type="tertiary", width="content", key=key, on_change="rerun"
    )
    if not button.open:
        return
    with button:
        text = query_text(name, **values)
        sql, cell = st.tabs(["SQL", "Notebook cell"])
        sql.code(text, language="sql")
        cell.code(notebook_cell(text), language="python")
        cell.download_button(
            "Open as a notebook", data=lambda: notebook(text), file_name=f"{name}.ipynb", mime=MIME, on_click="ignore",
            icon=":material/note_add:", type="tertiary", key=f"cell_{key}",
        )  # fmt: skip


def notebook_cell(text: str) -> str:
    """The query as one cell: `workbench` finds the store by its settings."""
    return f'import workbench as wb\n\nwb.sql("""\n{text}\n""").df()'


def notebook(text: str) -> bytes:
    """A notebook of that one cell, as nbformat 4.5 writes it."""
    cell = {
        "id": "query",
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": notebook_cell(text).splitlines(keepends=True),
    }
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()
