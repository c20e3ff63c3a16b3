"""Sign-in by an identity provider, end to end: a real provider, the dashboard's server, a real helpers.browser."""

import contextlib
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


@pytest.fixture(scope="module")
def signed_store(helpers, tmp_path_factory):
    from workbench.store import Store

    return helpers.rows.fill(Store(str(tmp_path_factory.mktemp("signed") / "small.duckdb")))


@pytest.fixture(scope="module")
def signed_site(helpers, signed_store, tmp_path_factory):
    """A dashboard behind a provider."""
    provider = pytest.importorskip("oidc_provider_mock")
    folder, roles = tmp_path_factory.mktemp("signed"), {"WORKBENCH_ACCESS__ROLES": ROLES}
    with helpers.signing.signed_site(helpers.browser, provider, signed_store.dsn, PEOPLE, roles, folder) as url:
        yield url


@pytest.fixture(scope="module")
def desks(chrome, signed_site, helpers):
    desks = helpers.signing.Desks(chrome, helpers.browser, signed_site)
    yield desks
    desks.leave_all()


@pytest.fixture
def sign_in(desks):
    """A page of somebody's browser, signed in: `sign_in("dana@example.edu", "/results")`."""
    return desks.open


def put_batch(store, state, approved_by):
    batch = {"state": state, "by": approved_by, "asker": "dana@example.edu"}
    store.write(("UPDATE journal.batch SET state = $state, approved_by = $by, requested_by = $asker", batch))


def test_signing_in_gives_the_role_of_the_settings_and_signing_out_takes_it(sign_in, signed_site, desks):
    page = sign_in("dana@example.edu")

    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_text(re.compile("dana.*· analyst"))).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/oauth2/end_session"))
    page.goto(signed_site)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    desks.leave("dana@example.edu")


def test_the_address_that_was_asked_for_survives_the_sign_in(desks, signed_site, helpers):
    """The first page is where a provider sends everybody; the one asked for, with its filter, is where they land."""
    with contextlib.suppress(KeyError):
        desks.leave("dana@example.edu")
    page = desks.open("dana@example.edu", "/results?status=fail&result=SR-0000007")

    expect(page.get_by_role("heading", level=1, name="Sync results")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("SR-0000007").first).to_be_visible()
    assert page.url.removeprefix(signed_site).startswith("/results?")
    assert "status=fail" in page.url
    assert page.context.cookies()


def test_who_asked_does_not_decide_and_another_person_does(sign_in, signed_store):
    put_batch(signed_store, "submitted", None)
    asker = sign_in("dana@example.edu", "/approvals?batch=1")
    expect(asker.get_by_text(re.compile("so somebody else decides"))).to_be_visible()
    expect(asker.get_by_role("button", name=re.compile("^Approve"))).to_be_disabled()

    other = sign_in("sam@example.edu", "/approvals?batch=1")
    expect(other.get_by_role("button", name=re.compile("^Approve"))).to_be_enabled()


def test_an_old_sign_in_looks_but_does_not_push(sign_in, signed_store):
    """The provider says when it last saw the person; a cookie of 30 days is no reason to send."""
    put_batch(signed_store, "approved", "sam@example.edu")
    fresh = sign_in("sam@example.edu", "/approvals?batch=1")
    expect(fresh.get_by_role("button", name=re.compile("^Push"))).to_be_enabled()

    old = sign_in("old@example.edu", "/approvals?batch=1")
    expect(old.get_by_text("takes a sign-in of the last 15 minutes")).to_be_visible()
    expect(old.get_by_role("button", name=re.compile("^Push"))).to_be_disabled()


def test_an_address_that_nobody_verified_is_no_identity(sign_in):
    page = sign_in("eve@example.edu")

    expect(page.get_by_text("You have no role here yet")).to_be_visible()
    assert page.get_by_text("sam@example.edu").count() == 0
