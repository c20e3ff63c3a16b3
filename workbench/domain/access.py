"""Who may do what: four roles, each of which may also do what the ones before it may.

- viewer: looks, with personal data masked
- analyst: sees people, labels matches, requests batches and resends, edits the mapping
- approver: decides on what others requested, pushes, and switches directions
- admin: clears old results, disconnects
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from workbench.errors import NotAllowed
from workbench.settings import AccessSettings, Role, folded

ROLES: Final[tuple[Role, ...]] = get_args(Role)
Deed = Literal["look", "inspect", "label", "request", "edit_mapping", "decide", "push", "switch", "clear", "disconnect"]
NEEDED: Final[dict[Deed, Role]] = {
    "look": "viewer",
    "inspect": "analyst",
    "label": "analyst",
    "request": "analyst",
    "edit_mapping": "analyst",
    "decide": "approver",
    "push": "approver",
    "switch": "approver",
    "clear": "admin",
    "disconnect": "admin",
}
_SAID: Final[dict[Deed, str]] = {
    "look": "Looking at this workbench",
    "inspect": "Looking at how this workbench is set up",
    "label": "Labelling pairs of people",
    "request": "Asking for a batch",
    "edit_mapping": "Changing the mapping",
    "decide": "Deciding on a batch",
    "push": "Pushing",
    "switch": "Switching a direction",
    "clear": "Clearing sync results",
    "disconnect": "Disconnecting",
}


@dataclass(frozen=True)
class Person:
    """Somebody who acts. `role` is None for a person whom nobody has named.

    `signed_in_at`: when an identity provider last saw them, None for the user of this machine.
    """

    name: str
    role: Role | None
    signed_in_at: datetime | None = None

    def may(self, deed: Deed) -> bool:
        """Whether the role reaches far enough for a deed."""
        return self.reaches(NEEDED[deed])

    def reaches(self, role: Role) -> bool:
        """Whether this role is `role` or a later one."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(role)

    def refusal(self, deed: Deed) -> str:
        """Why the person may not do a deed, naming the role that may; blank where they may."""
        if self.may(deed):
            return ""
        held = f"has the role {self.role}" if self.role else "has no role here"
        return f"{_SAID[deed]} takes the role {NEEDED[deed]}; {self.name} {held}."

    def is_fresh(self, minutes: int, now: datetime | None = None) -> bool:
        """Whether the sign-in is at most so old. The user of this machine signed in at its own door."""
        if self.signed_in_at is None:
            return True
        return (now or datetime.now(UTC)) - self.signed_in_at <= timedelta(minutes=minutes)


def person_named(
    access: AccessSettings, name: str, *, signed_in_at: datetime | None = None, is_local: bool = True
) -> Person:
    """A person with the role that the settings give the name.

    `is_local`: a name given at this machine, which has `local_role` where no roles are set at all.

    >>> access = AccessSettings(roles={"Amy@x.edu": "approver"})
    >>> person_named(access, "amy@X.edu").role, person_named(access, "eve@x.edu").role
    ('approver', None)
    >>> person_named(AccessSettings(), "eve").role, person_named(AccessSettings(), "eve", is_local=False).role
    ('admin', None)
    """
    if access.roles:
        return Person(name, access.roles.get(folded(name)), signed_in_at)
    return Person(name, access.local_role if is_local else None, signed_in_at)


def allowed(by: str | Person, deed: Deed, *, within_minutes: int | None = None) -> str:
    """The name to keep with a deed. Raises NotAllowed for a person whose role, or whose sign-in, does not suffice.

    A bare name comes from code that runs with the store in its hands, and is taken as it is.
    """
    if isinstance(by, str):
        return by
    if refusal := by.refusal(deed):
        raise NotAllowed(refusal)
    if within_minutes is not None and not by.is_fresh(within_minutes):
        raise NotAllowed(
            f"{_SAID[deed]} takes a sign-in of the last {within_minutes} minutes; {by.name} signed in earlier. "
            "Sign in again, then repeat it."
        )
    return by.name
