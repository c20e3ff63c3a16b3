import doctest

import pytest

from dashboard import returning, serve
from dashboard.serve import BackToThePage, SafeHeaders, org_origins

ORG = "https://acme--dev.sandbox.my.salesforce.com"


@pytest.fixture
def ask():
    """Headers of an address behind SafeHeaders, with an org that may embed."""

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guarded = SafeHeaders(inner, framed_by=org_origins(ORG))

    def headers_of(address):
        path, _, query = address.partition("?")
        sent = []

        async def send(message):
            sent.append(message)

        # Nothing here waits, so the coroutine ends at its first step and no event loop is needed.
        with pytest.raises(StopIteration):
            guarded({"type": "http", "path": path, "query_string": query.encode()}, None, send).send(None)
        return {name.decode(): value.decode() for name, value in sent[0]["headers"]}

    return headers_of


def test_examples_in_docstrings():
    assert doctest.testmod(serve).failed == 0
    assert doctest.testmod(returning).failed == 0


@pytest.mark.parametrize(
    "path", ["/", "/approvals?embed=true", "/people", "/people?embed=false", "/people/x?embed=true"]
)
def test_no_page_may_be_framed(ask, path):
    assert "frame-ancestors 'none'" in ask(path)["content-security-policy"]
    assert ask(path)["x-frame-options"] == "DENY"


def test_the_people_screen_may_stand_in_the_orgs_own_pages(ask):
    headers = ask("/people?id=003A&embed=true")

    assert headers["content-security-policy"].endswith(
        f"frame-ancestors {ORG} https://acme--dev.sandbox.lightning.force.com"
    )
    assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    "url", ["https://evil.example/.my.salesforce.com", "https://a b.my.salesforce.com", "http://a.my.salesforce.com"]
)
def test_only_a_my_domain_is_an_org(url):
    assert org_origins(url) == ()


def after_sign_in(location, cookie):
    """Where the answer to a provider's way back leads."""

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", location.encode())]})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": serve.SIGNED_IN, "headers": [(b"cookie", f"other=1; {cookie}".encode())]}
    with pytest.raises(StopIteration):
        BackToThePage(inner)(scope, None, send).send(None)
    return dict(sent[0]["headers"])[b"location"].decode()


def test_a_sign_in_leads_on_to_the_page_that_was_asked_for_and_only_once():
    browser = "workbench_browser=one"
    returning.remember("one", returning.address_of("approvals", {"batch": "7"}))

    assert after_sign_in("/", "workbench_browser=another") == "/"
    assert after_sign_in("https://provider.example/", browser) == "https://provider.example/"
    assert after_sign_in("/", browser) == "/approvals?batch=7"
    assert after_sign_in("/", browser) == "/"


def test_what_a_browser_asked_for_is_forgotten_after_a_while(monkeypatch):
    returning.remember("slow", "/results")
    monkeypatch.setattr(returning, "KEPT_SECONDS", 0)

    assert returning.take("slow") is None
    assert returning.take(None) is None
