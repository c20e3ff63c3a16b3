"""Pulls that were interrupted or met every fault of the network: they end as undisturbed ones do."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.flow.pulling import START, sandbox_of, stop_at
from workbench.errors import RemoteError, StoreBusy, TransientError
from workbench.salesforce import SalesforceClient, bulk
from workbench.simulators.faults import PROFILES
from workbench.stages.pull import latest_pulls, salesforce
from workbench.stages.pull.spool import Spool


def test_an_interrupted_pull_goes_on_where_it_stopped(pulling, world):
    with pytest.raises(KeyboardInterrupt):
        pulling(only="mainstay", progress=stop_at("Mainstay contacts", 150))
    assert pulling.rows("SELECT state FROM journal.pull") == [{"state": "interrupted"}]
    assert latest_pulls(pulling.store) == {}
    before = len(pulling.page_requests("/contacts/?"))

    [report] = pulling(only="mainstay").objects

    assert report.is_resumed
    assert report.total == world.contacts.height
    pages = [re.search(r"[?&]page=([0-9]+)", path) for path in pulling.page_requests("/contacts/?")[before:]]
    assert min(int(page[1]) for page in pages) == 4


def test_an_interrupted_pull_leaves_what_was_there(pulling):
    pulling()
    before = pulling.contents()
    with pytest.raises(KeyboardInterrupt):
        pulling(full=True, progress=stop_at("Salesforce Contact", 1))
    assert pulling.contents() == before
    assert set(latest_pulls(pulling.store).values()) == {1}


def test_a_salesforce_query_resumes_and_starts_over_when_its_place_is_lost(pulling, monkeypatch):
    many = SalesforceClient.query_pages

    def small_pages(client, soql, **options):
        """The same pages, cut small, so that one can be the last that was landed."""
        for page in many(client, soql, **options):
            yield replace(page, next_path="/services/data/v62.0/query/01gnowhere-2000")
            return

    monkeypatch.setattr(SalesforceClient, "query_pages", small_pages)
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", progress=stop_at("Salesforce Contact", 1))
    monkeypatch.undo()
    report = pulling(only="salesforce")
    [contact] = [item for item in report.objects if item.object == "Contact"]
    assert contact.total == pulling.value('SELECT count(DISTINCT "Id") FROM salesforce."Contact"')
    assert not contact.is_resumed


def test_an_object_that_was_read_to_its_end_is_not_read_again(pulling):
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", progress=stop_at("Salesforce Account", 1))
    before = len(pulling.page_requests("FROM+Contact"))
    report = pulling(only="salesforce")
    assert next(item for item in report.objects if item.object == "Contact").is_resumed
    assert len(pulling.page_requests("FROM+Contact")) == before > 0
    assert pulling.value('SELECT count(*) FROM salesforce."Contact"') == report.objects[0].total


@pytest.mark.slow
def test_a_killed_pull_is_resumed(pulling, world, tmp_path):
    script = tmp_path / "child.py"
    script.write_text(
        "import os, signal, sys\n"
        "from workbench.settings import Settings\n"
        "from workbench.stages.pull import pull\n"
        "from workbench.store import Store\n"
        "def progress(stage, done, total):\n"
        "    if stage == 'Mainstay messages' and done >= 100:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "settings = Settings()\n"
        "pull(Store(settings.database), settings, wanted={'Contact': ['Email']}, progress=progress)\n"
    )
    env = {**os.environ, **pulling.sandbox.settings_env(), "WORKBENCH_DATABASE": str(pulling.store.path)}
    child = subprocess.run(
        [sys.executable, str(script)], env=env, cwd=Path(__file__).parents[2], check=False, timeout=60
    )
    assert child.returncode == -signal.SIGKILL
    states = {row["object"]: row["state"] for row in pulling.rows("SELECT object, state FROM journal.pull")}
    assert states == {"Contact": "complete", "contact": "complete", "campaign": "complete", "message": "running"}

    pulling.clock.now = datetime.now(UTC)
    report = pulling({"Contact": ["Email"]})

    messages = next(item for item in report.objects if item.object == "message")
    assert messages.is_resumed
    assert messages.total == world.messages.height
    assert pulling.rows("SELECT count(*) AS n FROM journal.pull WHERE state = 'running'") == [{"n": 0}]
    assert pulling.value("SELECT count(DISTINCT admithub_id) FROM mainstay.message") == world.messages.height


def test_half_a_page_on_disk_is_cut_off(tmp_path):
    spool = Spool(tmp_path / "store.duckdb")
    with spool.held():
        file = spool.open("mainstay.contact", {"plan": 1}, lambda: START)
        file.append(b'{"id":1}\n', 1, "page-2", ["custom.A"])
        file.close()
        with file.path.open("ab") as torn:
            torn.write(b'{"id": 2')
        again = spool.open("mainstay.contact", {"plan": 1}, lambda: START + timedelta(hours=1))
        assert (again.is_resumed, again.next, again.rows, again.extra) == (True, "page-2", 1, {"custom.A"})
        assert again.path.read_bytes() == b'{"id":1}\n'
        assert not spool.open("mainstay.contact", {"plan": 2}, lambda: START).is_resumed


@pytest.mark.parametrize("spoil", ["old", "broken", "shorter"])
def test_a_spool_that_cannot_be_trusted_is_begun_anew(tmp_path, spoil):
    spool = Spool(tmp_path / "store.duckdb")
    with spool.held():
        file = spool.open("x", {}, lambda: START)
        file.append(b'{"id":1}\n', 1, "page-2")
        file.close()
        if spoil == "broken":
            (spool.folder / "x.state").write_bytes(b"{")
        if spoil == "shorter":
            file.path.write_bytes(b"")
        now = START + timedelta(hours=7) if spoil == "old" else START
        assert not spool.open("x", {}, lambda: now).is_resumed


def test_two_pulls_at_once_are_refused(pulling):
    with Spool(pulling.store.path).held(), pytest.raises(StoreBusy, match="Another pull"):
        pulling()


def test_an_interrupted_bulk_query_goes_on_with_its_pages(pulling, monkeypatch):
    monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    monkeypatch.setattr(bulk, "PAGE_ROWS", 50)
    calm = pulling(only="salesforce", full=True)
    expected = pulling.contents()
    begun, whole = [], bulk.BulkQuery._fetch_page

    def interrupted(query):
        begun.append(1)
        if len(begun) == 4:
            raise KeyboardInterrupt
        whole(query)

    monkeypatch.setattr(bulk.BulkQuery, "_fetch_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", full=True)
    asked = len(pulling.page_requests("/results"))
    report = pulling(only="salesforce", full=True)
    assert [item.is_resumed for item in report.objects] == [True, *[False] * (len(calm.objects) - 1)]
    assert "locator=" in pulling.page_requests("/results")[asked]
    assert pulling.contents() == expected


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "bulk"),
    [*((name, False) for name in sorted({*PROFILES} - {"none"})), ("lossy", True), ("garbled", True), ("storm", True)],
)
def test_a_pull_through_faults_ends_the_same(world, tmp_path, monkeypatch, faults, bulk):
    if bulk:
        monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    with sandbox_of(world, tmp_path / "calm") as calm:
        calm()
        expected = calm.contents()
    passing = RemoteError if faults == "looping" else TransientError
    with sandbox_of(world, tmp_path / "faulty", faults=faults, fault_seed=3) as pulling:
        for _ in range(6):  # a fault may outlive the retries; the next pull goes on from there
            with suppress(passing):
                pulling(full=True)
                break
        assert pulling.contents() == expected
        assert pulling.sandbox.faults["mainstay"].counts["impatient"] == 0


def test_a_list_without_end_is_stopped(world, tmp_path):
    with sandbox_of(world, tmp_path) as pulling:
        pulling.sandbox.faults["mainstay"].plan("looping", method="GET", path="/contacts/")
        with pytest.raises(RemoteError, match=r"twice|skipped"):
            pulling(only="mainstay")
        assert latest_pulls(pulling.store) == {}


def test_a_reading_that_the_day_cannot_pay_for_is_not_begun(pulling, monkeypatch):
    monkeypatch.setattr(SalesforceClient, "api_usage", property(lambda _: (15_000, 15_000)))
    with pytest.raises(RemoteError, match=r"takes 1 API requests; the org has used 15,000 of its 15,000"):
        pulling(only="salesforce")
