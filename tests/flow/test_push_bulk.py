"""Pushing by the bulk ways: jobs, their row errors, lost answers, failed jobs and kills; each change still ends once."""

from __future__ import annotations

import httpx
import polars as pl
import pytest
from batch_rows import change, mapping, preview, pull

from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused
from workbench.settings import MainstaySettings, PushSettings, SalesforceSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch, show_batch
from workbench.stages.push import push_batch
from workbench.store import Store

WORLD = generate(60, 3)
FREE = WORLD.contacts.filter(pl.col("crm_id").is_null() & ~pl.col("archived"))["id"].to_list()
KNOWN = WORLD.contacts.filter(
    pl.col("crm_id").is_not_null() & pl.col("phone").is_not_null() & ~pl.col("archived")
).to_dicts()
RECORDS = WORLD.salesforce["Contact"].filter(~pl.col("IsDeleted"))["Id"].to_list()


@pytest.fixture(scope="module")
def running():
    with Sandbox(WORLD) as sandbox:
        yield sandbox, sandbox.saved()


@pytest.fixture
def sandbox(running):
    sandbox, fresh = running
    yield sandbox
    sandbox.restore(fresh)
    for faults in sandbox.faults.values():
        faults.use("none")
    sandbox.institution.bulk_failures = sandbox.salesforce_org.bulk_failures = 0
    sandbox.salesforce_org.daily_requests = 1_000_000
    sandbox.institution.log.requests.clear()
    sandbox.salesforce_org.log.clear()


@pytest.fixture
def settings(sandbox):
    known = sandbox.connection
    return Settings(
        _env_file=None,
        mainstay=MainstaySettings(**known["mainstay"], bulk=True, bulk_threshold=1, bulk_rows=3),
        salesforce=SalesforceSettings(
            instance_url=known["salesforce"]["instance_url"], access_token=known["salesforce"]["access_token"],
            bulk_threshold=2,
        ),
        push=PushSettings(stop_margin=1.0),
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "store.duckdb"))
    pull(made, 1)
    mapping(made)
    return made


def create(number, group=None, **fields):
    crm_id = f"003XX{number:010d}AAA"
    body = {"crm_id": crm_id, "first_name": "Bo", "last_name": f"Ray{number}", **fields}
    return change(
        number, action="create", group=group, salesforce_id=crm_id, requests=[("mainstay", "POST", "contacts/", body)]
    )


def update(number, contact, group=None, **fields):
    path = f"contacts/{contact['crm_id']}/"
    return change(
        number, group=group, salesforce_id=contact["crm_id"], mainstay_id=contact["id"],
        requests=[("mainstay", "PUT", path, fields)],
    )  # fmt: skip


def make(number, contact, **fields):
    """A Salesforce record for a contact, and the write-back of its Id."""
    body = {"FirstName": "Bo", "LastName": f"Ray{number}", **fields}
    return change(
        number, action="create", salesforce_id=None, mainstay_id=contact,
        requests=[
            ("salesforce", "POST", "sobjects/Contact", body),
            ("mainstay", "PUT", f"contacts/{contact}/", {"crm_id": "$id"}),
        ],
    )  # fmt: skip


def edit(number, record_id, **fields):
    return change(
        number, salesforce_id=record_id, requests=[("salesforce", "PATCH", f"sobjects/Contact/{record_id}", fields)]
    )


def approved(store, settings, changes, direction="export"):
    preview(store, changes, direction=direction)
    batch = create_batch(store, 1, by="Ana", chosen=Slice(all=True)).batch
    approve_batch(store, settings, batch, by="Bo")
    return batch


def outcomes(store, batch):
    rows = store.rows("SELECT * FROM journal.outcome WHERE batch_id = $b ORDER BY result_number", {"b": batch})
    assert len({row["change_id"] for row in rows}) == len(rows)
    return {row["change_id"]: row for row in rows}


def arrays(sandbox):
    return [seen for seen in sandbox.requests if seen.method == "POST" and seen.path.endswith("contacts/bulk/")]


def contacts_named(sandbox, *names):
    return sorted(c["last_name"] for c in sandbox.institution.book.all_shown() if c["last_name"] in names)


def record(sandbox, record_id):
    return sandbox.salesforce_org.records("Contact").filter(pl.col("Id") == record_id).to_dicts()[0]


def test_large_exports_go_by_jobs_and_row_errors_find_their_change(store, settings, sandbox):
    rows = [
        create(1), update(2, KNOWN[0], first_name="Zoë\nUna"), create(3, email="nope"),
        update(4, KNOWN[1], phone="12"), create(5), create(6, phone="4045550188", group=7),
        create(7, phone="4045550188", group=7), create(8, phone="123"),
    ]  # fmt: skip
    batch = approved(store, settings, rows)
    report = push_batch(store, settings, batch, canary=1)
    found = outcomes(store, batch)
    assert report.state is BatchState.DONE
    assert [len(seen.body) for seen in arrays(sandbox)] == [3, 2]  # the canary and the group went alone
    assert {name: (row["status"], list(row["codes"])) for name, row in found.items()} == {
        "P1-1": ("success", []), "P1-2": ("success", []), "P1-3": ("partial", ["invalid-email"]),
        "P1-4": ("partial", ["invalid-phone"]), "P1-5": ("success", []), "P1-6": ("success", []),
        "P1-7": ("fail", ["duplicate-contact"]), "P1-8": ("fail", ["invalid-phone"]),
    }  # fmt: skip
    assert sandbox.institution.book.by_crm_id(KNOWN[0]["crm_id"])["first_name"] == "Zoë\nUna"
    row = found["P1-3"]
    assert row["endpoint"] == f"POST {settings.mainstay.base_url}contacts/bulk/"
    assert "invalid email" in row["fail_message"]
    assert arrays(sandbox)[0].change_id == "P1-2,P1-3,P1-4"


