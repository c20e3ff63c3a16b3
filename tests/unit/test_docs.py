"""Documentation that cannot rot: commands, settings, error codes and view columns, held to the code."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from workbench.cli.commands import app
from workbench.domain.error_dictionary import ENTRIES, OUTSIDE_MESSAGES
from workbench.settings import Settings
from workbench.simulators.faults import PROFILES, Fault
from workbench.simulators.world import SCENARIOS
from workbench.store import Store

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def test_the_command_reference_is_the_commands():
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (DOCS / "cli.md").read_text() == made.cli_reference(), "run: python docs/make_reference.py"
    for name, command in made.commands():
        assert command.help, f"{name} has no help"
        for item in command.params:
            assert item.name == "help" or item.help, f"{name} {item.name} has no help"


def test_every_setting_is_documented_with_its_default():
    text = (DOCS / "settings.md").read_text()
    rows = {row[1]: row[2] for row in re.finditer(r"^\| `(WORKBENCH_\w+)` \|(.*?)\|", text, re.MULTILINE)}
    known = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            for part, inner in type(field.default).model_fields.items():
                known[f"WORKBENCH_{name}__{part}".upper()] = inner.default
        else:
            known[f"WORKBENCH_{name}".upper()] = field.default
    assert set(rows) == set(known)
    for name, default in known.items():
        shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        assert rows[name].strip() in {shown, shown.replace(".0`", "`")}, name


def test_the_sandbox_page_names_every_scenario_profile_and_fault():
    text = (DOCS / "sandbox.md").read_text()
    parts = text.split("\n## ")
    named = {part.split("\n")[0]: set(re.findall(r"^\| `([\w-]+)` \|", part, re.MULTILINE)) for part in parts}
    assert named["People and their situations"] == set(SCENARIOS)
    assert named["Faults"] == set(PROFILES)
    assert set(re.findall(r"`([\w-]+)`", text.split("Single faults:")[1])) == set(Fault)


def test_every_error_code_is_documented():
    text = (DOCS / "errors.md").read_text()
    for entry in ENTRIES:
        row = next(line for line in text.splitlines() if line.startswith(f"| {entry.number} |"))
        for part in (f"`{entry.code}`", entry.meaning, entry.next_step):
            assert part in row
    for code in OUTSIDE_MESSAGES:
        assert f"`{code}`" in text


def test_every_view_column_is_documented(tmp_path):
    store = Store(str(tmp_path / "store.duckdb"))
    actual: dict[str, set[str]] = {}
    for row in store.rows("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'view'"):
        actual.setdefault(row["table_name"], set()).add(row["column_name"])
    documented = {}
    for section in (DOCS / "views.md").read_text().split("\n## view.")[1:]:
        cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        documented[section.split("\n")[0]] = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == actual


def test_every_view_names_the_tables_it_reads(tmp_path):
    store = Store(str(tmp_path / "store.duckdb"))
    source = re.compile(r"(?:FROM|JOIN)\s+\(*((?:journal|preview|config|mainstay|salesforce|lab|view)\.\w+)")
    actual = {
        row["view_name"]: set(source.findall(row["sql"].replace('"', "")))
        for row in store.rows("SELECT view_name, sql FROM duckdb_views() WHERE schema_name = 'view'")
    }
    documented = {}
    for section in (DOCS / "views.md").read_text().split("\n## view.")[1:]:
        said = section.split("\nSource:")[-1].split("\n\n")[0] if "\nSource:" in section else section
        documented[section.split("\n")[0]] = set(re.findall(r"`(\w+\.\w+)`", said.split("|")[0])) - {"lab.ask"}
    assert documented == actual


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_exists(page):
    """Commands in code blocks and in `workbench ...` quotes parse: the command and each of its options are real."""
    text = page.read_text()
    blocks = "\n".join(re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.DOTALL))
    shown = re.findall(r"^(?:\$ )?workbench (.+?)(?:\s+#.*)?$", blocks, re.MULTILINE)
    shown += re.findall(r"`workbench ([^`]+)`", text)
    for line in shown:
        command = get_command(app)
        words = shlex.split(line.replace("...", "").split("|")[0])
        while words and getattr(command, "commands", None):
            name = words.pop(0)
            if name.startswith("-"):
                break
            assert name in command.commands, f"{page.name}: workbench {line}"
            command = command.commands[name]
        known = {name for item in command.params for name in [*item.opts, *item.secondary_opts]} | {"--database"}
        for word in words:
            if word.startswith("--"):
                assert word.split("=")[0] in known | {"--help"}, f"{page.name}: workbench {line}"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_readme_names_the_two_commands(target):
    assert f"make {target}" in (ROOT / "README.md").read_text()
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
