"""The page in a notebook's cell: blind, answered by its buttons over real HTTP, and closed to everybody else."""

from __future__ import annotations

import http.client
import re
from urllib.parse import urlencode, urlsplit

import pytest
from world import record_id

from workbench.lab.labels import verdicts


@pytest.fixture
def page(lab):
    lab.draw_sample("crm_id > phone > email", size=50)
    page = lab.ask(by="Dana <b>")
    yield page
    page.close()


def ask(page, method="GET", path=None, body=None, host=None):
    """(status, headers, text) of one request to the page's server."""
    parts = urlsplit(page.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {"Host": host or parts.netloc, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path or parts.path, body=body and urlencode(body), headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read().decode()
    connection.close()
    return found


def press(page, verdict):
    """What a browser sends for a button: its value and the hidden fields of the form it stands in."""
    _, _, text = ask(page)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))
    assert f'value="{verdict}"' in text
    status, headers, _ = ask(page, "POST", body={**fields, "verdict": verdict})
    assert (status, headers["Location"]) == (303, urlsplit(page.url).path)
    return fields["record"], fields["contact"]


def test_the_cell_shows_the_page_and_the_page_shows_two_records(page):
    assert f'src="{page.url}"' in page._repr_html_()
    assert "Dana &lt;b&gt;" in page._repr_html_()
    status, headers, text = ask(page)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Dana &lt;b&gt;" in text
    assert "example.com" in text


def test_it_is_blind(page, lab):
    """Neither the rule that proposed a pair, nor the CRM ID, nor what others said."""
    asked = lab.next_pair("Dana <b>").pair
    lab.label(asked, "different", by="Quentin")
    _, _, text = ask(page)
    body = text.split("<body")[-1].split("<script>")[0]
    shown = re.sub(r'<input type="hidden"[^>]*>', "", body)
    for hint in ("crm", "Quentin", record_id(1), "rule", "probability", "stratum"):
        assert hint not in shown, hint


def test_buttons_answer_take_back_and_end(page, lab):
    size = lab.sample_size
    first = press(page, "same")
    assert verdicts(lab.store) == {first: {"Dana <b>": "same"}}
    press(page, "undo")
    assert verdicts(lab.store) == {}
    assert press(page, "different") == first
    for _ in range(size - 1):
        press(page, "unsure")
    _, _, text = ask(page)
    assert "All pairs are labelled" in text
    assert f"{size} of {size}" in text
    assert len(verdicts(lab.store)) == size


def test_a_page_left_open_answers_nothing_twice(page, lab):
    first = press(page, "same")
    ask(page, "POST", body={"record": first[0], "contact": first[1], "verdict": "different"})
    assert verdicts(lab.store) == {first: {"Dana <b>": "same"}}
    ask(page, "POST", body={"record": "003none", "contact": "ah0", "verdict": "same"})
    assert len(verdicts(lab.store)) == 1


@pytest.mark.parametrize("wrong", [{"path": "/"}, {"path": "/guess/"}, {"host": "evil.example:80"}])
def test_without_the_secret_or_under_another_name_nothing_is_found(page, lab, wrong):
    assert ask(page, **wrong)[0] == 404
    pair = lab.next_pair("Dana <b>").pair
    assert ask(page, "POST", body={"record": pair[0], "contact": pair[1], "verdict": "same"}, **wrong)[0] == 404
    assert verdicts(lab.store) == {}


def test_a_pair_that_left_the_pull_is_said(page, lab):
    lab.people.con.execute("DELETE FROM work.contact")
    assert "draw a new sample" in ask(page)[2]
    assert "draw a new sample" in ask(page, "POST", body={"record": "a", "contact": "b", "verdict": "same"})[2]


def test_before_a_draw_it_says_how(lab):
    page = lab.ask(by="Dana")
    try:
        assert "lab.draw_sample()" in ask(page)[2]
    finally:
        page.close()
