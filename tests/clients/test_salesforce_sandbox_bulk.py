"""Bulk 2.0 of the Salesforce sandbox, by the real client and by hand."""

from __future__ import annotations

import csv
import io
import time

import polars as pl
import pytest
from clients.test_salesforce_sandbox_support import account_id, code_of, contact_id, served, small_records

from workbench.simulators import spool
from workbench.simulators.salesforce import results
from workbench.simulators.salesforce.ids import long_id


@pytest.fixture
def org():
    with served() as running:
        yield running


def table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def ingest(org, operation: str, content: str, **told) -> dict:
    """Run one ingest job by hand; its last information."""
    job = org.send("POST", "jobs/ingest", {"operation": operation, "object": "Contact", **told}).json()
    assert (job["state"], job["contentUrl"][0]) == ("Open", "s")
    put = org.http.put(f"/{job['contentUrl']}", content=content.encode(), headers={"Content-Type": "text/csv"})
    assert (put.status_code, put.content) == (201, b"")
    assert (
        org.send("PATCH", f"jobs/ingest/{job['id']}", {"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    )
    return finished(org, f"jobs/ingest/{job['id']}")


def finished(org, path: str) -> dict:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        job = org.get(path).json()
        if job["state"] not in ("Open", "UploadComplete", "InProgress"):
            return job
        time.sleep(0.01)
    raise AssertionError(f"{path} did not end")


# --- query jobs ---


def test_a_query_job_by_the_real_client():
    many = pl.DataFrame({"Id": [long_id(f"003B{n:011d}") for n in range(5)], "LastName": [f"P\n{n}" for n in range(5)]})
    with served({"Contact": many}) as running:
        pages = list(
            running.client().bulk2.Contact.query(
                "SELECT Id, LastName FROM Contact ORDER BY Id", max_records=2, wait=0.01
            )
        )
    assert len(pages) == 3
    assert [row["LastName"] for page in pages for row in table(page)] == [f"P\n{n}" for n in range(5)]


def test_a_query_job_by_hand(org):
    org.org.edit("Contact", contact_id(1), {"FirstName": 'Q"uo,te'})
    soql = "SELECT Id, FirstName, Account.Parent.Name, Do_Not_Contact__c, GPA__c, SystemModstamp, Birthdate FROM Contact ORDER BY Id"
    job = org.send("POST", "jobs/query", {"operation": "query", "query": soql}).json()
    assert (job["state"], job["object"], job["apiVersion"], job["id"][:3]) == ("UploadComplete", "Contact", 62.0, "750")
    done = finished(org, f"jobs/query/{job['id']}")
    assert (done["state"], done["numberRecordsProcessed"]) == ("JobComplete", 4)
    first = org.get(f"jobs/query/{job['id']}/results", params={"maxRecords": 3})
    assert first.headers["content-type"] == "text/csv;charset=UTF-8"
    assert first.headers["sforce-numberofrecords"] == "3"
    lines = first.text.split("\n")
    assert (
        lines[0] == '"Id","FirstName","Account.Parent.Name","Do_Not_Contact__c","GPA__c","SystemModstamp","Birthdate"'
    )
    assert lines[1].startswith(f'"{contact_id(1)}","Q""uo,te","Example System","false","3.5","2026-')
    assert lines[2] == f'"{contact_id(2)}","Bob","","true","","2026-11-03T00:00:00.000Z","2000-01-02"'
    rest = org.get(f"jobs/query/{job['id']}/results", params={"locator": first.headers["sforce-locator"]})
    assert rest.headers["sforce-locator"] == "null"
    assert len(table(rest.text)) == 1
    assert org.http.get(f"/services/data/v61.0/jobs/query/{job['id']}/results").status_code == 409
    assert org.http.delete(f"{org.data}/jobs/query/{job['id']}").status_code == 204
    assert code_of(org.get(f"jobs/query/{job['id']}")) == (404, "NOT_FOUND")


def test_many_rows_are_read_from_disk_and_sent_in_pieces(monkeypatch):
    monkeypatch.setattr(spool, "SPOOLED_FROM", 20)
    monkeypatch.setattr(results, "_CSV_ROWS", 7)
    many = pl.DataFrame(
        {"Id": [long_id(f"003B{n:011d}") for n in range(50)], "LastName": [f"P\n{n}" for n in range(50)]}
    )
    with served({"Contact": many}) as running:
        body = {"operation": "query", "query": "SELECT Id, LastName FROM Contact ORDER BY Id"}
        job = running.send("POST", "jobs/query", body).json()
        assert finished(running, f"jobs/query/{job['id']}")["numberRecordsProcessed"] == 50
        running.org.edit("Contact", many["Id"][49], {"LastName": "Later"})
        first = running.get(f"jobs/query/{job['id']}/results", params={"maxRecords": 30})
        locator = first.headers["sforce-locator"]
        rest = running.get(f"jobs/query/{job['id']}/results", params={"maxRecords": 30, "locator": locator})
    names = [row["LastName"] for page in (first, rest) for row in table(page.text)]
    assert names == many["LastName"].to_list()  # as they were when the job was made


def test_an_empty_result_is_a_header(org):
    body = {"operation": "query", "query": "SELECT Id FROM Contact WHERE LastName = 'Nobody'"}
    job = org.send("POST", "jobs/query", body).json()
    finished(org, f"jobs/query/{job['id']}")
    answer = org.get(f"jobs/query/{job['id']}/results")
    assert (answer.text, answer.headers["sforce-locator"], answer.headers["sforce-numberofrecords"]) == (
        '"Id"\n',
        "null",
        "0",
    )


def test_query_all_jobs_see_the_recycle_bin(org):
    body = {"operation": "queryAll", "query": "SELECT Id FROM Contact", "columnDelimiter": "PIPE", "lineEnding": "CRLF"}
    job = org.send("POST", "jobs/query", body).json()
    assert finished(org, f"jobs/query/{job['id']}")["numberRecordsProcessed"] == 5
    assert org.get(f"jobs/query/{job['id']}/results").text.count("\r\n") == 6


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT MailingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT COUNT() FROM Contact", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT COUNT(Id) FROM Contact", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Id FROM Contact LIMIT 2 OFFSET 1", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
    ],
)
def test_refused_query_jobs(org, soql, code):
    assert code_of(org.send("POST", "jobs/query", {"operation": "query", "query": soql})) == (400, code)


def test_a_job_is_seen_in_work_and_can_be_aborted():
    with served(bulk_seconds=60) as running:
        job = running.send("POST", "jobs/query", {"operation": "query", "query": "SELECT Id FROM Contact"}).json()
        assert running.get(f"jobs/query/{job['id']}").json()["state"] == "InProgress"
        assert code_of(running.get(f"jobs/query/{job['id']}/results")) == (400, "INVALIDJOBSTATE")
        assert running.send("PATCH", f"jobs/query/{job['id']}", {"state": "Aborted"}).json()["state"] == "Aborted"


# --- ingest jobs ---


def test_an_update_by_the_real_client(org):
    records = [
        {"Id": contact_id(1), "FirstName": "Änne\nMarie\u2028x", "GPA__c": "#N/A"},
        {"Id": contact_id(2), "FirstName": "", "GPA__c": "1.5"},
        {"Id": contact_id(3), "FirstName": "x" * 41, "GPA__c": "2"},
        {"Id": contact_id(77), "FirstName": "x", "GPA__c": "2"},
    ]
    client = org.client(version="62.0")
    [outcome] = client.bulk2.Contact.update(records=records, wait=0.01)
    assert (outcome["numberRecordsTotal"], outcome["numberRecordsFailed"]) == (4, 2)
    failures = {
        row["sf__Id"]: row["sf__Error"] for row in table(client.bulk2.Contact.get_failed_records(outcome["job_id"]))
    }
    assert failures == {
        contact_id(3): f"STRING_TOO_LONG:First Name: data value too large: {'x' * 41} (max length=40):FirstName --",
        contact_id(77): "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
    }
    good = table(client.bulk2.Contact.get_successful_records(outcome["job_id"]))
    assert {(row["sf__Id"], row["sf__Created"]) for row in good} == {(contact_id(1), "false"), (contact_id(2), "false")}
    assert table(client.bulk2.Contact.get_unprocessed_records(outcome["job_id"])) == []
    ana, bob = org.query("SELECT FirstName, GPA__c FROM Contact WHERE GPA__c != 2 ORDER BY Id LIMIT 2")["records"]
    assert (ana["FirstName"], ana["GPA__c"]) == ("Änne\nMarie\u2028x", None)
    assert (bob["FirstName"], bob["GPA__c"]) == ("Bob", 1.5)


def test_an_insert_with_every_kind_of_value(org):
    content = (
        "LastName,Email,Do_Not_Contact__c,Birthdate,GPA__c,Account.Id\n"
        f'"New, Person",N@Example.edu,TRUE,2001-02-03,3.25,{account_id(2)}\n'
        "Bad,nope,,,,\n,,,,,\nOdd,,maybe,,,\nDay,,,2001-13-01,,\n"
    )
    job = ingest(org, "insert", content)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 5, 4)
    assert (job["jobType"], job["concurrencyMode"], job["contentType"]) == ("V2Ingest", "Parallel", "CSV")
    failed = org.get(f"jobs/ingest/{job['id']}/failedResults/")
    assert failed.headers["content-type"] == "text/csv;charset=UTF-8"
    assert [row["sf__Error"] for row in table(failed.text)] == [
        "INVALID_EMAIL_ADDRESS:Email: invalid email address: nope:Email --",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Do Not Contact: value not of required type: maybe:Do_Not_Contact__c --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Birthdate: value not of required type: 2001-13-01:Birthdate --",
    ]
    [made] = table(org.get(f"jobs/ingest/{job['id']}/successfulResults").text)
    assert (made["sf__Created"], made["LastName"]) == ("true", "New, Person")
    soql = (
        f"SELECT Email, Do_Not_Contact__c, Birthdate, GPA__c, Account.Name FROM Contact WHERE Id = '{made['sf__Id']}'"
    )
    [found] = org.query(soql)["records"]
    assert (found["Email"], found["Do_Not_Contact__c"], found["Birthdate"]) == ("n@example.edu", True, "2001-02-03")
    assert found["Account"]["Name"] == "Example College"


