"""A second object is mapped in the page, and a value that would be emptied is shown as such, in both directions."""

import pytest
from playwright.sync_api import expect

from workbench.store.mappings import current_mapping

pytestmark = pytest.mark.slow


def test_one_more_object_is_mapped_in_the_page(page_over, small_store):
    """The draft is kept over a reload; it is saved only after its fields were checked, here by a system that is away."""
    page = page_over(small_store)
    page.visit("/mapping")
    page.get_by_role("button", name="Objects").click()
    page.get_by_label("API name").fill("Application__c")
    page.get_by_label("API name").press("Enter")
    page.get_by_role("button", name="Map this object").click()
    page.settle()
    expect(page.get_by_role("radio", name="Application__c")).to_be_visible()

    page.get_by_role("tab", name="Review and save").click()
    expect(page.get_by_role("row", name="Application__c").first).to_contain_text("mapped")
    page.reload()
    page.settle()
    expect(page.get_by_role("row", name="Application__c").first).to_contain_text("mapped")

    page.get_by_role("button", name="See what it would alter").click()
    # A system that is away is asked several times, with pauses that grow.
    expect(page.get_by_text("Salesforce was not reached for the describe")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Save revision")).to_be_disabled()
    assert current_mapping(small_store).revision == 1


@pytest.mark.parametrize(
    ("direction", "after", "shown"), [("export", '"UNSET"', "cleared (UNSET)"), ("import", "null", "blank")]
)
def test_a_value_that_would_be_emptied_is_shown_as_emptied(page_over, small_store, direction, after, shown):
    fields = f'[{{"field": "email", "before": "amy12@mail.example.org", "after": {after}}}]'
    values = {"fields": fields, "direction": direction}
    small_store.write(
        (
            """UPDATE preview.change SET fields = $fields, direction = $direction, guards = ['blank-value']
               WHERE change_id = 'P1-12'""",
            values,
        )
    )
    page = page_over(small_store)

    page.visit("/previews?preview=1&change=P1-12")

    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("amy12@mail.example.org")).to_be_visible()
    expect(drawer.get_by_text(shown, exact=True)).to_be_visible()
    expect(drawer.get_by_text("Clears values that are there now.")).to_be_visible()
