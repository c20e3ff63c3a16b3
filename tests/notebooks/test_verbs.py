"""The verbs for notebooks: their doctests, what they render, what they say while working and when something is wrong."""

from __future__ import annotations

import doctest
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import jedi
import pytest

import workbench as wb
from workbench import cell, notebook, operations, rows
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound, WorkbenchError
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators import world
from workbench.simulators.sandbox import Sandbox

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(world.generate(120, 5)) as running:
        yield running


@pytest.fixture(scope="module")
def pulled(sandbox, tmp_path_factory):
    """A store with the starter mapping, pulled once; its file."""
    path = tmp_path_factory.mktemp("pulled") / "store.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.settings_env().items():
            patch.setenv(name, value)
        patch.setenv("WORKBENCH_DATABASE", str(path))
        wb.connect()
        wb.import_mapping(by="Dana", reason="first")
        wb.pull()
    return path


@pytest.fixture
def bench(sandbox, pulled, tmp_path, monkeypatch):
    """A copy of the pulled store; both systems as they were at first."""
    saved = sandbox.saved()
    for name, value in sandbox.settings_env().items():
        monkeypatch.setenv(name, value)
    shutil.copy(pulled, tmp_path / "store.duckdb")
    monkeypatch.setenv("WORKBENCH_DATABASE", str(tmp_path / "store.duckdb"))
    monkeypatch.chdir(tmp_path)
    yield wb.connect()
    sandbox.restore(saved)


@pytest.mark.parametrize("verb", ["connect", "pull", "preview", "approve", "push", "undo", "results", "explain", "sql"])
def test_the_examples_of_each_verb_are_true(verb, bench):
    wb.preview("export")
    examples = doctest.DocTestFinder(recurse=False).find(getattr(notebook, verb), verb, globs=vars(notebook) | {})
    assert examples[0].examples, f"{verb} has no example"
    for example in examples:
        assert doctest.DocTestRunner().run(example).failed == 0


def test_the_example_of_rows_is_true(bench):
    wb.preview("export")
    (example,) = doctest.DocTestFinder(recurse=False).find(rows.Rows, "Rows", globs={"sql": wb.sql})
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("wb.preview('export').", {"counts", "buckets", "changes", "explain", "batch"}),
        ("wb.preview('export').batch(by='Dana').", {"state", "rows", "results", "scores"}),
        ("wb.pull().", {"pl", "df", "arrow", "sql", "where", "select"}),
        ("wb.results().where('x').pl().", {"height", "filter", "group_by"}),
        ("wb.connect().import_csv('a', 'b').", {"columns", "mapping", "confirm"}),
    ],
)
def test_typing_a_dot_offers_what_is_there(typed, offered):
    """By type hints alone, as Jupyter and editors complete; nothing is run."""
    found = {item.name for item in jedi.Script(f"import workbench as wb\n{typed}").complete()}
    assert offered <= found


def test_every_public_name_is_there_and_described():
    assert (
        set(dir(wb)) == set(wb.__all__) == set(notebook.__all__) - {*("Batch", "Explained", "Preview", "Rows", "Undo")}
    )
    for name in wb.__all__:
        assert getattr(wb, name).__doc__
    with pytest.raises(AttributeError):
        _ = wb.nothing


def test_rows_come_in_every_shape(bench):
    found = wb.sql("SELECT id, phone FROM mainstay.contact ORDER BY id;")
    assert found.pl().height == found.df().shape[0] == found.arrow().num_rows == len(found) == len(list(found))
    assert found.where("phone IS NULL").select("id").pl().columns == ["id"]
    counted = wb.sql("SELECT unnest([1, 2, 2]) AS n").count_by("n")
    assert list(counted) == [{"n": 2, "row_count": 2}, {"n": 1, "row_count": 1}]
    assert "20 of" in found._repr_html_()
    assert "1 row<" in wb.sql("SELECT 1 AS one")._repr_html_()
    assert "0 rows" in wb.sql("SELECT 1 AS one").where("false")._repr_html_()


def test_tables_escape_and_shorten():
    evil = "<script>alert(1)</script>" * 9
    shown = rows.html_table(
        [{"a": evil, "n": 1234, "t": True, "none": None, "l": ["x", 2]}], ["a", "n", "t", "none", "l"]
    )
    assert "<script>" not in shown
    assert "1,234" in shown
    assert "yes" in shown
    assert "x, 2" in shown
    assert 'title="&lt;script' in shown
    assert rows.cell(float("nan")) == ""
    assert rows.cell(0.5) == "0.5"


