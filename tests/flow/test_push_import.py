"""Pushing imports to both sandboxes: Salesforce first, then the Id back to Mainstay, each once."""

from __future__ import annotations

import json
import subprocess
import sys

import polars as pl
import pytest
from batch_rows import change, mapping, preview, pull

from workbench.domain.changes import BatchState
from workbench.errors import AuthenticationFailed
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch, show_batch
from workbench.stages.claim import new_claim
from workbench.stages.push import push_batch
from workbench.stages.reconcile import reconcile
from workbench.store import Store

WORLD = generate(60, 3)
FREE = WORLD.contacts.filter(pl.col("crm_id").is_null() & ~pl.col("archived"))["id"].to_list()
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
    sandbox.institution.log.requests.clear()
    sandbox.salesforce_org.log.clear()


@pytest.fixture
def settings(sandbox):
    connection = sandbox.connection
    return Settings(
        _env_file=None,
        mainstay=MainstaySettings(**connection["mainstay"]),
        salesforce=SalesforceSettings(
            instance_url=connection["salesforce"]["instance_url"],
            access_token=connection["salesforce"]["access_token"],
        ),
    )


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "store.duckdb"))
    pull(made, 1)
    mapping(made)
    return made


def create(number, contact=None, status="success", codes=(), group=None, **fields):
    contact = contact or FREE[number]
    body = {"FirstName": "Bo", "LastName": f"Ray{number}", **fields}
    return change(
        number, action="create", status=status, codes=codes, group=group, salesforce_id=None, mainstay_id=contact,
        requests=[
            ("salesforce", "POST", "sobjects/Contact", body),
            ("mainstay", "PUT", f"contacts/{contact}/", {"crm_id": "$id"}),
        ],
    )  # fmt: skip


def update(number, record_id, group=None, **fields):
    return change(
        number, salesforce_id=record_id, mainstay_id=f"ahlinked{number}", group=group,
        requests=[("salesforce", "PATCH", f"sobjects/Contact/{record_id}", fields)],
    )  # fmt: skip


def link(number, record_id, contact):
    return change(
        number, action="link", salesforce_id=record_id, mainstay_id=contact,
        requests=[("mainstay", "PUT", f"contacts/{contact}/", {"crm_id": record_id})],
    )  # fmt: skip


def approved(store, settings, changes):
    preview(store, changes, direction="import")
    batch = create_batch(store, 1, by="Ana", chosen=Slice(all=True)).batch
    approve_batch(store, settings, batch, by="Bo")
    return batch


def outcomes(store, batch):
    rows = store.rows("SELECT * FROM journal.outcome WHERE batch_id = $b ORDER BY result_number", {"b": batch})
    assert len({row["change_id"] for row in rows}) == len(rows)
    return {row["change_id"]: row for row in rows}


def named(sandbox, last_name):
    return sandbox.salesforce_org.records("Contact").filter(pl.col("LastName") == last_name)


def crm_id_of(sandbox, contact):
    return sandbox.institution.book.by_id(contact)["crm_id"]


def posts(sandbox):
    return [seen for seen in sandbox.requests if seen.system == "salesforce" and seen.method == "POST"]


def unused_record(sandbox):
    taken = set(WORLD.contacts["crm_id"].drop_nulls())
    return next(record for record in RECORDS if record not in taken)


