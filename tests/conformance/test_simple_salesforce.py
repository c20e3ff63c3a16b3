"""simple-salesforce, unpatched, works a day against a sandbox: a session adapter alone carries it to loopback.

Source: Salesforce wire reference, section 12.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import requests
from clients.test_salesforce_sandbox_support import ToLoopback
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate

pytestmark = pytest.mark.slow

CONTACTS = 2_600  # more than one page of a query


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(generate(CONTACTS, 3), systems=["salesforce"]) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ToLoopback(sandbox.connection["salesforce"]["instance_url"]))
        yield session


@pytest.fixture
def salesforce(sandbox, session):
    """Logged in by SOAP."""
    known = sandbox.connection["salesforce"]
    login = {name: known[name] for name in ("username", "password", "security_token")}
    return Salesforce(**login, session=session)


def living(sandbox):
    return sandbox.salesforce_org.query("SELECT COUNT() FROM Contact").total


def test_logins(sandbox, session):
    known = sandbox.connection["salesforce"]
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(username=known["username"], password="wrong", security_token="x", session=session)
    keys = {"consumer_key": known["client_id"], "consumer_secret": known["client_secret"]}
    client = Salesforce(**keys, domain="example.my", session=session)
    assert client.limits()["DailyApiRequests"]["Max"] == 1_000_000
    assert client.api_usage["api-usage"].total == 1_000_000


def test_a_token_that_ended_is_renewed(sandbox, salesforce):
    sandbox.salesforce_org.expire_sessions()
    assert salesforce.query("SELECT COUNT() FROM Account")["totalSize"] > 0


def test_describes(salesforce):
    names = {one["name"] for one in salesforce.describe()["sobjects"]}
    assert {"Contact", "Account", "Lead", "Application__c"} <= names
    fields = {one["name"]: one for one in salesforce.Contact.describe()["fields"]}
    assert fields["Email"]["type"] == "email"
    assert fields["Student_ID__c"]["externalId"]


def test_queries_follow_their_pages(sandbox, salesforce):
    first = salesforce.query("SELECT Id, Account.Parent.Name FROM Contact ORDER BY Id")
    assert (len(first["records"]), first["done"], first["totalSize"]) == (2000, False, living(sandbox))
    rest = salesforce.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert rest["done"]
    ids = {row["Id"] for row in (*first["records"], *rest["records"])}
    assert ids == {row["Id"] for row in salesforce.query_all_iter("SELECT Id FROM Contact")}
    every = salesforce.query_all("SELECT Id FROM Contact", include_deleted=True)["totalSize"]
    assert every == sandbox.salesforce_org.records("Contact").height > living(sandbox)


def test_single_records(salesforce):
    begun = datetime.now(UTC) - timedelta(minutes=1)
    made = salesforce.Contact.create({"LastName": "Núñez", "Email": "Zoe@Example.EDU"})["id"]
    assert salesforce.Contact.update(made, {"FirstName": "Zoë"}) == 204
    found = salesforce.Contact.get(made)
    assert (found["Name"], found["Email"]) == ("Zoë Núñez", "zoe@example.edu")
    assert salesforce.Contact.upsert("Student_ID__c/SIMPLE-1", {"LastName": "Vale"}) == 201
    assert salesforce.Contact.upsert("Student_ID__c/SIMPLE-1", {"LastName": "Dale"}) == 200
    assert salesforce.Contact.get_by_custom_id("Student_ID__c", "SIMPLE-1")["LastName"] == "Dale"
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        salesforce.Contact.create({"FirstName": "Nobody"})
    assert salesforce.Contact.delete(made) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        salesforce.Contact.get(made)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert made in {one["id"] for one in salesforce.Contact.deleted(begun, soon)["deletedRecords"]}
    assert made not in salesforce.Contact.updated(begun, soon)["ids"]


def test_collections(salesforce):
    kind = {"attributes": {"type": "Contact"}}
    records = [{**kind, "LastName": "Many"}, {**kind, "FirstName": "Nobody"}, {**kind, "LastName": "More"}]
    answers = salesforce.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": records})
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert answers[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    ids = [answer["id"] for answer in answers if answer["success"]]
    gone = salesforce.restful("composite/sobjects", params={"ids": ",".join(ids)}, method="DELETE")
    assert all(answer["success"] for answer in gone)


def test_bulk_jobs(sandbox, salesforce, tmp_path):
    found = salesforce.bulk2.Contact.download(
        "SELECT Id, Advisor_Notes__c FROM Contact", path=str(tmp_path), max_records=1000, wait=0.05
    )
    assert sum(page["number_of_records"] for page in found) == living(sandbox)
    rows = [{"LastName": f"Bulk {number}", "Description": 'a\n"b"'} for number in range(300)]
    rows.append({"LastName": "", "Description": "no name"})
    [job] = salesforce.bulk2.Contact.insert(records=rows, wait=0.05)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (301, 1)
    failed = salesforce.bulk2.Contact.get_failed_records(job["job_id"])
    [error] = csv.DictReader(io.StringIO(failed, newline=""))
    assert error["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    kept = salesforce.query("SELECT Id FROM Contact WHERE LastName LIKE 'Bulk %'")["records"]
    assert len(kept) == 300
    [done] = salesforce.bulk2.Contact.delete(records=[{"Id": row["Id"]} for row in kept], wait=0.05)
    assert done["numberRecordsFailed"] == 0
