"""Pushes as processes of their own: two of one batch cannot meet; Ctrl-C, a pause and a cancel from elsewhere hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from batch_rows import change, mapping, preview, pull

from workbench.settings import MainstaySettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch
from workbench.store import Store

COMMAND = (sys.executable, "-c", "from workbench.cli import main; main()")
COUNT = 160
pytestmark = pytest.mark.slow


@pytest.fixture
def sandbox():
    with Sandbox(generate(60, 3), systems=("mainstay",)) as running:
        yield running


@pytest.fixture
def shop(sandbox, tmp_path):
    """A store with an approved batch of creates, and a way to start commands on it that send 40 a second."""
    store = Store(str(tmp_path / "store.duckdb"))
    pull(store, 1)
    mapping(store)
    rows = []
    for number in range(1, COUNT + 1):
        body = {"crm_id": f"003XX{number:010d}AAA", "first_name": "Bo", "last_name": f"Ray{number}"}
        rows.append(
            change(
                number,
                action="create",
                salesforce_id=body["crm_id"],
                requests=[("mainstay", "POST", "contacts/", body)],
            )
        )
    preview(store, rows)
    batch = create_batch(store, 1, by="Ana", chosen=Slice()).batch
    settings = Settings(_env_file=None, mainstay=MainstaySettings(**sandbox.connection["mainstay"]))
    approve_batch(store, settings, batch, by="Bo")
    env = {**os.environ, **sandbox.settings_env(), "WORKBENCH_DATABASE": store.dsn,
           "WORKBENCH_PUSH__CHUNK": "40"}  # fmt: skip

    def start(*arguments, per_second=40):
        pace = {"WORKBENCH_MAINSTAY__REQUESTS_PER_SECOND": str(per_second)}
        return subprocess.Popen(
            [*COMMAND, *arguments], env={**env, **pace}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        )  # fmt: skip

    return store, start


def posts(sandbox):
    return [seen for seen in sandbox.requests if seen.method == "POST" and "_sandbox" not in seen.path]


def wait_until(happens, seconds=60):
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_once(store, sandbox, count):
    made = [seen.body["crm_id"] for seen in posts(sandbox) if seen.status == 201]
    ended = store.rows("SELECT change_id, status FROM journal.outcome")
    assert len(made) == len(set(made)) == len(ended) == len({row["change_id"] for row in ended}) == count
    assert {row["status"] for row in ended} == {"success"}


def test_of_two_pushers_one_sends_and_the_other_says_who(shop, sandbox):
    store, start = shop
    pushers = [start("push", "1", "--by", name) for name in ("Bo", "Cy")]
    said = [(*pusher.communicate(timeout=120), pusher.returncode) for pusher in pushers]
    assert sorted(code for *_, code in said) == [0, 1]
    refused = next(err for _, err, code in said if code == 1)
    assert "is being pushed by process" in refused or "someone else was faster" in refused
    check_once(store, sandbox, COUNT)


def test_ctrl_c_answers_what_is_under_way_and_a_cancel_ends_it(shop, sandbox):
    store, start = shop
    pusher = start("push", "1", "--by", "Bo", "--json")
    wait_until(lambda: len(posts(sandbox)) > 110)  # past the first slice: the next chunk stands ready behind this one
    pusher.send_signal(signal.SIGINT)
    out, err = pusher.communicate(timeout=60)
    report = json.loads(out.splitlines()[-1])
    assert (pusher.returncode, report["state"], "Ctrl-C" in report["reason"]) == (130, "paused", True), err
    assert "Stopped. Everything answered so far is kept; workbench push 1 goes on." in err
    sent = len(posts(sandbox))
    assert 110 < sent < COUNT
    check_once(store, sandbox, sent)
    assert store.rows("SELECT count(*) AS n FROM journal.intent")[0]["n"] == sent  # the rest was taken back
    cancelled = start("batch", "cancel", "1", "--by", "Ana")
    assert cancelled.wait(60) == 0
    assert start("push", "1", "--by", "Bo").wait(60) == 1
    assert len(posts(sandbox)) == sent


def test_a_pause_from_another_process_holds_and_the_next_push_goes_on(shop, sandbox):
    store, start = shop
    pusher = start("push", "1", "--by", "Bo", "--json", per_second=5)  # still at work when the pause has started up
    wait_until(lambda: posts(sandbox))
    assert start("batch", "pause", "1", "--by", "Dana", "--reason", "lunch").wait(60) == 0
    report = json.loads(pusher.communicate(timeout=60)[0].splitlines()[-1])
    assert (pusher.returncode, report["state"]) == (1, "paused")
    assert "Dana paused it: lunch" in report["reason"]
    assert len(posts(sandbox)) == COUNT - report["pending"] < COUNT
    assert start("push", "1", "--by", "Bo").wait(120) == 0
    check_once(store, sandbox, COUNT)
