"""Show SQL: every query behind a figure runs as it is shown, and opens as a notebook cell."""

import json

import pytest

from dashboard.components import queries
from dashboard.components.markup import code_link

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