def test_creates_updates_and_links_end_in_full_sync_results(store, settings, sandbox):
    free = unused_record(sandbox)
    batch = approved(
        store, settings, [create(1), create(2), update(3, RECORDS[0], FirstName="Zoë"), link(4, free, FREE[4])]
    )
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 4)
    assert report.requests == 6  # the limits, two Collections, three write-backs
    found = outcomes(store, batch)
    for number in (1, 2):
        row = found[f"P1-{number}"]
        record = named(sandbox, f"Ray{number}").to_dicts()
        assert [row["record_id"]] == [item["Id"] for item in record]
        assert crm_id_of(sandbox, FREE[number]) == row["record_id"]
        assert (row["mainstay_id"], row["attempts"], row["direction"]) == (FREE[number], 2, "import")
        assert row["endpoint"] == f"PUT {settings.mainstay.base_url}contacts/{FREE[number]}/"
        assert json.loads(row["request_body"]) == {"crm_id": row["record_id"]}
    edited = found["P1-3"]
    assert edited["endpoint"].startswith(f"PATCH {settings.salesforce.instance_url}/services/data/v62.0/")
    assert (edited["record_id"], json.loads(edited["request_body"])) == (RECORDS[0], {"FirstName": "Zoë"})
    assert crm_id_of(sandbox, FREE[4]) == free
    assert [seen.change_id for seen in posts(sandbox)] == ["P1-1,P1-2"]


def test_records_travel_in_collections_of_200(store, settings, sandbox):
    rows = [update(number, RECORDS[number % len(RECORDS)], FirstName=f"N{number}") for number in range(1, 251)]
    wide = settings.model_copy(update={"push": settings.push.model_copy(update={"chunk": 250, "stop_margin": 1.0})})
    report = push_batch(store, wide, approved(store, wide, rows), canary=250)
    assert (report.counts["success"], report.requests) == (250, 3)


def test_after_a_refusal_by_salesforce_nothing_is_written_back(store, settings, sandbox):
    bad = create(1, status="fail", codes=["STRING_TOO_LONG"], LastName="x" * 81)
    batch = approved(store, settings, [bad, create(2)])
    report = push_batch(store, settings, batch)
    row = outcomes(store, batch)["P1-1"]
    assert (row["status"], row["codes"], row["record_id"], row["attempts"]) == ("fail", ["STRING_TOO_LONG"], None, 1)
    assert "data value too large" in row["fail_message"]
    assert crm_id_of(sandbox, FREE[1]) is None
    assert report.scores == [{"code": "STRING_TOO_LONG", "predicted": 1, "actual": 1, "hit": 1}]


def test_a_refused_write_back_leaves_the_change_partial(store, settings, sandbox):
    batch = approved(store, settings, [create(1, contact="ahnobody")])
    push_batch(store, settings, batch)
    row = outcomes(store, batch)["P1-1"]
    assert (row["status"], row["codes"]) == ("partial", ["not-found"])
    assert [row["record_id"]] == named(sandbox, "Ray1")["Id"].to_list()


@pytest.mark.parametrize("fault", ["reset-after", "gateway-timeout", "malformed"])
def test_creates_whose_answer_is_lost_are_found_and_written_back(store, settings, sandbox, fault):
    batch = approved(store, settings, [create(number) for number in range(1, 6)])
    sandbox.faults["salesforce"].plan(fault, method="POST", path="composite/sobjects")
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 5)
    for number in range(1, 6):
        [record] = named(sandbox, f"Ray{number}")["Id"].to_list()
        assert crm_id_of(sandbox, FREE[number]) == record
    assert {row["origin"] for row in outcomes(store, batch).values()} == {"reconcile"}


def test_creates_that_never_arrived_are_sent_again(store, settings, sandbox):
    batch = approved(store, settings, [create(1), create(2)])
    sandbox.faults["salesforce"].plan("reset-before", method="POST", path="composite/sobjects")
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 2)
    assert [named(sandbox, f"Ray{number}").height for number in (1, 2)] == [1, 1]


def killed(store, settings, changes, arrived, sandbox):
    """A push killed after the Salesforce request left; `arrived` are the records it had made by then."""
    batch = approved(store, settings, changes)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    claim = new_claim()
    store.write(
        (
            "UPDATE journal.batch SET state = 'pushing', claim = $claim",
            {"claim": f"{claim.run}|{claim.host}|{gone.pid}|{claim.began}"},
        ),
        """INSERT INTO journal.intent
           SELECT 1, change_id, ordinal, 'dead', system, method, path, body, now() FROM preview.request""",
    )
    made = [make(settings, body) for body in arrived]
    sandbox.salesforce_org.log.clear()
    return batch, made


