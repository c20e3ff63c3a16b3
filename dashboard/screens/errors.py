"""Error dictionary: the 14 published entries, what they mean here, how often they come and how well they are predicted."""

from __future__ import annotations

import streamlit as st

from dashboard.components import markup
from dashboard.components.page import header, link, told
from dashboard.components.text import count, markdown_safe, percent, when
from dashboard.session import read
from workbench import views, views_dashboard
from workbench.domain.error_dictionary import ENTRIES, Entry


def fits(entry: Entry, text: str) -> bool:
    words = f"{entry.code} {entry.message} {entry.meaning} {entry.next_step}".casefold()
    return all(word in words for word in text.casefold().split())


def card(entry: Entry, frequency: dict[str, int], hit_rate: float | None) -> None:
    is_complete = entry.failure == "complete"
    with st.container(border=True, height="stretch", gap="small"):
        kind = markup.pill("complete failure" if is_complete else "partial", "red" if is_complete else "orange")
        st.html(
            f'<div class="wb-card-head"><span class="wb-entry"><small>{entry.number}</small> <b>{markup.code(entry.code)}</b>'
            f"</span>{kind}</div>"
            f'<p class="wb-quote">{markup.cell(entry.message)}</p>'
        )
        st.markdown(f"{markdown_safe(entry.meaning)}")
        st.markdown(f":gray[Next:] {markdown_safe(entry.next_step)}")
        st.space("stretch")
        st.html(
            f'<p class="wb-note">{", ".join(entry.methods)} · came {count(frequency["actual"])} times · '
            f"expected {count(frequency['predicted'])} times in the latest previews · hit rate {percent(hit_rate)}</p>"
        )
        if frequency["actual"] and entry.number > 1:
            examples(entry)


def examples(entry: Entry) -> None:
    with st.container(horizontal=True, gap="small"):
        for row in read(views_dashboard.entry_examples, entry.number, limit=2):
            who = row["person"] or row["record_id"] or row["mainstay_id"]
            link("results", f"{row['name']} · {markdown_safe(who)} · {when(row['finished_at'])}", result=row["name"])
        link("results", "All", code=entry.code)


with header("Error dictionary"):
    wanted = st.text_input(
        "Search", type="search", live="200ms", key="wanted", placeholder="Paste a code or a message", width=320,
        label_visibility="collapsed",
    )  # fmt: skip
st.caption(
    "What Mainstay answers when it refuses a request wholly (complete failure) or takes it without one value (partial)."
)
with told():
    numbers = read(views_dashboard.entry_frequencies)
    rates = {
        row["code"]: row["hit_rate"]
        for row in read(views.scores, [row["batch_id"] for row in read(views.batches) if row["sent_count"]])
    }
    linked = st.query_params.get("entry", "")
    entries = [entry for entry in ENTRIES if fits(entry, wanted or "") and (not linked or str(entry.number) == linked)]
    if linked:
        link("errors", "Show all entries")
    if not entries:
        st.info("No entry fits. Codes outside the published dictionary come as they are.", icon=":material/search_off:")
    with st.grid(2, min_column_width=380):
        for one in entries:
            card(one, numbers[one.number], rates.get(one.code))