def test_results_render(bench):
    preview = wb.preview("export")
    assert "nothing is sent" in preview._repr_html_()
    assert sum(preview.counts.values()) == len(preview.changes)
    for system in ("salesforce", "mainstay"):
        assert sum(row["row_count"] for row in preview.buckets if row["system"] == system) == 120
    assert len(preview.conflicts) == preview.counts["conflict"]
    assert len(preview.requests) >= preview.counts["update"]
    assert all(row["row_count"] for row in preview.codes)
    told = preview.explain(next(iter(preview.changes))["salesforce_id"])
    assert "<ol>" in told._repr_html_()
    assert str(told).startswith("Pulled: ")
    assert "first_name" in wb.mapping()._repr_html_()
    assert wb.mapping().history[0]["reason"] == "first"
    assert {row["direction"] for row in wb.mapping().fields} == {"export", "import"}


def test_the_impact_of_another_mapping_is_told_and_nothing_is_saved(bench, tmp_path):
    other = tmp_path / "other.yaml"
    dropped = "        - {salesforce: GPA__c, mainstay: custom.GPA}\n"
    assert dropped in wb.mapping().text == operations.sample_mapping()
    other.write_text(wb.mapping().text.replace(dropped, ""))
    told = wb.mapping().impact(other)
    assert str(told).startswith("Export: alters ")
    assert {row["direction"] for row in told.rows} == {"export", "import"}
    assert sum(row["altered_payloads"] for row in told.rows) > 0
    assert "altered payloads" in told._repr_html_()
    assert len(wb.mapping().history) == 1
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read as text"):
        wb.mapping().impact(tmp_path / "binary.yaml")


def test_a_preview_looks_again_at_what_changed_alone(bench):
    whole = wb.preview("export")
    again = wb.preview("export", only_changed=True)
    assert again.preview > whole.preview
    assert len(again.changes) < len(whole.changes)


def test_a_batch_tells_its_state_as_it_is(bench):
    asked = wb.preview("export").batch(action="link", by="Dana")
    with pytest.raises(ApprovalRefused):
        wb.approve(asked, by="Dana")
    wb.push(wb.approve(asked, by="Sam"))
    assert wb.batch(asked.batch).state == "done"
    assert len(asked.results) == asked.rows
    assert "Predicted against actual" in asked._repr_html_()


def test_mistakes_end_in_sentences(bench, tmp_path):
    with pytest.raises(ConfigurationError, match="preview 'export' or 'import'"):
        wb.preview("upload")
    with pytest.raises(ConfigurationError, match="no mapping file"):
        wb.import_mapping(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="does not run"):
        wb.sql("SELECT nothing FROM nowhere").pl()
    with pytest.raises(ConfigurationError, match="is no SELECT but COPY"):
        wb.sql(f"COPY (SELECT 1) TO '{tmp_path / 'copied.csv'}'")
    with pytest.raises(ConfigurationError, match="is empty"):
        wb.sql(" ; ")
    with pytest.raises(ConfigurationError, match="holds 2 statements"):
        wb.sql("SELECT 1; SELECT 2")
    assert not (tmp_path / "copied.csv").exists()
    with pytest.raises(NotFound):
        wb.batch(99)


def test_numbers_and_ids_that_are_none_end_in_sentences(bench):
    for mistake in (lambda: wb.batch("x"), lambda: wb.results("14 or 1=1"), lambda: wb.results(1.5)):
        with pytest.raises(ConfigurationError, match="is no number of a batch"):
            mistake()
    with pytest.raises(ConfigurationError, match="is no number of a preview"):
        wb.explain("003", "export")
    with pytest.raises(NotFound, match="There is no batch 14"):
        wb.results(14)
    with pytest.raises(ConfigurationError, match=r"no status faild\. Statuses: success, partial, fail, unknown"):
        wb.results(status="faild")
    assert len(wb.results(status="fail")) == 0


def test_one_name_may_stand_for_a_list_of_one(bench):
    made = wb.preview("export", sobjects="Contact")
    assert sum(made.counts.values()) == sum(wb.preview("export", sobjects=["Contact"]).counts.values())
    with pytest.raises(ConfigurationError, match="5 is no id of a record"):
        made.explain(5)
    asked = made.batch(by="Dana")
    with pytest.raises(ConfigurationError, match="A canary of 0 sends nothing first"):
        wb.push(asked, canary=0)
    (one, *_) = wb.sql("SELECT change_id FROM journal.batch_change ORDER BY seq DESC LIMIT 1")
    rows = asked.rows
    assert wb.approve(asked, by="Sam", leave_out=one["change_id"]).rows == rows - 1


