import doctest

import pytest

from dashboard import serve
from dashboard.serve import SafeHeaders, org_origins

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
