"""Overview: where both directions stand, every record accounted for, and how well the predictions did."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.components import markup
from dashboard.components.page import empty, header, link, told
from dashboard.components.text import (
    ROUTES,
    SHOWN_DIRECTION,
    STATE_COLOURS,
    ago,
    count,
    counted,
    markdown_safe,
    percent,
    when,
)
from dashboard.session import read
from workbench import views, views_dashboard
from workbench.domain.fields import Direction
from workbench.store.mappings import current_mapping

DONE_ACTIONS = {"none", "excluded"}
SYSTEMS = {"salesforce": "Salesforce", "mainstay": "Mainstay"}


def direction_state(direction: str) -> tuple[str, str]:
    """How a direction runs, and the colour of saying so."""
    revision = read(current_mapping)
    if revision is None:
        return "No mapping yet", "gray"
    is_on = bool(revision.mapping.sobjects(Direction(direction)))
    return ("On, by approval", "green") if is_on else ("Off in the mapping", "gray")


def direction_card(direction: str) -> None:
    text, colour = direction_state(direction)
    shown = SHOWN_DIRECTION[direction]
    totals = read(views_dashboard.result_totals).get(shown, {})
    latest = read(views_dashboard.latest_syncs).get(shown)
    preview = read(views_dashboard.latest_previews).get(direction)
    sent = {name: totals.get(name, 0) for name in ("success", "partial", "fail", "unknown")}
    with st.container(border=True, height="stretch", gap="small"):
        st.html(f'<div class="wb-card-head"><h3>{ROUTES[direction]}</h3>{markup.pill(text, colour)}</div>')
        shares = [("Sent", count(sum(sent.values())))]
        shares += [(name.capitalize(), count(number)) for name, number in sent.items() if number or name != "unknown"]
        st.html(markup.figures(shares))
        if sum(sent.values()):
            st.html(markup.stacked_bar(sent, label=f"Sync results {shown}", with_legend=False))
        if preview is not None:
            st.html(markup.facts([("Left to do", left_to_do(preview)), ("Previewed", previewed(preview))]))
        st.space("stretch")
        latest_sync(latest)


def left_to_do(preview: dict[str, Any]) -> str:
    counts = read(views.preview_counts, preview["preview_id"])
    open_counts = {name: number for name, number in counts.items() if number and name not in DONE_ACTIONS}
    return ", ".join(f"{count(number)} {name}" for name, number in open_counts.items()) or "nothing"


def previewed(preview: dict[str, Any]) -> str:
    return f"{ago(preview['created_at'])}, preview {preview['preview_id']}, mapping {preview['mapping_revision']}"


def latest_sync(latest: dict[str, Any] | None) -> None:
    """Time, status, record and the way to its sync result."""
    if latest is None:
        st.caption("Nothing has been synced in this direction yet.")
        return
    who = markdown_safe(latest["person"] or latest["record_id"] or latest["mainstay_id"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Latest sync {when(latest['finished_at'])} · {latest['status']} · {who}", width="content")
        st.space("stretch")
        link("results", latest["name"], result=latest["name"])


def accounting() -> None:
    previews = read(views_dashboard.latest_previews)
    with st.container(border=True):
        st.html(
            '<div class="wb-card-head"><h3>Every record, in exactly one bucket</h3>'
            '<span class="wb-small">from the latest preview of each direction</span></div>'
        )
        columns = st.columns(2, gap="large")
        for column, direction in zip(columns, ROUTES, strict=True):
            with column:
                if preview := previews.get(direction):
                    direction_accounting(preview)
                else:
                    st.caption(f"No preview of {ROUTES[direction]} yet: `workbench preview {direction}`")


def direction_accounting(preview: dict[str, Any]) -> None:
    pulled = {
        (row["system"], row["object"]): row["row_count"]
        for row in read(views_dashboard.pinned_pulls, preview["preview_id"])
    }
    sides: dict[tuple[str, str], dict[str, int]] = {}
    for row in read(views.buckets, preview["preview_id"]):
        sides.setdefault((row["system"], row["object"]), {})[row["bucket"]] = row["row_count"]
    st.html(f'<p class="wb-small">{ROUTES[preview["direction"]]}</p>')
    for (system, name), parts in sorted(sides.items(), key=lambda side: side[0][0] != sender(preview["direction"])):
        total = sum(parts.values())
        proof = proof_of(total, pulled.get((system, name)))
        st.html(
            f'<div class="wb-line"><b>{SYSTEMS[system]} · {count(total)}</b>{proof}</div>'
            + markup.stacked_bar(parts, label=f"{SYSTEMS[system]} records")
        )


def sender(direction: str) -> str:
    return "salesforce" if direction == "export" else "mainstay"


def proof_of(total: int, pulled: int | None) -> str:
    if pulled is None:
        return "<small>the pull it stands on is gone</small>"
    if pulled == total:
        return f"<small>✓ adds up to the {count(pulled)} pulled</small>"
    return f"<small>{count(pulled)} pulled, {count(abs(pulled - total))} unaccounted for</small>"


def prediction() -> None:
    batches = read(views.batches)
    scores = read(views.scores, [row["batch_id"] for row in batches if row["sent_count"]])
    totals = read(views_dashboard.result_totals).values()
    ended = sum(sum(row[name] for name in ("success", "partial", "fail")) for row in totals)
    hits = sum(row["as_predicted"] for row in totals)
    with st.container(border=True, height="stretch"):
        head = f"{percent(hits / ended)} exactly as predicted" if ended else ""
        st.html(
            f'<div class="wb-card-head"><h3>Predicted against actual</h3><span class="wb-small">{head}</span></div>'
        )
        if not scores:
            st.caption("Nothing has been pushed yet; every push is scored here, code by code.")
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
        st.html(
            markup.table(
                ("Code", "Predicted", "Actual", "Hit rate"),
                rows,
                label="Predicted against actual",
                numbers=("Predicted", "Actual", "Hit rate"),
            )
        )
        st.space("stretch")
        link("errors", "What each code means")


def waiting() -> None:
    batches = [row for row in read(views.batches, only_open=True)]
    with st.container(border=True):
        st.html(
            f'<div class="wb-card-head"><h3>Open batches</h3><span class="wb-small">{counted(len(batches), "batch", "batches")}'
            "</span></div>"
        )
        if not batches:
            st.caption("Nothing is waiting for a decision or on its way.")
            return
        rows = [
            (
                f"{row['batch_id']}",
                ROUTES[row["direction"]],
                markup.pill(row["state"], STATE_COLOURS[row["state"]]),
                row["row_count"],
                row["requested_by"],
            )
            for row in batches[:6]
        ]
        st.html(
            markup.table(
                ("Batch", "Direction", "State", "Changes", "By"), rows, label="Open batches", numbers=("Changes",)
            )
        )


def pulls() -> None:
    rows = read(views.latest_pulls)
    with st.container(border=True, height="stretch"):
        st.html('<div class="wb-card-head"><h3>Latest pulls</h3></div>')
        lines = [
            (f"{SYSTEMS[row['system']]} {row['object']}", row["row_count"], row["mode"], ago(row["finished_at"]))
            for row in rows
        ]
        st.html(markup.table(("What", "Rows", "Kind", "Read"), lines, label="Latest pulls", numbers=("Rows",)))


with header("Overview"):
    pass
with told():
    if not read(views.latest_pulls):
        empty(
            "Nothing has been pulled yet",
            "workbench pull",
            "Connect both systems, then read them into the store. To look around first, run `workbench demo`.",
        )
        st.stop()
    for column, name in zip(st.columns(2), ROUTES, strict=True):
        with column:
            direction_card(name)
    accounting()
    left, right = st.columns([1.35, 1])
    with left:
        prediction()
    with right:
        waiting()
        pulls()
