import doctest

import pytest

from dashboard.components import markup, result_drawer, text
from dashboard.components.text import csv_safe, html_value, md, percent

EVIL = "![x](http://evil.example/a.png)<script>alert(1)</script>"


@pytest.mark.parametrize("module", [text, result_drawer])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "value", [EVIL, "http://evil.example", "www.evil.example", "a@evil.example", ":material/home:"]
)
def test_markdown_of_others_shows_as_written(value):
    """Every character that could start markup is escaped, and no bare link is left for autolinking."""
    shown = md(value)

    assert "](" not in shown
    assert "://" not in shown
    assert "www." not in shown
    assert shown.replace("\\", "").replace("\u2060", "") == value


@pytest.mark.parametrize("value", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "|calc", " =1"])
def test_a_spreadsheet_calculates_nothing(value):
    assert csv_safe(value) == "'" + value


@pytest.mark.parametrize("value", ["-12.5", "+14045550101", "Amy", None, 3])
def test_plain_cells_stay(value):
    assert csv_safe(value) == value


def test_every_piece_of_html_escapes():
    pieces = [
        markup.pill(EVIL, "javascript"),
        markup.code(EVIL),
        markup.facts([(EVIL, EVIL)]),
        markup.table((EVIL,), [(EVIL,)], label=EVIL),
        markup.differences([{"field": EVIL, "before": EVIL, "after": [EVIL]}]),
        markup.stacked_bar({EVIL: 2}, label=EVIL),
        markup.verdicts({"predicted_status": EVIL, "predicted_codes": [EVIL], "status": "fail", "codes": [EVIL]}),
    ]

    assert not [piece for piece in pieces if "<script" in piece]


def test_the_empties_stay_apart():
    assert len({html_value(None), html_value(""), html_value("UNSET"), html_value("0")}) == 4


def test_nearly_all_is_not_all():
    assert percent(999_999 / 1_000_000) == "99.9%"
