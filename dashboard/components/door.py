"""Who comes in: sign-in, pages that need another role, and personal data shown or hidden."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import returning, session
from dashboard.components.text import md
from workbench.domain.access import NEEDED, Deed

# What looking at a screen takes, where it is more than looking.
DEEDS: dict[str, Deed] = {"logs": "inspect", "settings": "inspect", "labels": "label"}


def is_open() -> bool:
    """Whether this person may look at anything at all."""
    return session.person().may("look")


def show(screen: str, run: Callable[[], None]) -> None:
    """Run a screen, or say what is missing: a sign-in, any role, or a role that reaches this far."""
    who = session.person()
    deed = DEEDS.get(screen, "look")
    if who.may(deed):
        run()
    elif session.has_sign_in() and not session.is_signed_in():
        _sign_in()
    elif who.role is None:
        _nobody()
    else:
        _notice(
            "lock",
            "This page is closed to your role",
            f"It takes the role **{NEEDED[deed]}**; {md(who.name)} is here as **{who.role}**. "
            "An admin of this workbench can give you another one.",
        )


def _notice(icon: str, title: str, text: str) -> None:
    with st.container(border=True, horizontal_alignment="center", gap="small", key="wb-door"):
        st.space("small")
        st.markdown(f":material/{icon}: **{title}**", width="content")
        st.caption(text, width="content")
        st.space("small")


def _sign_in() -> None:
    if session.is_embedded():  # a provider's page, and its cookie, do not work inside another page
        _notice("lock", "Sign in first", "Open this workbench in a tab of its own and sign in there.")
        return
    with st.container(border=True, horizontal_alignment="center", gap="small", key="wb-door"):
        st.space("small")
        st.markdown(":material/lock: **Mainstay Workbench**", width="content")
        st.caption("Sign in with your institution's account.", width="content")
        st.button("Sign in", type="primary", icon=":material/login:", on_click=sign_in, key="sign_in")
        st.space("small")


def _nobody() -> None:
    who = session.person()
    _notice(
        "person_off",
        "You have no role here yet",
        f"An admin of this workbench names {md(who.name)} in its setting `WORKBENCH_ACCESS__ROLES`.",
    )
    if session.is_signed_in():
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign_out")


def sign_in() -> None:
    """To the identity provider, and from there back to this page."""
    query = {name: st.query_params[name] for name in st.query_params}
    address = returning.address_of(st.session_state.get("screen", "overview"), query)
    returning.remember(st.context.cookies.get(returning.COOKIE), address)
    st.login()


def sign_in_again(deed: str = "Pushing") -> bool:
    """True while the sign-in is fresh enough to push; else says so, with the button that renews it."""
    who = session.person()
    minutes = session.settings().access.sign_in_minutes
    if who.is_fresh(minutes):
        return True
    st.info(f"{deed} takes a sign-in of the last {minutes} minutes.", icon=":material/lock_clock:")
    st.button("Sign in again", icon=":material/login:", on_click=sign_in, key="sign_in_again")
    return False


def reveal_control() -> None:
    """Where personal data is masked: shows it on this screen, for those who may; the app log keeps who did."""
    who, access = session.person(), session.settings().access
    if not session.hides(who, access):
        return
    may = who.reaches(access.reveal_from)
    if session.is_revealed():
        st.button("Hide personal data", icon=":material/visibility_off:", on_click=session.hide, key="hide_data")
        return
    st.button(
        "Show personal data",
        icon=":material/visibility:",
        on_click=session.reveal,
        disabled=not may,
        key="reveal_data",
        help="Kept in the app log with your name." if may else f"Showing it takes the role {access.reveal_from}.",
    )
