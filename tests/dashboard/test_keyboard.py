"""Every main action is reached by keys alone, in the order of reading, and where the focus is can be seen."""

import pytest

pytestmark = pytest.mark.slow
CONTROLS = {"A", "BUTTON", "SUMMARY", "INPUT"}
FOCUS = """() => {
  const at = document.activeElement, look = getComputedStyle(at), box = at.getBoundingClientRect();
  const text = at.getAttribute('aria-label') || at.labels?.[0]?.innerText || at.innerText || at.placeholder || '';
  return {
    name: text.replace(/\\s+/g, ' '), tag: at.tagName, isSeen: box.width > 0 && box.height > 0,
    isRinged: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2,
    isInMain: !!at.closest('[data-testid="stMain"]'),
  };
}"""


def stops(page, wanted, most=60):
    """What the Tab key stops at from the top of the page, until a name that contains `wanted`.

    A part drawn anew under the focus gives it back to the body, which is no stop: the next Tab goes on from there.
    """
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            continue
        found.append(stop)
        if stop["tag"] in CONTROLS and stop["isInMain"] and wanted in stop["name"]:
            return found
    raise AssertionError((wanted, [stop["name"] for stop in found]))


@pytest.mark.parametrize(
    ("path", "before", "action"),
    [
        ("/", None, "Preview 1"),
        ("/previews?preview=1", "Show SQL", "Request approval"),
        ("/results", "Search", "Next page"),
        ("/approvals?batch=1", "Batch 1", "Undo"),
        ("/people?id=ah2", "Search", "Amy2 Lee"),
        ("/mapping", "Objects", "Add field mapping"),
        ("/settings", None, "Check both connections"),
    ],
)
def test_the_main_action_is_reached_by_keys_and_the_focus_is_seen(page, path, before, action):
    page.visit(path)
    page.get_by_test_id("stMain").wait_for()

    found = stops(page, action)

    names = [stop["name"] for stop in found]
    assert names[0] == "Skip to main content"
    assert before is None or any(before in name for name in names[:-1])
    unseen = [(stop["tag"], stop["name"]) for stop in found if not stop["isSeen"]]
    assert not unseen
    unringed = [stop["name"] for stop in found if stop["tag"] in CONTROLS - {"INPUT"} and not stop["isRinged"]]
    assert not unringed


def test_the_way_around_the_navigation(page):
    page.visit("/errors")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.keyboard.press("Tab")

    assert page.evaluate(FOCUS)["name"].startswith("Search")


def test_enter_opens_what_tab_reached(page):
    page.visit("/")
    stops(page, "Preview 1")

    page.keyboard.press("Enter")
    page.settle()

    assert "/previews?preview=1" in page.url
