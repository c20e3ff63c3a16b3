"""Overview: how both directions stand, where every record is, and how good the predictions were."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup, sidebar
from dashboard.components.layout import card, empty, header, link, show_sql
from dashboard.components.text import (
    ACTION_LABELS,
    DIRECTION_LABELS,
    STATUS_COLOURS,
    STATUS_LABELS,
    SYSTEM_LABELS,
    ago,
    count,
    md,
    percent,
    plural,
    when,
)
from workbench import views, views_dashboard
from workbench.domain.fields import Direction
from workbench.store.mappings import current_mapping

SETTLED = ("none", "excluded")


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
        ("Sync results", count(totals["total"]), f"{count(totals['fail'])} failed", None),
        (
            "As predicted",
            percent(totals["as_predicted"] / ended if ended else None),
            f"{count(totals['as_predicted'])} of {count(ended)}",
            "Status and every code as predicted before the push.",
        ),
    )
    with st.grid(4, gap="small", min_column_width=190):
        for label, value, below, note in shown:
            st.metric(
                label, value, below, delta_color="off", delta_arrow="off", border=True, height="stretch", help=note
            )


def direction_state(direction: str) -> tuple[str, str]:
    """How a direction runs, and the colour of saying so."""
    revision = session.read(current_mapping)
    if revision is None:
        return "No mapping", "gray"
    is_on = bool(revision.mapping.sobjects(Direction(direction)))
    return ("Queue for approval", "green") if is_on else ("Off", "gray")


def direction_card(direction: str) -> None:
    state, colour = direction_state(direction)
    latest = session.read(views_dashboard.latest_syncs).get(direction)
    preview = session.read(views_dashboard.latest_previews).get(direction)
    with st.container(border=True, height="stretch", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(DIRECTION_LABELS[direction], anchor=False, width="content")
            st.space("stretch")
            st.html(markup.pill(state, colour), width="content")
        st.html(markup.facts([("Left to do", left_to_do(preview)), ("Latest preview", previewed(preview)),
                              ("Latest sync", latest_sync(latest))]))  # fmt: skip
        if latest is not None:
            link("results", latest["name"], result=latest["name"])


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
            st.space("stretch")
            if previews:
                show_sql("buckets", preview_ids=", ".join(str(one["preview_id"]) for one in previews.values()))
        for column, direction in zip(st.columns(2, gap="large"), DIRECTION_LABELS, strict=True):
            with column:
                if direction in previews:
                    direction_accounting(previews[direction])
                else:
                    st.caption(f"{DIRECTION_LABELS[direction]}: no preview yet, `workbench preview {direction}`")


def direction_accounting(preview: dict[str, Any]) -> None:
    pulled = session.read(views_dashboard.pinned_counts, preview["preview_id"])
    sides: dict[tuple[str, str], dict[str, int]] = {}
    for row in session.read(views.buckets, preview["preview_id"]):
        sides.setdefault((row["system"], row["object"]), {})[row["bucket"]] = row["row_count"]
    sender = "salesforce" if preview["direction"] == "export" else "mainstay"
    st.html(f'<p class="wb-small">{DIRECTION_LABELS[preview["direction"]]} · preview {preview["preview_id"]}</p>')
    for (system, name), parts in sorted(sides.items(), key=lambda side: side[0][0] != sender):
        total = sum(parts.values())
        st.html(
            f'<div class="wb-line"><b>{SYSTEM_LABELS[system]} · {count(total)}</b>'
            f"<small>{proof_of(total, pulled.get((system, name)))}</small></div>"
            + markup.stacked_bar(parts, label=f"{SYSTEM_LABELS[system]} records")
        )


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
                "no error" if row["code"] == "(none)" else markup.code(row["code"]),
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
        st.space("stretch")


def connection() -> None:
    """Which organisations these figures are about, and whether a mistake there would be real."""
    label, colour, icon, note = sidebar.connection_badge(session.settings())
    hosts = {SYSTEM_LABELS[name]: sidebar.host_of(url) for name, url in sidebar.addresses(session.settings()).items()}
    st.caption(" · ".join(f"{name} {md(host)}" for name, host in hosts.items() if host), width="content")
    st.badge(label, icon=icon, color=colour, help=md(note))


with header("Overview"):
    connection()
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
left, right = st.columns([1.35, 1])
with left:
    prediction()
with right:
    pulls()
