"""Every step says in its header what a row means, what it reads and what it binds, and says it truly."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STEPS = sorted(
    (folder, entry.name.removesuffix(".sql"), entry.read_text())
    for folder in ("outgoing", "incoming", "threeway", "guards", "checks", "approve", "undo")
    for entry in (resources.files("workbench") / "sql" / folder).iterdir()
    if entry.name.endswith(".sql")
)


def named(text: str, key: str) -> str:
    found = re.search(rf"^-- {key}: (.+(?:\n--   .+)*)", text, re.MULTILINE)
    return found.group(1) if found else ""


@pytest.mark.parametrize(("folder", "name", "text"), STEPS, ids=[f"{folder}/{name}" for folder, name, _ in STEPS])
def test_the_header_is_true(folder, name, text):
    body = re.sub(r"--.*", "", text)
    assert text.startswith(f"-- {name}: ")
    assert named(text, "grain")
    assert set(re.findall(r"work\.(\w+)", named(text, "reads"))) == set(re.findall(r"(?:FROM|JOIN) work\.(\w+)", body))
    assert set(re.findall(r"\$(\w+)", named(text, "binds"))) == set(re.findall(r"\$(\w+)", body))
    assert not body.rstrip().endswith(";")
