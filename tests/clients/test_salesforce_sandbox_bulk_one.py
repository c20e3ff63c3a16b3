"""Bulk API 1.0 of the Salesforce sandbox: queries, as clients from before Bulk 2.0 ask them."""

from __future__ import annotations

import csv
import io
import time

import pytest
from clients.test_salesforce_sandbox_support import served


@pytest.fixture
def org():
    with served() as running:
        yield running


def ask(org, method, path, *, body=None, content=None):
    headers = {"X-SFDC-Session": org.org.access_token}
    return org.http.request(method, f"/services/async/61.0/job{path}", json=body, content=content, headers=headers)


def job(org, kind="CSV"):
    answer = ask(org, "POST", "", body={"operation": "queryAll", "object": "Contact", "contentType": kind})
    assert (answer.status_code, answer.json()["state"]) == (201, "Open")
    return answer.json()["id"]


def settled(org, path):
    for _ in range(200):
        answer = ask(org, "GET", path)
        if "Completed" in answer.text or "Failed" in answer.text:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"{path} did not end")


def test_a_csv_job_speaks_xml(org):
    job_id = job(org)
    added = ask(org, "POST", f"/{job_id}/batch", content="SELECT Id, LastName FROM Contact ORDER BY Id")
    assert (added.status_code, added.headers["content-type"]) == (201, "application/xml")
    batch_id = added.text.split("<id>")[1].split("</id>")[0]
    assert ask(org, "POST", f"/{job_id}", body={"state": "Closed"}).json()["state"] == "Closed"
    done = settled(org, f"/{job_id}/batch/{batch_id}")
    assert "<state>Completed</state>" in done.text
    assert "<numberRecordsProcessed>5</numberRecordsProcessed>" in done.text
    assert f"<batchInfo><id>{batch_id}</id>" in ask(org, "GET", f"/{job_id}/batch").text
    listed = ask(org, "GET", f"/{job_id}/batch/{batch_id}/result").text
    result_id = listed.split("<result>")[1].split("</result>")[0]
    rows = ask(org, "GET", f"/{job_id}/batch/{batch_id}/result/{result_id}")
    assert rows.headers["content-type"] == "text/csv;charset=UTF-8"
    assert len(list(csv.DictReader(io.StringIO(rows.text, newline="")))) == 5  # the recycle bin's too
    assert ask(org, "GET", f"/{job_id}").json()["numberBatchesCompleted"] == 1


def test_a_json_job_speaks_json(org):
    job_id = job(org, "JSON")
    batch_id = ask(org, "POST", f"/{job_id}/batch", content="SELECT Id, Account.Name FROM Contact").json()["id"]
    settled(org, f"/{job_id}/batch/{batch_id}")
    [result_id] = ask(org, "GET", f"/{job_id}/batch/{batch_id}/result").json()
    rows = ask(org, "GET", f"/{job_id}/batch/{batch_id}/result/{result_id}").json()
    assert {row["attributes"]["type"] for row in rows} == {"Contact"}


def test_bad_soql_fails_the_batch(org):
    job_id = job(org, "JSON")
    batch = ask(org, "POST", f"/{job_id}/batch", content="SELECT Nope FROM Contact").json()
    failed = ask(org, "GET", f"/{job_id}/batch/{batch['id']}").json()
    assert failed["state"] == "Failed"
    assert "INVALID_FIELD" in failed["stateMessage"]
    assert ask(org, "GET", f"/{job_id}/batch/{batch['id']}/result").json() == []


def test_refusals_name_an_exception_code(org):
    def code(answer):
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
        return answer.json()["exceptionCode"]

    told = {"operation": "queryAll", "object": "Contact", "contentType": "CSV"}
    assert code(ask(org, "GET", "/750nope")) == "InvalidJob"
    assert code(ask(org, "POST", "", content=b"<jobInfo/>")) == "InvalidJob"
    assert code(ask(org, "POST", "", body={**told, "operation": "insert"})) == "InvalidJob"
    assert code(ask(org, "POST", "", body={**told, "contentType": "XML"})) == "InvalidJob"
    assert code(ask(org, "POST", "", body={**told, "object": "Nope"})) == "InvalidEntity"
    job_id = job(org)
    assert code(ask(org, "GET", f"/{job_id}/batch/751nope")) == "InvalidBatch"
    assert code(ask(org, "POST", f"/{job_id}", body={"state": "Open"})) == "InvalidJob"
    ask(org, "POST", f"/{job_id}", body={"state": "Closed"})
    assert code(ask(org, "POST", f"/{job_id}/batch", content="SELECT Id FROM Contact")) == "InvalidJobState"
    org.org.expire_sessions()
    assert code(ask(org, "GET", f"/{job_id}")) == "InvalidSessionId"
