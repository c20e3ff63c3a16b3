"""People: find one person, and see what was said, their whole story, both records, and the campaigns.

`?embed=true&id=003...&sobject=Contact` shows one person alone, for a record page of Salesforce. Where the page is of
another object, `&path=Contact__c` names the id field that leads to the person; without a path, `&sobject=Account`
lists the people who look up to that record.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.components import door, person
from dashboard.components.layout import empty, header
from dashboard.components.text import md, plural
from workbench import views, views_biography, views_people

FOUND = 40


def id_of(row: dict[str, Any]) -> str:
    return str(row["record_id"] or row["contact_id"])


def choose(either_id: str) -> None:
    """Keep where the visitor came from (an account's people) in the address, with the person chosen there."""
    if st.query_params.get("sobject", "Contact") != "Contact":
        st.query_params["person"] = either_id
    else:
        st.query_params["id"] = either_id


def asked_for() -> tuple[str | None, list[dict[str, Any]]]:
    """Whom the address names, and the people below the record it names, where it is no person."""
    query = st.query_params
    record_id, sobject, path = query.get("id"), query.get("sobject", "Contact"), query.get("path", "")
    if not record_id:
        return None, []
    if path:
        return session.read(views_biography.resolve_person, record_id, sobject, path), []
    if sobject == "Contact":
        return record_id, []
    below = session.read(views_biography.people_below, record_id, sobject)
    if not below:
        st.info(
            f"Nobody who was pulled looks up to {md(sobject)} {md(record_id)}. Name the field that leads to the person "
            "in the address: &path=Contact\\_\\_c",
            icon=":material/link:",
        )
        st.stop()
    return query.get("person") or id_of(below[0]), below


def find() -> list[dict[str, Any]]:
    """The search box and whom it finds."""
    text = st.text_input(
        "Search", type="search", live="300ms", placeholder="Name, phone, email or id", key="people_text",
        label_visibility="collapsed",
    )  # fmt: skip
    if (text or "").strip():
        found = session.read(views_people.find_people, text, limit=FOUND)
        more = " at most; type more to narrow it" if len(found) == FOUND else ""
        st.caption(f"{len(found)} found{more}" if found else "Nobody fits. Part of a name, phone, email or an id.")
        return found
    st.caption("Latest conversations")
    return session.read(views_people.recent_people, limit=FOUND)


def names(rows: list[dict[str, Any]], current: str | None) -> None:
    """People to choose from; each button carries an id, so a list that moves opens nobody else."""
    with st.container(height=660, border=False, gap="xxsmall", key="wb-people"):
        for row in rows:
            is_chosen = current is not None and current in {row["record_id"], row["contact_id"]}
            with st.container(key=f"wb-pick-{row['contact_id']}-{row['record_id']}"):
                st.button(
                    f"**{md(row['name'] or 'No name')}**  \n"
                    f":small[:gray[{md(row['phone'] or row['email'] or id_of(row))}]]",
                    key=f"person_{row['contact_id']}_{row['record_id']}",
                    type="secondary" if is_chosen else "tertiary",
                    width="stretch",
                    on_click=choose,
                    args=(id_of(row),),
                )


def alone() -> None:
    """One person, nothing around: stands inside a page of Salesforce."""
    chosen, below = asked_for()
    if chosen is None:
        st.info("Name the record in the address: ?embed=true&id=003...&sobject=Contact", icon=":material/link:")
        return
    with st.container(horizontal=True, horizontal_alignment="right"):
        if below:
            ids = {id_of(row): row["name"] or id_of(row) for row in below}
            st.selectbox(
                plural(len(below), "person").replace("persons", "people"), list(ids), key="person", bind="query-params",
                format_func=lambda one: md(ids[one]),
            )  # fmt: skip
            chosen = st.session_state["person"]
        door.reveal_control()
    person.show(chosen)


def browse() -> None:
    with header("People"):
        pass
    if not session.read(views.latest_pulls):
        empty("Nobody has been pulled yet", "Read both systems first.", icon="person_search", command="workbench pull")
        return
    current, below = asked_for()
    left, right = st.columns([1, 3], gap="medium")
    with left:
        if below:
            st.caption(f"Below {md(st.query_params['sobject'])} {md(st.query_params['id'])}")
        rows = below or find()
        names(rows, current)
    chosen = current or (id_of(rows[0]) if rows else None)
    with right, st.container(border=True):
        if chosen:
            person.show(chosen)
        else:
            st.caption("Nobody is chosen.")


if session.is_embedded():
    alone()
else:
    browse()
