"""A small organisation, served, and the ways its tests come in: the real client, and raw requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import polars as pl
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from workbench.simulators.salesforce import SalesforceOrg, salesforce_app
from workbench.simulators.salesforce.ids import long_id
from workbench.simulators.sandbox import Server

START = datetime(2026, 11, 1, tzinfo=UTC)


def account_id(number: int) -> str:
    return long_id(f"001A{number:011d}")


def contact_id(number: int) -> str:
    return long_id(f"003A{number:011d}")


def small_records() -> dict[str, pl.DataFrame]:
    """Account 1 is the school system, 2 its college, 3 a college alone. Contact 4 has no account, 5 is deleted."""
    accounts = [
        {"Id": account_id(1), "Name": "Example System", "ParentId": None},
        {"Id": account_id(2), "Name": "Example College", "ParentId": account_id(1)},
        {"Id": account_id(3), "Name": "Lone College", "ParentId": None},
    ]
    people: list[dict[str, Any]] = [
        {"FirstName": "Ana", "LastName": "O'Brien", "Email": "Ana@Example.edu", "AccountId": account_id(2)},
        {"FirstName": "Bob", "LastName": "Zhang", "Email": None, "AccountId": account_id(3)},
        {"FirstName": "", "LastName": "Çelik", "Email": "c_elik@example.edu", "AccountId": account_id(2)},
        {"FirstName": "Dee", "LastName": "Adams", "Email": "dee@example.edu", "AccountId": None},
        {"FirstName": "Eve", "LastName": "Gone", "Email": "eve@example.edu", "AccountId": account_id(2)},
    ]
    for number, person in enumerate(people, start=1):
        person |= {
            "Id": contact_id(number),
            "Do_Not_Contact__c": number == 2,
            "GPA__c": [3.5, None, 2.0, 4.0, 1.0][number - 1],
            "Student_ID__c": f"S{number}",
            "Birthdate": datetime(2000, 1, number).date(),  # noqa: DTZ001
            "SystemModstamp": START + timedelta(days=number),
            "IsDeleted": number == 5,
        }
    return {"Account": pl.DataFrame(accounts), "Contact": pl.DataFrame(people)}


class ToLoopback(HTTPAdapter):
    """Carries the client's https requests to the sandbox, the client itself untouched."""

    def __init__(self, url: str) -> None:
        self._netloc = urlsplit(url).netloc
        super().__init__()

    def send(self, request, *args, **kwargs):
        there = urlsplit(request.url)
        request.url = urlunsplit(("http", self._netloc, there.path, there.query, ""))
        return super().send(request, *args, **kwargs)


class Served:
    """An organisation under its address. `http` sends raw requests with a token in force."""

    def __init__(self, org: SalesforceOrg, url: str) -> None:
        self.org = org
        self.url = url
        self.data = "/services/data/v62.0"
        self.http = httpx.Client(
            base_url=url, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {org.access_token}"}
        )
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://", ToLoopback(url))

    def client(self, **login: Any) -> Salesforce:
        """The real simple-salesforce, by token unless told another way to log in."""
        if not login.keys() & {"username", "consumer_key"}:
            login |= {"session_id": self.org.access_token, "instance": urlsplit(self.url).netloc}
        return Salesforce(**login, session=self.session)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.http.get(f"{self.data}/{path}", **kwargs)

    def query(self, soql: str, door: str = "query") -> Any:
        return self.get(door, params={"q": soql}).json()

    def names(self, where: str) -> list[str]:
        """Last names of the contacts a WHERE clause finds, in the order of their ids."""
        answer = self.query(f"SELECT LastName FROM Contact WHERE {where} ORDER BY Id")
        assert isinstance(answer, dict), answer
        return [record["LastName"] for record in answer["records"]]

    def send(self, method: str, path: str, body: Any = None, **kwargs: Any) -> httpx.Response:
        return self.http.request(method, f"{self.data}/{path}", json=body, **kwargs)

    def stop(self) -> None:
        self.http.close()
        self.session.close()
        self.org.close()


@contextmanager
def served(records: dict[str, pl.DataFrame] | None = None, **options: Any) -> Iterator[Served]:
    org = SalesforceOrg(small_records() if records is None else records, **options)
    with Server(salesforce_app(org)) as server:
        running = Served(org, server.url)
        try:
            yield running
        finally:
            running.stop()


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and first error code of a refused request."""
    return answer.status_code, answer.json()[0]["errorCode"]
