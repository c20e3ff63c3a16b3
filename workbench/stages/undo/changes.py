"""The compensating change of each written one: the request that puts values back, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.domain import ladder, rules
from workbench.domain.changes import Action, Status
from workbench.domain.fields import MainstayField, SalesforceField
from workbench.domain.results import codes_of, mainstay_status
from workbench.engine.compile_refusals import NUMERIC
from workbench.engine.sequence import Directory
from workbench.mainstay.upsert import contact_path
from workbench.stages.undo import words


@dataclass
class Undone:
    """One row of the compensating preview. `kept`: (why, field or None) of all that stays as it is."""

    row: Mapping[str, Any]
    kept: list[tuple[str, str | None]] = field(default_factory=list)
    request: tuple[str, str, str, dict[str, Any]] | None = None
    fields: list[dict[str, Any]] = field(default_factory=list)
    status: Status | None = None
    codes: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        return Action.NONE if self.request is None else Action.UPDATE

    @property
    def reason(self) -> str:
        """What this change puts back, or why it puts back nothing; then all that stays as it is."""
        whys = dict.fromkeys(why for why, _ in self.kept)
        told = [f"{why}: {', '.join(names)}" if (names := self._names(why)) else why for why in whys]
        if self.request is not None:
            told.insert(0, f"Puts back what SR-{self.row['result_number']:07} changed")
        return ". ".join(told)

    def _names(self, why: str) -> list[str]:
        return [name for kept, name in self.kept if kept == why and name is not None]

    def keep(self, why: str, *names: str) -> None:
        self.kept += [(why, name) for name in names] or [(why, None)]

    def send(self, system: str, method: str, path: str, body: dict[str, Any]) -> None:
        """The request, with the field changes that `row` knows of for what the body holds."""
        names = {name for name in body if name != "custom"} | {f"custom.{name}" for name in body.get("custom", {})}
        self.request = (system, method, path, body)
        self.fields = [
            {"field": item["field"], "before": item["now"], "after": item["before"]}
            for item in self.row["restore"]
            if item["field"] in names
        ]


class ContactRules:
    """Mainstay's rules over the landed contacts: asked for each former value whether it may go back."""

    def __init__(
        self, directory: Directory, institution: ladder.Institution, known: Mapping[str, MainstayField]
    ) -> None:
        self._directory = directory
        self._institution = institution
        self._known = known

    def undo(self, row: Mapping[str, Any]) -> Undone:
        """The PUT that puts the values of one contact back; the directory holds the contact as it is after it."""
        made = _begun(row, words.CREATED_CONTACT)
        if row["fate"] != "written":
            return made
        now = self._directory.by_id(row["mainstay_id"])
        if now is None:
            if not made.kept:
                made.keep(words.GONE)
            return made
        wanted = {item["field"]: item["before"] for item in row["restore"]}
        if "crm_id" in wanted:
            del wanted["crm_id"]
            made.keep(words.ACQUIRED)
        self._directory.save(_as_now(now, row["restore"], self._known))
        body = self._allowed(made, wanted)
        if body:
            answer = self._put(row["mainstay_id"], body)
            made.send("mainstay", "PUT", contact_path(row["mainstay_id"]), body)
            made.status = Status(mainstay_status("PUT", answer.status, answer.errors))
            made.codes = codes_of(answer.status, answer.errors)
            if answer.contact is not None:
                self._directory.save(answer.contact)
        elif not made.kept:
            made.keep(words.ALREADY)
        return made

    def _allowed(self, made: Undone, wanted: Mapping[str, str | None]) -> dict[str, Any]:
        """The body of all values that Mainstay takes back; asked together first, one by one where it objects."""
        contact_id = made.row["mainstay_id"]
        body = self._body(wanted)
        if not wanted or not self._put(contact_id, body).errors:
            return body
        allowed = {}
        for name, value in wanted.items():
            answer = self._put(contact_id, self._body({name: value}))
            if answer.errors:
                made.keep(words.refusal(answer.codes[0]), name)
            else:
                allowed[name] = value
        return self._body(allowed)

    def _put(self, contact_id: str, body: Mapping[str, Any]) -> ladder.Answer:
        return ladder.put(contact_id, body, self._directory, self._institution)

    def _body(self, values: Mapping[str, str | None]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for name, value in values.items():
            known = self._known[name]
            target = custom if known.is_custom else body
            target[known.name] = rules.UNSET if value is None else _mainstay_value(known, value)
        return {**body, "custom": custom} if custom else body


def undo_record(row: Mapping[str, Any], known: Mapping[str, SalesforceField]) -> Undone:
    """The PATCH that puts the values of one Salesforce record back; a blank goes back as null."""
    made = _begun(row, words.CREATED_RECORD)
    if row["fate"] != "written":
        return made
    if row["action"] == Action.LINK:
        made.keep(words.ACQUIRED)
    body: dict[str, Any] = {}
    for item in row["restore"]:
        name, value = item["field"], item["before"]
        if not known[name].updateable:
            made.keep(words.READ_ONLY, name)
        elif value is None and not known[name].nillable:
            made.keep(words.NEVER_BLANK, name)
        elif code := _refused(known[name], value):
            made.keep(words.refusal_of_salesforce(code), name)
        else:
            body[name] = _salesforce_value(known[name], value)
    if body:
        made.send("salesforce", "PATCH", f"sobjects/{row['sobject']}/{row['record_id']}", body)
        made.status = Status.SUCCESS
    elif not made.kept:
        made.keep(words.ALREADY)
    return made


def _refused(known: SalesforceField, value: str | None) -> str | None:
    """The code that Salesforce would answer: a former value need not have come through its API."""
    if value is None:
        return None
    if known.type == "email" and not rules.is_email(value):
        return "INVALID_EMAIL_ADDRESS"
    given = value.split(";") if known.type == "multipicklist" else [value]
    if known.restricted_picklist and not set(given) <= set(known.picklist_values):
        return "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    if known.length and len(value) > known.length and known.type not in (*NUMERIC, "boolean", "date", "datetime"):
        return "STRING_TOO_LONG"
    return None


def _begun(row: Mapping[str, Any], created: str) -> Undone:
    made = Undone(row)
    fates = {
        "refused": words.REFUSED,
        "unknown": words.UNKNOWN,
        "elsewhere": words.ELSEWHERE,
        "created": created,
    }
    if row["fate"] in fates:
        made.keep(fates[row["fate"]])
    if row["is_introduced"] and row["fate"] == "created":
        made.keep(words.INTRODUCED)
    for why, names in ((words.MOVED, row["moved"]), (words.HELD, row["held"]), (words.GONE, row["unknown"])):
        if names:
            made.keep(why, *names)
    return made


def _as_now(
    contact: Mapping[str, Any], restore: Sequence[Mapping[str, Any]], known: Mapping[str, MainstayField]
) -> dict[str, Any]:
    """A contact with the values that are to be replaced, as they stand."""
    custom = dict(contact.get("custom") or {})
    now = {**contact, "custom": custom}
    for item in restore:
        name = known[item["field"]]
        (custom if name.is_custom else now)[name.name] = item["now"]
    return now


def _mainstay_value(known: MainstayField, text: str) -> Any:
    """Numbers and truth values bare, as exports send them."""
    if known.is_custom and known.data_type in ("Number", "True/False"):
        return _bare(text)
    return text


def _salesforce_value(known: SalesforceField, text: str | None) -> Any:
    return text if text is None or known.type not in (*NUMERIC, "boolean") else _bare(text)


def _bare(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, bool | int | float) else text
