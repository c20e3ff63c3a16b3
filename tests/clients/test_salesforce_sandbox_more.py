"""Upserts, composite requests, OAuth, change windows, field-level security, custom objects and EDA in the sandbox."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
from clients.test_salesforce_sandbox_support import account_id, code_of, contact_id, served, small_records
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import exceptions as refusals

from workbench.simulators.salesforce.duplicates import DuplicateRule
from workbench.simulators.salesforce.field_shapes import field_shape, formula
from workbench.simulators.salesforce.refusals import Refusal


@pytest.fixture
def org():
    with served() as running:
        yield running


# --- upsert ---


def test_upsert_by_external_id(org):
    created = org.send("PATCH", "sobjects/Contact/Student_ID__c/N%2F1", {"LastName": "Slash"})
    assert (created.status_code, created.json()["created"]) == (201, True)
    updated = org.send("PATCH", "sobjects/Contact/student_id__c/N%2F1", {"LastName": "Slashed"})
    assert (updated.status_code, updated.json()) == (
        200, {"id": created.json()["id"], "success": True, "errors": [], "created": False},
    )  # fmt: skip
    assert org.get("sobjects/Contact/Student_ID__c/N%2F1").json()["LastName"] == "Slashed"
    assert org.client().Contact.upsert("Student_ID__c/S1", {"FirstName": "Anna"}) == 200
    body = {"LastName": "x", "Student_ID__c": "S1"}
    assert code_of(org.send("PATCH", "sobjects/Contact/Student_ID__c/S1", body)) == (400, "INVALID_FIELD")
    assert code_of(org.send("PATCH", "sobjects/Contact/Campus__c/x", {"LastName": "x"})) == (404, "NOT_FOUND")
    only = org.send("PATCH", "sobjects/Contact/Student_ID__c/NEW?updateOnly=true", {"LastName": "x"})
    assert code_of(only) == (404, "NOT_FOUND")


def test_several_matches_write_nothing(org):
    org.org.edit("Contact", contact_id(1), {"Email": "same@example.edu"})
    org.org.edit("Contact", contact_id(2), {"Email": "same@example.edu"})
    answer = org.send("PATCH", "sobjects/Contact/Email/SAME@example.edu", {"LastName": "x"})
    assert answer.status_code == 300
    assert answer.json() == [f"{org.data}/sobjects/Contact/{contact_id(number)}" for number in (1, 2)]
    with pytest.raises(refusals.SalesforceMoreThanOneRecord):
        org.client().Contact.get_by_custom_id("Email", "same@example.edu")


def test_collections_upsert(org):
    records = [
        {"attributes": {"type": "Contact"}, "Student_ID__c": "S1", "FirstName": "Anna"},
        {"attributes": {"type": "Contact"}, "Student_ID__c": "S9", "LastName": "Nine"},
        {"attributes": {"type": "Contact"}, "Student_ID__c": "S8"},
    ]
    first, second, third = org.send("PATCH", "composite/sobjects/Contact/Student_ID__c", {"records": records}).json()
    assert (first["id"], first["created"], second["created"]) == (contact_id(1), False, True)
    assert third["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    by_id = [
        {"attributes": {"type": "Contact"}, "Id": None, "LastName": "Fresh"},
        {"attributes": {"type": "Contact"}, "Id": contact_id(2), "LastName": "Zheng"},
    ]
    first, second = org.send("PATCH", "composite/sobjects/Contact/Id", {"records": by_id}).json()
    assert (first["created"], second["created"], second["id"]) == (True, False, contact_id(2))


def test_a_parent_told_by_its_external_id(org):
    shape = field_shape("Code__c", length=10, externalId=True, idLookup=True, unique=True)
    org.org.add_field("Account", shape)
    org.org.edit("Account", account_id(3), {"Code__c": "L3"})
    made = org.send("POST", "sobjects/Contact", {"LastName": "x", "Account": {"Code__c": "l3"}}).json()
    assert org.get(f"sobjects/Contact/{made['id']}").json()["AccountId"] == account_id(3)
    wrong = org.send("POST", "sobjects/Contact", {"LastName": "x", "Account": {"Code__c": "no"}})
    assert "Foreign key external ID: no not found" in wrong.json()[0]["message"]


# --- composite ---


def test_a_batch_of_requests(org):
    requests = [
        {"method": "PATCH", "url": f"v62.0/sobjects/Contact/{contact_id(1)}", "richInput": {"LastName": "O'Hara"}},
        {"method": "GET", "url": f"{org.data}/sobjects/Contact/{contact_id(1)}?fields=LastName"},
        {"method": "POST", "url": "v62.0/sobjects/Contact", "richInput": {}},
        {"method": "GET", "url": "v62.0/limits"},
    ]
    answer = org.send("POST", "composite/batch", {"batchRequests": requests}).json()
    assert answer["hasErrors"]
    assert [result["statusCode"] for result in answer["results"]] == [204, 200, 400, 200]
    assert answer["results"][0]["result"] is None
    assert answer["results"][1]["result"]["LastName"] == "O&#39;Hara"
    halted = org.send("POST", "composite/batch", {"haltOnError": True, "batchRequests": requests[2:]}).json()
    assert [result["statusCode"] for result in halted["results"]] == [400, 412]
    assert halted["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert org.send("POST", "composite/batch", {"batchRequests": requests * 7}).status_code == 400


def composite(data):
    return [
        {"method": "POST", "url": f"{data}/sobjects/Account", "referenceId": "college", "body": {"Name": "A & B"}},
        {"method": "POST", "url": f"{data}/sobjects/Contact", "referenceId": "person",
         "body": {"LastName": "Linked", "AccountId": "@{college.id}"}},
        {"method": "GET", "url": f"{data}/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{{person.id}}'",
         "referenceId": "found"},
    ]  # fmt: skip


def test_composite_requests_use_earlier_answers(org):
    answer = org.send("POST", "composite", {"compositeRequest": composite(org.data)}).json()["compositeResponse"]
    assert [(part["referenceId"], part["httpStatusCode"]) for part in answer] == [
        ("college", 201), ("person", 201), ("found", 200),
    ]  # fmt: skip
    assert answer[2]["body"]["records"][0]["Account"]["Name"] == "A &amp; B"
    assert answer[0]["httpHeaders"]["Location"] == f"{org.data}/sobjects/Account/{answer[0]['body']['id']}"
    assert org.names("Account.Name = 'A & B'") == ["Linked"]


def test_a_composite_request_holds_five_queries_or_collections(org):
    query = {"method": "GET", "url": f"{org.data}/query?q=SELECT+Id+FROM+Contact+LIMIT+1"}
    parts = [{**query, "referenceId": f"r{number}"} for number in range(6)]
    assert org.send("POST", "composite", {"compositeRequest": parts[:5]}).status_code == 200
    assert code_of(org.send("POST", "composite", {"compositeRequest": parts})) == (400, "LIMIT_EXCEEDED")


def test_composite_all_or_none(org):
    broken = [
        *composite(org.data),
        {"method": "POST", "url": f"{org.data}/sobjects/Contact", "referenceId": "x", "body": {}},
    ]
    answer = org.send("POST", "composite", {"allOrNone": True, "compositeRequest": broken}).json()["compositeResponse"]
    assert [part["body"][0]["errorCode"] for part in answer] == ["PROCESSING_HALTED"] * 3 + ["REQUIRED_FIELD_MISSING"]
    assert org.names("LastName = 'Linked'") == []
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 3
    loose = org.send("POST", "composite", {"compositeRequest": broken[1:]}).json()["compositeResponse"]
    assert "Invalid reference specified" in loose[0]["body"][0]["message"]


# --- OAuth ---


def token(org, **form):
    return httpx.post(f"{org.url}/services/oauth2/token", data=form, trust_env=False)


def test_client_credentials_by_the_real_client(org):
    known = org.org.credentials
    client = org.client(consumer_key=known.client_id, consumer_secret=known.client_secret, domain="example.my")
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 4
    form = {"client_id": known.client_id, "client_secret": known.client_secret}
    granted = token(org, grant_type="client_credentials", **form).json()
    assert granted["access_token"].startswith("00D")
    assert "!" in granted["access_token"]
    assert (granted["instance_url"], granted["token_type"]) == (org.url, "Bearer")
    assert granted["id"] == f"{org.url}/id/{org.org.org_id}/{org.org.user_id}"


def test_oauth_refusals_are_a_dict(org):
    wrong = token(org, grant_type="client_credentials", client_id=org.org.credentials.client_id, client_secret="no")
    assert (wrong.status_code, wrong.json()) == (
        400, {"error": "invalid_client", "error_description": "invalid client credentials"},
    )  # fmt: skip
    assert token(org, grant_type="magic").json()["error"] == "unsupported_grant_type"
    old = token(
        org, grant_type="refresh_token", client_id=org.org.credentials.client_id,
        client_secret=org.org.credentials.client_secret, refresh_token="revoked",
    )  # fmt: skip
    assert (old.status_code, old.json()["error"]) == (400, "invalid_grant")
    assert token(org, grant_type="client_credentials", client_id="x").json()["error"] == "invalid_client_id"


def test_jwt_bearer():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, pem).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with served(jwt_public_key=public) as running:
        known = running.org.credentials
        client = running.client(username=known.username, consumer_key=known.client_id, privatekey=private)
        assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 4
        with (
            pytest.warns(UserWarning, match="authorize this"),
            pytest.raises(refusals.SalesforceAuthenticationFailed) as wrong,
        ):
            running.client(username="other@example.edu", consumer_key=known.client_id, privatekey=private)
        assert wrong.value.code == "invalid_grant"
        assert (
            token(running, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion="x").status_code == 400
        )
    with (
        served() as closed,
        pytest.warns(UserWarning, match="authorize this"),
        pytest.raises(refusals.SalesforceAuthenticationFailed),
    ):
        closed.client(username="admin@example.edu", consumer_key="x", privatekey=private)


# --- what changed ---


def test_updated_and_deleted_windows(org):
    start = datetime.now(UTC) - timedelta(minutes=1)
    org.org.edit("Contact", contact_id(2), {"FirstName": "Bobby"})
    client = org.client()
    client.Contact.delete(contact_id(3))
    end = datetime.now(UTC) + timedelta(minutes=1)
    assert client.Contact.updated(start, end)["ids"] == [contact_id(2)]
    gone = client.Contact.deleted(start, end)
    assert [record["id"] for record in gone["deletedRecords"]] == [contact_id(3)]
    assert gone["latestDateCovered"].endswith("+0000")
    params = {"start": end.isoformat(), "end": start.isoformat()}
    assert code_of(org.get("sobjects/Contact/updated/", params=params)) == (400, "INVALID_REPLICATION_DATE")
    assert code_of(org.get("sobjects/Contact/updated", params={"start": "2026-11-01T00:00:00", "end": "x"}))[0] == 400


def test_deleting_an_account_takes_its_contacts_along_and_blanks_other_lookups(org):
    made = org.org.edit("Application__c", None, {"Contact__c": contact_id(1), "College__c": account_id(2)})
    org.send("DELETE", f"sobjects/Account/{account_id(2)}")
    assert org.names("Id != null") == ["Zhang", "Adams"]
    found = org.get(f"sobjects/Application__c/{made}").json()
    assert (found["Contact__c"], found["College__c"], found["Name"]) == (None, None, made)


def test_record_counts_and_columns(org):
    counts = org.get("limits/recordCount", params={"sObjects": "Contact,Nope"}).json()
    assert counts == {"sObjects": [{"count": 4, "name": "Contact"}]}
    columns = org.get("query", params={"q": "SELECT Id, Account.Name FROM Contact", "columns": "true"}).json()
    assert [column["columnName"] for column in columns["columnMetadata"]] == ["Id", "Account"]
    assert columns["columnMetadata"][1]["joinColumns"][0]["columnName"] == "Name"


def test_user_and_organization(org):
    user = org.get(f"sobjects/User/{org.org.user_id}").json()
    assert (user["Username"], user["IsActive"]) == ("admin@example.edu", True)
    found = org.query("SELECT Id, Name, IsSandbox, OrganizationType FROM Organization")["records"][0]
    assert found["Id"] == org.org.org_id
    assert org.query("SELECT Owner.Name FROM Contact LIMIT 1")["records"][0]["Owner"]["Name"] == "Sandbox Admin"


@pytest.mark.parametrize("version", ["31.0", "51.0", "59.0", "68.0", "70.0"])
def test_any_version_is_served(org, version):
    assert org.client(version=version).query("SELECT COUNT() FROM Contact")["totalSize"] == 4


# --- what an administrator changes ---


def test_a_hidden_field_is_gone_for_this_user(org):
    org.org.hide_field("Contact", "Do_Not_Contact__c")
    names = {field["name"] for field in org.get("sobjects/Contact/describe").json()["fields"]}
    assert "Do_Not_Contact__c" not in names
    assert code_of(org.get("query", params={"q": "SELECT Do_Not_Contact__c FROM Contact"})) == (400, "INVALID_FIELD")
    body = {"Do_Not_Contact__c": True}
    assert code_of(org.send("PATCH", f"sobjects/Contact/{contact_id(1)}", body)) == (400, "INVALID_FIELD")
    assert org.names("Sync_to_Mainstay__c = false") == ["Zhang"]
    org.org.hide_field("Contact", "Do_Not_Contact__c", is_hidden=False)
    assert org.names("Do_Not_Contact__c = true") == ["Zhang"]


def test_formulas_read_parents_and_texts(org):
    text = "IF(ISBLANK(Account.Parent.Name), 'alone: ' & Account.Name, Account.Parent.Name & '/' & UPPER(LastName))"
    org.org.add_field("Contact", formula("Where__c", "string", text, length=1300))
    org.org.add_field("Contact", formula("Is_Good__c", "boolean", "GPA__c >= 3 && !Do_Not_Contact__c"))
    found = org.query("SELECT Where__c, Is_Good__c FROM Contact ORDER BY Id")["records"]
    assert [record["Where__c"] for record in found] == [
        "Example System/O'BRIEN", "alone: Lone College", "Example System/ÇELIK", "alone: ",
    ]  # fmt: skip
    assert [record["Is_Good__c"] for record in found] == [True, False, False, True]


def test_rules_of_the_institution_refuse_records(org):
    said = Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Nobody is called Test here", ("LastName",))
    org.org.add_rule("Contact", lambda record: said if record["LastName"] == "Test" else None)
    answer = org.send("POST", "sobjects/Contact", {"LastName": "Test"})
    assert answer.json() == [{"message": said.message, "errorCode": said.code, "fields": ["LastName"]}]
    assert org.send("POST", "sobjects/Contact", {"LastName": "Best"}).status_code == 201


# --- custom objects ---


def test_duplicate_rules_warn_or_block(org):
    org.org.add_duplicate_rule("Contact", DuplicateRule("Same e-mail", ("Email",)))
    org.org.add_duplicate_rule("Contact", DuplicateRule("Same person", ("FirstName", "LastName"), is_blocking=True))
    twin = {"LastName": "Twin", "Email": "ANA@example.edu"}
    answer = org.send("POST", "sobjects/Contact", twin)
    assert code_of(answer) == (400, "DUPLICATES_DETECTED")
    found = answer.json()[0]["duplicateResult"]
    assert (found["allowSave"], found["duplicateRule"]) == (True, "Same e-mail")
    assert found["matchResults"][0]["matchRecords"][0]["record"]["Id"] == contact_id(1)
    allowed = {"headers": {"Sforce-Duplicate-Rule-Header": "allowSave=true"}}
    assert org.send("POST", "sobjects/Contact", twin, **allowed).status_code == 201
    same = {"FirstName": "ana", "LastName": "O'Brien"}
    assert code_of(org.send("POST", "sobjects/Contact", same, **allowed)) == (400, "DUPLICATES_DETECTED")
    records = [{"attributes": {"type": "Contact"}, **twin, "LastName": "Third"}]
    many = org.send("POST", "composite/sobjects", {"records": records}).json()
    assert many[0]["errors"] == [
        {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    ]
    assert org.send("POST", "composite/sobjects", {"records": records}, **allowed).json()[0]["success"]
    itself = org.send("PATCH", f"sobjects/Contact/{contact_id(4)}", {"Email": "dee@example.edu"})
    assert itself.status_code == 204  # a record is no duplicate of itself
    assert org.send("POST", "sobjects/Contact", {"LastName": "Blank", "Email": None}).status_code == 201


def test_an_application_has_its_contact_behind_a_lookup(org):
    made = org.org.edit(
        "Application__c", None,
        {"Contact__c": contact_id(1), "Status__c": "Submitted", "Interests__c": "Arts;Health", "Fee__c": 10,
         "Essay_Count__c": 2, "Decision_At__c": "2026-11-20T10:00:00+02:00"},
    )  # fmt: skip
    soql = (
        "SELECT Contact__r.Name, Contact__r.Account.Parent.Name, Is_Open__c, Applicant_Email__c, Fee__c, Essay_Count__c, "
        "Decision_At__c FROM Application__c WHERE Interests__c INCLUDES ('Health;Arts', 'Science')"
    )
    [found] = org.query(soql)["records"]
    assert found["Contact__r"]["attributes"]["type"] == "Contact"
    assert found["Contact__r"]["Account"]["Parent"]["Name"] == "Example System"
    assert (found["Is_Open__c"], found["Applicant_Email__c"]) == (True, "ana@example.edu")
    assert (found["Fee__c"], found["Essay_Count__c"]) == (10.0, 2)
    assert found["Decision_At__c"] == "2026-11-20T08:00:00.000+0000"
    body = {"Status__c": "Lost"}
    wrong = org.send("PATCH", f"sobjects/Application__c/{made}", body)
    assert code_of(wrong) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def eda_records() -> dict[str, pl.DataFrame]:
    sample = Path(__file__).parents[2] / "data" / "samples" / "eda" / "eda_sample_records.json"
    told = json.loads(sample.read_text())
    return {
        name: pl.DataFrame([{k: v for k, v in row.items() if not isinstance(v, dict)} for row in rows], infer_schema_length=None)
        for name, rows in told.items()
        if isinstance(rows, list)
    }  # fmt: skip


def test_eda_records_bring_the_package(org):
    with served(eda_records()) as running:
        names = {sobject["name"] for sobject in running.get("sobjects").json()["sobjects"]}
        assert {"hed__Affiliation__c", "hed__Program_Enrollment__c", "hed__Term__c", "RecordType"} <= names
        fields = {field["name"] for field in running.get("sobjects/Contact/describe").json()["fields"]}
        assert {"hed__UniversityEmail__c", "Student_ID__c"} <= fields
        soql = (
            "SELECT hed__Contact__r.Name, hed__Account__r.Name, hed__Account__r.Parent.Name, hed__Affiliation_Type__c "
            "FROM hed__Affiliation__c WHERE hed__Role__c = 'Faculty' ORDER BY Id LIMIT 1"
        )
        [found] = running.query(soql)["records"]
        assert found["hed__Contact__r"]["Name"]
        assert found["hed__Affiliation_Type__c"]
        typed = "SELECT COUNT() FROM Account WHERE RecordType.DeveloperName = 'Educational_Institution'"
        assert running.query(typed)["totalSize"] > 0
        first = running.query("SELECT Id FROM hed__Affiliation__c LIMIT 1")["records"][0]["Id"]
        affiliation = running.get("sobjects/hed__Affiliation__c/describe").json()
        assert affiliation["keyPrefix"] == first[:3]
        made = running.send("POST", "sobjects/hed__Affiliation__c", {"hed__Role__c": "Student"}).json()
        assert made["id"][:3] == first[:3]
    assert "hed__Affiliation__c" not in {sobject["name"] for sobject in org.get("sobjects").json()["sobjects"]}


def test_a_large_organisation_is_read_in_seconds():
    size = 20_000
    people = pl.DataFrame(
        {"Id": [contact_id(n) for n in range(size)], "LastName": [f"L{n}" for n in range(size)],
         "AccountId": [account_id(1 + n % 3) for n in range(size)]}
    )  # fmt: skip
    with served({"Account": small_records()["Account"], "Contact": people}) as running:
        begun = time.monotonic()
        soql = "SELECT Id, Name, LastName, Email, Account.Name, Account.Parent.Name, SystemModstamp FROM Contact ORDER BY Id"
        assert len(running.client().query_all(soql)["records"]) == size
        assert time.monotonic() - begun < 10
