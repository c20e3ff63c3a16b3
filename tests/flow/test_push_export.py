"""Pushing exports to the Mainstay sandbox: what is approved arrives once, through faults, kills and other people."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from batch_rows import change, mapping, preview, pull, rows_of

from workbench import views
from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused, AuthenticationFailed, ConfigurationError, StaleBatch, TransientError
from workbench.settings import MainstaySettings, PushSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, cancel_batch, create_batch, show_batch
from workbench.stages.claim import new_claim
from workbench.stages.push import push_batch
from workbench.stages.reconcile import reconcile
from workbench.store import Store
from workbench.store.ledger import record_and_arm

WORLD = generate(60, 3)


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


def known(count=1):
    """Contacts with a CRM ID and a phone, plain ones."""
    found = WORLD.contacts.filter(pl.col("crm_id").is_not_null() & pl.col("phone").is_not_null() & ~pl.col("archived"))
    return found.head(count).to_dicts()


def unlinked():
    return WORLD.contacts.filter(pl.col("crm_id").is_null() & pl.col("phone").is_not_null()).head(1).to_dicts()[0]


def update(number, contact, **fields):
    body = fields or {"first_name": f"New{number}"}
    return change(
        number, salesforce_id=contact["crm_id"], mainstay_id=contact["id"],
        requests=[("mainstay", "PUT", f"contacts/{contact['crm_id']}/", body)],
    )  # fmt: skip


def create(number, status="success", codes=(), group=None, **fields):
    crm_id = f"003XX{number:010d}AAA"
    body = {"crm_id": crm_id, "first_name": "Bo", "last_name": f"Ray{number}", **fields}
    return change(
        number, action="create", status=status, codes=codes, group=group, salesforce_id=crm_id,
        requests=[("mainstay", "POST", "contacts/", body)],
    )  # fmt: skip


def approved(store, settings, changes, **slice_of):
    preview(store, changes)
    batch = create_batch(store, 1, by="Ana", chosen=Slice(**slice_of)).batch
    approve_batch(store, settings, batch, by="Bo")
    return batch


def outcomes(store, batch):
    rows = store.rows("SELECT * FROM journal.outcome WHERE batch_id = $b ORDER BY result_number", {"b": batch})
    assert len({row["change_id"] for row in rows}) == len(rows)
    return {row["change_id"]: row for row in rows}


def writes(sandbox):
    return [seen for seen in sandbox.requests if seen.method in {"PUT", "POST"} and "_sandbox" not in seen.path]


def created_contacts(sandbox, number):
    posts = [seen for seen in writes(sandbox) if seen.method == "POST" and seen.status == 201]
    return [seen for seen in posts if seen.body["crm_id"] == f"003XX{number:010d}AAA"]


def test_each_change_ends_in_one_full_sync_result(store, settings, sandbox):
    contact, free = known()[0], unlinked()
    link = change(
        2, action="link", mainstay_id=free["id"],
        requests=[("mainstay", "PUT", f"contacts/{free['phone']}/", {"crm_id": "003XX0000000002AAA", "phone": free["phone"]})],
    )  # fmt: skip
    bad = create(4, status="partial", codes=["invalid-email"], email="nope")
    batch = approved(store, settings, [update(1, contact), link, create(3), bad])
    report = push_batch(store, settings, batch, by="Bo")
    assert report.state is BatchState.DONE
    assert dict(report.counts) == {"success": 3, "partial": 1, "fail": 0, "unknown": 0}
    assert (report.sent, report.requests, report.requests_per_change, report.pending) == (4, 4, 1.0, 0)
    assert report.scores == [{"code": "invalid-email", "predicted": 1, "actual": 1, "hit": 1}]
    found = outcomes(store, batch)
    assert [row["result_number"] for row in found.values()] == [1, 2, 3, 4]
    first, last = found["P1-1"], found["P1-4"]
    assert first["endpoint"] == f"PUT {settings.mainstay.base_url}contacts/{contact['crm_id']}/"
    assert json.loads(first["request_body"]) == {"first_name": "New1"}
    assert (first["record_id"], first["mainstay_id"], first["response_status"]) == (
        contact["crm_id"],
        contact["id"],
        200,
    )
    assert (first["attempts"], first["predicted_status"], first["predicted_codes"]) == (1, "success", [])
    assert (first["direction"], first["sobject"], first["origin"], first["fail_message"]) == (
        "export",
        "Contact",
        "push",
        None,
    )
    assert found["P1-2"]["mainstay_id"] == free["id"]
    assert found["P1-3"]["mainstay_id"].startswith("ah")
    assert (last["status"], last["codes"]) == ("partial", ["invalid-email"])
    assert json.loads(last["fail_message"])[0]["message"] == "Row # 1: invalid email"
    assert {seen.change_id for seen in writes(sandbox)} == {"P1-1", "P1-2", "P1-3", "P1-4"}
    attempts = store.rows("SELECT * FROM journal.attempt ORDER BY change_id")
    assert all(row["response_body"] and row["ms"] > 0 and row["number"] == 1 for row in attempts)
    with pytest.raises(ApprovalRefused, match="done and cannot become pushing"):
        push_batch(store, settings, batch)


def test_numbers_go_on_over_batches_and_after_old_results_went(store, settings):
    push_batch(store, settings, approved(store, settings, [create(1), create(2)]))
    store.write("DELETE FROM journal.outcome")
    preview(store, [create(3)], preview_id=2)
    second = create_batch(store, 2, by="Ana").batch
    approve_batch(store, settings, second, by="Bo")
    push_batch(store, settings, second)
    assert outcomes(store, second)["P2-3"]["result_number"] == 3


def test_only_what_was_approved_is_sent(store, settings, sandbox):
    preview(store, [create(1), create(2), create(3)])
    batch = create_batch(store, 1, by="Ana", chosen=Slice(sql="seq < 3")).batch
    with pytest.raises(ApprovalRefused, match="waits for an approver"):
        push_batch(store, settings, batch)
    approve_batch(store, settings, batch, by="Bo", except_changes=["P1-2"])
    push_batch(store, settings, batch)
    assert [seen.change_id for seen in writes(sandbox)] == ["P1-1"]
    assert rows_of(store, batch) == list(outcomes(store, batch))


@pytest.mark.parametrize("move", [lambda store: pull(store, 2), lambda store: mapping(store, "m2", 2)])
def test_what_moved_after_the_approval_stops_the_push(store, settings, sandbox, move):
    batch = approved(store, settings, [create(1)])
    move(store)
    with pytest.raises(StaleBatch, match="Nothing of it is sent"):
        push_batch(store, settings, batch, dry_run=True)
    assert show_batch(store, batch).state is BatchState.APPROVED
    with pytest.raises(StaleBatch, match="Nothing of it is sent"):
        push_batch(store, settings, batch)
    assert show_batch(store, batch).state is BatchState.STALE
    assert writes(sandbox) == []


def test_a_dry_run_shows_the_requests_and_sends_nothing(store, settings, sandbox):
    batch = approved(store, settings, [create(1), create(2)])
    report = push_batch(store, settings, batch, dry_run=True)
    assert [(row["change"], row["method"], row["path"]) for row in report.planned] == [
        ("P1-1", "POST", "contacts/"), ("P1-2", "POST", "contacts/"),
    ]  # fmt: skip
    assert report.planned[0]["body"]["last_name"] == "Ray1"
    assert (report.state, report.pending, sandbox.requests) == (BatchState.APPROVED, 2, [])


def test_not_found_leads_down_the_ladder_with_the_crm_id(store, settings, sandbox):
    """The contact that the pull saw is gone: PUT by CRM ID, PUT by phone, POST, each an attempt."""
    body = {"first_name": "Bo", "last_name": "Ray", "phone": "4045550142"}
    batch = approved(store, settings, [change(1, requests=[("mainstay", "PUT", "contacts/003XX0000000001AAA/", body)])])
    report = push_batch(store, settings, batch)
    assert (report.requests, report.counts["success"]) == (3, 1)
    assert [(seen.method, seen.status) for seen in writes(sandbox)] == [("PUT", 404), ("PUT", 404), ("POST", 201)]
    assert writes(sandbox)[-1].body["crm_id"] == "003XX0000000001AAA"
    row = outcomes(store, batch)["P1-1"]
    assert (row["attempts"], row["codes"], row["endpoint"].split()[0]) == (3, [], "POST")


def test_the_ladder_stops_where_a_step_cannot_be_made(store, settings, sandbox):
    batch = approved(store, settings, [change(1)])
    push_batch(store, settings, batch)
    row = outcomes(store, batch)["P1-1"]
    assert (row["status"], row["codes"], row["attempts"]) == ("fail", ["not-found"], 1)


@pytest.mark.parametrize("fault", ["reset-after", "gateway-timeout", "truncated", "malformed"])
def test_a_create_whose_answer_is_lost_is_read_back_not_repeated(store, settings, sandbox, fault):
    batch = approved(store, settings, [create(1), create(2, status="partial", codes=["invalid-email"], email="nope")])
    sandbox.faults["mainstay"].plan(fault, fault, method="POST")
    report = push_batch(store, settings, batch)
    assert report.state is BatchState.DONE
    found = outcomes(store, batch)
    assert [(row["status"], row["codes"], row["origin"]) for row in found.values()] == [
        ("success", [], "reconcile"), ("partial", ["invalid-email"], "reconcile"),
    ]  # fmt: skip
    assert [len(created_contacts(sandbox, number)) for number in (1, 2)] == [1, 1]
    assert all(row["mainstay_id"] for row in found.values())


def test_a_create_that_never_arrived_is_sent_again(store, settings, sandbox):
    batch = approved(store, settings, [create(1)])
    sandbox.faults["mainstay"].plan("reset-before", "failed", method="POST")
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 1)
    assert len(created_contacts(sandbox, 1)) == 1


def test_a_request_that_never_gets_an_answer_is_a_persons_question(store, settings, sandbox, monkeypatch):
    monkeypatch.setattr("workbench.mainstay.client.ATTEMPTS", 1)
    contact, other = known(2)
    batch = approved(store, settings, [update(1, contact), update(2, other)])
    sandbox.faults["mainstay"].plan(*["failed"] * 3, method="PUT", path=contact["crm_id"])
    report = push_batch(store, settings, batch)
    assert report.state is BatchState.DONE
    found = outcomes(store, batch)
    assert [(found[name]["status"], found[name]["response_status"]) for name in ("P1-1", "P1-2")] == [
        ("unknown", 500), ("success", 200),
    ]  # fmt: skip
    assert "may have happened" in found["P1-1"]["fail_message"]


def test_groups_keep_their_order_over_chunks(store, settings, sandbox):
    """Each takes the phone that the one before it gave up; out of order every one of them is refused."""
    first, second, third = known(3)
    phones = ["4045550151", first["phone"], second["phone"]]
    changes = [
        {**update(number, contact, phone=phone), "group_id": 7}
        for number, contact, phone in zip((1, 2, 3), (first, second, third), phones, strict=True)
    ]
    small = settings.model_copy(update={"push": PushSettings(chunk=2)})
    batch = approved(store, small, changes)
    report = push_batch(store, small, batch, canary=1)
    assert [seen.change_id for seen in writes(sandbox)] == ["P1-1", "P1-2", "P1-3"]
    assert report.counts["success"] == 3


def test_those_behind_a_missing_answer_wait_for_it(store, settings, sandbox):
    batch = approved(store, settings, [create(1, group=1, phone="4045550161"), create(2, group=1), create(3)])
    sandbox.faults["mainstay"].plan("reset-before", method="POST")
    report = push_batch(store, settings, batch)
    assert report.counts["success"] == 3
    sent = [seen.change_id for seen in writes(sandbox) if seen.change_id != "P1-3"]
    assert sent == ["P1-1", "P1-2"]


def test_the_stop_rule_pauses_and_the_next_push_goes_on(store, settings, sandbox):
    wrong = settings.model_copy(update={"push": PushSettings(chunk=10, stop_minimum=20)})
    batch = approved(store, wrong, [change(number) for number in range(1, 61)])
    seen = []
    report = push_batch(store, wrong, batch, canary=10, on_event=seen.append)
    assert report.state is BatchState.PAUSED
    assert "10 of 10 sent changes failed" in report.reason
    assert (report.sent, report.pending) == (10, 50)
    assert [event["sent"] for event in seen] == [10]
    assert seen[0]["beyond_prediction"] == 10
    calm = settings.model_copy(update={"push": PushSettings(stop_margin=1.0)})
    again = push_batch(store, calm, batch)
    assert (again.state, again.sent, again.counts["fail"]) == (BatchState.DONE, 50, 60)
    steps = [(event["from_state"], event["to_state"]) for event in show_batch(store, batch).events]
    assert steps[3:] == [
        ("approved", "pushing"), ("pushing", "paused"), ("paused", "pushing"), ("pushing", "done"),
    ]  # fmt: skip


def test_without_a_canary_the_minimum_counts(store, settings):
    strict = settings.model_copy(update={"push": PushSettings(chunk=10, stop_minimum=20)})
    batch = approved(store, strict, [change(number) for number in range(1, 61)])
    assert push_batch(store, strict, batch).sent == 20


def test_predicted_failures_do_not_stop_a_push(store, settings):
    strict = settings.model_copy(update={"push": PushSettings(chunk=10, stop_minimum=5)})
    rows = [change(number, action="blocked", status="fail", codes=["not-found"]) for number in range(1, 31)]
    report = push_batch(store, strict, approved(store, strict, rows, all=True))
    assert (report.state, report.counts["fail"]) == (BatchState.DONE, 30)


def test_a_refused_token_pauses_and_keeps_what_was_sent(store, settings, sandbox):
    small = settings.model_copy(update={"push": PushSettings(chunk=3)})
    batch = approved(store, small, [create(number) for number in range(1, 8)])
    good = sandbox.institution.token

    def revoke(_event):
        sandbox.institution.token = "revoked"

    with pytest.raises(AuthenticationFailed, match=r"Batch 1 is paused after 3 of 7 changes; push it again"):
        push_batch(store, small, batch, on_event=revoke)
    assert show_batch(store, batch).state is BatchState.PAUSED
    assert len(outcomes(store, batch)) == 3
    sandbox.institution.token = good
    report = push_batch(store, small, batch)
    assert (report.state, report.counts["success"], report.sent) == (BatchState.DONE, 7, 4)
    assert [len(created_contacts(sandbox, number)) for number in range(1, 8)] == [1] * 7


def test_a_system_that_is_away_pauses_the_batch_and_loses_nothing(store, settings, sandbox, monkeypatch):
    monkeypatch.setattr("workbench.mainstay.client.ATTEMPTS", 1)
    batch = approved(store, settings, [create(number) for number in range(1, 21)])
    gone = settings.model_copy(
        update={"mainstay": settings.mainstay.model_copy(update={"base_url": "http://127.0.0.1:9/"})}
    )
    with pytest.raises(TransientError, match="is paused after 0 of 20"):
        push_batch(store, gone, batch)
    assert outcomes(store, batch) == {}
    with pytest.raises(ApprovalRefused, match="whose end is unknown"):
        cancel_batch(store, batch, by="Ana")
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 20)


def test_two_pushes_of_one_batch_cannot_meet(store, settings):
    batch = approved(store, settings, [create(number) for number in range(1, 4)])
    refusals = []

    def push_too(_event):
        for verb in (push_batch, reconcile):
            with pytest.raises(ApprovalRefused, match="is being pushed by process") as refused:
                verb(store, settings, batch)
            refusals.append(refused)

    report = push_batch(store, settings, batch, canary=1, on_event=push_too)
    assert report.counts["success"] == 3
    assert len(refusals) == 4


def test_a_push_that_lost_its_hold_sends_nothing_more(store, settings, sandbox):
    batch = approved(store, settings, [create(number) for number in range(1, 4)])

    def steal(_event):
        store.write("UPDATE journal.batch SET claim = 'somebody else'")

    with pytest.raises(ApprovalRefused, match="took batch 1 over"):
        push_batch(store, settings, batch, canary=1, on_event=steal)
    assert len(writes(sandbox)) == 1


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


@pytest.fixture
def killed(store, settings, sandbox):
    """A push killed after its requests left and before an answer was noted: 1 arrived, 2 did not, 3 is an update."""
    contact = known()[0]
    batch = approved(store, settings, [create(1), create(2), update(3, contact), create(4)])
    claim = new_claim()
    text = f"{claim.run}|{claim.host}|{dead_process()}|{claim.began}"
    store.write(
        ("UPDATE journal.batch SET state = 'pushing', claim = $claim", {"claim": text}),
        """INSERT INTO journal.intent
           SELECT 1, change_id, ordinal, 'dead', system, method, path, body, now()
           FROM preview.request WHERE change_id <> 'P1-4'""",
    )
    sandbox.institution.post({"crm_id": "003XX0000000001AAA", "first_name": "Bo", "last_name": "Ray1"})
    return batch


def test_after_a_kill_the_next_push_reads_back_first(store, settings, sandbox, killed):
    report = push_batch(store, settings, killed)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 4)
    found = outcomes(store, killed)
    assert {name: row["origin"] for name, row in found.items()} == {
        "P1-1": "reconcile", "P1-2": "push", "P1-3": "push", "P1-4": "push",
    }  # fmt: skip
    assert [seen.change_id for seen in writes(sandbox) if seen.method == "POST"] == ["P1-2", "P1-4"]


def test_reconcile_alone_tells_what_can_be_told(store, settings, sandbox, killed):
    report = reconcile(store, settings, killed, by="Ana")
    assert (report.state, dict(report.settled), report.to_send_again) == (BatchState.PAUSED, {"success": 1}, 2)
    assert writes(sandbox) == []
    assert reconcile(store, settings, killed).to_send_again == 2
    assert push_batch(store, settings, killed).counts["success"] == 4


def test_a_push_on_another_machine_is_left_alone_for_an_hour(store, settings):
    batch = approved(store, settings, [create(1)])
    store.write("UPDATE journal.batch SET state = 'pushing', claim = 'run|elsewhere|1|1', changed_at = now()")
    with pytest.raises(ApprovalRefused, match="on elsewhere"):
        push_batch(store, settings, batch)
    store.write("UPDATE journal.batch SET changed_at = now() - INTERVAL 2 HOUR")
    assert push_batch(store, settings, batch).state is BatchState.DONE


def test_the_echo_of_our_own_create_is_a_success(store, settings, sandbox, killed, monkeypatch):
    """The killed run's create arrives after the read-back found nothing: the second one meets the first."""

    def arrive(*args, **kwargs):
        sandbox.institution.post({"crm_id": "003XX0000000002AAA", "first_name": "Bo", "last_name": "Ray2"})
        return record_and_arm(*args, **kwargs)

    monkeypatch.setattr("workbench.stages.push.run.record_and_arm", arrive)
    push_batch(store, settings, killed)
    row = outcomes(store, killed)["P1-2"]
    assert (row["status"], row["codes"], row["origin"]) == ("success", [], "reconcile")
    assert [(seen.method, seen.status) for seen in writes(sandbox) if seen.change_id == "P1-2"] == [("POST", 409)]


