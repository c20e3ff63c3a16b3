"""What a person does to a push under way, and Clear All, by clicks: first slice, pause, go on, give up, archive."""

import os
import re
import time

import pytest
from playwright.sync_api import expect

from workbench import operations, views
from workbench.settings import Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """(store, sandbox, environment) with two approved batches of one preview, one of one action each."""
    folder = tmp_path_factory.mktemp("steering")
    with Sandbox(generate(contacts=250, seed=3)) as sandbox:
        environment = {
            **sandbox.settings_env(),
            "WORKBENCH_DATABASE": str(folder / "steering.duckdb"),
            "WORKBENCH_APPROVAL__FOUR_EYES": "false",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            settings = Settings()
            store = operations.open_store(settings)
            operations.import_mapping(store, settings, operations.sample_mapping(), by="Dana")
            operations.pull_systems(store, settings)
            preview = operations.make_preview(store, settings, "export")
            for action in ("update", "create"):
                chosen = operations.Slice(actions=(action,))
                batch = operations.create_batch(store, preview.preview_id, by="Dana", chosen=chosen)
                operations.approve_batch(store, settings, batch.batch, by="Dana")
        yield store, sandbox, environment


@pytest.fixture(scope="module")
def site(running, helpers, tmp_path_factory):
    store, _, environment = running
    log = tmp_path_factory.mktemp("log") / "streamlit.log"
    with helpers.browser.serve(store.dsn, log, environment=environment) as url:
        yield url


def wait_for(store, batch_id, state, seconds=60):
    deadline = time.monotonic() + seconds
    while (batch := views.batch(store, batch_id))["state"] != state:
        assert time.monotonic() < deadline, batch["state"]
        time.sleep(0.2)
    return batch


def test_a_push_is_paused_and_goes_on_and_sends_each_change_once(page, running):
    store, sandbox, _ = running
    page.visit("/approvals?batch=1")
    first = page.get_by_test_id("stNumberInputField")
    expect(first).to_have_value("20")
    first.fill("5")
    first.press("Tab")
    page.settle()
    before = len(sandbox.institution.log.requests)
    sandbox.faults["mainstay"].slow_seconds = 2.0
    sandbox.faults["mainstay"].use("slow", seed=1)
    page.get_by_role("button", name=re.compile("^Push")).click()
    page.get_by_role("button", name="Pause").click()
    batch = wait_for(Store(store.dsn), 1, "paused")
    assert 0 < batch["sent_count"] < batch["approved_count"]
    expect(page.get_by_text("Stopped before its end")).to_be_visible(timeout=20_000)

    sandbox.faults["mainstay"].use("none")
    page.reload()
    page.settle()
    left = batch["approved_count"] - batch["sent_count"]
    page.get_by_role("button", name=re.compile(f"^Go on with {left} changes")).click()
    batch = wait_for(Store(store.dsn), 1, "done")
    assert batch["sent_count"] == batch["approved_count"]
    written = [r for r in sandbox.institution.log.requests[before:] if r.method in {"PUT", "POST"}]
    assert len(written) == batch["approved_count"]
    assert any("paused on the screen" in event["reason"] for event in batch["events"])


def test_a_batch_is_given_up_and_sends_nothing(page, running):
    store, sandbox, _ = running
    before = len(sandbox.institution.log.requests)
    page.visit("/approvals?batch=2")
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("Given up.")).to_be_visible()
    page.settle()
    assert page.get_by_role("button", name=re.compile("^Push")).count() == 0
    assert views.batch(Store(store.dsn), 2)["state"] == "cancelled"
    assert len(sandbox.institution.log.requests) == before


def test_clearing_takes_the_typed_word_and_keeps_an_archive(page_over, small_store):
    store = small_store
    page = page_over(store)
    kept = store.rows("SELECT count(*) AS n FROM journal.outcome")[0]["n"]
    page.visit("/results")
    page.get_by_role("button", name="Clear", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    page.get_by_role("option", name="All of them").click()
    expect(dialog.get_by_text(re.compile(f"{kept} results"))).to_be_visible()
    archive = dialog.get_by_role("button", name="Archive and clear")
    dialog.get_by_label("Type CLEAR to confirm").fill("clear")
    dialog.get_by_label("Type CLEAR to confirm").press("Enter")
    page.settle()
    expect(archive).to_be_disabled()
    assert store.rows("SELECT count(*) AS n FROM journal.outcome")[0]["n"] == kept > 0

    dialog.get_by_label("Type CLEAR to confirm").fill("CLEAR")
    dialog.get_by_label("Type CLEAR to confirm").press("Enter")
    expect(archive).to_be_enabled()
    archive.click()
    expect(dialog.get_by_text(re.compile(f"{kept} results and .* were archived in .*parquet"))).to_be_visible()
    assert store.rows("SELECT count(*) AS n FROM journal.outcome")[0]["n"] == 0
    assert list(store.path.parent.rglob("*.parquet"))
