"""People, mapping, dictionary, logs and settings in a real browser; any request to the outside fails the test."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow


def test_a_conversation_stands_left_and_right_and_no_message_becomes_markup(page, helpers):
    page.visit("/people?id=ah2")

    bubbles = page.locator(".wb-msg")
    assert bubbles.count() == 500
    incoming, outgoing = page.locator(".wb-in").last.bounding_box(), page.locator(".wb-out").last.bounding_box()
    assert incoming["x"] < outgoing["x"]
    expect(page.locator(".wb-reason").last).to_have_text("AI: <i>Housing</i>")
    last = page.locator(".wb-bubble").last
    last.hover()
    assert "UTC" in last.get_attribute("data-ts")
    page.wait_for_function(
        "() => getComputedStyle([...document.querySelectorAll('.wb-bubble')].at(-1), '::after').opacity == 1"
    )
    assert page.evaluate("window.__xss") is None
    assert page.locator("img[src*=evil]").count() == 0
    for body in helpers.rows.BODIES:
        expect(page.locator(".wb-bubble", has_text=body).last).to_be_attached()


def test_a_tab_and_a_person_survive_a_reload(page):
    page.visit("/people?id=003X7&tab=Biography")
    expect(page.get_by_role("list", name="Biography")).to_be_visible()

    page.reload()
    page.settle()

    expect(page.get_by_text("Amy7 Lee").first).to_be_visible()
    expect(page.get_by_role("list", name="Biography")).to_be_visible()


def test_searching_and_choosing_a_person(page):
    page.visit("/people")
    page.get_by_placeholder("Name, phone, email or id").fill("(404) 555-0009")
    page.get_by_role("button", name=re.compile("Amy9 Lee")).click()
    page.settle()

    assert "id=003X9" in page.url
    expect(page.locator(".wb-head")).to_contain_text("Amy9 Lee")


def test_the_embedded_person_has_nothing_around(page):
    page.visit("/people?embed=true&id=003X2&sobject=Contact")

    expect(page.locator(".wb-head")).to_contain_text("Amy2 Lee")
    assert page.get_by_test_id("stSidebarNav").count() == 0
    assert page.get_by_role("heading", level=1).count() == 0


def test_a_pair_is_added_judged_and_kept_over_a_reload(page):
    page.visit("/mapping")
    page.get_by_role("button", name="Add field mapping").click()
    drawer = page.get_by_role("dialog")

    def pick(label, words, option):
        drawer.get_by_label(label).fill(words)
        page.get_by_role("option", name=re.compile(option)).first.click()
        page.settle()

    pick("Salesforce field", "Birthdate", "Birthdate")
    pick("Mainstay field", "email", "^email")
    expect(drawer.get_by_text(re.compile("Not valid"))).to_be_visible()
    pick("Salesforce field", "Title", "Title")
    pick("Mainstay field", "Job", "custom.Job")
    expect(drawer.get_by_text(re.compile("Valid: a string"))).to_be_visible()
    drawer.get_by_role("button", name="Keep").click()
    page.settle()
    expect(page.get_by_text("Draft, not saved")).to_be_visible()

    page.visit("/mapping?tab=Review+and+save")
    expect(page.get_by_role("table", name="Differences")).to_contain_text("Mainstay custom.Job")
    expect(page.get_by_role("button", name="Save revision")).to_be_disabled()
    page.get_by_role("button", name="Give up the draft").click()
    page.settle()
    expect(page.get_by_text("Nothing to save")).to_be_visible()


def test_a_code_opens_its_entries(page):
    page.visit("/errors?code=duplicate-contact")

    assert page.locator(".wb-entry").count() == 4
    page.get_by_role("link", name="Show all entries").click()
    page.settle()
    assert page.locator(".wb-entry").count() == 14


def test_settings_name_roles_and_the_way_into_salesforce(page):
    page.visit("/settings")

    expect(page.get_by_role("table", name="Roles")).to_contain_text("decide on what others asked for")
    page.get_by_text("A page to paste").click()
    expect(page.get_by_text(re.compile("apex:iframe"))).to_be_visible()
    assert "secret-token" not in page.content()


def test_looking_with_a_viewers_eyes_hides_names(page):
    page.visit("/settings")
    page.get_by_role("radio", name="viewer").click()
    page.settle()

    expect(page.get_by_text("This page is closed to your role")).to_be_visible()
    page.get_by_role("link", name="People").click()
    page.settle()
    assert page.get_by_text("Amy").count() == 0
    expect(page.get_by_role("button", name="Show personal data")).to_be_disabled()


@pytest.mark.parametrize("path", ["/people?id=ah2", "/mapping", "/errors", "/settings", "/fields"])
def test_a_narrow_screen_needs_no_sideways_scrolling(page, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.visit(path)

    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert page.get_by_test_id("stException").count() == 0


def test_what_a_button_holds_is_made_when_it_opens(page):
    page.visit("/results")
    opener = page.get_by_role("button", name=re.compile("Download"))
    assert page.get_by_role("button", name="CSV").count() == 0
    opener.click()
    expect(page.get_by_role("button", name=re.compile("CSV"))).to_be_visible()
    page.keyboard.press("Escape")

    page.visit("/")
    button = page.get_by_role("button", name=re.compile("Show SQL")).first
    button.click()

    page.get_by_role("tab", name="Notebook cell").click()
    expect(page.get_by_role("button", name=re.compile("Open as a notebook"))).to_be_visible()
    card, shown = page.get_by_test_id("stMain").bounding_box(), button.bounding_box()
    assert card["x"] < shown["x"] < card["x"] + card["width"]
