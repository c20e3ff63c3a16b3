"""People: find one person, and see both records, every change and result, what was said, and the campaigns.

`?embed=true&id=003...` shows one person alone, for a record page of another system.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import empty, header, link
from dashboard.components.text import (
    ACTION_COLOURS,
    ACTION_LABELS,
    DIRECTION_LABELS,
    STATUS_COLOURS,
    ago,
    count,
    md,
    plural,
    when,
)
from dashboard.components.thread import thread_html
from workbench import views, views_people
from workbench.domain.mapping import SObjectMapping
from workbench.store.mappings import current_mapping

FOUND = 40
SHOWN_MESSAGES = 200
KINDS = ("AI", "Campaign", "Live Chat", "Other", "Incoming")


def choose_person() -> str | None:
    """Search on the left; the chosen id stands in the address."""
    text = st.text_input(
        "Search", type="search", live="300ms", placeholder="Name, phone, email or id", key="people_text",
        label_visibility="collapsed",
    )  # fmt: skip
    if (text or "").strip():
        found = session.read(views_people.find_people, text, limit=FOUND)
    else:
        found = session.read(views_people.recent_people, limit=FOUND)
        st.caption("Latest conversations")
    current = st.query_params.get("id")
    if not found:
        st.caption("Nobody fits. Part of a name, a phone, an email or an id finds people.")
    with st.container(height=690, border=False, gap="xxsmall"):
        for row in found:
            either = row["record_id"] or row["contact_id"]
            is_chosen = current in {row["record_id"], row["contact_id"]} and current is not None
            with st.container(key=f"wb-pick-{row['contact_id']}-{row['record_id']}"):
                st.button(
                    f"{md(row['name'] or 'No name')}  \n:small[:gray[{md(row['phone'] or row['email'] or either)}]]",
                    key=f"person_{row['contact_id']}_{row['record_id']}",
                    type="secondary" if is_chosen else "tertiary",
                    width="stretch",
                    on_click=choose,
                    args=(either,),
                )
    return current or (found[0]["record_id"] or found[0]["contact_id"] if found else None)


def choose(either_id: str) -> None:
    st.query_params["id"] = either_id


def biography(either_id: str) -> None:
    someone = session.read(views_people.person, either_id)
    record_id, contact_id = someone["record_id"], someone["contact_id"]
    counts = session.read(views_people.message_counts, contact_id)
    campaigns = session.read(views_people.campaigns_of_person, contact_id)
    results = session.read(views_people.results_of_person, record_id, contact_id)
    open_changes = session.read(views_people.changes_of_person, record_id, contact_id)
    name(someone)
    tabs = st.tabs(
        [
            f"Messages ({count(counts['total'])})",
            "Both records",
            f"History ({count(len(results))})",
            "What a sync would do",
            f"Campaigns ({count(len(campaigns))})",
        ]
    )
    with tabs[0]:
        messages(someone, counts)
    with tabs[1]:
        both_records(someone)
    with tabs[2]:
        history(results)
    with tabs[3]:
        planned(open_changes)
    with tabs[4]:
        campaign_table(campaigns)


def name(someone: dict[str, Any]) -> None:
    record, contact = someone["record"], someone["contact"]
    if record is not None and contact is not None:
        is_linked = contact.get("crm_id") == record["Id"]
        standing = markup.pill("in both systems", "green") if is_linked else markup.pill("not linked", "orange")
    else:
        standing = markup.pill("only in Salesforce" if record else "only in Mainstay", "gray")
    parts = [markup.cell(value) for value in (someone["record_id"], someone["contact_id"]) if value]
    if contact is not None and contact.get("messaging_status_sms"):
        status = str(contact["messaging_status_sms"])
        standing = markup.Html(standing + markup.pill(f"SMS {status}", "green" if status == "opted-in" else "orange"))
    ids = " · ".join(parts)
    st.html(f'<div class="wb-head"><b>{markup.cell(someone["name"])}</b>{standing}<small>{ids}</small></div>')


def zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, TypeError):
        return ZoneInfo("UTC")


def messages(someone: dict[str, Any], counts: dict[str, int]) -> None:
    """Count, incoming and outgoing over everything; the latest messages as bubbles."""
    if not counts["total"]:
        empty("No messages", "Nothing was said to or by this person, or messages have not been pulled.", icon="forum")
        return
    figures = [("Count", counts["total"]), ("Incoming", counts["incoming"]), ("Outgoing", counts["outgoing"])]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.figures([(label, count(number)) for label, number in figures]), width="content")
        st.space("stretch")
        kind = st.selectbox(
            "Kind", KINDS, index=None, placeholder="All messages", key="message_kind", width=170,
            label_visibility="collapsed",
        )  # fmt: skip
    shown = session.read(views_people.messages, someone["contact_id"], kind=kind, limit=SHOWN_MESSAGES)
    if not kind and counts["total"] > len(shown):
        st.caption(f"The latest {count(len(shown))} of {plural(counts['total'], 'message')}.")
    with st.container(height=520, border=True, autoscroll=True):
        st.html(thread_html(shown, someone["name"], zone()))


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


def history(results: list[dict[str, Any]]) -> None:
    """Every sync result of this person, newest first."""
    if not results:
        st.caption("Nothing has been synced for this person yet.")
        return
    lines = "".join(
        f"<li><time>{when(row['finished_at'])}<br>{markup.cell(row['name'])}</time><div>"
        f"{markup.pill(row['status'], STATUS_COLOURS[row['status']])} {markup.cell(story(row))}"
        f"<small>{markup.cell(row['direction'])}, batch {row['batch_id']}, approved by "
        f"{markup.cell(row['approved_by'])}</small></div></li>"
        for row in results[:50]
    )
    st.html(f'<ol class="wb-story">{lines}</ol>')
    with st.container(horizontal=True):
        for row in results[:5]:
            link("results", row["name"], result=row["name"])


def story(row: dict[str, Any]) -> str:
    done = ACTION_LABELS.get(row["action"] or "", "Sent")
    fields = ", ".join(str(one["field"]) for one in row["fields"][:6])
    refused = f"; answered {', '.join(row['codes'])}" if row["codes"] else ""
    return f"{done}{': ' + fields if fields else ''}{refused}"


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
            for code in row["codes"] or ():
                st.html(markup.code(code))


def campaign_table(rows: list[dict[str, Any]]) -> None:
    """The campaigns that wrote to this person: script, type, status, time sent."""
    if not rows:
        st.caption("No campaign has written to this person.")
        return
    st.dataframe(
        {
            "Campaign": [row["name"] for row in rows],
            "Script Name": [row["script_name"] for row in rows],
            "Type": [row["type"] for row in rows],
            "Status": [row["status"] for row in rows],
            "Time (Sent)": [row["sent_at"] or row["last_message_at"] for row in rows],
            "Messages": [row["message_count"] for row in rows],
        },
        hide_index=True, height="content" if len(rows) < 15 else 560, alt="Campaigns", placeholder="",
        column_config={"Time (Sent)": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm")},
    )  # fmt: skip


has_people = bool(session.read(views.latest_pulls))
if session.is_embedded():
    wanted = st.query_params.get("id")
    if wanted:
        biography(wanted)
    else:
        st.info("Name the record in the address: ?embed=true&id=003...", icon=":material/link:")
else:
    with header("People"):
        pass
    if not has_people:
        empty("Nobody has been pulled yet", "Read both systems first.", icon="person_search", command="workbench pull")
        st.stop()
    left, right = st.columns([1, 3], gap="medium")
    with left:
        chosen = choose_person()
    with right, st.container(border=True):
        if chosen:
            biography(chosen)
