"""Charts in the theme's colours: drawn at once, and by plotly when somebody asks for it.

Plotly's script is nearly five megabytes and holds a page up for a second; most visitors only look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from dashboard import session
from dashboard.components import drawn
from dashboard.components.text import ACTION_LABELS, STATUS_LABELS

# One palette for both themes: mid tones that stand on white and on the dark ground alike.
COLOURS: Final = {
    "success": "#1F9E92", "partial": "#E09A45", "fail": "#D9534A", "unknown": "#94A3B8",
    "none": "#1F9E92", "update": "#3F86D6", "link": "#8673DB", "create": "#7DB98F",
    "excluded": "#94A3B8", "conflict": "#E09A45", "blocked": "#D9534A",
}  # fmt: skip
NAMES: Final = {**STATUS_LABELS, **ACTION_LABELS}
QUIET: Final = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


@st.fragment
@session.calm
def bars(
    rows: Sequence[Mapping[str, Any]],
    *,
    x: str,
    y: str,
    series: str,
    key: str,
    height: int = 230,
    across: bool = False,
    with_legend: bool = True,
) -> None:
    """Stacked bars of `rows` (long: one row per bar and part); `across` lays them down."""
    names = {name: (NAMES[name], COLOURS[name]) for name in COLOURS if any(row[series] == name for row in rows)}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if with_legend:
            st.html(drawn.legend(names), width="content")
        st.space("stretch")
        is_asked = st.toggle("Interactive", key=f"chart_{key}", help="Drawn by plotly: each part with its figure.")
    if is_asked:
        figure = _figure(rows, names, x=x, y=y, series=series, height=height, across=across)
        st.plotly_chart(figure, theme="streamlit", config=QUIET, key=key, width="stretch")
    elif across:
        st.html(drawn.lines(rows, x=x, y=y, series=series, key=names))
    else:
        st.html(drawn.columns(rows, x=x, y=y, series=series, key=names, height=height))


def _figure(
    rows: Sequence[Mapping[str, Any]],
    names: Mapping[str, tuple[str, str]],
    *,
    x: str,
    y: str,
    series: str,
    height: int,
    across: bool,
) -> Any:
    import plotly.graph_objects as go  # noqa: PLC0415 - half a second that other pages need not wait

    figure = go.Figure()
    for name, (label, colour) in names.items():
        part = [row for row in rows if row[series] == name]
        along, up = [row[x] for row in part], [row[y] for row in part]
        figure.add_bar(
            x=up if across else along, y=along if across else up, name=label, orientation="h" if across else "v",
            marker={"color": colour, "line": {"width": 0}}, hovertemplate=_hover(across=across),
        )  # fmt: skip
    figure.update_layout(
        barmode="stack", bargap=0.35, height=height, margin={"l": 0, "r": 0, "t": 6, "b": 0}, dragmode=False,
        hoverlabel={"namelength": -1}, showlegend=False,
    )  # fmt: skip
    figure.update_xaxes(fixedrange=True, showgrid=across, tickformat="," if across else None)
    figure.update_yaxes(fixedrange=True, showgrid=not across, tickformat=None if across else ",",
                        autorange="reversed" if across else None)  # fmt: skip
    return figure


def _hover(*, across: bool) -> str:
    return (
        "%{x:,} %{fullData.name}<br>%{y}<extra></extra>" if across else "%{y:,} %{fullData.name}<br>%{x}<extra></extra>"
    )
