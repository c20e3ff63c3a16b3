"""Who may do what here, with whose eyes to look, and how a person is shown inside a page of Salesforce."""

from __future__ import annotations

import json
import re
from typing import Final

import streamlit as st

from dashboard import session
from dashboard.components import markup
from dashboard.components.layout import card
from dashboard.components.text import md
from workbench.domain.access import ROLES

MAY: Final = {
    "viewer": "look, with personal data masked",
    "analyst": "see people, ask for batches, resend, edit the mapping",
    "approver": "decide on what others asked for, push, switch directions",
    "admin": "clear old results, disconnect",
}
PAGE: Final = """<apex:page standardController="{sobject}" showHeader="false" sidebar="false">
  <apex:iframe src="{address}/people?embed=true&amp;id={{!{sobject}.Id}}&amp;sobject={sobject}{path}"
               height="720px" scrollbars="true"/>
</apex:page>"""


def people() -> None:
    """Persons and roles as set; and looking at this workbench in a lesser role."""
    who, access = session.person(), session.settings().access
    with card("Roles", note=f"you are {md(who.name)}, {who.role}"):
        st.html(
            markup.table(("Role", "May also"), [(markup.pill(one, "gray"), MAY[one]) for one in ROLES], label="Roles")
        )
        if access.roles:
            named = sorted(access.roles.items(), key=lambda item: (-ROLES.index(item[1]), item[0]))
            st.html(markup.table(("Person", "Role"), named, label="People and roles"))
            st.caption("Whoever is not named may do nothing. Set by WORKBENCH\\_ACCESS\\_\\_ROLES.")
        else:
            st.caption(
                f"Nobody is named, so whoever reaches this machine acts as {access.local_role}. "
                "Name people in WORKBENCH\\_ACCESS\\_\\_ROLES."
            )
        provider = "People sign in by the identity provider." if session.has_sign_in() else "No sign-in is set."
        hidden = {"viewers": "hidden from viewers", "everyone": "hidden until shown", "nobody": "not hidden"}
        st.caption(
            f"{provider} Personal data is {hidden[access.masking]}; showing it takes {access.reveal_from} or more "
            f"and is kept in the app log. A push takes a sign-in of the last {access.sign_in_minutes} minutes."
        )
        lesser = ROLES[: ROLES.index(who.role) + 1] if who.role else ()
        if len(lesser) > 1:
            st.segmented_control(
                "Look with the eyes of", lesser, default=who.role, key="look_as", required=True, on_change=look_as,
                help="For this visit only, and never more than your own role; reload to be yourself again.",
            )  # fmt: skip


def look_as() -> None:
    st.session_state["role"] = st.session_state["look_as"]


def embedding() -> None:
    """A page to paste into Salesforce, and the setting that lets it frame this workbench."""
    access, instance = session.settings().access, session.settings().salesforce.instance_url
    with card("One person inside a Salesforce page"), st.expander("A page to paste"):
        with st.container(horizontal=True):
            sobject = st.text_input("Object", "Contact", key="embed_object", width=220)
            path = st.text_input("Id field that leads to the person", key="embed_path", width=300,
                                 placeholder="blank for Contact; Contact__c ...")  # fmt: skip
        if not re.fullmatch(r"\w+", sobject) or not re.fullmatch(r"[\w.]*", path):
            st.warning("Object and field are API names: letters, digits, _ and, for a path, dots.")
            return
        address = re.sub(r"(https?://[^/]+).*", r"\1", str(st.context.url or "http://127.0.0.1:8501"))
        more = f"&amp;path={path}" if path else ""
        st.code(PAGE.format(sobject=sobject, address=address, path=more), language="html")
        st.caption("Setup > Visualforce Pages > New; then add the page to the record page in Lightning App Builder.")
        if access.framed_by:
            st.caption(f"May be framed by {md(', '.join(access.framed_by))}.")
        else:
            st.caption("No page may frame this workbench yet. Allow those of your org, then start it again:")
            st.code(f"WORKBENCH_ACCESS__FRAMED_BY='{json.dumps(origins(instance))}'", language="bash")


def origins(instance_url: str | None) -> list[str]:
    """The org's own pages: its My Domain, Lightning, and the host of its Visualforce pages.

    >>> origins("https://acme--dev.sandbox.my.salesforce.com")[1:]
    ['https://acme--dev.sandbox.lightning.force.com', 'https://acme--dev--c.sandbox.vf.force.com']
    >>> origins("http://127.0.0.1:8")[0]
    'https://NAME.my.salesforce.com'
    """
    found = re.fullmatch(r"https://([a-z0-9.-]+)\.my\.salesforce\.com/?", instance_url or "")
    name = found[1] if found else "NAME"
    first, dot, rest = name.partition(".")
    return [
        f"https://{name}.my.salesforce.com",
        f"https://{name}.lightning.force.com",
        f"https://{first}--c{dot}{rest}.vf.force.com",
    ]
