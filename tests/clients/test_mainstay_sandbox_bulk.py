"""Bulk jobs of the Mainstay sandbox: rows in order, effect on completion."""

import time

import httpx
import polars as pl
import pytest

from workbench.simulators.mainstay import MainstayInstitution, mainstay_app
from workbench.simulators.sandbox import Server


@pytest.fixture
def institution():
    contacts = pl.DataFrame(
        {
            "id": ["ah1", "ah2", "ah3"],
            "crm_id": ["003A", None, "003C"],
            "phone": ["4045550101", "4045550102", "4045550103"],
            "messaging_status_sms": ["opted-in"] * 3,
        }
    )
    return MainstayInstitution(contacts, bulk_seconds=0.1, bulk_limit=10)


@pytest.fixture
def client(institution):
    with (
        Server(mainstay_app(institution)) as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": f"APIToken {institution.token}"}, trust_env=False
        ) as client,
    ):
        yield client


def finished(client, rows):
    accepted = client.post("/contacts/bulk/", json=rows)
    assert accepted.status_code == 202
    job = accepted.json()
    assert job == {"job_id": job["job_id"], "status": "pending", "total": len(rows)}
    deadline = time.monotonic() + 5
    while job["status"] != "completed" and time.monotonic() < deadline:
        job = client.get(f"/contacts/bulk/{job['job_id']}/").json()
    return job


def test_rows_are_upserted_by_id_crm_id_phone_and_else_created(client, institution):
    job = finished(
        client,
        [
            {"id": "ah1", "first_name": "By id"},
            {"crm_id": "003C", "first_name": "By CRM ID"},
            {"crm_id": "003B", "phone": "(404) 555-0102", "first_name": "By phone"},
            {"crm_id": "003N", "first_name": "New", "last_name": "Person", "phone": "4045550109"},
        ],
    )
    assert (job["created"], job["updated"], job["failed"], job["errors"]) == (1, 3, 0, [])
    assert institution.book.by_id("ah1")["first_name"] == "By id"
    assert institution.book.by_id("ah2")["crm_id"] == "003B"
    assert institution.book.by_crm_id("003N")["phone"] == "4045550109"


def test_errors_name_their_rows(client):
    job = finished(
        client,
        [
            {"id": "nobody", "first_name": "x"},
            {"crm_id": "003A", "email": "nope"},
            {"crm_id": "003X", "first_name": "a", "last_name": "b", "phone": "123"},
            {"crm_id": "003Y", "phone": "4045550103"},
            "text",
        ],
    )
    assert (job["created"], job["updated"], job["failed"]) == (0, 1, 4)
    assert [(error["row"], error["code"]) for error in job["errors"]] == [
        (1, "not-found"),
        (2, "invalid-email"),
        (3, "invalid-phone"),
        (4, "phone-match-found-but-crmId-mismatch"),
        (5, "invalid-request"),
    ]
    assert job["errors"][1]["message"] == "Row # 2: invalid email"


def test_rows_take_effect_when_the_job_completes(client, institution):
    institution.bulk_seconds = 0.6
    job = client.post("/contacts/bulk/", json=[{"id": "ah1", "first_name": "Later"}]).json()
    assert client.get("/contacts/ah1/").json()["first_name"] is None
    states = set()
    while "completed" not in states:
        states.add(client.get(f"/contacts/bulk/{job['job_id']}").json()["status"])
    assert "running" in states
    assert client.get("/contacts/ah1/").json()["first_name"] == "Later"


@pytest.mark.parametrize("rows", [{}, [], [{"crm_id": "x"}] * 11, "text"])
def test_arrays_that_are_refused(client, rows):
    reply = client.post("/contacts/bulk/", json=rows)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "invalid-request")


def test_repeated_phones_break_the_array(client):
    rows = [{"crm_id": "1", "phone": "4045550177"}, {"crm_id": "2", "phone": "(404) 555-0177"}]
    reply = client.post("/contacts/bulk/", json=rows)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "duplicate-contact")


def test_bulk_sends_no_intro(client, institution):
    row = {"crm_id": "003I", "first_name": "a", "last_name": "b", "phone": "4045550110", "send_intro_campaign": True}
    assert finished(client, [row])["created"] == 1
    assert institution.intros == []


def test_unknown_jobs(client):
    assert client.get("/contacts/bulk/job_9/").status_code == 404
    assert client.post("/contacts/bulk/", content=b"[").status_code == 400
