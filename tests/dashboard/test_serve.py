import asyncio
import doctest

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboard import serve
from dashboard.serve import SafeHeaders, org_origins

ORG = "https://acme--dev.sandbox.my.salesforce.com"


@pytest.fixture
def ask():
    """Headers of an address behind SafeHeaders, with an org that may embed."""
    inner = Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("x"))])
    guarded = SafeHeaders(inner, framed_by=org_origins(ORG))

    async def get(path):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1") as client:
            return (await client.get(path)).headers

    return lambda path: asyncio.run(get(path))


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
