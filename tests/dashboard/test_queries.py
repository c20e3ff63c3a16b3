"""Show SQL: every query behind a figure runs as it is shown, and opens as a notebook cell."""

import json

import pytest

from dashboard.components import queries
from dashboard.components.markup import code_link, verdicts

VALUES = {"preview_id": 1, "preview_ids": "1", "microseconds": 86_400_000_000, "bars": 30}


@pytest.mark.parametrize("name", sorted(queries.QUERIES))
def test_every_shown_query_runs(small_store, name):
    assert small_store.rows(queries.query_text(name, **VALUES)) is not None


def test_a_query_opens_as_one_cell_of_a_notebook():
    found = json.loads(queries.notebook("SELECT 1 AS one"))

    assert (found["nbformat"], len(found["cells"])) == (4, 1)
    source = "".join(found["cells"][0]["source"])
    compile(source, "cell", "exec")
    assert "SELECT 1 AS one" in source


def test_a_code_links_to_its_entry_and_stays_text():
    assert 'href="errors?entry=10"' in code_link("invalid-email")
    assert "href" not in code_link("<script>")
    assert "&lt;script&gt;" in code_link("<script>")
    seen = {
        "predicted_status": "partial",
        "predicted_codes": ["invalid-email"],
        "status": "fail",
        "codes": ["not-found"],
    }
    assert verdicts(seen).count('<a class="wb-code"') == 2


def test_a_chart_is_drawn_without_a_script_until_it_is_asked_for(app, small_store):
    running = app(small_store)
    drawn = next(piece.value for piece in running.html if 'class="wb-columns"' in piece.value)
    assert not running.get("plotly_chart")
    assert "2 bars from 09:00 to 09:01: Success 41, Partial 11, Fail 8" in drawn

    running.toggle(key="chart_over_time").set_value(True).run()

    assert len(running.get("plotly_chart")) == 1
    assert not any('class="wb-columns"' in piece.value for piece in running.html)


def test_drawn_bars_are_as_long_as_their_counts_and_names_stay_text():
    from dashboard.components import drawn

    rows = [
        {"field": "<b>Phone</b>", "rows": 3, "kind": "update"},
        {"field": "<b>Phone</b>", "rows": 1, "kind": "create"},
        {"field": "GPA", "rows": 1, "kind": "update"},
        {"field": "GPA", "rows": 9, "kind": "a kind without a name"},
    ]
    key = {"update": ("Update", "#111111"), "create": ("Create", "#222222")}

    html = drawn.lines(rows, x="field", y="rows", series="kind", key=key)

    assert "&lt;b&gt;Phone&lt;/b&gt;: 3 Update, 1 Create" in html
    assert "<b>Phone" not in html
    assert ("width:100.00%" in html, "width:25.00%" in html) == (True, True)
    assert drawn.columns([], x="field", y="rows", series="kind", key=key, height=100)
