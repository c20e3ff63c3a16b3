"""Preview: what a sync would do, by rule, by bucket, by cause, down to the single request. Nothing here is sent."""

from __future__ import annotations

import functools
from itertools import groupby
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import markup, organisation
from dashboard.components.change_grid import PAGE_SIZE, change_grid, opened, pager, to_first_page
from dashboard.components.change_view import open_change, open_linked
from dashboard.components.charts import bars
from dashboard.components.export import CHANGE_COLUMNS, change_rows, downloads
from dashboard.components.layout import card, empty, header, link
from dashboard.components.text import (
    ACTION_LABELS,
    DIRECTION_LABELS,
    SYSTEM_LABELS,
    ago,
    count,
    md,
    plural,
)
from workbench import operations, views, views_refused, views_review
from workbench.domain.error_dictionary import BY_NUMBER
from workbench.errors import WorkbenchError
from workbench.operations import Slice
from workbench.views_review import ChangeFilter

RULES = {
    "crm_id": "Linked by CRM ID",
    "id": "Linked by CRM ID",
    "phone": "Found by phone",
    "matching": "Found by matching fields",
    "resend": "Sent again",
    "undo": "Taken back",
    "none": "Found by no rule",
}
KEY = "preview_changes"
SHOWN_CAUSES = 6
SHOWN_FIELDS = 8
CAUSE_COLUMNS = ("Code and what ends it", "Field or cause", "Failure", "Changes")
REFUSED_VALUES = ("invalid-phone", "invalid-email")
REFUSED_COLUMNS = ("Code", "What is wrong", "Records", "Different values")
WRITING = ("update", "link", "create")


def choose_preview(previews: list[dict[str, Any]]) -> dict[str, Any]:
    ids = [row["preview_id"] for row in previews]
    by_id = {row["preview_id"]: row for row in previews}

    def label(preview_id: int) -> str:
        row = by_id[preview_id]
        scope = f" · only {row['only_record']}" if row["only_record"] else ""
        return f"{preview_id} · {DIRECTION_LABELS[row['direction']]} · {ago(row['created_at'])}{scope}"

    linked = st.query_params.get("preview", "")
    start = ids.index(int(linked)) if linked.isdigit() and int(linked) in by_id else 0
    chosen = st.selectbox(
        "Preview", ids, index=start, format_func=label, width=380, label_visibility="collapsed", key="chosen_preview",
        on_change=to_first_page, args=(KEY,),
    )  # fmt: skip
    st.query_params["preview"] = str(chosen)
    return by_id[chosen]


def summary(preview: dict[str, Any]) -> None:
    counts = session.read(views.preview_counts, preview["preview_id"])
    figures = [(ACTION_LABELS[name], count(number)) for name, number in counts.items()]
    with st.container(border=True):
        st.html(markup.figures(figures))
        sides: dict[tuple[str, str], dict[str, int]] = {}
        for row in session.read(views.buckets, preview["preview_id"]):
            sides.setdefault((row["system"], row["object"]), {})[row["bucket"]] = row["row_count"]
        columns = st.columns(max(1, len(sides)), gap="large")
        for column, ((system, name), parts) in zip(columns, sides.items(), strict=False):
            title = f"{SYSTEM_LABELS[system]} {name}"
            total = sum(parts.values())
            column.html(
                f'<div class="wb-line"><b>{markup.cell(title)}</b><small>{count(total)} records</small></div>'
                + markup.stacked_bar(parts, label=title)
            )


