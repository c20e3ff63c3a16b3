"""Sign-in by an identity provider, end to end: a real provider, the dashboard's server, a real helpers.browser."""

import re
import time

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
PEOPLE = {
    "dana@example.edu": {"name": "Dana Diaz", "email": "dana@example.edu"},
    "sam@example.edu": {"name": "Sam Lee", "email": "sam@example.edu"},
    "old@example.edu": {"name": "Old Session", "email": "old@example.edu", "auth_time": int(time.time()) - 86_400},
    "eve@example.edu": {"name": "Eve", "email": "sam@example.edu", "email_verified": False},
}
ROLES = '{"dana@example.edu": "analyst", "sam@example.edu": "approver", "old@example.edu": "approver"}'
SECRETS = """[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "a-secret-of-this-test-alone"
client_id = "workbench"
client_secret = "workbench-secret"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider():
    mock = pytest.importorskip("oidc_provider_mock")
    users = [mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    with mock.run_server_in_thread(user_claims=users) as server:
        yield server.server_port


@pytest.fixture(scope="module")
def signed_store(helpers, tmp_path_factory):
    """One batch waits for approval."""
    from workbench.store import Store

    store = helpers.rows.fill(Store(str(tmp_path_factory.mktemp("signed") / "small.duckdb")))
    store.write("UPDATE journal.batch SET state = 'submitted', approved_by = NULL, requested_by = 'dana@example.edu'")
    return store


@pytest.fixture(scope="module")
def signed_site(provider, helpers, signed_store, tmp_path_factory):
    """A dashboard behind the provider."""
    folder = tmp_path_factory.mktemp("signed")
    store = signed_store
    port = helpers.browser.free_port()
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(url=f"http://127.0.0.1:{port}", provider=provider))
    environment = {"WORKBENCH_ACCESS__ROLES": ROLES}
    options = [f"--secrets.files={secrets}"]
    with helpers.browser.serve(store.dsn, folder / "log", environment=environment, port=port, options=options) as url:
        yield url


@pytest.fixture
def sign_in(chrome, signed_site, helpers):
    """A fresh browser in which somebody has signed in: `sign_in("dana@example.edu")`."""
    contexts = []

    def open_page(sub, path="/"):
        contexts.append(chrome.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce"))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.goto(signed_site + path)
        helpers.browser.wait_idle(page)
        assert page.get_by_role("heading", level=1).count() == 0
        assert page.get_by_test_id("stSidebarNav").count() == 0
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile("/oauth2/authorize"))
        page.locator("input[name=sub]").fill(sub)
        page.get_by_role("button", name=re.compile("authorize", re.IGNORECASE)).first.click()
        page.wait_for_url(re.compile(re.escape(signed_site)))
        helpers.browser.wait_idle(page)
        if path != "/":  # a provider sends people back to the first page
            page.goto(signed_site + path)
            helpers.browser.wait_idle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_signing_in_gives_the_role_of_the_settings_and_signing_out_takes_it(sign_in, signed_site):
    page = sign_in("dana@example.edu")

    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_text(re.compile("dana.*· analyst"))).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/oauth2/end_session"))
    page.goto(signed_site)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_who_asked_does_not_decide_and_another_person_does(sign_in):
    asker = sign_in("dana@example.edu", "/approvals?batch=1")
    expect(asker.get_by_text(re.compile("so somebody else decides"))).to_be_visible()
    expect(asker.get_by_role("button", name=re.compile("^Approve"))).to_be_disabled()

    other = sign_in("sam@example.edu", "/approvals?batch=1")
    expect(other.get_by_role("button", name=re.compile("^Approve"))).to_be_enabled()


def test_an_old_sign_in_looks_but_does_not_push(sign_in, signed_store):
    """The provider says when it last saw the person; a cookie of 30 days is no reason to send."""
    batch = {"state": "approved", "by": "sam@example.edu"}
    signed_store.write(("UPDATE journal.batch SET state = $state, approved_by = $by", batch))
    fresh = sign_in("sam@example.edu", "/approvals?batch=1")
    expect(fresh.get_by_role("button", name=re.compile("^Push"))).to_be_enabled()

    old = sign_in("old@example.edu", "/approvals?batch=1")
    expect(old.get_by_text("takes a sign-in of the last 15 minutes")).to_be_visible()
    expect(old.get_by_role("button", name=re.compile("^Push"))).to_be_disabled()


def test_an_address_that_nobody_verified_is_no_identity(sign_in):
    page = sign_in("eve@example.edu")

    expect(page.get_by_text("You have no role here yet")).to_be_visible()
    assert page.get_by_text("sam@example.edu").count() == 0
