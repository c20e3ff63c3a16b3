import re
import urllib.request

import pytest

from dashboard.early import early_tags


def page_of(url):
    request = urllib.request.Request(url, headers={"Sec-Fetch-Dest": "document", "Accept-Encoding": "gzip"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return answer.headers, answer.read()


def test_a_screen_without_a_grid_asks_for_no_grid():
    assert b"DataFrame" in early_tags("/results")
    assert early_tags("/") == b""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/results", "/people?embed=true"])
def test_every_script_named_in_the_page_is_there(site, path):
    headers, page = page_of(site + path)
    named = re.findall(rb'src="\./(static/js/[^"]+)"', page[: page.index(b"</head>")])

    assert int(headers["content-length"]) == len(page)
    assert len(named) > 4
    for file in named:
        with urllib.request.urlopen(f"{site}/{file.decode()}") as script:
            assert script.status == 200


@pytest.mark.slow
def test_the_grids_script_is_asked_for_before_there_is_a_connection(page, helpers, site):
    page.goto(f"{site}/results")
    helpers.browser.wait_idle(page)
    asked = page.evaluate(
        "() => Object.fromEntries(performance.getEntriesByType('resource').filter(item => !item.name.endsWith('.css'))"
        ".map(item => [item.name.split('/').pop().split('.')[0], item.startTime]))"
    )

    late = [kind for kind in ("DataFrame", "Pagination", "TextInput", "PageLink") if asked[kind] > asked["health"]]
    assert not late
