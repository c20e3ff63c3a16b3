"""The sandbox institution: its contacts, its history, and what happens to them.

Every write goes through `workbench.domain.ladder`; this module only keeps what the ladder decides.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from workbench.domain import ladder, rules
from workbench.domain.fields import MainstayField
from workbench.domain.ladder import Answer, Institution
from workbench.simulators.mainstay.book import ContactBook, SavedBook
from workbench.simulators.mainstay.history import History
from workbench.simulators.mainstay.request_log import RequestLog
from workbench.simulators.mainstay.shape import DEFAULTS, iso

DEFAULT_TOKEN: Final = "sandbox-mainstay-token"  # noqa: S105  known to everyone, opens synthetic data only
DEFAULT_PAGE_SIZE: Final = 20  # the package's fix for "20+ Campaigns" hints at it
INTRO_SCRIPT: Final = "Introductory"


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class SavedInstitution:
    """A moment to return to."""

    book: SavedBook
    message_count: int
    intros: tuple[str, ...]


class MainstayInstitution:
    """One institution behind one token.

    `contacts`, `messages`, `campaigns`, `recipients`: frames as in `workbench.simulators.world.World`.
    `page_size`: rows per page of every list. `clock`: gives the moment of a change. `seed`: of new contacts' ids.
    """

    def __init__(
        self,
        contacts: pl.DataFrame,
        custom_fields: Sequence[MainstayField] = (),
        messages: pl.DataFrame | None = None,
        campaigns: pl.DataFrame | None = None,
        recipients: pl.DataFrame | None = None,
        *,
        token: str = DEFAULT_TOKEN,
        auth_scheme: str = "APIToken",
        org_id: str = "exampleU",
        page_size: int = DEFAULT_PAGE_SIZE,
        has_sms: bool = True,
        has_web_bot: bool = True,
        bulk_limit: int = 1000,
        bulk_seconds: float = 0.05,
        clock: Callable[[], datetime] = system_clock,
        seed: int = 0,
    ) -> None:
        self.token, self.auth_scheme, self.org_id = token, auth_scheme, org_id
        self.page_size = page_size
        self.bulk_limit, self.bulk_seconds = bulk_limit, bulk_seconds
        self.bulk_failures = 0  # so many of the next bulk jobs fail half way
        self.has_sms, self.has_web_bot = has_sms, has_web_bot
        self.book = ContactBook(contacts, custom_fields)
        empty = pl.DataFrame()
        self.history = History(*(empty if frame is None else frame for frame in (messages, campaigns, recipients)))
        self.log = RequestLog("mainstay")
        self.intros: list[str] = []
        self.lock = threading.RLock()
        self._clock = clock
        self._random = random.Random(seed)
        self._rules = self._current_rules()

    def _current_rules(self) -> Institution:
        by_name = {field.name: field for field in self.book.custom_fields}
        return Institution(by_name, self.has_sms, self.has_web_bot)

    @property
    def custom_fields(self) -> tuple[MainstayField, ...]:
        return self.book.custom_fields

    def put(self, path_id: str, body: Any) -> Answer:
        """Answer a PUT and keep what it changed."""
        with self.lock:
            return self._kept(ladder.put(path_id, body, self.book, self._rules))

    def post(self, body: Any) -> Answer:
        """Answer a POST and keep the new contact; an intro is recorded where it was asked for."""
        with self.lock:
            answer = self._kept(ladder.post(body, self.book, self._rules))
            if answer.is_created and answer.contact and body.get("send_intro_campaign") is True:
                answer = self._introduced(answer, answer.contact["id"])
            return answer

    def _kept(self, answer: Answer) -> Answer:
        if answer.contact is None or not (answer.is_changed or answer.is_created):
            return answer
        contact = dict(answer.contact)
        now = self._moment()
        if answer.is_created:
            contact = {
                **DEFAULTS,
                "labels": [],
                **contact,
                "id": self._new_id(),
                "created": now,
                "channel": "twilio" if contact.get("phone") else "web",
            }
        self._save(contact, now)
        return Answer(answer.status, answer.errors, contact, answer.is_created, answer.is_changed)

    def _save(self, contact: dict[str, Any], now: str) -> None:
        contact["last_modified_at"] = max(now, contact.get("last_modified_at") or "")
        self.book.save(contact)

    def _moment(self) -> str:
        return iso(self._clock())

    def _new_id(self) -> str:
        while True:
            contact_id = f"ah{self._random.getrandbits(60):015x}"
            if self.book.by_id(contact_id) is None:
                return contact_id

    def _introduced(self, answer: Answer, contact_id: str) -> Answer:
        """An intro sends a real SMS: it is kept as a message, and only reaches a contact that can be texted."""
        contact = dict(self.book.by_id(contact_id) or {})
        self.intros.append(contact_id)
        if contact.get("phone") and contact.get("messaging_status_sms") == "opted-in":
            now = self._clock()
            self.history.add_message(
                contact, now, incoming=False, body="Hi! I am your school's assistant.", source="campaign",
                campaign_id="c-intro", campaign_name=INTRO_SCRIPT,
            )  # fmt: skip
            contact["contacted"], contact["last_outgoing_message_at"] = True, iso(now)
            self.book.save(contact)
        return Answer(answer.status, answer.errors, contact, answer.is_created, answer.is_changed)

    def learner_texts(self, contact_id: str, text: str, channel: str = "sms") -> dict[str, Any]:
        """A learner's message and what it does: STOP, START, #pause, #changename NAME; anything else is just said.

        Returns the contact afterwards. Raises KeyError for an unknown contact. Source: section 7.
        """
        with self.lock:
            contact = self._own_copy(contact_id)
            status = "messaging_status_web_bot" if channel == "web_bot" else "messaging_status_sms"
            word, _, rest = text.strip().partition(" ")
            said = LEARNER_WORDS.get(word.upper())
            if said is not None and contact.get(status) is not None:
                contact[status] = said
            if word.lower() == "#changename" and rest.strip():
                contact["preferred_name"] = rest.strip()[: rules.NAME_LIMIT]
            now = self._clock()
            contact["last_incoming_message_at"], contact["invalid_phone"] = iso(now), False
            wire = "web" if channel == "web_bot" else "twilio"
            self.history.add_message(contact, now, incoming=True, body=text, channel=wire)
            self._save(contact, iso(now))
            return contact

    def staff_edits(self, contact_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """A change in the Contact Panel: any stored field, `custom` key by key, no API rule applies but uniqueness.

        Going back to the previous phone is possible here alone, and clears it. Raises KeyError for an unknown
        contact, ValueError where a CRM ID or phone belongs to somebody else.
        """
        with self.lock:
            contact = self._own_copy(contact_id)
            for name, find in (("phone", self.book.by_phone), ("crm_id", self.book.by_crm_id)):
                owner = find(changes[name]) if changes.get(name) else None
                if owner is not None and owner["id"] != contact_id:
                    raise ValueError(f"another contact has this {name}: {owner['id']}")
            if "phone" in changes and changes["phone"] != contact.get("phone"):
                is_return = changes["phone"] == contact.get("previous_phone")
                contact["previous_phone"] = None if is_return else contact.get("phone")
                _follow_phone(contact, changes["phone"])
            custom = {**contact["custom"], **changes.get("custom", {})}
            contact.update(changes)
            contact["custom"] = custom
            self._save(contact, self._moment())
            return contact

    def _own_copy(self, contact_id: str) -> dict[str, Any]:
        found = self.book.by_id(contact_id)
        if found is None:
            raise KeyError(contact_id)
        return dict(found)

    def change_fields(self, custom_fields: Sequence[MainstayField], renamed: Mapping[str, str]) -> None:
        """New custom fields, as staff would make, rename or delete them."""
        with self.lock:
            self.book.change_fields(custom_fields, renamed)
            self._rules = self._current_rules()

    def saved(self) -> SavedInstitution:
        with self.lock:
            return SavedInstitution(self.book.saved(), self.history.added_count, tuple(self.intros))

    def restore(self, saved: SavedInstitution) -> None:
        with self.lock:
            self.book.restore(saved.book)
            self.history.forget_after(saved.message_count)
            self.intros[:] = saved.intros


def _follow_phone(contact: dict[str, Any], phone: str | None) -> None:
    """The SMS channel follows the phone: gone without one, back as it was (or opted in) with one. Section 10.3."""
    now = contact.get("messaging_status_sms")
    if not phone:
        contact[ladder.SMS_BEFORE_CLEARING] = now
        contact["messaging_status_sms"], contact["invalid_phone"] = None, False
    elif now is None:
        contact["messaging_status_sms"] = contact.pop(ladder.SMS_BEFORE_CLEARING, None) or "opted-in"


# Twilio's words stop and start; Mainstay's own pause. Source: section 7.
LEARNER_WORDS: Final = {
    **dict.fromkeys(("STOP", "CANCEL", "UNSUBSCRIBE", "END", "QUIT"), "opted-out"),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "opted-in"),
    **dict.fromkeys(("#PAUSE", "#STOP", "#STOPALL", "#UNSUBSCRIBE", "#CANCEL", "#END", "#QUIT"), "paused"),
}
