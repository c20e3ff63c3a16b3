"""Every benchmark starts: what it imports and what it names in the package exist."""

import contextlib
import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    def load(name):
        monkeypatch.syspath_prepend(str(FOLDER))
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_it_loads(benchmark, name):
    assert benchmark(name).__doc__


def test_a_preview_without_bodies_still_decides_every_record(benchmark, tmp_path):
    """What the preview's benchmark subtracts is the text of requests; who is not walked stays in its bucket."""
    preview = benchmark("preview")
    store, revision = preview.land(tmp_path, 300, 12)
    counted = "SELECT action, count(*) FROM work.all_changes WHERE group_id IS NULL GROUP BY ALL ORDER BY ALL"

    found = []
    for bodies in (contextlib.nullcontext(), preview.without_bodies()):
        with bodies, preview.computed(store, revision, preview.Direction.EXPORT) as done:
            found.append(done.con.execute(counted).fetchall())

    assert found[0] == found[1]
    assert len(found[0]) > 3
