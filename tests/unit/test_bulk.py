"""What is believed of a bulk answer, what a CSV says, and how the crowd of requests shrinks and grows."""

from __future__ import annotations

import asyncio
import csv
import io

import pytest

from workbench.domain.changes import Status
from workbench.mainstay.bulk import bulk_row, read_job, settle
from workbench.mainstay.wire import Crowd
from workbench.salesforce.ingest import csv_of
from workbench.salesforce.writer import Record

ROWS = [{"crm_id": "003A", "phone": "4045550101"}, {"crm_id": "003B"}, {"id": "ah3", "crm_id": "003C"}]
EMAIL = {"code": "invalid-email", "message": "Row # 2: invalid email"}
PHONE = {"code": "invalid-phone", "message": "Invalid phone provided."}


def job(errors=(), **given):
    counts = {"total": 3, "created": 0, "updated": 3, "failed": 0}
    return read_job({"status": "completed", **counts, "errors": list(errors), **given})


def statuses(answer, methods=("PUT", "PUT", "PUT")):
    found = settle(ROWS, methods, answer)
    return None if found is None else [str(status) for status, _ in found]


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (job(), ["success"] * 3),
        (job([{**EMAIL, "row": 2}]), ["success", "partial", "success"]),
        (job([{**EMAIL, "row": 1, "crm_id": "003B"}]), ["success", "partial", "success"]),  # identity beats the number
        (job([{**EMAIL, "id": "ah3"}]), ["success", "success", "partial"]),
        (job([{**EMAIL, "crm_id": "003Z", "row": 1}]), None),  # names nobody of this array
        (job([{**EMAIL, "row": 4}]), None),
        (job([EMAIL]), None),
        (job(total=2), None),
        (job(failed=1, updated=2), None),  # says one failed and does not say which
        (job(updated=2), None),
        (job(status="failed"), None),
        (read_job({"status": "completed"}), ["success"] * 3),  # counts nobody told contradict nothing
        (read_job("<html>"), None),
    ],
)
def test_only_what_adds_up_is_believed(answer, ends):
    assert statuses(answer) == ends


BLANK = {"code": "blank-required-data-in-record", "message": "A required field is blank", "row": 1}
NEW = {"code": "never-heard-of", "message": "?", "row": 1}
UNTOLD = {"created": None, "updated": None, "failed": None}


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (job([BLANK], failed=1, updated=2), ["fail", "success", "success"]),
        (job([BLANK], **UNTOLD), ["fail", "success", "success"]),
        (job([BLANK, {**NEW, "row": 2}], failed=2, updated=1), ["fail", "fail", "success"]),
        (job([NEW], failed=1, updated=2), ["fail", "success", "success"]),
        (job([NEW]), ["partial", "success", "success"]),  # the count says that no row failed
        (job([NEW], **UNTOLD), ["fail", "success", "success"]),
        (job([NEW, {**NEW, "row": 2}], failed=1, updated=2), None),  # one of the two, and it does not say which
    ],
)
def test_a_refusal_outside_the_dictionary_fails_its_row(answer, ends):
    assert statuses(answer, ("POST", "PUT", "PUT")) == ends


def test_the_planned_method_decides_what_an_error_means():
    refused = job([{**PHONE, "row": 1}], failed=1, updated=2)
    assert statuses(refused, ("POST", "PUT", "PUT")) == ["fail", "success", "success"]
    assert statuses(refused) is None  # as a PUT it would have been partial: read it back
    assert settle(ROWS, ("PUT",) * 3, job())[0] == (Status.SUCCESS, ())


@pytest.mark.parametrize(
    ("method", "path", "values", "row"),
    [
        ("PUT", "contacts/003A/", {"email": "x"}, {"crm_id": "003A", "email": "x"}),
        ("PUT", "contacts/ah1/", {"crm_id": "003N"}, {"id": "ah1", "crm_id": "003N"}),
        ("PUT", "contacts/4045550101/", {"crm_id": "003A", "phone": "(404) 555-0101"}, {"crm_id": "003A", "phone": "(404) 555-0101"}),
        ("PUT", "contacts/4045550101/", {"crm_id": "003A", "phone": "4045550199"}, None),
        ("PUT", "contacts/003B/", {"email": "x"}, None),
        ("POST", "contacts/", {"crm_id": "003A", "last_name": "Ray"}, {"crm_id": "003A", "last_name": "Ray"}),
        ("POST", "contacts/", {"last_name": "Ray", "crm_id": ""}, None),
    ],
)  # fmt: skip
def test_a_row_reaches_the_contact_of_its_request_or_goes_alone(method, path, values, row):
    assert bulk_row(method, path, values, crm_id="003A", contact_id="ah1") == row


def test_a_csv_tells_a_clear_from_a_field_left_alone():
    records = [
        Record("a", {"LastName": 'O"Neil,\r\nJr\u2028', "Active__c": True, "GPA__c": 3.5}, "003A"),
        Record("b", {"Email": None, "LastName": ""}, "003B"),
    ]
    text = csv_of("update", records).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["Id", "Active__c", "Email", "GPA__c", "LastName"],
        ["003A", "true", "", "3.5", 'O"Neil,\r\nJr\u2028'],
        ["003B", "", "#N/A", "", "#N/A"],
    ]
    assert text.split("\n")[0].endswith("LastName")


def test_a_burst_of_refusals_halves_the_crowd_once_and_calm_lets_it_grow():
    now = [0.0]
    crowd = Crowd(8, lambda: now[0])

    async def one(*, is_overloaded=False):
        await crowd.enter()
        crowd.leave(is_overloaded=is_overloaded)

    async def play():
        for _ in range(5):
            await one(is_overloaded=True)
        assert crowd.allowed == 4
        now[0] = 2.0
        await one(is_overloaded=True)
        assert crowd.allowed == 2
        await asyncio.gather(*(crowd.enter() for _ in range(2)))
        third = asyncio.create_task(crowd.enter())
        await asyncio.sleep(0)
        assert not third.done()
        crowd.leave()
        await third
        for _ in range(80):
            crowd.leave()
            await crowd.enter()
        assert crowd.allowed == 8

    asyncio.run(play())