def test_an_upsert_by_external_id(org):
    content = "Student_ID__c,LastName\ns1,Changed\nS77,Made\nS77,Twice\n,Nobody\n"
    job = ingest(org, "upsert", content, externalIdFieldName="Student_ID__c")
    made = table(org.get(f"jobs/ingest/{job['id']}/successfulResults").text)
    assert [(row["LastName"], row["sf__Created"]) for row in made] == [("Changed", "false"), ("Made", "true")]
    failed = table(org.get(f"jobs/ingest/{job['id']}/failedResults").text)
    assert [row["sf__Error"].split(":")[0] for row in failed] == ["DUPLICATE_VALUE", "MISSING_ARGUMENT"]
    assert org.names("Student_ID__c IN ('S1', 'S77')") == ["Changed", "Made"]


def test_deletes(org):
    job = ingest(org, "delete", f"Id\n{contact_id(1)}\n{contact_id(5)}\n")
    assert job["numberRecordsFailed"] == 1
    assert org.query("SELECT COUNT() FROM Contact WHERE IsDeleted = true", door="queryAll")["totalSize"] == 2
    ingest(org, "hardDelete", f"Id\n{contact_id(2)}\n")
    assert org.query("SELECT COUNT() FROM Contact", door="queryAll")["totalSize"] == 4
    failed = ingest(org, "delete", f"Id,LastName\n{contact_id(3)},x\n")
    assert failed["state"] == "Failed"


