"""Each notebook runs from its first cell to its last against both sandbox systems, in under a minute."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from pathlib import Path

import jupytext
import nbformat
import pytest
from anyio.from_thread import start_blocking_portal
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from workbench.lab.labels import save_truth
from workbench.simulators import world
from workbench.simulators.sandbox import Sandbox
from workbench.store import Store

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
SECONDS = 60
PEOPLE = 150
SPENT = "import os, time\nprint(time.process_time() - float(os.environ['STARTED']))"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(world.generate(PEOPLE, 7)) as running:
        yield running


@pytest.fixture(scope="module")
def loop():
    """An event loop in a thread of its own: a browser of other tests may keep one going in this thread."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def kernel(loop, tmp_path_factory):
    """One kernel for all notebooks: loading plotly, polars and DuckDB anew for each would take most of the time."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")},
        "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython")),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    manager = AsyncKernelManager(kernel_name="python3")
    loop.call(partial(manager.start_kernel, env=environment, cwd=str(FOLDER)))
    yield manager
    loop.call(partial(manager.shutdown_kernel, now=True))


@pytest.fixture
def fresh(sandbox, tmp_path):
    """What a notebook finds when it opens: no names, an empty store, and both systems as they were at first."""
    saved = sandbox.saved()
    names = {**sandbox.settings_env(), "WORKBENCH_DATABASE": str(tmp_path / "store.duckdb")}
    save_truth(Store(names["WORKBENCH_DATABASE"]), sandbox.world.truth.to_arrow(), source="the sandbox")
    yield f"%reset -f\nimport os, time\nos.environ.update({names!r})\nos.environ['STARTED'] = str(time.process_time())"
    sandbox.restore(saved)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # jupyter_client's, in the driving process; the notebook itself runs in a kernel
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_it_runs_within_a_minute(source, fresh, kernel, loop):
    """Seconds are those of the kernel's own work: a busy machine makes no notebook slower."""
    notebook = jupytext.read(source)
    own_cells = list(notebook.cells)
    notebook.cells = [new_code_cell(fresh), *own_cells, new_code_cell(SPENT)]
    client = NotebookClient(notebook, timeout=240, km=kernel, resources={"metadata": {"path": str(FOLDER)}})
    loop.call(client.async_execute)
    assert float(notebook.cells[-1].outputs[0].text) < SECONDS
    for cell in own_cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
    shown = [output for cell in own_cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("text/html" in output.data for output in shown)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_ipynb_is_its_source_without_outputs(source):
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    written = jupytext.read(source)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in written.cells
    ], "run: python scripts/strip_notebooks.py"
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_cells_are_short_and_use_public_names(source):
    notebook = jupytext.read(source)
    assert notebook.cells[0].source.startswith("# "), "a notebook opens with its title"
    for cell in notebook.cells:
        assert len(cell.source.splitlines()) <= 24, cell.source
        if cell.cell_type == "code":
            imported = re.findall(r"(?:from|import) (workbench[\w.]*)", cell.source)
            assert set(imported) <= {"workbench", "workbench.errors", "workbench.lab"}, imported


def test_the_kernel_is_this_python():
    """`python3` resolves to the environment that runs the tests, not to another kernel of this machine."""
    from jupyter_client.kernelspec import KernelSpecManager

    spec = KernelSpecManager().get_kernel_spec("python3")
    assert Path(spec.argv[0]).name in {Path(sys.executable).name, "python", "python3"}
