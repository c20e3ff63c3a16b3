import re

from dashboard.components.markup import Html
from dashboard.components.table import Column, table_html

COLUMNS = [Column("Result", 20), Column("When", 40, sort="descending"), Column("Requests", 40, is_number=True)]


def shown(*rows):
    return table_html("Sync results", COLUMNS, rows, "results?result=")


def test_every_value_is_text():
    html = shown(('<b>&"', "<script>x</script>", None))

    assert "<b>" not in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("None") == 0


def test_markup_of_ours_stays_markup():
    assert "<i>1</i>" in shown(("SR-1", Html("<i>1</i>"), 2))


def test_a_row_leads_to_its_address_and_only_the_first_is_a_stop_of_the_tab_key():
    html = shown(("SR-1", "", 1), ("SR-2", "", 1))

    assert re.findall(r'href="([^"]+)" data-opens="([^"]+)" tabindex="([^"]+)"', html) == [
        ("results?result=SR-1", "SR-1", "0"),
        ("results?result=SR-2", "SR-2", "-1"),
    ]


def test_a_header_that_sorts_is_a_button_and_says_how():
    html = shown()

    assert re.findall(r'aria-sort="(.*?)"><button type="button" data-sorts="(.*?)">', html) == [("descending", "When")]
    assert '<th scope="col" style="width:20%">Result</th>' in html