@pytest.mark.parametrize(
    ("content", "told", "message"),
    [
        ("Id,Nope__c\n003,x\n", {}, "InvalidBatch : Field name not found : Nope__c"),
        (
            "Id,FirstName\r\n003,x\r\n",
            {},
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        ('Id,FirstName\n003,"x\n', {}, "InvalidBatch : Failed to parse CSV. unexpected end of data"),
        ("", {}, "InvalidBatch : Unable to find columns in the uploaded data"),
        ("Id|FirstName\n003|x\n", {}, "InvalidBatch : Field name not found : Id|FirstName"),
    ],
)
def test_a_bad_file_fails_the_job(org, content, told, message):
    job = ingest(org, "update", content, **told)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)


def test_other_delimiters_and_line_endings(org):
    content = f"Id\tFirstName\r\n{contact_id(1)}\tTab\r\n"
    job = ingest(org, "update", content, columnDelimiter="TAB", lineEnding="CRLF")
    assert job["numberRecordsFailed"] == 0
    answer = org.get(f"jobs/ingest/{job['id']}/successfulResults").text
    assert (
        answer
        == f'"sf__Id"\t"sf__Created"\t"Id"\t"FirstName"\r\n"{contact_id(1)}"\t"false"\t"{contact_id(1)}"\t"Tab"\r\n'
    )


