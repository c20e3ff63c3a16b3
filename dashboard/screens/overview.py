"""Overview: how both directions stand, where every record is, and how good the predictions were."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup, organisation
from dashboard.components.charts import bars
from dashboard.components.direction_control import direction_control
from dashboard.components.layout import card, empty, header, link, show_sql
from dashboard.components.text import (
    ACTION_LABELS,
    DIRECTION_LABELS,
    STATUS_COLOURS,
    STATUS_LABELS,
    SYSTEM_LABELS,
    ago,
    count,
    local,
    percent,
    plural,
    when,
)
from workbench import views, views_dashboard, views_work
from workbench.domain.fields import Direction
from workbench.store.mappings import current_mapping

SETTLED = ("none", "excluded")
STANDING_LABELS = {
    "in_sync": "In sync", "sent": "Sent since", "pending": "Pending", "differs": "Differs", "only_here": "Only here",
    "excluded": "Excluded", "conflict": "Conflict", "blocked": "Blocked", "failed": "Failed",
}  # fmt: skip
# The tones of the bars (static/app.css), as Markdown takes them.
DOTS = {
    "sync": "#1F9E92", "update": "#3F86D6", "link": "#8673DB", "create": "#7DB98F", "muted": "#94A3B8",
    "faint": "#CBD5E1", "warn": "#E09A45", "stop": "#D9534A",
}  # fmt: skip
# Which filter of the preview shows the records of a standing.
DRILL = {
    "in_sync": "none", "sent": "open", "differs": "update", "only_here": "create", "excluded": "excluded",
    "conflict": "conflict", "blocked": "blocked",
}  # fmt: skip


def figures() -> None:
    totals = session.read(views_dashboard.result_totals)
    work = session.read(views_dashboard.workload)
    waiting = sum(one["awaiting"] for one in work.values())
    batches = sum(one["awaiting_batches"] for one in work.values())
    backlog = sum(one["backlog"] for one in work.values())
    ended = totals["total"] - totals["unknown"]
    shown = (
        ("Awaiting approval", count(waiting), plural(batches, "batch"), "Changes in submitted batches."),
        ("Approved, not sent", count(backlog), "the backlog", "Of approved, pushing and paused batches."),
        ("Sync results", count(totals["total"]), f"{count(totals['fail'])} failed", "The ends of all pushed changes."),
        (
            "As predicted",
            percent(totals["as_predicted"] / ended if ended else None),
            f"{count(totals['as_predicted'])} of {count(ended)}",
            "Status and every code as predicted before the push.",
        ),
    )
    st.html(markup.tiles(shown))


def direction_card(direction: str) -> None:
    latest = session.read(views_dashboard.latest_syncs).get(direction)
    preview = session.read(views_dashboard.latest_previews).get(direction)
    with st.container(border=True, height="stretch", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(DIRECTION_LABELS[direction], anchor=False, width="content")
            st.space("stretch")
            st.html(organisation.target(direction), width="content")
        direction_control(direction)
        st.html(markup.facts([("Left to do", left_to_do(preview)), ("Latest preview", previewed(preview)),
                              ("Latest sync", latest_sync(latest))]))  # fmt: skip
        if not is_mapped(direction):
            st.caption("The mapping has no enabled object in this direction.")
        with st.container(horizontal=True, gap="medium"):
            if preview is not None:
                link("previews", f"Preview {preview['preview_id']}", preview=str(preview["preview_id"]))
            if latest is not None:
                link("results", latest["name"], result=latest["name"])
                if who := latest["record_id"] or latest["mainstay_id"]:
                    link("people", "Its person", id=who)


def is_mapped(direction: str) -> bool:
    revision = session.read(current_mapping)
    return revision is not None and bool(revision.mapping.sobjects(Direction(direction)))


def left_to_do(preview: dict[str, Any] | None) -> str:
    if preview is None:
        return "not previewed"
    counts = session.read(views.preview_counts, preview["preview_id"])
    still_open = [f"{count(number)} {ACTION_LABELS[name].lower()}" for name, number in counts.items()
                  if number and name not in SETTLED]  # fmt: skip
    return ", ".join(still_open) or "nothing, both sides agree"


def previewed(preview: dict[str, Any] | None) -> str:
    if preview is None:
        return "none yet"
    number, revision = preview["preview_id"], preview["mapping_revision"]
    return f"{ago(preview['created_at'])} · preview {number}, mapping revision {revision}"


def latest_sync(latest: dict[str, Any] | None) -> markup.Html | str:
    if latest is None:
        return "nothing sent yet"
    who = latest["record_id"] or latest["mainstay_id"]
    pill = markup.pill(STATUS_LABELS[latest["status"]], STATUS_COLOURS[latest["status"]])
    return markup.Html(f"{pill} {markup.cell(when(latest['finished_at']))} · {markup.cell(who)}")


def accounting() -> None:
    previews = session.read(views_dashboard.latest_previews)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader("Every record, in exactly one bucket", anchor=False, width="content")
            st.caption("latest preview of each direction", width="content")
        for column, direction in zip(st.columns(2, gap="large"), DIRECTION_LABELS, strict=True):
            with column:
                if direction in previews:
                    direction_accounting(previews[direction])
                else:
                    st.caption(f"{DIRECTION_LABELS[direction]}: no preview yet, `workbench preview {direction}`")


def direction_accounting(preview: dict[str, Any]) -> None:
    number, direction = preview["preview_id"], preview["direction"]
    pulled = session.read(views_dashboard.pinned_counts, number)
    sender, receiver = organisation.ENDS[direction]
    parts = session.read(views_work.standings, number)
    total = sum(parts.values())
    objects = preview["sobjects"] if sender == "salesforce" else ["contact"]
    known = [pulled.get((sender, name)) for name in objects]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{DIRECTION_LABELS[direction]} · preview {number}", width="content")
        st.space("stretch")
        show_sql("standings", preview_id=number)
    st.html(
        bar_head(f"{SYSTEM_LABELS[sender]} · {count(total)}", proof_of(total, None if None in known else sum(known)))  # type: ignore[arg-type]
        + markup.stacked_bar(parts, label=f"{SYSTEM_LABELS[sender]} records", with_legend=False)
    )
    with st.container(key=f"wb-legend-{direction}", gap=None):
        for name, records in parts.items():
            standing_link(number, name, records, total)
    rows = [row for row in session.read(views.buckets, number) if row["system"] == receiver]
    for name in dict.fromkeys(row["object"] for row in rows):
        other = {row["bucket"]: row["row_count"] for row in rows if row["object"] == name}
        title = f"{SYSTEM_LABELS[receiver]} · {count(sum(other.values()))}"
        proof = proof_of(sum(other.values()), pulled.get((receiver, name)))
        st.html(bar_head(title, proof) + markup.stacked_bar(other, label=f"{SYSTEM_LABELS[receiver]} {name}"))


def bar_head(title: str, note: str) -> str:
    return f'<div class="wb-line"><b>{title}</b><small>{note}</small></div>'


def standing_link(preview_id: int, name: str, records: int, total: int) -> None:
    """A line of the legend; it opens the records it counts."""
    dot = f':color[■]{{foreground="{DOTS[markup.tone(name)]}"}}'
    label = f"{dot} {STANDING_LABELS[name]} **{count(records)}** :gray[{percent(records / total)}]"
    if name == "failed":
        link("results", label, icon="", status="fail")
    elif name == "pending":
        link("approvals", label, icon="")
    else:
        link("previews", label, icon="", preview=str(preview_id), action=DRILL[name])


def proof_of(total: int, pulled: int | None) -> str:
    if pulled is None:
        return "the pull it stands on is not kept"
    if pulled == total:
        return f"✓ adds up to the {count(pulled)} pulled"
    return f"{count(pulled)} pulled, {count(abs(pulled - total))} unaccounted for"


def prediction() -> None:
    scores = session.read(views_dashboard.all_scores)
    with card("Predicted against actual", sql="scores"):
        if not scores:
            st.caption("Nothing has been pushed yet. Every push is scored here, code by code.")
            return
        rows = [
            (
                "no error" if row["code"] == "(none)" else markup.code_link(row["code"]),
                row["predicted"],
                row["actual"],
                markup.meter(row["hit_rate"]),
            )
            for row in scores
        ]
        st.html(markup.table(("Code", "Predicted", "Actual", "Hit rate"), rows, label="Predicted against actual",
                             numbers=("Predicted", "Actual", "Hit rate")))  # fmt: skip
        st.space("stretch")
        link("errors", "What each code means")


def pulls() -> None:
    with card("Latest pulls", sql="pulls"):
        lines = [
            (f"{SYSTEM_LABELS[row['system']]} {row['object']}", row["row_count"], row["mode"], ago(row["finished_at"]))
            for row in session.read(views.latest_pulls)
        ]
        st.html(markup.table(("What", "Rows", "Kind", "Read"), lines, label="Latest pulls", numbers=("Rows",)))
        lately = session.read(views_work.requests_lately)
        used = ", ".join(f"{count(lately.get(name, 0))} to {label}" for name, label in SYSTEM_LABELS.items())
        st.caption(f"Requests by pushes in the last 24 hours: {used}.")
        st.space("stretch")


def over_time() -> None:
    unit = session.read(views_work.time_unit)
    with card("Sync results over time", sql="over_time" if unit else None,
              microseconds=views_work.MICROSECONDS.get(unit or ""), bars=views_work.BARS):  # fmt: skip
        if unit is None:
            st.caption("Nothing has been sent yet.")
            return
        shape = {"day": "%-d %b", "hour": "%-d %b, %H:00", "minute": "%H:%M"}[unit]
        rows = session.read(views_work.results_over_time, unit)
        rows = [{**row, "moment": local(row["moment"]).strftime(shape)} for row in rows]
        bars(rows, x="moment", y="row_count", series="status", key="over_time")


with header("Overview"):
    pass
if not session.read(views.latest_pulls):
    empty(
        "Nothing has been pulled yet",
        "Connect both systems, then read them into the store. To look around first, run `workbench demo`.",
        icon="cloud_download",
        command="workbench pull",
    )
    st.stop()
figures()
for column, name in zip(st.columns(2), DIRECTION_LABELS, strict=True):
    with column:
        direction_card(name)
accounting()
over_time()
left, right = st.columns([1.35, 1])
with left:
    prediction()
with right:
    pulls()
