"""One person on one page: what was said, their whole story, both records, what a sync would do, campaigns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import empty, link
from dashboard.components.story import story_html
from dashboard.components.text import ACTION_COLOURS, ACTION_LABELS, DIRECTION_LABELS, STATUS_COLOURS, ago, count, when
from dashboard.components.thread import thread_html
from workbench import views_biography, views_people
from workbench.domain.mapping import SObjectMapping
from workbench.store.mappings import current_mapping

KINDS: Final = ("AI", "Campaign", "Live Chat", "Other", "Incoming")
SHOWN_MESSAGES: Final = 500
SHOWN_EVENTS: Final = 300


def show(either_id: str) -> None:
    """Everything about the person with this Salesforce or Mainstay id."""
    someone = session.read(views_people.person, either_id)
    record_id, contact_id = someone["record_id"], someone["contact_id"]
    head(someone)
    parts: dict[str, Callable[[], None]] = {
        "Messages": lambda: messages(someone),
        "Biography": lambda: biography(record_id, contact_id),
        "Both records": lambda: both_records(someone),
        "What a sync would do": lambda: planned(session.read(views_people.changes_of_person, record_id, contact_id)),
        "Campaigns": lambda: campaign_table(session.read(views_people.campaigns_of_person, contact_id)),
    }
    # The open tab stands in the address; the others are not even read.
    for tab, draw in zip(st.tabs(list(parts), key="tab", bind="query-params"), parts.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def head(someone: dict[str, Any]) -> None:
    record, contact = someone["record"], someone["contact"]
    if record is not None and contact is not None:
        is_linked = contact.get("crm_id") == record["Id"]
        standing = markup.pill("in both systems", "green") if is_linked else markup.pill("not linked", "orange")
    else:
        standing = markup.pill("only in Salesforce" if record else "only in Mainstay", "gray")
    if contact is not None and contact.get("messaging_status_sms"):
        status = str(contact["messaging_status_sms"])
        standing = markup.Html(standing + markup.pill(f"SMS {status}", "green" if status == "opted-in" else "orange"))
    ids = " · ".join(markup.cell(value) for value in (someone["record_id"], someone["contact_id"]) if value)
    name = f"<b><bdi>{markup.cell(someone['name'])}</bdi></b>"
    st.html(f'<div class="wb-head">{name}{standing}<small>{ids}</small></div>')


def zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, TypeError):
        return ZoneInfo("UTC")


def messages(someone: dict[str, Any]) -> None:
    """Count, incoming and outgoing over everything; the latest messages as bubbles, or those from a day on."""
    contact_id = someone["contact_id"]
    span = session.read(views_people.message_span, contact_id)
    if span is None:
        empty("No messages", "Nothing was said to or by this person, or messages have not been pulled.", icon="forum")
        return
    counts = session.read(views_people.message_counts, contact_id)
    figures = [("Count", counts["total"]), ("Incoming", counts["incoming"]), ("Outgoing", counts["outgoing"])]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.figures([(label, count(number)) for label, number in figures]), width="content")
        st.space("stretch")
        st.caption("Jump to", width="content")
        day = st.date_input(
            "Jump to date", value=None, min_value=span[0].astimezone(zone()).date(),
            max_value=span[1].astimezone(zone()).date(), key=f"jump_{contact_id}", width=150,
            help="Jump to a day; clear it to see the latest.", label_visibility="collapsed",
        )  # fmt: skip
        kind = st.selectbox(
            "Reason", KINDS, index=None, placeholder="All messages", key="message_kind", width=150,
            label_visibility="collapsed",
        )  # fmt: skip
    shown = session.read(
        views_people.messages, contact_id, kind=kind, since=midnight(day) if day else None, limit=SHOWN_MESSAGES
    )
    st.caption(told(len(shown), counts, kind, day) + f" Times are in {zone().key}.")
    with st.container(height=520, border=True, autoscroll=day is None):
        st.html(thread_html(shown, someone["name"], zone()))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), zone()).astimezone(UTC)


def told(number: int, counts: dict[str, int], kind: str | None, day: date | None) -> str:
    """Which of the messages stand below."""
    total = counts["total"] if kind is None else counts["incoming"] if kind == "Incoming" else counts.get(kind, 0)
    if day is not None:
        return f"{count(number)} of {count(total)} messages, from {day.day} {day:%B %Y} on."
    return f"All {count(total)} messages." if number == total else f"The latest {count(number)} of {count(total)}."


def biography(record_id: str | None, contact_id: str | None) -> None:
    """Edits, pushes, decisions and messages as one line of time, newest first."""
    events = session.read(views_biography.biography, record_id, contact_id, zone=zone().key, limit=SHOWN_EVENTS)
    if not events:
        st.caption("Nothing is known about this person yet.")
        return
    st.html(story_html(events, zone()))
    if pushes := [event for event in events if event["kind"] == "push"][:5]:
        with st.container(horizontal=True):
            for event in pushes:
                link("results", event["title"], result=event["title"])


def both_records(someone: dict[str, Any]) -> None:
    """Mapped fields side by side, what differs marked; below them everything else that was pulled."""
    record, contact = someone["record"] or {}, someone["contact"] or {}
    pairs = mapped_pairs()
    rows = "".join(side_by_side(path, target, record, contact) for path, target in pairs)
    if pairs and rows:
        st.html(
            '<table class="wb-sides" aria-label="Mapped fields"><thead><tr><th>Field</th><th>Salesforce</th>'
            f"<th>Mainstay</th></tr></thead><tbody>{rows}</tbody></table>"
        )
        st.caption("Marked rows differ as text; a preview decides after bringing both sides into one form.")
    for title, row in (("Salesforce, as pulled", record), ("Mainstay, as pulled", contact)):
        with st.expander(title):
            known = ((field, readable(value)) for field, value in row.items())
            facts = [(field, value) for field, value in known if value]
            st.html(markup.facts(facts) if facts else "<p>This side has no record.</p>")


def mapped_pairs() -> list[tuple[str, str]]:
    """(Salesforce path, Mainstay field) of the mapping of Contact, export first, each once."""
    revision = session.read(current_mapping)
    if revision is None:
        return []
    found: dict[tuple[str, str], None] = {("Id", "crm_id"): None}
    for item in revision.mapping.objects:
        if item.sobject == "Contact":
            found |= dict.fromkeys(pairs_of(item))
    return list(found)


def pairs_of(item: SObjectMapping) -> list[tuple[str, str]]:
    exported = [(pair.salesforce, pair.mainstay) for pair in item.export.fields] if item.export else []
    imported = [(pair.salesforce, pair.mainstay) for pair in item.import_.fields] if item.import_ else []
    return exported + imported


def side_by_side(path: str, target: str, record: dict[str, Any], contact: dict[str, Any]) -> str:
    left, right = readable(record.get(path)), readable(contact.get(target))
    differs = ' class="wb-differs"' if record and contact and (left or "") != (right or "") else ""
    label = target.removeprefix("custom.")
    return f"<tr{differs}><th>{markup.cell(label)}</th><td>{markup.cell(left)}</td><td>{markup.cell(right)}</td></tr>"


def readable(value: Any) -> str | None:
    """A landed value as a person writes it."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def planned(changes: list[dict[str, Any]]) -> None:
    """What the latest preview of each direction says about this person."""
    if not changes:
        st.caption("The latest previews do not hold this person.")
    for row in changes:
        status = row["predicted_status"]
        predicted = markup.pill(f"predicted {status}", STATUS_COLOURS[status]) if status else ""
        with st.container(border=True, gap="small"):
            action = markup.pill(ACTION_LABELS[row["action"]], ACTION_COLOURS[row["action"]])
            st.html(
                f'<div class="wb-head">{action}{predicted}'
                f"<small>{DIRECTION_LABELS[row['direction']]} · preview {row['preview_id']}, {ago(row['created_at'])}"
                f"</small></div><p>{markup.cell(row['reason'])}</p>"
            )
            if row["fields"]:
                st.html(markup.differences(row["fields"]))
            with st.container(horizontal=True):
                for code in row["codes"] or ():
                    link("errors", code, code=code.split(": ")[0])


def campaign_table(rows: list[dict[str, Any]]) -> None:
    """The campaigns that wrote to this person: how many, and of each script, type, status, time sent."""
    if not rows:
        st.caption("No campaign has written to this person.")
        return
    st.html(markup.figures([("Count", count(len(rows)))]))
    st.dataframe(
        {
            "Script Name": [row["script_name"] or row["name"] for row in rows],
            "Type": [row["type"] for row in rows],
            "Status": [(row["status"] or "").replace("_", " ") for row in rows],
            "Time (Sent)": [row["sent_at"] or row["last_message_at"] for row in rows],
            "Campaign": [row["name"] for row in rows],
            "Messages": [row["message_count"] for row in rows],
        },
        hide_index=True, height="content" if len(rows) < 15 else 560, alt="Campaigns", placeholder="",
        column_config={
            "Time (Sent)": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone=zone().key)
        },
    )  # fmt: skip