def make(settings, body):
    from workbench.salesforce.client import SalesforceClient
    from workbench.salesforce.writer import Record, SalesforceWriter

    with SalesforceClient(settings.salesforce) as client:
        [[result]] = SalesforceWriter(client).create("Contact", [Record("x", body)])
    return result.record_id


def test_twins_take_the_record_that_exists_and_one_is_sent_again(store, settings, sandbox):
    """Two contacts with equal values: whichever record exists belongs to either, and never to both."""
    twins = [create(1, LastName="Twin"), create(2, LastName="Twin")]
    batch, made = killed(store, settings, twins, [{"FirstName": "Bo", "LastName": "Twin"}], sandbox)
    report = push_batch(store, settings, batch)
    assert report.counts["success"] == 2
    records = named(sandbox, "Twin")["Id"].to_list()
    assert len(records) == 2
    assert made[0] in records
    assert {row["record_id"] for row in outcomes(store, batch).values()} == set(records)
    assert {crm_id_of(sandbox, FREE[1]), crm_id_of(sandbox, FREE[2])} == set(records)


def test_more_candidates_than_creates_are_a_persons_question(store, settings, sandbox):
    body = {"FirstName": "Bo", "LastName": "Ray1"}
    batch, made = killed(store, settings, [create(1), create(2)], [body, body], sandbox)
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["unknown"], report.counts["success"]) == (BatchState.DONE, 1, 1)
    row = outcomes(store, batch)["P1-1"]
    assert all(record in row["fail_message"] for record in made)
    assert crm_id_of(sandbox, FREE[1]) is None
    assert len(posts(sandbox)) == 1


def test_a_namesake_made_meanwhile_is_a_persons_question(store, settings, sandbox):
    """A trigger may have rewritten the phone; sending again could make the person twice."""
    mine = create(1, MobilePhone="4045550101")
    batch, made = killed(
        store, settings, [mine], [{"FirstName": "Bo", "LastName": "Ray1", "MobilePhone": "1"}], sandbox
    )
    report = reconcile(store, settings, batch)
    assert (report.state, dict(report.settled)) == (BatchState.DONE, {"unknown": 1})
    assert made[0] in outcomes(store, batch)["P1-1"]["fail_message"]


def test_values_are_recognised_as_salesforce_keeps_them(store, settings, sandbox):
    body = {
        "FirstName": "Bo", "LastName": "Ray1", "Email": "Bo.RAY@example.edu", "GPA__c": 3, "Do_Not_Contact__c": True,
        "Enrollment_Date__c": "2026-01-05", "Advisor_Notes__c": "line one\nline 'two'", "Preferred_Name__c": "",
    }  # fmt: skip
    batch, made = killed(store, settings, [create(1, **body)], [body], sandbox)
    push_batch(store, settings, batch)
    assert outcomes(store, batch)["P1-1"]["record_id"] == made[0]
    assert posts(sandbox) == []


def test_an_update_is_simply_sent_again_after_a_kill(store, settings, sandbox):
    batch, _ = killed(store, settings, [update(1, RECORDS[0], FirstName="Zoë")], [], sandbox)
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 1)


def test_a_create_that_was_answered_is_never_looked_for(store, settings, sandbox):
    """Mainstay refuses the token after Salesforce made the records: their Ids are in the journal."""
    batch = approved(store, settings, [create(number) for number in range(1, 4)])
    good = sandbox.institution.token
    sandbox.institution.token = "revoked"
    with pytest.raises(AuthenticationFailed, match="is paused after 0 of 3"):
        push_batch(store, settings, batch)
    assert show_batch(store, batch).state is BatchState.PAUSED
    sandbox.institution.token = good
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 3)
    assert len(posts(sandbox)) == 1
    assert [named(sandbox, f"Ray{number}").height for number in (1, 2, 3)] == [1, 1, 1]


