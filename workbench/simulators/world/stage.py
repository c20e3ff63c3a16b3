"""Where situations are played: people taken out of the crowd and given exactly the values a situation needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

import polars as pl

from workbench.simulators.world.people import WORLD_NOW

Sides = Literal["both", "record", "contact"]

# An actor is plain: no accident of the crowd may blur what the situation shows.
_PLAIN_RECORD: Final = {"Do_Not_Contact__c": False, "SMS_Status__c": None, "Web_Status__c": None, "HomePhone": None}
_PLAIN_CONTACT: Final = {
    "archived": False,
    "test_user": False,
    "permitted_user_status": True,
    "previous_phone": None,
    "invalid_phone": False,
    "deliverability_failure_count": 0,
    "messaging_status_sms": "opted-in",
    "messaging_status_web_bot": None,
    "custom.Guardian Phone": None,
}


class StageFull(Exception):
    """The world is too small for this situation."""


@dataclass
class Actor:
    """One person of a situation. `record` and `contact` are what differs from the crowd's values.

    `contact` takes API names and `custom.<Name>`, values plain (not yet JSON). `person` joins records of one person.
    """

    slot: int
    sides: Sides
    situation: str
    record_id: str
    contact_id: str
    phone: str
    spare_phone: str
    person: int
    record: dict[str, Any] = field(default_factory=dict)
    contact: dict[str, Any] = field(default_factory=dict)
    message_count: int | None = None
    campaign_count: int | None = None

    def has_phone(self, phone: str | None) -> None:
        """Salesforce holds this phone."""
        self.record["MobilePhone"] = phone

    def stands_in_line(self, place: int) -> None:
        """Saved as number `place` of its situation: FIFO takes lower places first, equal ones by Id."""
        self.record["SystemModstamp"] = WORLD_NOW - timedelta(days=2) + timedelta(seconds=place)


@dataclass
class Stage:
    """Hands out slots of the crowd: `ranges` gives the free slots per kind, `ids` and phones are per slot.

    `first`: what the crowd's slots begin with in the world; actors carry the world's.
    """

    record_ids: pl.Series
    contact_ids: pl.Series
    phones: pl.Series
    spare_phones: pl.Series
    ranges: dict[Sides, range]
    first: int = 0
    situation: str = ""
    actors: list[Actor] = field(default_factory=list)
    used: dict[Sides, int] = field(default_factory=lambda: {"both": 0, "record": 0, "contact": 0})

    def play(self, situation: Callable[[Stage], None]) -> bool:
        """Play one situation as a whole; False (and nothing taken) where the world is too small."""
        actors, used = len(self.actors), dict(self.used)
        self.situation = situation.__name__.replace("_", "-")
        try:
            situation(self)
        except StageFull:
            del self.actors[actors:]
            self.used = used
            return False
        return True

    def _enter(self, sides: Sides, contact: Mapping[str, Any]) -> Actor:
        free = self.ranges[sides]
        if self.used[sides] >= len(free):
            raise StageFull
        slot = free[self.used[sides]]
        self.used[sides] += 1
        actor = Actor(
            self.first + slot,
            sides,
            self.situation,
            self.record_ids[slot],
            self.contact_ids[slot],
            self.phones[slot],
            self.spare_phones[slot],
            self.first + slot,
            dict(_PLAIN_RECORD) if sides != "contact" else {},
            {**_PLAIN_CONTACT, **contact} if sides != "record" else {},
        )
        if sides != "contact":
            actor.record["MobilePhone"] = actor.phone
        self.actors.append(actor)
        return actor

    def linked(self, **contact: Any) -> Actor:
        """On both sides, linked by CRM ID, everything equal."""
        actor = self._enter("both", contact)
        actor.contact["crm_id"] = actor.record_id
        return actor

    def phone_match(self, **contact: Any) -> Actor:
        """On both sides with one phone; the contact has no CRM ID yet."""
        return self._enter("both", {"crm_id": None, **contact})

    def only_record(self, **record: Any) -> Actor:
        """Known to Salesforce alone."""
        actor = self._enter("record", {})
        actor.record.update(record)
        return actor

    def only_contact(self, **contact: Any) -> Actor:
        """Known to Mainstay alone, without CRM ID."""
        return self._enter("contact", {"crm_id": None, **contact})
