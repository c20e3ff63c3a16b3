"""The whole path by clicks, against both simulators: two people sign in, preview, approve, push, results, person, undo."""

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

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
DANA, SAM = "dana@example.edu", "sam@example.edu"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """(store, environment, folder) of a pulled and previewed sandbox."""
    folder = tmp_path_factory.mktemp("path")
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("WORKBENCH_")}
    with Sandbox(generate(contacts=400, seed=3)) as sandbox:
        roles = f'{{"{DANA}": "analyst", "{SAM}": "approver"}}'
        environment = {
            **sandbox.settings_env(),
            "WORKBENCH_DATABASE": str(folder / "path.duckdb"),
            "WORKBENCH_ACCESS__ROLES": roles,
        }
        os.environ.update(environment)
        try:
            settings = Settings()
            store = operations.open_store(settings)
            operations.import_mapping(store, settings, operations.sample_mapping(), by="Dana")
            operations.pull_systems(store, settings)
            operations.make_preview(store, settings, "export")
            yield store, environment, folder
        finally:
            for name in environment:
                del os.environ[name]
            os.environ.update(before)


@pytest.fixture(scope="module")
def site(running, helpers):
    """The dashboard over it, behind a sign-in."""
    provider = pytest.importorskip("oidc_provider_mock")
    _, environment, folder = running
    people = {sub: {"name": sub, "email": sub} for sub in (DANA, SAM)}
    database = environment["WORKBENCH_DATABASE"]
    with helpers.signing.signed_site(helpers.browser, provider, database, people, environment, folder) as url:
        yield url


@pytest.fixture
def desk(chrome, site, helpers):
    """`desk(person, path)`: a page of somebody's own browser, signed in."""
    desks = helpers.signing.Desks(chrome, helpers.browser, site)
    yield desks.open
    desks.leave_all()


def wait_for(store, state, seconds=90):
    deadline = time.monotonic() + seconds
    while (batch := views.batch(store, 1))["state"] != state:
        assert time.monotonic() < deadline, batch["state"]
        time.sleep(0.3)
    return batch


def test_from_sign_in_to_undo(desk, running, site, helpers):
    store = Store(running[0].dsn)

    dana = desk(DANA, "/previews")
    expect(dana.get_by_text(re.compile("writes to")).first).to_be_visible()
    dana.get_by_role("button", name=re.compile("^Request approval")).click()
    expect(dana.get_by_text("waits for approval")).to_be_visible()
    dana.goto(f"{site}/approvals?batch=1")
    expect(dana.get_by_role("button", name=re.compile("^Approve"))).to_be_disabled()

    sam = desk(SAM, "/approvals?batch=1")
    sam.get_by_role("button", name=re.compile("^Approve")).click()
    sam.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(sam.get_by_text("Approved in exactly this form")).to_be_visible()
    sam.get_by_role("button", name=re.compile("^Push")).click()
    expect(sam.get_by_test_id("stProgress")).to_be_visible()
    sam.goto("about:blank")  # a push outlives the tab that started it
    batch = wait_for(store, "done")
    assert batch["sent_count"] == batch["approved_count"] > 0
    assert batch["fail_count"] == batch["unknown_count"] == 0
    assert (batch["requested_by"], batch["approved_by"]) == (DANA, SAM)

    sam.goto(f"{site}/approvals?batch=1")
    expect(sam.get_by_text("Everything in it has been sent and answered.")).to_be_visible()
    expect(sam.get_by_text(re.compile("as predicted"))).to_be_visible()
    undo(sam, helpers)
    reopened(sam)
    asked = views.batch(store, 2)
    assert (asked["state"], asked["requested_by"], asked["direction"]) == ("submitted", SAM, "export")

    sam.goto(f"{site}/results?batch=1")
    helpers.browser.wait_idle(sam)
    sam.get_by_role("table", name="Sync results").get_by_role("link").first.click()
    sam.get_by_role("dialog").get_by_role("link", name="Open person").click()
    expect(sam.get_by_role("heading", level=1, name="People")).to_be_visible()
    assert sam.get_by_test_id("stException").count() == 0


def reopened(page):
    """What an undo said outlives the page that asked for it."""
    page.reload()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("dialog").get_by_text("Would be put back")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("dialog").get_by_text("waits for a second person")).to_be_visible()


def undo(page, helpers):
    """Undo asks for what stands now first, then tells what it would put back and what it cannot."""
    page.get_by_role("button", name="Undo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("was sent after the last pull")).to_be_visible()
    dialog.get_by_role("button", name="Read both systems now").click()
    page.get_by_role("button", name="Preview the undo").click(timeout=90_000)
    expect(page.get_by_role("dialog").get_by_text("Would be put back")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("dialog").get_by_text("What cannot be undone")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Request approval")).click()
    expect(page.get_by_role("dialog").get_by_text("waits for a second person")).to_be_visible()
