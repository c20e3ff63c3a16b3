"""The paths a person takes, in a real browser; any request to the outside fails the test."""

import re
import urllib.request

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", ["/", "/results", "/errors"])
def test_every_screen_opens_without_a_fault(page, path):
    page.visit(path)

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").count() == 0


def test_a_deep_link_opens_the_drawer(page):
    page.visit("/results?result=SR-0000005")

    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("SR-0000005").first).to_be_visible()
    expect(drawer.get_by_text("invalid-email").first).to_be_visible()
    expect(drawer.get_by_role("link", name="Error dictionary, entry")).to_be_visible()


def test_a_row_opens_where_it_stands_and_in_a_tab_of_its_own(page):
    page.visit("/results")
    page.evaluate("window.isTheSamePage = true")
    row = page.get_by_role("link", name="SR-0000058")

    row.click()
    expect(page.get_by_role("dialog").get_by_text("SR-0000058").first).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    page.keyboard.press("Escape")

    with page.context.expect_page() as opened:
        row.click(modifiers=["Control"])
    expect(opened.value.get_by_role("dialog").get_by_text("SR-0000058").first).to_be_visible()
    opened.value.close()


def test_a_header_sorts_and_the_arrow_keys_go_from_row_to_row(page):
    page.visit("/results")
    expect(page.get_by_role("columnheader", name="When")).to_have_attribute("aria-sort", "descending")

    for order in ("ascending", "descending", "ascending"):
        page.get_by_role("button", name="When").click()
        page.settle()
        expect(page.get_by_role("columnheader", name="When")).to_have_attribute("aria-sort", order)
    page.get_by_role("link", name="SR-0000001").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="SR-0000002")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog").get_by_text("SR-0000002").first).to_be_visible()


def test_filters_stand_in_the_address(page):
    page.visit("/results?status=fail")
    expect(page.get_by_text("of 8")).to_be_visible()

    page.locator(".st-key-status").get_by_text("partial").click()
    page.settle()

    assert "status=partial" in page.url


def test_markup_in_a_name_stays_text(page):
    page.visit("/results?result=SR-0000001")

    expect(page.get_by_role("dialog").get_by_text(re.compile("evil"))).to_be_visible()
    assert page.evaluate("window.__xss") is None
    assert page.locator("img[src*=evil]").count() == 0


def test_from_a_result_to_its_entry(page):
    page.visit("/results?result=SR-0000005")

    page.get_by_role("dialog").get_by_role("link", name="Error dictionary, entry").click()
    page.settle()

    assert "entry=" in page.url
    expect(page.get_by_role("heading", level=1, name="Error dictionary")).to_be_visible()


def test_every_answer_carries_safe_headers(site):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(site, timeout=5) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
