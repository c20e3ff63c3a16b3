"""What each column of an export is: by its header where that is known, else by its values, else a custom field.

Salesforce reports name columns by label, the data loader by API name; both are understood. A guess is shown to a
person before anything is read with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from workbench.domain import rules
from workbench.domain.fields import STANDARD_BY_NAME
from workbench.errors import ConfigurationError
from workbench.lab.csv_file import CsvFile, filled

System = Literal["salesforce", "mainstay"]
Why = Literal["header", "values", "custom field", "you"]

SAMPLE: Final = 2_000
MOST: Final = 0.8
_ID: Final = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")
_NUMBER: Final = re.compile(r"[+-]?\d{1,3}(?:,?\d{3})*(?:\.\d+)?|[+-]?\d+(?:\.\d+)?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4}")
_MOMENT: Final = re.compile(r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4})[T ,]+\d{1,2}:\d{2}.*")
_API_NAME: Final = re.compile(r"[A-Za-z]\w*__[cr](\.\w+)*")
_LEADING_ZERO: Final = re.compile(r"0\d+")

# Header words (letters and digits, lower case) -> field. Standard labels of Contact, as reports print them.
_SALESFORCE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("id", "contactid", "recordid", "contactid18", "casesafeid", "salesforceid", "leadid"), "Id"),
    **dict.fromkeys(("firstname", "givenname"), "FirstName"),
    **dict.fromkeys(("lastname", "surname", "familyname"), "LastName"),
    **dict.fromkeys(("email", "emailaddress"), "Email"),
    **dict.fromkeys(("mobile", "mobilephone", "cell", "cellphone"), "MobilePhone"),
    **dict.fromkeys(("homephone",), "HomePhone"),
    **dict.fromkeys(("phone", "businessphone", "phonenumber"), "Phone"),
    **dict.fromkeys(("birthdate", "birthday", "dateofbirth", "dob"), "Birthdate"),
    **dict.fromkeys(("mailingstreet", "street"), "MailingStreet"),
    **dict.fromkeys(("mailingcity", "city"), "MailingCity"),
    **dict.fromkeys(("mailingstate", "mailingstateprovince", "state"), "MailingState"),
    **dict.fromkeys(
        ("mailingzip", "mailingpostalcode", "mailingzippostalcode", "postalcode", "zip"), "MailingPostalCode"
    ),
    **dict.fromkeys(("mailingcountry", "country"), "MailingCountry"),
    **dict.fromkeys(("accountname", "account"), "Account.Name"),
    **dict.fromkeys(("parentaccount", "parentaccountname", "accountparentname"), "Account.Parent.Name"),
    **dict.fromkeys(("lastmodifieddate", "lastmodified", "systemmodstamp"), "SystemModstamp"),
    **dict.fromkeys(("createddate", "created"), "CreatedDate"),
    "title": "Title",
    "department": "Department",
    "leadsource": "LeadSource",
    "salutation": "Salutation",
}
_MAINSTAY: Final[Mapping[str, str]] = {
    **dict.fromkeys(("id", "mainstayid", "admithubid", "contactid"), "id"),
    **dict.fromkeys(("crmid", "salesforceid", "externalid"), "crm_id"),
    **dict.fromkeys(("enrollmentid", "studentid"), "enrollment_id"),
    **dict.fromkeys(("firstname", "givenname"), "first_name"),
    **dict.fromkeys(("lastname", "surname", "familyname"), "last_name"),
    **dict.fromkeys(("preferredname", "nickname"), "preferred_name"),
    **dict.fromkeys(("email", "emailaddress"), "email"),
    **dict.fromkeys(("phone", "phonenumber", "mobile", "mobilephone", "cell", "cellphone"), "phone"),
    **dict.fromkeys(("previousphone",), "previous_phone"),
    **dict.fromkeys(("language", "preferredlanguage"), "language"),
    **dict.fromkeys(
        ("messagingstatussms", "smsstatus", "messagingstatus", "smsmessagingstatus"), "messaging_status_sms"
    ),
    **dict.fromkeys(("messagingstatuswebbot", "webstatus", "webbotstatus"), "messaging_status_web_bot"),
    **dict.fromkeys(("textingstatus",), "texting_status"),
    **dict.fromkeys(("archived", "isarchived"), "archived"),
    **dict.fromkeys(("testuser", "testcontact", "istest"), "test_user"),
    **dict.fromkeys(("created", "createdat", "createddate"), "created"),
    **dict.fromkeys(("lastmodified", "lastmodifiedat", "updatedat", "modifiedat"), "last_modified_at"),
    **dict.fromkeys(("labels", "contactlabels", "tags"), "labels"),
}
# Types of Salesforce's own fields, as describe gives them.
STANDARD_TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "Id": ("id", 18),
    "FirstName": ("string", 40),
    "LastName": ("string", 80),
    "Email": ("email", 80),
    "MobilePhone": ("phone", 40),
    "HomePhone": ("phone", 40),
    "Phone": ("phone", 40),
    "Birthdate": ("date", 0),
    "MailingStreet": ("textarea", 255),
    "MailingCity": ("string", 40),
    "MailingState": ("string", 80),
    "MailingPostalCode": ("string", 20),
    "MailingCountry": ("string", 80),
    "Account.Name": ("string", 255),
    "Account.Parent.Name": ("string", 255),
    "SystemModstamp": ("datetime", 0),
    "CreatedDate": ("datetime", 0),
    "Title": ("string", 128),
    "Department": ("string", 80),
    "LeadSource": ("picklist", 255),
    "Salutation": ("picklist", 40),
}


@dataclass(frozen=True)
class Guess:
    """One column: its header, the field it is taken for (None: left out), that field's type, and why.

    `type` is Salesforce's (string, double ...) or Mainstay's (phone, Text, Number ...). `share`: filled cells, 0 to 1.
    """

    header: str
    field: str | None
    type: str
    length: int
    why: Why
    share: float


def guess_columns(file: CsvFile, system: System, named: Mapping[str, str] | None = None) -> tuple[Guess, ...]:
    """What every column of a file is, in its order; `named` settles headers (`-` leaves one out).

    Raises ConfigurationError for a named header that the file lacks, for two headers named the same field, and where
    no column holds the system's own id.
    """
    settled = dict(named or {})
    missing = sorted(set(settled) - set(file.header))
    if missing:
        raise ConfigurationError(f"{file.path} has no column {', '.join(missing)}. It has: {', '.join(file.header)}.")
    if len(set(settled.values()) - {"-"}) < len([field for field in settled.values() if field != "-"]):
        raise ConfigurationError("Two columns were named the same field; each field takes one column.")
    found = _by_header(file, system, settled)
    _by_values(file, system, found)
    guesses = tuple(_guess(file, system, header, *found.get(header, (None, "custom field"))) for header in file.header)
    own = "Id" if system == "salesforce" else "id"
    if own not in {guess.field for guess in guesses}:
        what = "the record's Id (in a report: Contact ID)" if system == "salesforce" else "the Mainstay ID"
        option = f"--{system}-column 'HEADER={own}'"
        raise ConfigurationError(f"{file.path} has no column with {what}. Export it too, or name it: {option}.")
    return guesses


def _by_header(file: CsvFile, system: System, settled: Mapping[str, str]) -> dict[str, tuple[str | None, Why]]:
    found: dict[str, tuple[str | None, Why]] = {
        header: (None if field == "-" else field, "you") for header, field in settled.items()
    }
    taken = {field for field, _ in found.values()}
    known = _SALESFORCE if system == "salesforce" else _MAINSTAY
    for header in file.header:
        field = known.get(words(header))
        is_exact = header in STANDARD_TYPES or header in STANDARD_BY_NAME
        field = header if is_exact and (system == "salesforce") == (header in STANDARD_TYPES) else field
        if header not in found and field is not None and field not in taken:
            found[header] = (field, "header")
            taken.add(field)
    return found


def _by_values(file: CsvFile, system: System, found: dict[str, tuple[str | None, Why]]) -> None:
    """Columns with an unknown header whose values speak for themselves, where nothing else took that field."""
    looks: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("MobilePhone", "phone", lambda text: rules.normal_phone(text) is not None and not _DATE.fullmatch(text)),
        ("Email", "email", rules.is_email),
        (
            "Id" if system == "salesforce" else "",
            "crm_id",
            lambda text: bool(_ID.fullmatch(text)) and text[:3] in _PREFIXES,
        ),
    )
    taken = {field for field, _ in found.values()}
    for salesforce, mainstay, is_like in looks:
        field = salesforce if system == "salesforce" else mainstay
        if not field or field in taken:
            continue
        for header in file.header:
            if header not in found and _most(file.column(header), is_like):
                found[header] = (field, "values")
                break


_PREFIXES: Final = ("003", "00Q")  # Contact, Lead


def _guess(file: CsvFile, system: System, header: str, field: str | None, why: Why) -> Guess:
    cells = file.column(header)
    share = len(filled(cells)) / len(cells) if cells else 0.0
    if field is None and why == "you":
        return Guess(header, None, "", 0, why, share)
    if system == "salesforce":
        name = field or custom_name(header)
        kind, length = STANDARD_TYPES.get(name) or _salesforce_type(cells)
        return Guess(header, name, kind, length, why, share)
    name = field or f"custom.{header}"
    standard = STANDARD_BY_NAME.get(name)
    return Guess(header, name, standard.data_type if standard else _mainstay_type(cells), 0, why, share)


def custom_name(header: str) -> str:
    """The API name of a custom field as Salesforce makes it from a label.

    >>> custom_name("GPA (weighted)")
    'GPA_weighted__c'
    """
    if _API_NAME.fullmatch(header):
        return header
    return re.sub(r"[^A-Za-z0-9]+", "_", header).strip("_")[:40] + "__c"


def words(header: str) -> str:
    """A header without what people write differently: `E-mail` and `email` are one."""
    return re.sub(r"[^a-z0-9]+", "", header.lower())


def _most(cells: Sequence[str | None], is_like: Callable[[str], bool]) -> bool:
    sample = filled(cells)[:SAMPLE]
    return bool(sample) and sum(is_like(text) for text in sample) >= MOST * len(sample)


def _all(cells: Sequence[str | None], is_like: Callable[[str], bool]) -> bool:
    sample = filled(cells)
    return bool(sample) and all(is_like(text) for text in sample)


def _is_truth(text: str) -> bool:
    return text.lower() in (*rules.TRUE_WORDS, *rules.FALSE_WORDS)


def _is_number(text: str) -> bool:
    """A number, not a code: codes keep their leading zeros."""
    return bool(_NUMBER.fullmatch(text)) and not _LEADING_ZERO.fullmatch(text)


def _salesforce_type(cells: Sequence[str | None]) -> tuple[str, int]:
    if _all(cells, _is_truth):
        return "boolean", 0  # reports print checkboxes as 1 and 0
    if _all(cells, lambda text: bool(_MOMENT.fullmatch(text))):
        return "datetime", 0
    if _all(cells, lambda text: bool(_DATE.fullmatch(text))):
        return "date", 0
    if _all(cells, _is_number) and not _all(cells, lambda text: len(text) >= 7 and text.isdigit()):
        return "double", 0  # long digit strings are ids
    longest = max((len(text) for text in filled(cells)), default=0)
    return ("string", 255) if longest <= 255 else ("textarea", 131_072)


def _mainstay_type(cells: Sequence[str | None]) -> str:
    if _all(cells, lambda text: _is_truth(text) and not text.isdigit()):
        return "True/False"
    if _all(cells, lambda text: bool(_DATE.fullmatch(text))):
        return "Date"
    if _all(cells, _is_number) and not _all(cells, lambda text: len(text) >= 7 and text.isdigit()):
        return "Number"
    if _all(cells, lambda text: bool(re.match(rules.URL_PATTERN, text))):
        return "URL"
    return "Text"