def rules(preview_id: int) -> None:
    """The waterfall: each rule catches its share, the next one sees the rest."""
    rows = session.read(views_review.waterfall, preview_id)
    with card("How records were matched", sql="waterfall", preview_id=preview_id):
        totals = {
            rule: sum(row["row_count"] for row in group) for rule, group in groupby(rows, key=lambda row: row["rule"])
        }
        order = [rule for rule in RULES if rule in totals]
        named = {rule: f"{RULES[rule]}  {count(totals[rule])}" for rule in order}
        lines = [{**row, "rule": named[rule]} for rule in order for row in rows if row["rule"] == rule]
        bars(lines, x="rule", y="row_count", series="action", key="waterfall", height=90 + 34 * len(order), across=True)
    with card("Fields changed most", sql="changed_fields", preview_id=preview_id):
        fields = session.read(views_review.changed_fields, preview_id)[:SHOWN_FIELDS]
        if not fields:
            st.caption("No field changes.")
            return
        lines = [{"field": f"{row['field']}  {count(row['row_count'])}", "row_count": row["row_count"],
                  "series": "update"} for row in fields]  # fmt: skip
        bars(lines, x="field", y="row_count", series="series", key="changed_fields", height=30 + 27 * len(lines),
             across=True, with_legend=False)  # fmt: skip


def reasons(rows: list[dict[str, Any]], preview_id: int) -> None:
    """Root causes: which code, which field, how often, and what ends it."""
    total = sum(row["row_count"] for row in rows)
    with card("What will not go through", note=plural(total, "expected code"), sql="causes", preview_id=preview_id):
        if not rows:
            st.caption("No refusal is expected.")
            return
        st.html(
            markup.table(
                CAUSE_COLUMNS,
                [cause(row) for row in rows[:SHOWN_CAUSES]],
                label="Expected codes",
                numbers=("Changes",),
            )
        )
        if len(rows) > SHOWN_CAUSES:
            with st.expander(f"{plural(len(rows) - SHOWN_CAUSES, 'rarer cause')}"):
                rest = [cause(row) for row in rows[SHOWN_CAUSES:]]
                st.html(markup.table(CAUSE_COLUMNS, rest, label="Rarer causes", numbers=("Changes",)))


@st.fragment
@session.calm
def refused(rows: list[dict[str, Any]], preview_id: int) -> None:
    """What is wrong with the phones and addresses that are refused; looked at when somebody asks."""
    if not any(row["code"] in REFUSED_VALUES for row in rows):
        return
    with card("Refused phones and addresses", note="counted by reason; no value is shown"):
        if not st.toggle("Say what is wrong with them", key="preview_refused"):
            return
        told = session.read(views_refused.refused_values, preview_id)
        lines = [
            (
                markup.code_link(row["code"]),
                row["reason"][:1].upper() + row["reason"][1:],
                row["row_count"],
                row["distinct_values"],
            )
            for row in told
        ]
        st.html(markup.table(REFUSED_COLUMNS, lines, label="Refused values", numbers=REFUSED_COLUMNS[2:]))


def cause(row: dict[str, Any]) -> tuple[Any, ...]:
    entry = BY_NUMBER.get(row["entry"] or 0)
    next_step = f"<br><small>{markup.cell(entry.next_step)}</small>" if entry else ""
    is_complete = row["failure"] == "complete"
    kind = markup.pill(row["failure"], "red" if is_complete else "orange")
    return (
        markup.Html(markup.code_link(row["code"], row["entry"]) + next_step),
        row["field"] or row["reason"],
        markup.Html(kind + ("" if row["certainty"] == "certain" else " <small>possible</small>")),
        row["row_count"],
    )


def chosen_filter(codes: list[str], guards: list[str]) -> ChangeFilter:
    quiet: dict[str, Any] = {"on_change": to_first_page, "args": (KEY,), "label_visibility": "collapsed"}
    hint = "Name, id or change"
    actions = {"any": "All records", "open": "Changes only", **ACTION_LABELS}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        text = st.text_input("Search", type="search", placeholder=hint, key="preview_text", width=230, **quiet)
        action = st.selectbox(
            "Action", list(actions), index=1, key="action", width=170, format_func=actions.__getitem__,
            bind="query-params", **quiet,
        )  # fmt: skip
        code = st.selectbox("Code", codes, index=None, placeholder="Any code", key="preview_code", width=290, **quiet)
        guard = None
        if guards:
            guard = st.selectbox("Guard", guards, index=None, placeholder="Any guard", key="guard", width=140, **quiet)
    return ChangeFilter(
        action=action if action in ACTION_LABELS else None,
        code=code,
        guard=guard,
        text=text or "",
        only_open=action == "open",
    )