def test_a_session_that_ends_is_renewed_or_pauses(store, settings, tmp_path):
    """A bare token cannot be renewed: paused, and nothing was made. A consumer key and secret renew it."""
    with Sandbox(WORLD) as own:
        known = own.connection["salesforce"]
        bare = settings.model_copy(
            update={
                "mainstay": MainstaySettings(**own.connection["mainstay"]),
                "salesforce": SalesforceSettings(
                    instance_url=known["instance_url"], access_token=known["access_token"]
                ),
            }
        )
        batch = approved(store, bare, [create(1)])
        own.salesforce_org.expire_sessions()
        with pytest.raises(AuthenticationFailed, match="session has expired"):
            push_batch(store, bare, batch)
        assert (show_batch(store, batch).state, named(own, "Ray1").height) == (BatchState.APPROVED, 0)
        keyed = SalesforceSettings(
            instance_url=known["instance_url"], consumer_key=known["client_id"], consumer_secret=known["client_secret"]
        )
        own.faults["salesforce"].plan("expired", path="composite/sobjects")
        report = push_batch(store, bare.model_copy(update={"salesforce": keyed}), batch)
        assert (report.counts["success"], named(own, "Ray1").height) == (1, 1)


def test_one_value_that_cannot_be_parsed_fails_alone(store, settings, sandbox):
    rows = [create(number) for number in range(1, 8)]
    rows[3] = create(4, status="fail", codes=["JSON_PARSER_ERROR"], Enrollment_Date__c="soon")
    batch = approved(store, settings, rows)
    push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert {name: row["status"] for name, row in found.items() if row["status"] != "success"} == {"P1-4": "fail"}
    assert found["P1-4"]["codes"] == ["JSON_PARSER_ERROR"]
    assert [named(sandbox, f"Ray{number}").height for number in (1, 2, 3, 5, 6, 7)] == [1] * 6


def test_members_of_a_group_never_share_a_request(store, settings, sandbox):
    rows = [update(number, RECORDS[0], group=1, FirstName=f"N{number}") for number in (1, 2, 3)]
    push_batch(store, settings, approved(store, settings, rows))
    patches = [seen.change_id for seen in sandbox.requests if seen.method == "PATCH"]
    assert patches == ["P1-1", "P1-2", "P1-3"]
    row = sandbox.salesforce_org.records("Contact").filter(pl.col("Id") == RECORDS[0])
    assert row["FirstName"].to_list() == ["N3"]


@pytest.mark.parametrize("profile", ["lossy", "flaky", "locked", "garbled"])
def test_under_faults_each_person_is_made_once(store, settings, sandbox, profile, monkeypatch):
    monkeypatch.setattr("workbench.stages.push.incoming.LOCK_WAIT_SECONDS", (0.0, 0.0, 0.0))
    small = settings.model_copy(update={"push": settings.push.model_copy(update={"chunk": 5, "stop_margin": 1.0})})
    batch = approved(store, small, [create(number) for number in range(1, 13)])
    for faults in sandbox.faults.values():
        faults.use(profile, seed=11)
    report = push_batch(store, small, batch, canary=5)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 12)
    assert [named(sandbox, f"Ray{number}").height for number in range(1, 13)] == [1] * 12