def test_job_states_are_kept(org):
    job = org.send("POST", "jobs/ingest", {"operation": "insert", "object": "Contact"}).json()
    path = f"jobs/ingest/{job['id']}"
    assert code_of(org.get(f"{path}/failedResults")) == (400, "INVALIDJOBSTATE")
    org.http.put(f"{org.data}/{path}/batches", content=b"LastName\nx\n")
    assert org.http.put(f"{org.data}/{path}/batches", content=b"LastName\nx\n").status_code == 400
    assert org.send("PATCH", path, {"state": "Aborted"}).json()["state"] == "Aborted"
    assert code_of(org.send("PATCH", path, {"state": "UploadComplete"})) == (400, "INVALIDJOBSTATE")
    assert org.get(f"{path}/unprocessedrecords").status_code == 200
    assert job["id"] in {found["id"] for found in org.get("jobs/ingest").json()["records"]}
    assert org.send("DELETE", path).status_code == 204
    assert code_of(org.send("POST", "jobs/ingest", {"operation": "insert", "object": "Nope"})) == (400, "INVALIDENTITY")
    assert code_of(org.send("POST", "jobs/ingest", {"operation": "merge", "object": "Contact"})) == (400, "INVALIDJOB")
    assert code_of(org.send("POST", "jobs/ingest", {"operation": "upsert", "object": "Contact"})) == (400, "INVALIDJOB")


def test_an_aborted_job_leaves_the_rest_unprocessed():
    with served(small_records(), bulk_seconds=0.5) as running:
        body = {"operation": "insert", "object": "Contact"}
        path = f"jobs/ingest/{running.send('POST', 'jobs/ingest', body).json()['id']}"
        running.http.put(f"{running.data}/{path}/batches", content=b"LastName\nx\n")
        running.send("PATCH", path, {"state": "UploadComplete"})
        running.send("PATCH", path, {"state": "Aborted"})
        deadline = time.monotonic() + 20
        while not table(running.get(f"{path}/unprocessedRecords").text) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert table(running.get(f"{path}/unprocessedRecords").text) == [{"LastName": "x"}]
        assert running.query("SELECT COUNT() FROM Contact")["totalSize"] == 4


def test_odd_query_jobs(org):
    body = {"operation": "query", "query": "SELECT Id FROM Contact"}
    assert code_of(org.send("POST", "jobs/query", {"operation": "query"})) == (400, "INVALIDJOB")
    assert code_of(org.send("POST", "jobs/query", {**body, "columnDelimiter": "DOT"})) == (400, "INVALIDJOB")
    path = f"jobs/query/{org.send('POST', 'jobs/query', body).json()['id']}"
    assert code_of(org.send("PATCH", path, {"state": "UploadComplete"})) == (400, "INVALIDJOB")
    assert finished(org, path)["state"] == "JobComplete"
    assert [job["state"] for job in org.get("jobs/query").json()["records"]] == ["JobComplete"]
    assert code_of(org.send("PATCH", path, {"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    for params, code in [
        ({"maxRecords": "0"}, "INVALIDVALUE"),
        ({"locator": "???"}, "INVALID_QUERY_LOCATOR"),
        ({"locator": "OTk5"}, "INVALID_QUERY_LOCATOR"),
    ]:
        assert code_of(org.get(f"{path}/results", params=params)) == (400, code)


def test_odd_ingest_jobs(org):
    assert (
        code_of(org.send("POST", "jobs/ingest", {"operation": "insert", "object": "Contact", "contentType": "XML"}))[0]
        == 400
    )
    job = ingest(org, "update", f"FirstName,Id\nx,\nx,zz\nx,{contact_id(1)[:15]}\n")
    failed = table(org.get(f"jobs/ingest/{job['id']}/failedResults").text)
    assert [row["sf__Error"].split(":")[0] for row in failed] == ["MISSING_ARGUMENT", "MALFORMED_ID"]
    path = f"jobs/ingest/{job['id']}"
    assert code_of(org.send("PATCH", path, {"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert code_of(org.send("PATCH", path, {"state": "Open"})) == (400, "INVALIDJOB")
    assert code_of(org.get("jobs/ingest/750nope")) == (404, "NOT_FOUND")
    assert ingest(org, "update", "Id,FirstName\nx\n")["errorMessage"].endswith("row 2 has 1 values, the header has 2")


def test_jobs_in_work_are_not_deleted():
    with served(bulk_seconds=0.3) as running:
        asked = running.send("POST", "jobs/query", {"operation": "query", "query": "SELECT Id FROM Contact"}).json()
        assert code_of(running.send("DELETE", f"jobs/query/{asked['id']}")) == (400, "INVALIDJOBSTATE")
        job = running.send("POST", "jobs/ingest", {"operation": "insert", "object": "Contact"}).json()
        path = f"jobs/ingest/{job['id']}"
        running.http.put(f"{running.data}/{path}/batches", content=b"LastName\n\xff\nx\n")
        running.send("PATCH", path, {"state": "UploadComplete"})
        failed = finished(running, path)
        assert failed["state"] == "Failed"
        assert "not UTF-8" in failed["errorMessage"]