def request_approval(preview: dict[str, Any], chosen: ChangeFilter, ticked: list[str]) -> None:
    """A batch of the ticked changes, or of what the filter shows."""
    who = session.person()
    scope = plural(len(ticked), "ticked change") if ticked else "what is filtered"
    with st.container(horizontal=True, vertical_alignment="center"):
        with_failures = st.toggle("Take predicted failures too", key="with_failures", disabled=bool(ticked))
        st.space("stretch")
        if not st.button(
            f"Request approval for {scope}", type="primary", icon=":material/send:", disabled=not who.may("request")
        ):
            return
    picked = Slice(
        actions=(chosen.action,) if chosen.action in WRITING and not ticked else (),
        codes=(chosen.code,) if chosen.code and not ticked else (),
        change_ids=tuple(ticked),
        all=with_failures and not ticked,
    )
    if not ticked and (chosen.text or chosen.guard):
        st.warning("Tick the rows to take: a batch cannot be made of a search or a guard.", icon=":material/info:")
        return
    try:
        made = operations.create_batch(session.store(), preview["preview_id"], by=who, chosen=picked)
    except WorkbenchError as refused:
        st.error(md(refused), icon=":material/block:")
        return
    left = sum(made.left_out.values())
    st.success(
        f"Batch {made.batch} with {plural(made.rows, 'change')} waits for approval"
        + (f"; {plural(left, 'change')} stayed out." if left else "."),
        icon=":material/task_alt:",
    )
    for reason, number in made.left_out.items():
        st.caption(f"{count(number)} left out: {md(reason)}")
    link("approvals", f"Open batch {made.batch}", batch=str(made.batch))


@st.fragment
@session.calm
def changes(preview: dict[str, Any], causes: list[dict[str, Any]]) -> None:
    preview_id = preview["preview_id"]
    guards = [row["guard"] for row in session.read(views_review.guards, preview_id)]
    with st.container(border=True):
        st.subheader("Every change", anchor=False)
        chosen = chosen_filter(views_review.codes_of(causes), guards)
        total = session.read(views_review.count_changes, preview_id, chosen)
        if not total:
            st.info("No change fits. Clear a filter to see more.", icon=":material/filter_alt_off:")
            return
        grid = st.container()
        page = pager(total, KEY)
        rows = session.read(views_review.page_of_changes, preview_id, chosen, size=PAGE_SIZE, page=page)
        with grid:
            ticked = change_grid(rows, KEY, is_selectable=True)
        downloads(functools.partial(change_rows, preview_id, chosen), CHANGE_COLUMNS, f"preview-{preview_id}-changes")
        request_approval(preview, chosen, ticked)
    if change_id := opened(KEY):
        open_change(preview_id, change_id)


known = session.read(views_review.previews)
if not known:
    with header("Preview"):
        pass
    empty(
        "No preview yet", "A preview puts every record in one bucket, with the request it would cause and the answer.",
        icon="preview", command="workbench preview export",
    )  # fmt: skip
    st.stop()
with header("Preview"):
    current = choose_preview(known)
st.caption(
    f"{', '.join(current['sobjects'])} · mapping revision {current['mapping_revision']} · "
    f"made in {current['seconds']:.1f} s · nothing of it is sent before a batch is approved"
)
st.html(organisation.route(current["direction"]))
summary(current)
found_causes = session.read(views_review.causes, current["preview_id"])
left, right = st.columns([1, 1.5])
with left:
    rules(current["preview_id"])
with right:
    reasons(found_causes, current["preview_id"])
    refused(found_causes, current["preview_id"])
changes(current, found_causes)
open_linked(current["preview_id"])