def test_a_row_refused_for_a_blank_sends_no_row_again(store, settings, sandbox):
    rows = [create(1), create(2, first_name=""), create(3), update(4, KNOWN[0], first_name="Zoë")]
    batch = approved(store, settings, rows)
    push_batch(store, settings, batch, canary=1)
    assert {name: (row["status"], list(row["codes"])) for name, row in outcomes(store, batch).items()} == {
        "P1-1": ("success", []), "P1-2": ("fail", ["blank-required-data-in-record"]), "P1-3": ("success", []),
        "P1-4": ("success", []),
    }  # fmt: skip
    attempts = store.rows("SELECT change_id FROM journal.attempt WHERE batch_id = $b", {"b": batch})
    assert sorted(row["change_id"] for row in attempts) == ["P1-1", "P1-2", "P1-3", "P1-4"]


def test_a_phone_stands_once_in_an_array(store, settings, sandbox):
    rows = [create(number, phone="(404) 555-0177" if number % 2 else "4045550177") for number in range(1, 5)]
    batch = approved(store, settings, [*rows, create(9)])
    push_batch(store, settings, batch, canary=1)
    assert [len(seen.body) for seen in arrays(sandbox)] == [2]  # the repeated ones went alone
    assert sorted(row["status"] for row in outcomes(store, batch).values()) == ["fail"] * 3 + ["success"] * 2


@pytest.mark.parametrize("fault", ["reset-after", "reset-before", "gateway-timeout", "malformed"])
def test_a_job_whose_answer_is_lost_makes_nobody_twice(store, settings, sandbox, fault):
    sandbox.faults["mainstay"].plan(fault, method="POST", path="contacts/bulk")
    batch = approved(store, settings, [create(number) for number in range(1, 5)])
    push_batch(store, settings, batch, canary=1)
    assert {row["status"] for row in outcomes(store, batch).values()} == {"success"}
    assert contacts_named(sandbox, "Ray1", "Ray2", "Ray3", "Ray4") == ["Ray1", "Ray2", "Ray3", "Ray4"]


def test_what_a_failed_job_did_not_do_is_sent_alone(store, settings, sandbox):
    sandbox.institution.bulk_failures = 1
    batch = approved(store, settings, [create(number) for number in range(1, 5)])
    push_batch(store, settings, batch, canary=1)
    assert {row["status"] for row in outcomes(store, batch).values()} == {"success"}
    assert contacts_named(sandbox, "Ray1", "Ray2", "Ray3", "Ray4") == ["Ray1", "Ray2", "Ray3", "Ray4"]


def left_behind(store, batch, *, system, job_id, operation, names):
    """The journal as a killed push leaves it behind a job it had noted."""
    store.write(
        (
            "UPDATE journal.batch SET state = 'pushing', claim = 'run|gone|1|1', changed_at = now() - INTERVAL 2 HOUR",
            {},
        ),
        """INSERT INTO journal.intent
           SELECT 1, change_id, ordinal, 'dead', system, method, path, body, now() FROM preview.request""",
        (
            "INSERT INTO journal.bulk_job VALUES ($b, 'dead', $system, $job, 'Contact', $operation, $names, now())",
            {"b": batch, "system": system, "job": job_id, "operation": operation, "names": names},
        ),
    )


def test_after_a_kill_a_job_is_asked_for_and_not_sent_again(store, settings, sandbox):
    rows = [create(1), create(2, email="nope"), update(3, KNOWN[0], first_name="Zoë")]
    batch = approved(store, settings, rows)
    names = ["P1-1", "P1-2", "P1-3"]
    sent = [row["requests"][0][3] for row in rows[:2]] + [{"crm_id": KNOWN[0]["crm_id"], "first_name": "Zoë"}]
    token = {"Authorization": f"APIToken {settings.mainstay.token.get_secret_value()}"}
    job = httpx.post(f"{settings.mainstay.base_url}contacts/bulk/", json=sent, headers=token).json()["job_id"]
    left_behind(store, batch, system="mainstay", job_id=job, operation="upsert", names=names)
    before = len(arrays(sandbox))
    report = push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert (report.state, len(arrays(sandbox))) == (BatchState.DONE, before)
    assert {name: (row["status"], row["origin"]) for name, row in found.items()} == {
        "P1-1": ("success", "reconcile"), "P1-2": ("partial", "reconcile"), "P1-3": ("success", "reconcile"),
    }  # fmt: skip


