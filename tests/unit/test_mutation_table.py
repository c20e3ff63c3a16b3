"""The table of mutations knows every rule that stands in the SQL now: none is lost, none is left out."""

from __future__ import annotations

import importlib.util
import itertools
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1] / "mutation"
PACKAGE = HERE.parents[1] / "workbench"
COMPILED = sorted(path.name for path in (PACKAGE / "engine").glob("compile_*.py"))
# Conditions as they stand in compiled SQL.
CONDITION = re.compile(
    r"\b(CASE WHEN|WHERE|HAVING|QUALIFY|IS NULL|IS NOT NULL|IS DISTINCT FROM|IS NOT DISTINCT FROM)\b|>|<"
)


@pytest.fixture(scope="module")
def mutations():
    """The table, loaded as its script does."""
    sys.path.insert(0, str(HERE))
    try:
        modules = {}
        for name in ("mutant", "generated", "table"):
            spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
            modules[name] = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(modules[name])
        return (*modules["table"].MUTATIONS, *modules["generated"].GENERATED)
    finally:
        sys.path.remove(str(HERE))


def test_every_mutation_finds_its_text(mutations):
    assert [(one.file, one.breaks) for one in mutations if not one.line] == []


def test_every_mutation_is_looked_at_by_tests_that_exist(mutations):
    named = {test.split("::")[0] for one in mutations for test in (*one.tests, *one.wider)}
    assert [test for test in sorted(named) if not (HERE.parents[1] / test).exists()] == []
    assert [(one.file, one.breaks) for one in mutations if not (one.tests or one.wider)] == []


def test_every_step_is_broken(mutations):
    files = {one.file for one in mutations}
    steps = {f"sql/{path.parent.name}/{path.name}" for path in (PACKAGE / "sql").glob("*/*.sql")}
    assert {step for step in steps if not step.startswith("sql/migrations/")} <= files


def test_every_macro_is_broken(mutations):
    text = (PACKAGE / "engine/rules_sql.py").read_text()
    starts = [(hit.group(1), text.count("\n", 0, hit.start()) + 1) for hit in re.finditer(r"REPLACE MACRO (\w+)", text)]
    broken = [one.line for one in mutations if one.file == "engine/rules_sql.py"]
    ends = [line for _, line in starts[1:]] + [text.count("\n") + 1]
    untouched = [
        name
        for (name, start), end in zip(starts, ends, strict=True)
        if not any(start <= line < max(end, start + 1) for line in broken)
    ]
    assert untouched == []


@pytest.mark.parametrize("module", COMPILED)
def test_every_function_that_writes_a_condition_is_broken(mutations, module):
    lines = (PACKAGE / "engine" / module).read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"(def |[A-Z_]+\b.*=)", line)] + [len(lines)]
    broken = {one.line - 1 for one in mutations if one.file == f"engine/{module}"}
    untouched = []
    for start, end in itertools.pairwise(starts):
        body = [line for line in lines[start:end] if not line.lstrip().startswith(("#", '"""'))]
        has_condition = any(
            CONDITION.search(text) for line in body[1:] for text in re.findall(r"\"[^\"]*\"|'[^']*'", line)
        )
        if has_condition and not broken & set(range(start, end)):
            untouched.append(lines[start])
    assert untouched == []
