import re
import urllib.request

import pytest

from dashboard.early import CONNECTION, connection_tag, script_tags


def page_of(url):
    request = urllib.request.Request(url, headers={"Sec-Fetch-Dest": "document", "Accept-Encoding": "gzip"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return answer.headers, answer.read()


def test_a_screen_without_a_grid_asks_for_no_grid():
    assert "DataFrame" in script_tags("/previews")
    assert "DataFrame" not in script_tags("/results")
    assert "DataFrame" not in script_tags("/")


def test_an_address_is_no_markup():
    assert connection_tag('/"><b>') == f'<script data-path="/&quot;&gt;&lt;b&gt;">{CONNECTION}</script>'


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/results", "/people?embed=true"])
def test_every_script_named_in_the_page_is_there(site, path):
    headers, page = page_of(site + path)
    named = re.findall(rb'href="\./(static/js/[^"]+)"', page[: page.index(b"</head>")])

    assert int(headers["content-length"]) == len(page)
    assert len(named) == len(set(named)) > 60
    assert f'<script data-path="{path.split("?")[0]}">'.encode() in page
    for file in named:
        with urllib.request.urlopen(f"{site}/{file.decode()}") as script:
            assert script.status == 200


@pytest.mark.slow
def test_the_grids_script_is_asked_for_before_there_is_a_connection(page, helpers, site):
    page.goto(f"{site}/previews")
    helpers.browser.wait_idle(page)
    asked = page.evaluate(
        "() => Object.fromEntries(performance.getEntriesByType('resource').filter(item => !item.name.endsWith('.css'))"
        ".map(item => [item.name.split('/').pop().split('.')[0], item.startTime]))"
    )

    late = [kind for kind in ("DataFrame", "Pagination", "TextInput", "PageLink") if asked[kind] > asked["health"]]
    assert not late


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/results", "/people?id=ah2"])
def test_the_server_is_found_at_once(page, helpers, site, path):
    """No request for it under the address of the screen, which Streamlit would make first and which fails."""
    failed = []
    page.on("response", lambda answer: answer.status >= 400 and failed.append(answer.url))

    page.goto(site + path)
    helpers.browser.wait_idle(page)

    assert not failed
