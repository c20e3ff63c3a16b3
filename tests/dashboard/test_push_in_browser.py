"""From a waiting batch to its results, by clicks, against both simulators; the push outlives the closed tab."""

import importlib.util
import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from workbench import operations, views
from workbench.settings import Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.store import Store

pytestmark = pytest.mark.slow
_SPEC = importlib.util.spec_from_file_location("dashboard_browser", Path(__file__).with_name("browser.py"))
browser = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(browser)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """(store, environment) with a pulled sandbox and Dana's batch of everything that should succeed."""
    folder = tmp_path_factory.mktemp("push")
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("WORKBENCH_")}
    with Sandbox(generate(contacts=400, seed=3)) as sandbox:
        environment = {**sandbox.settings_env(), "WORKBENCH_DATABASE": str(folder / "push.duckdb")}
        os.environ.update(environment)
        try:
            settings = Settings()
            store = operations.open_store(settings)
            operations.import_mapping(store, settings, operations.sample_mapping(), by="Dana")
            operations.pull_systems(store, settings)
            operations.make_preview(store, settings, "export")
            operations.create_batch(store, 1, by="Dana")
            yield store, environment, folder
        finally:
            for name in environment:
                del os.environ[name]
            os.environ.update(before)


@pytest.fixture
def desk(chrome, running):
    store, environment, folder = running
    with browser.serve(store.dsn, folder / "streamlit.log", environment=environment) as url:
        context = chrome.new_context(viewport={"width": 1440, "height": 1100}, timezone_id="UTC")
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(f"{url}/approvals")
        browser.wait_idle(page)
        yield page, url
        context.close()


def wait_for(store, state, seconds=60):
    deadline = time.monotonic() + seconds
    while (batch := views.batch(store, 1))["state"] != state:
        assert time.monotonic() < deadline, batch["state"]
        time.sleep(0.3)
    return batch


def test_approve_push_and_see_the_results(desk, running):
    store = Store(running[0].dsn)
    page, url = desk

    page.get_by_role("button", name="Approve", exact=False).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved in exactly this form")).to_be_visible()
    assert views.batch(store, 1)["state"] == "approved"

    page.get_by_role("button", name="Push", exact=False).first.click()
    expect(page.get_by_test_id("stProgress")).to_be_visible()
    page.goto("about:blank")
    batch = wait_for(store, "done")

    assert batch["sent_count"] == batch["approved_count"]
    assert batch["fail_count"] == batch["unknown_count"] == 0
    page.goto(f"{url}/approvals?batch=1")
    expect(page.get_by_text("Everything in it has been sent and answered.")).to_be_visible()
    expect(page.get_by_role("link", name="Its sync results")).to_be_visible()