def jobs(sandbox):
    return [job for job in sandbox.salesforce_org.jobs.values() if not job.is_query]


def test_large_imports_go_by_ingest_jobs_and_results_find_their_change(store, settings, sandbox):
    sandbox.salesforce_org.jobs.clear()
    first = record(sandbox, RECORDS[1])
    assert first["Email"]
    rows = [
        edit(1, RECORDS[0], FirstName="Ana"), edit(2, RECORDS[1], Email=None, LastName='Ngũgĩ, "Jr"\nof\u2028Zürich '),
        edit(3, RECORDS[2], LastName="#N/A"), edit(4, RECORDS[3], LastName="x" * 90), edit(5, RECORDS[4], FirstName="Bea"),
        make(6, FREE[0], LastName="Twin"), make(7, FREE[1], LastName="Twin"), make(8, FREE[2], Email="nope"),
    ]  # fmt: skip
    batch = approved(store, settings, rows, "import")
    report = push_batch(store, settings, batch, canary=1)
    found = outcomes(store, batch)
    assert report.state is BatchState.DONE
    assert {name: (row["status"], list(row["codes"])) for name, row in found.items() if row["status"] != "success"} == {
        "P1-4": ("fail", ["STRING_TOO_LONG"]), "P1-8": ("fail", ["INVALID_EMAIL_ADDRESS"]),
    }  # fmt: skip
    assert [(job.operation, len(job.successes), len(job.failures)) for job in jobs(sandbox)] == [
        ("insert", 2, 1), ("update", 2, 1),
    ]  # fmt: skip
    edited = record(sandbox, RECORDS[1])
    assert (edited["Email"], edited["LastName"]) == (None, 'Ngũgĩ, "Jr"\nof\u2028Zürich ')
    assert edited["FirstName"] == first["FirstName"]  # an empty cell leaves a field alone
    assert record(sandbox, RECORDS[2])["LastName"] == "#N/A"  # a CSV would have cleared it
    twins = sandbox.salesforce_org.records("Contact").filter(pl.col("LastName") == "Twin")["Id"].to_list()
    linked = {sandbox.institution.book.by_id(contact)["crm_id"] for contact in FREE[:2]}
    assert sorted(twins) == sorted(linked) == sorted({found["P1-6"]["record_id"], found["P1-7"]["record_id"]})
    assert "jobs/ingest/750" in found["P1-2"]["endpoint"]


def test_what_a_failed_ingest_job_did_not_do_goes_by_collections(store, settings, sandbox):
    sandbox.salesforce_org.bulk_failures = 1
    batch = approved(store, settings, [make(number, FREE[number]) for number in range(6)], "import")
    push_batch(store, settings, batch, canary=1)
    assert {row["status"] for row in outcomes(store, batch).values()} == {"success"}
    made = sandbox.salesforce_org.records("Contact").filter(pl.col("LastName").str.starts_with("Ray"))
    assert sorted(made["LastName"]) == [f"Ray{number}" for number in range(6)]


@pytest.mark.parametrize("is_closed", [True, False])
def test_after_a_kill_an_ingest_job_tells_its_end(store, settings, sandbox, is_closed):
    batch = approved(store, settings, [make(1, FREE[0]), make(2, FREE[1])], "import")
    head = {"Authorization": f"Bearer {settings.salesforce.access_token.get_secret_value()}"}
    base = f"{settings.salesforce.instance_url}/services/data/v62.0/jobs/ingest"
    job = httpx.post(base, json={"object": "Contact", "operation": "insert"}, headers=head).json()["id"]
    csv = "FirstName,LastName\nBo,Ray1\nBo,Ray2\n"
    httpx.put(f"{base}/{job}/batches", content=csv, headers={**head, "Content-Type": "text/csv"})
    if is_closed:
        httpx.patch(f"{base}/{job}", json={"state": "UploadComplete"}, headers=head)
    left_behind(store, batch, system="salesforce", job_id=job, operation="create", names=["P1-1", "P1-2"])
    push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert {row["origin"] for row in found.values()} == {"reconcile" if is_closed else "push"}
    made = sandbox.salesforce_org.records("Contact").filter(pl.col("LastName").is_in(["Ray1", "Ray2"]))
    assert sorted(made["Id"]) == sorted(row["record_id"] for row in found.values())
    assert {sandbox.institution.book.by_id(contact)["crm_id"] for contact in FREE[:2]} == set(made["Id"])


def test_a_push_that_the_days_calls_do_not_cover_does_not_start(store, settings, sandbox):
    batch = approved(store, settings, [edit(number, RECORDS[number], FirstName="Ana") for number in range(3)], "import")
    sandbox.salesforce_org.daily_requests = sandbox.salesforce_org.used_requests + 5
    with pytest.raises(ApprovalRefused, match=r"API requests left today.*Nothing was sent"):
        push_batch(store, settings, batch)
    assert show_batch(store, batch).state is BatchState.APPROVED
    assert store.rows("SELECT * FROM journal.intent") == []
    sandbox.salesforce_org.daily_requests = 1_000_000
    assert push_batch(store, settings, batch).state is BatchState.DONE
