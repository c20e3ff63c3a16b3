"""Sending one sync result again: simulated, approved like everything else, and never making a record twice."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from batch_rows import change, mapping, preview, pull

from workbench.domain.changes import BatchState
from workbench.domain.fields import STANDARD_FIELDS
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound
from workbench.settings import MainstaySettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import approve_batch, create_batch, show_batch
from workbench.stages.push import push_batch, resend
from workbench.store import Store

WORLD = generate(20, 3)
CRM_ID = "003XX0000000001AAA"


@pytest.fixture
def sandbox():
    with Sandbox(WORLD, systems=("mainstay",)) as running:
        yield running


@pytest.fixture
def settings(sandbox):
    return Settings(_env_file=None, mainstay=MainstaySettings(**sandbox.connection["mainstay"]))


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "store.duckdb"))
    pull(made, 1)
    mapping(made)
    return made


@pytest.fixture
def sent(store, settings):
    """SR-0000001: a create whose e-mail was refused."""
    body = {"crm_id": CRM_ID, "first_name": "Bo", "last_name": "Ray", "email": "nope", "custom": {"GPA": "3"}}
    preview(
        store,
        [change(1, action="create", status="partial", codes=["invalid-email"], salesforce_id=CRM_ID,
                requests=[("mainstay", "POST", "contacts/", body)])],
    )  # fmt: skip
    batch = create_batch(store, 1, by="Ana").batch
    approve_batch(store, settings, batch, by="Bo")
    assert push_batch(store, settings, batch).counts["partial"] == 1
    return batch


def result(store, number):
    return store.rows("SELECT * FROM journal.outcome WHERE result_number = $n", {"n": number})[0]


def test_it_sends_the_same_data_once_more_after_approval(store, settings, sandbox, sent):
    again = resend(store, settings, "SR-0000001", by="Ana")
    assert show_batch(store, again.batch).state is BatchState.SUBMITTED
    with pytest.raises(ApprovalRefused, match="waits for an approver"):
        push_batch(store, settings, again.batch)
    with pytest.raises(ApprovalRefused, match="somebody else"):
        approve_batch(store, settings, again.batch, by="Ana")
    approve_batch(store, settings, again.batch, by="Bo")
    report = push_batch(store, settings, again.batch)
    row = result(store, 2)
    assert (report.state, row["status"], row["codes"]) == (BatchState.DONE, "fail", ["duplicate-contact"])
    assert json.loads(row["request_body"]) == json.loads(result(store, 1)["request_body"])
    assert sandbox.requests[-1].change_id == again.change


def test_edits_change_the_body_and_nothing_else(store, settings, sent):
    edits = {"email": "bo@example.edu", "custom.GPA": None, "custom.Campus": "North"}
    again = resend(store, settings, 1, by="Ana", edits=edits)
    assert again.requests[0].values == {
        "crm_id": CRM_ID, "first_name": "Bo", "last_name": "Ray", "email": "bo@example.edu", "custom": {"Campus": "North"},
    }  # fmt: skip
    assert json.loads(show_batch(store, again.batch).slice) == {"resend": "SR-0000001", "edits": edits}


def landed(store, **contact):
    names = [field.name for field in STANDARD_FIELDS]
    row = {**dict.fromkeys(names), **contact, "_pull_id": 1, "_row_hash": 1}
    store.write(
        "CREATE OR REPLACE TABLE mainstay.contact AS SELECT * FROM landed",
        tables={"landed": pa.Table.from_pylist([row])},
    )


def test_it_is_simulated_first_over_the_last_pull(store, settings, sent):
    landed(store, id="ah1", crm_id=CRM_ID, phone="4045550101", first_name="Bo")
    again = resend(store, settings, 1, by="Ana")
    assert again.simulated == ("fail", ("duplicate-contact",))
    shown = store.rows(
        "SELECT predicted_status, codes, certainty FROM preview.change WHERE preview_id = $p", {"p": again.preview}
    )
    assert shown == [{"predicted_status": "fail", "codes": ["duplicate-contact"], "certainty": "possible"}]


def test_nothing_is_foretold_before_the_first_pull(store, settings, sent):
    store.write("DROP TABLE IF EXISTS mainstay.contact")
    assert resend(store, settings, 1, by="Ana").simulated == (None, ())


@pytest.mark.parametrize(
    ("status", "record_id", "words"),
    [("unknown", None, "may have made"), ("success", "003A00000000001AAA", None), ("partial", None, "may have made")],
)
def test_a_record_that_was_made_is_not_made_again(store, settings, sent, status, record_id, words):
    requests = [
        ("salesforce", "POST", "sobjects/Contact", {"LastName": "Ray"}),
        ("mainstay", "PUT", "contacts/ah1/", {"crm_id": "$id"}),
    ]
    preview(
        store, [change(1, action="create", salesforce_id=None, mainstay_id="ah1", requests=requests)],
        preview_id=2, direction="import",
    )  # fmt: skip
    batch = create_batch(store, 2, by="Ana").batch
    store.write(
        (
            """INSERT INTO journal.outcome VALUES (7, $b, 'P2-1', 'import', $status, [], NULL, NULL, NULL, 200, 'Contact',
               $record_id, 'ah1', 1, 'success', [], 'push', now())""",
            {"b": batch, "status": status, "record_id": record_id},
        )
    )
    if words is None:
        again = resend(store, settings, 7, by="Ana")
        assert [(request.method, request.values) for request in again.requests] == [("PUT", {"crm_id": record_id})]
        return
    with pytest.raises(ApprovalRefused, match=words):
        resend(store, settings, 7, by="Ana")


def test_what_cannot_be_sent_again_is_said(store, settings, sent):
    with pytest.raises(NotFound, match="SR-0000099"):
        resend(store, settings, 99, by="Ana")
    with pytest.raises(ConfigurationError, match="SR-0000012"):
        resend(store, settings, "latest", by="Ana")
    with pytest.raises(ConfigurationError, match="Name the person"):
        resend(store, settings, 1, by=" ")
    store.write("DELETE FROM preview.request")
    with pytest.raises(NotFound, match="no longer kept"):
        resend(store, settings, 1, by="Ana")