def test_a_limit_of_the_day_pauses_and_fails_nobody(store, settings, sandbox, monkeypatch):
    """The second Collections request meets the limit: its records stay as they are, for tomorrow."""
    from workbench.errors import RemoteError
    from workbench.salesforce.writer import SalesforceWriter

    write = SalesforceWriter.write

    def limited(self, operation, sobject, records):
        if operation == "update":
            raise RemoteError("TotalRequests Limit exceeded.", code="REQUEST_LIMIT_EXCEEDED", status=403)
        return write(self, operation, sobject, records)

    monkeypatch.setattr(SalesforceWriter, "write", limited)
    batch = approved(store, settings, [create(1), update(2, RECORDS[0], FirstName="Zoë")])
    with pytest.raises(RemoteError, match="Limit exceeded"):
        push_batch(store, settings, batch)
    assert outcomes(store, batch) == {}
    monkeypatch.undo()
    report = push_batch(store, settings, batch)
    assert (report.counts["success"], named(sandbox, "Ray1").height) == (2, 1)


def test_a_first_name_alone_makes_no_namesake(store, settings, sandbox):
    """A record without its last name never came to be; sending it again ends as predicted."""
    nameless = create(1, status="fail", codes=["REQUIRED_FIELD_MISSING"], LastName="")
    batch, _ = killed(store, settings, [nameless], [{"FirstName": "Bo", "LastName": "Other"}], sandbox)
    push_batch(store, settings, batch)
    row = outcomes(store, batch)["P1-1"]
    assert (row["status"], row["codes"]) == ("fail", ["REQUIRED_FIELD_MISSING"])


def test_a_whole_request_refused_for_one_record_fails_that_record_alone(store, settings, sandbox, monkeypatch):
    """Salesforce may refuse all 200 for one value that it cannot read; halves find it."""
    from workbench.errors import RemoteError
    from workbench.salesforce.writer import SalesforceWriter

    write = SalesforceWriter.write

    def picky(self, operation, sobject, records):
        if any(record.values["LastName"] == "Ray4" for record in records):
            raise RemoteError("Cannot deserialize instance of date", code="JSON_PARSER_ERROR", status=400)
        return write(self, operation, sobject, records)

    monkeypatch.setattr(SalesforceWriter, "write", picky)
    batch = approved(store, settings, [create(number) for number in range(1, 8)])
    push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert {name: row["codes"] for name, row in found.items() if row["status"] != "success"} == {
        "P1-4": ["JSON_PARSER_ERROR"]
    }
    assert [named(sandbox, f"Ray{number}").height for number in range(1, 8)] == [1, 1, 1, 0, 1, 1, 1]


def test_a_create_without_write_back_ends_with_its_record(store, settings, sandbox):
    alone = create(1)
    alone["requests"] = alone["requests"][:1]
    batch, made = killed(store, settings, [alone], [{"FirstName": "Bo", "LastName": "Ray1"}], sandbox)
    push_batch(store, settings, batch)
    row = outcomes(store, batch)["P1-1"]
    assert (row["status"], row["record_id"], row["endpoint"].split()[0]) == ("success", made[0], "POST")


def test_a_create_of_fewer_fields_does_not_take_the_record_of_one_with_more(store, settings, sandbox):
    rows = [create(1, LastName="Ray"), create(2, LastName="Ray", MobilePhone="4045550102")]
    full = {"FirstName": "Bo", "LastName": "Ray", "MobilePhone": "4045550102"}
    batch, made = killed(store, settings, rows, [full], sandbox)
    push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert (found["P1-2"]["record_id"], found["P1-2"]["status"]) == (made[0], "success")
    assert found["P1-1"]["record_id"] != made[0]
    assert named(sandbox, "Ray").height == 2


def test_a_nameless_create_takes_nobodys_record(store, settings, sandbox):
    nameless = create(1, status="fail", codes=["REQUIRED_FIELD_MISSING"])
    nameless["requests"][0][3].pop("LastName")
    other = {"FirstName": "Bo", "LastName": "Other"}
    batch, _ = killed(store, settings, [nameless, create(2, LastName="Away")], [other, other], sandbox)
    push_batch(store, settings, batch)
    found = outcomes(store, batch)
    assert [(row["status"], row["codes"]) for row in found.values()] == [
        ("fail", ["REQUIRED_FIELD_MISSING"]), ("success", []),
    ]  # fmt: skip
