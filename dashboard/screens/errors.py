"""Error dictionary: the 14 published entries, what they mean, how often they come, how well they are predicted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import header, link
from dashboard.components.text import count, md, percent, plural
from workbench import views_dashboard
from workbench.domain.error_dictionary import ENTRIES, OUTSIDE_MESSAGES, Entry, family


def fits(entry: Entry, text: str) -> bool:
    words = f"{entry.code} {entry.message} {entry.meaning} {entry.next_step}".casefold()
    return all(word in words for word in text.casefold().split())


def kind_of(entry: Entry) -> markup.Html:
    if entry.code == "invalid-phone":
        return markup.pill("partial on PUT, complete on POST", "orange")
    return markup.pill("complete", "red") if entry.failure == "complete" else markup.pill("partial", "orange")


def card(entry: Entry, seen: dict[str, Any], rate: float | None) -> None:
    with st.container(border=True, height="stretch", gap="small"):
        st.html(
            f'<div class="wb-card-head"><span class="wb-entry"><small>{entry.number}</small>{markup.code(entry.code)}'
            f'</span>{kind_of(entry)}</div><p class="wb-quote">{markup.cell(entry.message)}</p>'
        )
        st.markdown(f"{md(entry.meaning)}  \n:gray[Next:] {md(entry.next_step)}")
        st.space("stretch")
        came = f"came {plural(seen['actual'], 'time')}" if seen["actual"] else "never came yet"
        st.caption(
            f"{', '.join(entry.methods)} · {came} · {count(seen['expected'])} expected in the latest previews"
            + (f" · hit rate of the code {percent(rate)}" if rate is not None else "")
        )
        if seen["examples"]:
            with st.container(horizontal=True, gap="small"):
                for name in seen["examples"]:
                    link("results", name, result=name)
                link("results", "All", icon=":material/arrow_forward:", code=entry.code)


def others(activity: dict[str, dict[str, Any]]) -> None:
    """Codes of Salesforce and whatever else is not in the published dictionary."""
    published = {entry.code for entry in ENTRIES}
    rows = [row for code, row in activity.items() if code not in published and code != "(none)"]
    if not rows:
        return
    st.subheader("Other codes that came back", anchor=False)
    st.html(
        markup.table(
            ("Code", "Predicted", "Actual", "Hit rate"),
            [
                (markup.code(row["code"]), row["predicted"], row["actual"], markup.meter(row["hit_rate"]))
                for row in sorted(rows, key=lambda row: -row["actual"])
            ],
            label="Other codes",
            numbers=("Predicted", "Actual", "Hit rate"),
        )
    )


with header("Error dictionary"):
    wanted = st.text_input(
        "Search", type="search", live="200ms", key="wanted", placeholder="Paste a code or a message", width=320,
        label_visibility="collapsed",
    )  # fmt: skip
st.caption(
    "What Mainstay answers when it refuses a request wholly (complete) or takes it without one value (partial). "
    "Complete beats partial."
)
linked = st.query_params.get("entry", "")
# A code that came from somewhere else: with its field (invalid-attribute-data: GPA) or without.
asked = family(st.query_params.get("code", ""))
activity = session.read(views_dashboard.code_activity)
numbers = session.read(views_dashboard.entry_activity)
entries = [
    entry
    for entry in ENTRIES
    if fits(entry, wanted or "") and linked in {"", str(entry.number)} and asked in {"", entry.code}
]
if linked or asked:
    link("errors", "Show all entries", icon=":material/arrow_back:")
if not entries:
    named = f"{md(asked)} is not in the published dictionary. " if asked else "No entry fits. "
    outside = OUTSIDE_MESSAGES.get(asked, "Codes outside it come as they are, from Salesforce for the most part.")
    st.info(named + md(outside), icon=":material/search_off:")
with st.grid(2, min_column_width=380):
    for one in entries:
        card(one, numbers[one.number], activity.get(one.code, {}).get("hit_rate"))
if not linked and not wanted and (not asked or not entries):
    others(activity)
