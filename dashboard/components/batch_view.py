"""One batch on its way: what it would send, whether it still stands, the decision, and the push as it goes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

import streamlit as st

from dashboard import session, worker
from dashboard.components import door, markup, organisation
from dashboard.components.layout import link
from dashboard.components.text import ACTION_LABELS, STATE_COLOURS, SYSTEM_LABELS, count, md, percent, plural, when
from workbench import operations, views, views_review
from workbench.errors import ApprovalRefused, WorkbenchError
from workbench.settings import folded

POLL_SECONDS: Final = 1.0
CANARY: Final = 20
EXPLAINED: Final = {
    "draft": "A draft: its author hands it in when it is ready.",
    "submitted": "Waits for an approver. Look at the rows, leave some out if you wish, then decide.",
    "approved": "Approved in exactly this form. It is sent when somebody pushes it.",
    "pushing": "Being sent. This page may be closed; the push goes on.",
    "paused": "Stopped before its end. Everything answered is kept; pushing again goes on where it stopped.",
    "done": "Everything in it has been sent and answered.",
    "rejected": "Refused by an approver; nothing of it was sent.",
    "stale": "What it stands on has moved. Preview again and make a new batch; nothing more of this one is sent.",
    "cancelled": "Given up.",
}


def head(batch: dict[str, Any]) -> None:
    pill = markup.pill(batch["state"], STATE_COLOURS[batch["state"]])
    st.html(
        f'<div class="wb-head"><b>Batch {batch["batch_id"]}</b>{pill}{organisation.route(batch["direction"])}'
        f"<small>asked for by {markup.cell(batch['requested_by'])}, {when(batch['created_at'])}</small></div>"
    )
    st.caption(EXPLAINED[batch["state"]])


def stands(batch: dict[str, Any]) -> bool:
    """Whether everything the batch pinned is still as it was; says what moved."""
    if batch["state"] not in {"submitted", "approved", "paused"}:
        return True
    moved = session.read(views_review.moved, batch["batch_id"])
    if moved:
        st.warning(
            f"Out of date: {md('; '.join(moved))}. Approving or pushing it would mark it stale. "
            "Make a new preview and a new batch.",
            icon=":material/update:",
        )
    return not moved


def contents(batch: dict[str, Any]) -> None:
    """What the batch would send, in figures."""
    found = session.read(views_review.batch_summary, batch["batch_id"])
    requests = session.read(views_review.requests_per_system, batch["batch_id"])
    figures = [("Changes", count(batch["approved_count"]))]
    figures += [(ACTION_LABELS[name], count(number)) for name, number in found["action"].items()]
    figures += [(f"{row['method']} to {SYSTEM_LABELS[row['system']]}", count(row["row_count"])) for row in requests]
    st.html(markup.figures(figures))
    st.html(
        '<div class="wb-line"><b>Predicted</b></div>' + markup.stacked_bar(found["status"], label="Predicted status")
    )
    for guard, number in found["guard"].items():
        st.caption(f":material/shield: {md(guard)}: {plural(number, 'change')}")


def outcomes(batch: dict[str, Any]) -> None:
    """What came of it, beside the prediction."""
    ended = {name: batch[f"{name}_count"] for name in ("success", "partial", "fail", "unknown")}
    if not sum(ended.values()):
        return
    totals = session.read(views_review.batch_score, batch["batch_id"])
    score = percent(totals["as_predicted"] / totals["ended"] if totals["ended"] else None)
    told = f"{count(totals['as_predicted'])} of {count(totals['ended'])} as predicted ({score})"
    st.html(f'<div class="wb-line"><b>Answered</b><small>{told}</small></div>'
            + markup.stacked_bar(ended, label="Answered"))  # fmt: skip
    scores = session.read(views.scores, [batch["batch_id"]])
    with st.expander(f"Predicted against actual, {plural(len(scores), 'code')}"):
        rows = [
            (
                "no error" if row["code"] == "(none)" else markup.code_link(row["code"]),
                row["predicted"],
                row["actual"],
                markup.meter(row["hit_rate"]),
            )
            for row in scores
        ]
        numbers = ("Predicted", "Actual", "Hit rate")
        st.html(markup.table(("Code", *numbers), rows, label="Predicted against actual", numbers=numbers))
    with st.container(horizontal=True, gap="medium"):
        link("results", "Its sync results", batch=str(batch["batch_id"]))
        if totals["as_predicted"] < totals["ended"]:
            link("results", "Only the surprises", batch=str(batch["batch_id"]), surprises="true")


def decide(batch: dict[str, Any], left_out: list[str]) -> None:
    """Approve, leave out, reject: by the person who is signed in, with a reason that the journal keeps."""
    who = session.person()
    own = folded(who.name) == folded(batch["requested_by"])
    blocked = own and session.settings().approval.four_eyes
    if blocked:
        st.info(
            f"{md(who.name)} asked for this batch, so somebody else decides on it. A single-user installation "
            "sets WORKBENCH\\_APPROVAL\\_\\_FOUR\\_EYES=false; the batch then says so.",
            icon=":material/group:",
        )
    elif not who.may("decide"):
        st.info(f"Deciding takes the role approver; you are here as {who.role}.", icon=":material/lock:")
    reason = st.text_input(
        "Reason", key=f"reason_{batch['batch_id']}", placeholder="Kept with the batch", max_chars=300
    )
    rest = batch["approved_count"] - len(left_out)
    with st.container(horizontal=True, horizontal_alignment="right"):
        may = who.may("decide") and not blocked
        if st.button(
            "Reject", icon=":material/block:", disabled=not (may and reason), help="Rejecting takes a reason."
        ):
            act(lambda: operations.reject_batch(session.store(), batch["batch_id"], by=who, reason=reason))
        label = f"Approve {plural(rest, 'change')}"
        if st.button(label, type="primary", icon=":material/check:", disabled=not may or rest < 1):
            confirm(batch, left_out, reason)


@st.dialog("Approve these changes?", icon=":material/verified:")
@session.calm
def confirm(batch: dict[str, Any], left_out: list[str], reason: str) -> None:
    who = session.person()
    found = session.read(views_review.batch_summary, batch["batch_id"])
    expected = ", ".join(f"{count(number)} {name}" for name, number in found["status"].items())
    st.html(
        markup.facts(
            [
                ("Batch", str(batch["batch_id"])),
                ("Direction", organisation.route(batch["direction"])),
                ("To send", plural(batch["approved_count"] - len(left_out), "change")),
                ("Left out by you", plural(len(left_out), "change") if left_out else "none"),
                ("Predicted, whole batch", expected),
                ("Asked for by", batch["requested_by"]),
                ("Approved by", who.name),
                ("Fingerprint", markup.code(batch["digest"][:16])),
            ]
        )
    )
    st.caption("Exactly these rows and requests are approved. If anything they stand on moves, the push refuses.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Back"):
            st.rerun()
        if st.button("Approve", type="primary", icon=":material/check:", key="approve_now") and who.may("decide"):
            act(
                lambda: operations.approve_batch(
                    session.store(),
                    session.settings(),
                    batch["batch_id"],
                    by=who,
                    except_changes=left_out,
                    reason=reason,
                )
            )


def act(step: Any) -> None:
    """Take a step and show the page anew; what the workbench refuses is said at the top of it."""
    try:
        step()
    except WorkbenchError as refused:
        st.session_state["batch_refusal"] = str(refused)
    st.rerun()


def push(batch: dict[str, Any]) -> None:
    """Send an approved or paused batch, a small first slice before the rest where one is wished."""
    who, number = session.person(), batch["batch_id"]
    left = batch["approved_count"] - batch["sent_count"]
    may_push = who.may("push") and door.sign_in_again()
    if not who.may("push"):
        st.info(f"Pushing takes the role approver; you are here as {who.role}.", icon=":material/lock:")
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        canary = st.number_input(
            "First slice", min_value=0, max_value=max(0, left), value=min(left, CANARY), width=150,
            key=f"canary_{number}_{left}",
            help="So many changes go first and are judged: the push stops by itself when more of them fail than was "
            "predicted. 0 leaves it to the settings.",
        )  # fmt: skip
        st.space("stretch")
        if st.button("Give up", icon=":material/close:", disabled=not who.may("request")):
            act(lambda: operations.cancel_batch(session.store(), number, by=who))
        verb = "Go on with" if batch["state"] == "paused" else "Push"
        if st.button(
            f"{verb} {plural(left, 'change')} to {SYSTEM_LABELS[organisation.ENDS[batch['direction']][1]]}",
            type="primary", icon=":material/rocket_launch:", disabled=not may_push,
        ):  # fmt: skip
            act(lambda: worker.start_push(number, by=who, canary=canary or None))


@st.fragment(run_every=POLL_SECONDS)
@session.calm
def progress(batch_id: int) -> None:
    """The push as it goes, read from the store; any page may look on, and come back later."""
    batch = views.batch(session.store(), batch_id)
    work = worker.work_of(batch_id)
    done, total = batch["sent_count"], max(1, batch["approved_count"])
    key = f"push_began_{batch_id}"
    began, first = st.session_state.setdefault(key, (time.monotonic(), done))
    passed = time.monotonic() - began
    rate = (done - first) / passed if passed > POLL_SECONDS else 0.0
    left = f" · about {(total - done) / rate:.0f} s left" if rate > 0 and done < total else ""
    st.progress(
        min(1.0, done / total),
        f"{count(done)} of {count(total)} answered ({percent(done / total)}) · {count(rate)} a second{left}",
    )
    is_at_work = batch["state"] == "pushing" or (work is not None and work.is_running)
    if not is_at_work:
        st.session_state.pop(key, None)
        st.rerun()
    pause(batch)


def pause(batch: dict[str, Any]) -> None:
    """Stop a push after the requests that are on their way."""
    who, asked = session.person(), f"pause_asked_{batch['batch_id']}"
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if st.session_state.get(asked):
            st.caption("Pausing: what is on its way is answered first.", width="content")
        if st.button("Pause", icon=":material/pause:", key=f"pause_{batch['batch_id']}",
                     disabled=not who.may("push") or batch["state"] != "pushing"):  # fmt: skip
            st.session_state[asked] = True
            with suppress(ApprovalRefused):  # it ended in between
                operations.pause_batch(session.store(), batch["batch_id"], by=who, reason="paused on the screen")


def history(batch: dict[str, Any]) -> None:
    steps = "".join(
        f"<li><time>{when(event['happened_at'], seconds=True)}</time>"
        f"<span>{markup.pill(event['to_state'], STATE_COLOURS[event['to_state']])}</span>"
        f"<span>{markup.cell(event['who'])}{': ' + markup.cell(event['reason']) if event['reason'] else ''}</span></li>"
        for event in batch["events"]
    )
    st.html(f'<ol class="wb-steps">{steps}</ol>')
    eyes = {True: "two people", False: "one person (four eyes are switched off)", None: "nobody yet"}
    st.html(
        markup.facts(
            [
                ("Approved by", batch["approved_by"]),
                ("Decided by", eyes[batch["is_four_eyes"]]),
                ("Slice", markup.code(batch["slice"])),
                ("Fingerprint", markup.code(batch["digest"])),
                ("Preview", str(batch["preview_id"])),
            ]
        )
    )
