"""Mainstay's sandbox, asked exactly as the public Python client asks: GSU-Analytics/mainstay_connect on GitHub.

That client is on no package index (the package `mainstay` on PyPI belongs to another company), so its requests are
made here in our own words: one plain GET per call, `APIToken`, 200 or an error, `next` followed as it stands.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pandas as pd
import polars as pl
import pytest
import requests

from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(generate(600, 3), page_size=100) as sandbox:
        yield sandbox


class PlainMainstay:
    """What the client sends, and what it makes of the answers."""

    def __init__(self, base_url, token):
        self.base_url = base_url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"APIToken {token}"

    def ask(self, endpoint, **filters):
        answer = self.http.get(self.base_url + endpoint, params=filters, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def everything(self, endpoint, **filters):
        page = self.ask(endpoint, **filters)
        found = list(page["results"])
        while page.get("next"):
            page = self.http.get(page["next"], timeout=30).json()
            found += page["results"]
        return pd.DataFrame(found)


@pytest.fixture
def plain(sandbox):
    client = PlainMainstay(**sandbox.connection["mainstay"])
    with client.http:
        yield client


def test_a_plain_client_reads_every_list_of_mainstay(sandbox, plain):
    world = sandbox.world
    answer = plain.ask("auth_valid")
    assert answer["ok"] is True
    assert answer["org_id"]
    hidden = {"include_test_contacts": "True", "include_nonpermitted_contacts": "1"}
    contacts = plain.everything("contacts/", **hidden)
    assert set(contacts["id"]) == set(world.contacts["id"])
    assert len(contacts) == world.contacts.height
    assert len(plain.everything("contacts/")) < len(contacts)
    assert len(plain.everything("messages/", include_test_user="true")) == world.messages.height
    campaigns = plain.everything("campaigns/", show_hidden="True", show_test="1")
    assert set(campaigns["admithub_id"]) == set(world.campaigns["admithub_id"])
    pages = [item.path for item in sandbox.requests_seen if item.path.startswith("/contacts/?")]
    assert all(urlsplit(path).query for path in pages)


def test_a_plain_client_reads_single_documents_of_mainstay(sandbox, plain):
    known = sandbox.world.contacts.filter(sandbox.world.contacts["crm_id"].is_not_null()).row(0, named=True)
    hidden = {"include_test_contacts": "True", "include_nonpermitted_contacts": "True"}
    for name in (known["id"], known["crm_id"]):
        assert plain.ask(f"contacts/{name}/", **hidden)["id"] == known["id"]
    assert "Campus" in plain.ask("custom_fields/")["custom_fields"]
    assert set(plain.ask("custom_values/", field="Campus")["values"]) <= {"Downtown", "North", "South", "Online"}
    assert plain.ask("default_fields/")
    with pytest.raises(requests.HTTPError) as missing:
        plain.ask("contacts/nobody/")
    assert missing.value.response.status_code == 404
    plain.http.headers["Authorization"] = "APIToken wrong"
    with pytest.raises(requests.HTTPError) as refused:
        plain.ask("auth_valid")
    assert refused.value.response.status_code == 401


def test_its_connection_test_reads_a_wrong_token_as_json(sandbox, plain):
    """It adds the status to the answer's JSON object, whatever the status."""
    plain.http.headers["Authorization"] = "APIToken wrong"
    answer = plain.http.get(plain.base_url + "auth_valid", timeout=30)
    assert (answer.status_code, isinstance(answer.json(), dict)) == (401, True)


def test_its_own_checks_of_contacts_hold(plain):
    """What its tests ask: page 1 of those opted in, with the columns they look for."""
    page = plain.ask("contacts/", texting_status="opted-in", page=1)
    frame = pd.DataFrame(page["results"])
    assert {"admithub_id", "archived", "can_text"} <= set(frame.columns)
    assert set(frame["texting_status"]) == {"opted-in"}
    assert set(pd.DataFrame(plain.ask("contacts/", can_text="1")["results"])["can_text"]) == {True}


def test_its_daily_windows_bring_every_message_once(sandbox, plain):
    """It asks day by day, each end being the next start, as `2024-08-26T00:00:00Z`."""
    stamps = sandbox.world.messages["created_at"]
    first = datetime(2025, 8, 1)  # noqa: DTZ001  the client writes the zone behind the text
    days = [(first + timedelta(days=day)).isoformat() + "Z" for day in range(15)]
    found = [
        plain.everything("messages/", since=start, before=end, include_test_user="True")
        for start, end in pairwise(days)
    ]
    ids = [message for frame in found if len(frame) for message in frame["admithub_id"]]
    wanted = stamps.is_between(
        pl.datetime(2025, 8, 1, time_zone="UTC"), pl.datetime(2025, 8, 15, time_zone="UTC"), "left"
    )
    assert len(ids) == len(set(ids)) == sandbox.world.messages.select(wanted=wanted).sum().item() > 50


def test_campaigns_come_by_its_general_call_only(plain):
    """Its get_campaign_list puts the address in front twice; Mainstay knows no such path, and neither do we."""
    assert plain.ask("campaigns/", status="completed")["results"]
    with pytest.raises(requests.HTTPError) as missing:
        plain.ask(plain.base_url + "campaigns/")
    assert missing.value.response.status_code == 404


def test_a_phone_names_a_contact_too(sandbox, plain):
    known = sandbox.world.contacts.filter(pl.col("can_text")).row(0, named=True)
    assert plain.ask(f"contacts/{known['phone']}/", include_test_contacts="1")["id"] == known["id"]
