"""A sandbox that is stopped and started again where it was, and one that returns to an earlier moment."""

from __future__ import annotations

import httpx
import polars as pl
import pytest

from workbench.simulators import world
from workbench.simulators.sandbox import Sandbox

DATA = "/services/data/v62.0"


@pytest.fixture(scope="module")
def small():
    return world.generate(60, 5)


def clients(sandbox):
    known = sandbox.connection
    salesforce = httpx.Client(
        base_url=known["salesforce"]["instance_url"],
        headers={"Authorization": f"Bearer {known['salesforce']['access_token']}"},
        trust_env=False,
    )
    mainstay = httpx.Client(
        base_url=known["mainstay"]["base_url"],
        headers={"Authorization": f"APIToken {known['mainstay']['token']}"},
        trust_env=False,
    )
    return salesforce, mainstay


def everything(salesforce, mainstay):
    """What both systems answer: every contact and record, and every message."""
    soql = "SELECT Id, FirstName, LastName, Email, AccountId, GPA__c, Enrollment_Date__c, SystemModstamp FROM Contact ORDER BY Id"
    records = salesforce.get(f"{DATA}/queryAll", params={"q": soql}).json()["records"]
    hidden = {"include_test_contacts": "true", "include_nonpermitted_contacts": "true"}
    contacts = mainstay.get("/contacts/", params=hidden).json()["results"]
    messages = mainstay.get("/messages/", params={"include_test_user": "true"}).json()["results"]
    return records, sorted(contacts, key=lambda contact: contact["id"]), messages


def live(salesforce, mainstay, contact_id, phone_owner):
    """A little of everything that changes a sandbox."""
    made = salesforce.post(f"{DATA}/sobjects/Contact", json={"LastName": "Núñez", "GPA__c": 3.5}).json()["id"]
    mainstay.put(f"/contacts/{contact_id}/", json={"custom": {"GPA": "2", "Advisor Notes": 'said "7"\n'}})
    mainstay.post("/contacts/", json={"first_name": "N", "last_name": "M", "crm_id": made, "phone": "4045559999"})
    mainstay.post("/_sandbox/learner", json={"contact_id": phone_owner, "text": "STOP"})


def test_a_kept_sandbox_goes_on_where_it_was(small, tmp_path):
    known = small.contacts.filter(pl.col("phone").is_not_null())
    first, second = known["id"][0], known["id"][1]
    with Sandbox(small, page_size=1000) as sandbox:
        salesforce, mainstay = clients(sandbox)
        with salesforce, mainstay:
            live(salesforce, mainstay, first, second)
            before = everything(salesforce, mainstay)
        world.to_folder(sandbox.world_now(), tmp_path / "kept")
    again = world.from_folder(tmp_path / "kept")
    assert again.truth.equals(small.truth)
    with Sandbox(again, page_size=1000) as sandbox:
        salesforce, mainstay = clients(sandbox)
        with salesforce, mainstay:
            assert everything(salesforce, mainstay) == before
            mainstay.post("/_sandbox/learner", json={"contact_id": second, "text": "START"})
            ids = [message["admithub_id"] for message in everything(salesforce, mainstay)[2]]
    assert len(set(ids)) == len(ids)
    with pytest.raises(FileExistsError, match="not empty"):
        world.to_folder(small, tmp_path / "kept")


@pytest.mark.parametrize("place", [0, 1])
def test_either_server_remembers_and_restores_both(small, place):
    known = small.contacts.filter(pl.col("phone").is_not_null())
    with Sandbox(small, page_size=1000) as sandbox:
        both = salesforce, mainstay = clients(sandbox)
        with salesforce, mainstay:
            assert both[place].post("/_sandbox/restore").status_code == 400
            before = everything(salesforce, mainstay)
            assert both[place].post("/_sandbox/save").json() == {"saved": True}
            live(salesforce, mainstay, known["id"][0], known["id"][1])
            assert everything(salesforce, mainstay) != before
            assert both[1 - place].post("/_sandbox/restore").json() == {"restored": True}
            assert everything(salesforce, mainstay) == before


def test_the_education_scenario_is_an_eda_organisation():
    with Sandbox(world.scenario("Education"), systems=["salesforce"]) as sandbox:
        salesforce = httpx.Client(
            base_url=sandbox.connection["salesforce"]["instance_url"],
            headers={"Authorization": f"Bearer {sandbox.connection['salesforce']['access_token']}"},
            trust_env=False,
        )
        with salesforce:
            listed = {one["name"] for one in salesforce.get(f"{DATA}/sobjects").json()["sobjects"]}
            assert {"hed__Affiliation__c", "hed__Program_Enrollment__c", "hed__Term__c"} <= listed
            soql = (
                "SELECT hed__Contact__r.Email, hed__Contact__r.hed__Preferred_Email__c, "
                "hed__Account__r.RecordType.DeveloperName, hed__Account__r.Parent.Parent.Name, "
                "hed__Affiliation__r.hed__Account__r.Name FROM hed__Program_Enrollment__c "
                "WHERE hed__Contact__r.Email != null AND hed__Account__r.Parent.ParentId != null"
            )
            rows = salesforce.get(f"{DATA}/query", params={"q": soql}).json()["records"]
    assert len(rows) > 100
    for row in rows:
        assert row["hed__Account__r"]["RecordType"]["DeveloperName"] == "Academic_Program"
        assert row["hed__Account__r"]["Parent"]["Parent"]["Name"]
        assert row["hed__Contact__r"]["hed__Preferred_Email__c"] == "University"
        assert row["hed__Affiliation__r"]["hed__Account__r"]["Name"]