def test_undo_says_what_it_would_put_back_and_what_not(bench):
    asked = wb.preview("export").batch(action=["update", "create"], by="Dana")
    with pytest.raises(ApprovalRefused):
        wb.undo(asked)
    wb.push(wb.approve(asked, by="Sam"))
    with pytest.raises(ApprovalRefused, match="pull"):
        wb.undo(asked)
    wb.pull()
    back = wb.undo(asked)
    shown = back._repr_html_()
    assert 0 < back.report.restored < back.report.changes  # contacts that were made stay
    assert f"{back.report.restored:,} of {back.report.changes:,} changes of batch {asked.batch} would be put" in shown
    assert "What cannot be undone" in shown
    assert "each in one bucket" not in shown  # it has no buckets
    assert back.report.cannot[0]["why"] in shown
    assert len(back.changes) == back.report.changes


def test_a_batch_says_what_it_did_not_take(bench):
    made = wb.preview("export")
    asked = made.batch(action=["create", "blocked"], by="Dana")
    assert sum(asked.left_out.values()) + asked.rows == made.counts["create"] + made.counts["blocked"]
    assert asked.left_out
    assert all(reason in asked._repr_html_() for reason in asked.left_out)


def test_a_notebook_that_pushes_stops_outside_of_the_sandbox(bench, tmp_path):
    assert bench.is_sandbox
    bench.require_sandbox()
    real = Settings(
        salesforce=SalesforceSettings(instance_url="https://acme.my.salesforce.com", access_token="00D"),
        mainstay=bench.settings.mainstay,
    )
    with pytest.raises(ConfigurationError, match=r"would write to 127.0.0.1, acme.my.salesforce.com"):
        wb.connect(tmp_path / "real.duckdb", settings=real).require_sandbox()
    nothing = Settings(salesforce=SalesforceSettings(), mainstay=MainstaySettings())
    with pytest.raises(ConfigurationError, match="no system is connected"):
        wb.connect(tmp_path / "none.duckdb", settings=nothing).require_sandbox()


def test_the_pushing_notebook_asks_before_it_does_anything():
    """Notebook 4: nothing is pulled, asked or pushed before the cell that stops outside of the sandbox."""
    text = (FOLDER / "04_push_and_results.py").read_text()
    deeds = [text.index(deed) for deed in ("require_sandbox()", "wb.pull(", ".batch(", "wb.push(")]
    assert deeds[0] == min(deeds)
    for other in sorted(FOLDER.glob("*.py")):
        assert "wb.push(" not in other.read_text() or other.stem.startswith("04"), other.stem


def test_before_connecting_the_verbs_say_so(monkeypatch):
    monkeypatch.setattr(notebook, "_connected", {})
    with pytest.raises(ConfigurationError, match="connect"):
        wb.pull()


@pytest.fixture
def drawn(monkeypatch):
    """What a notebook would be shown, with a kernel that only pretends to be there."""
    shown = []

    class Handle:
        def display(self, html):
            shown.append(("display", html.data))

        def update(self, html):
            shown.append(("update", html.data))

    import IPython.display

    monkeypatch.setattr(IPython.display, "DisplayHandle", Handle)
    monkeypatch.setattr(cell, "shell", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr(cell, "REDRAW_SECONDS", 0.0)
    return shown


def test_progress_is_one_line_per_stage_and_leaves_one_behind(drawn):
    with cell.cell_progress() as progress:
        progress("Salesforce Contact", 0, 200)
        progress("Salesforce Contact", 200, 200)
        progress("diff <b>", 0, None)
    assert [kind for kind, _ in drawn] == ["display", "update", "update", "update"]
    assert '<progress value="200" max="200">' in drawn[1][1]
    assert "diff &lt;b&gt;" in drawn[2][1]
    assert drawn[-1][1].startswith("<small>Salesforce Contact 200, ")


def test_progress_that_never_began_leaves_nothing(drawn):
    with cell.cell_progress():
        pass
    assert drawn == []


def test_outside_of_notebooks_nothing_is_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert cell.shell() is None
    with cell.cell_progress() as progress:
        progress("anything", 1, 2)
    cell.tell_errors_plainly()


def test_in_notebooks_our_errors_are_their_sentence(drawn, monkeypatch):
    monkeypatch.setattr(WorkbenchError, "_render_traceback_", None, raising=False)
    cell.tell_errors_plainly()
    assert NotFound("There is no batch 9.")._render_traceback_() == ["NotFound: There is no batch 9."]