def test_a_contact_changed_since_is_named_in_the_read_back(store, settings, sandbox, killed):
    sandbox.institution.post({"crm_id": "003XX0000000002AAA", "first_name": "Bo", "last_name": "Else"})
    push_batch(store, settings, killed)
    row = outcomes(store, killed)["P1-2"]
    assert (row["status"], row["codes"]) == ("partial", ["not-as-sent"])
    assert "last_name" in row["fail_message"]


def test_ctrl_c_finishes_the_chunk_and_pauses(store, settings):
    batch = approved(store, settings, [create(number) for number in range(1, 7)])
    before = signal.getsignal(signal.SIGINT)
    report = push_batch(store, settings, batch, canary=2, on_event=lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert signal.getsignal(signal.SIGINT) is before
    assert (report.state, report.sent, report.pending) == (BatchState.PAUSED, 2, 4)
    assert "Ctrl-C" in report.reason
    assert push_batch(store, settings, batch).state is BatchState.DONE


def test_ctrl_c_when_all_is_sent_came_too_late(store, settings):
    batch = approved(store, settings, [create(1)])
    report = push_batch(store, settings, batch, on_event=lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert (report.state, report.pending, report.reason) == (BatchState.DONE, 0, "")


def test_results_are_filtered_by_codes_that_exist(store, settings, killed):
    push_batch(store, settings, killed)
    store.write("UPDATE journal.outcome SET codes = ['OUR_OWN: Phone'] WHERE change_id = 'P1-1'")
    found = {code: [row["change"] for row in views.results(store, code=code)] for code in ("OUR_OWN", "OUR_OWN: Phone")}
    assert found == {"OUR_OWN": ["P1-1"], "OUR_OWN: Phone": ["P1-1"]}
    assert list(views.results(store, code="invalid-language")) == []
    for filters, sentence in (
        ({"code": "invalid-languages"}, "There is no code invalid-languages. Nearest: invalid-language"),
        ({"status": "faild"}, "There is no status faild. Statuses: success, partial, fail, unknown."),
        ({"direction": "exprot"}, "There is no direction exprot. Directions: export, import."),
    ):
        with pytest.raises(ConfigurationError) as caught:
            views.results(store, **filters)
        assert sentence in str(caught.value)


def test_it_runs_inside_a_notebook(store, settings):
    batch = approved(store, settings, [create(1)])

    async def cell():
        return push_batch(store, settings, batch)

    assert asyncio.run(cell()).state is BatchState.DONE


def test_progress_and_clock_are_the_callers(store, settings):
    batch = approved(store, settings, [create(1)])
    told = []
    moment = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    push_batch(store, settings, batch, progress=lambda *step: told.append(step), clock=lambda: moment)
    assert told == [("push", 1, 1)]
    assert outcomes(store, batch)["P1-1"]["finished_at"] == moment


@pytest.mark.parametrize("profile", ["lossy", "flaky", "throttled"])
def test_under_faults_each_create_happens_once(store, settings, sandbox, profile):
    batch = approved(store, settings, [create(number) for number in range(1, 41)])
    sandbox.faults["mainstay"].use(profile, seed=5)
    report = push_batch(store, settings, batch)
    assert (report.state, report.counts["success"]) == (BatchState.DONE, 40)
    assert [len(created_contacts(sandbox, number)) for number in range(1, 41)] == [1] * 40


@pytest.fixture
def firewall(monkeypatch):
    """Something before Mainstay answers some writes with a page of its own."""
    from workbench.errors import RemoteError
    from workbench.mainstay.client import MainstayClient

    send = MainstayClient.send
    blocked = set()

    async def guarded(self, method, path, body, change_id=None):
        if change_id in blocked:
            raise RemoteError("Something other than Mainstay's API answered (HTTP 403, no JSON).", status=403)
        return await send(self, method, path, body, change_id)

    monkeypatch.setattr(MainstayClient, "send", guarded)
    return blocked


def test_one_write_refused_by_a_firewall_fails_alone(store, settings, firewall):
    firewall.add("P1-2")
    report = push_batch(store, settings, approved(store, settings, [create(number) for number in (1, 2, 3)]))
    assert (report.state, report.counts["success"], report.counts["fail"]) == (BatchState.DONE, 2, 1)
    row = outcomes(store, 1)["P1-2"]
    assert (row["codes"], row["response_status"]) == (["http-403"], 403)


def test_where_nothing_else_answers_nobody_is_failed(store, settings, firewall):
    from workbench.errors import RemoteError

    firewall |= {"P1-1", "P1-2"}
    batch = approved(store, settings, [create(1), create(2)])
    with pytest.raises(RemoteError, match="paused after 0 of 2"):
        push_batch(store, settings, batch)
    assert outcomes(store, batch) == {}
    firewall.clear()
    assert push_batch(store, settings, batch).counts["success"] == 2


def test_a_read_back_that_cannot_ask_leaves_the_batch_paused(store, settings, sandbox, killed):
    good = sandbox.institution.token
    sandbox.institution.token = "revoked"
    with pytest.raises(AuthenticationFailed):
        reconcile(store, settings, killed)
    assert show_batch(store, killed).state is BatchState.PAUSED
    sandbox.institution.token = good
    assert reconcile(store, settings, killed).to_send_again == 2
