"""Write notebooks/*.ipynb from their sources (notebooks/*.py, jupytext percent format), without outputs.

Run it after changing a notebook: python scripts/strip_notebooks.py. A test fails while an .ipynb is out of date.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import jupytext
import nbformat

FOLDER: Final = Path(__file__).resolve().parents[1] / "notebooks"


def write(source: Path) -> Path:
    """The .ipynb beside its source; cell ids follow from the text, so that an unchanged notebook stays unchanged."""
    notebook = jupytext.read(source)
    for place, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{place} {cell.source}".encode()).hexdigest()[:8]
    notebook.metadata = {"kernelspec": notebook.metadata.get("kernelspec", {}), "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    target = source.with_suffix(".ipynb")
    nbformat.write(notebook, target)
    return target


if __name__ == "__main__":
    for source in sorted(FOLDER.glob("*.py")):
        write(source)
