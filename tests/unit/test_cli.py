"""The command line without any server: help, usage, configuration, empty states, JSON on stdout alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from workbench import cli
from workbench.cli.output import say
from workbench.errors import RemoteError, StaleBatch, StepFailed, StoreBusy
from workbench.operations import sample_mapping
from workbench.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(tmp_path, monkeypatch):
    for name in ("SALESFORCE__INSTANCE_URL", "SALESFORCE__ACCESS_TOKEN", "MAINSTAY__TOKEN", "DATABASE"):
        monkeypatch.delenv(f"WORKBENCH_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return str(tmp_path / "store.duckdb")


@pytest.fixture
def run(database, capsys):
    """run("status") -> (exit code, stdout, stderr)"""

    def call(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main([*arguments, "--database", database])
        said = capsys.readouterr()
        return ending.value.code, said.out, said.err

    return call


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0
    for name in ("demo", "sandbox", "check", "status", "pull", "preview", "changes", "batch", "push", "results", "sql"):
        assert f" {name} " in out


def test_no_arguments_show_help(database, capsys):
    with pytest.raises(SystemExit):
        cli.main([])
    said = capsys.readouterr()
    assert "Start here" in said.out + said.err


@pytest.mark.parametrize("arguments", [["bogus"], ["preview", "sideways"], ["push", "one"], ["status", "--bogus"]])
def test_wrong_usage_is_2_and_prints_no_data(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


def test_an_empty_store_says_what_to_do(run):
    code, out, _ = run("status")
    assert code == 0
    assert "Nothing pulled yet: workbench pull" in out
    assert "none yet: workbench mapping import FILE" in out
    assert "not connected" in out
    for command, sentence in {
        ("results",): "No results yet",
        ("batch", "list"): "No batches yet",
        ("mapping", "history"): "No mapping yet",
        ("logs",): "No technical faults",
        ("fields",): "No fields known yet",
        ("fields", "--sobject", "Contact"): "No fields of Contact",
    }.items():
        code, out, err = run(*command)
        assert (code, out) == (0, "")
        assert sentence in err
        code, out, _ = run(*command, "--json")
        assert (code, out) == (0, "")


def test_fields_of_an_object_that_was_not_read(run, database):
    Store(database).write("INSERT INTO salesforce.field (sobject, name, type) VALUES ('Contact', 'LastName', 'string')")
    code, out, err = run("fields", "--sobject", "Contcat", "--json")
    assert (code, out) == (2, "")
    assert "No fields of Contcat were read." in err
    assert "Name one of these, or map Contcat and pull." in " ".join(err.split())
    code, out, _ = run("fields", "--sobject", "Contact", "--json")
    assert code == 0
    assert json.loads(out)["name"] == "LastName"


def test_status_json_is_one_object_without_secrets(run, monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAINSTAY__TOKEN", "sesame")
    monkeypatch.setenv("WORKBENCH_SALESFORCE__INSTANCE_URL", "https://example.my.salesforce.com")
    monkeypatch.setenv("WORKBENCH_SALESFORCE__ACCESS_TOKEN", "00Dx!open")
    code, out, _ = run("status", "--json")
    assert code == 0
    found = json.loads(out)
    assert set(found) == {"database", "connections", "mapping", "pulls", "preview", "open_batches"}
    assert found["connections"]["salesforce"]["connected"]
    assert found["connections"]["mainstay"]["credential"] == "set, hidden"
    assert "sesame" not in out
    assert "00Dx!open" not in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["changes", "1"], "There is no preview 1"),
        (["changes", "0"], "There is no preview 0"),
        (["conflicts", "--preview", "77"], "There is no preview 77. There is none yet"),
        (["conflicts", "--cause", "bogus"], "There is no cause bogus. Causes: ask,"),
        (["results", "--code", "invalid-fone"], "There is no code invalid-fone. Nearest: invalid-phone,"),
        (["explain", "003", "--preview", "99"], "There is no preview 99"),
        (["direction", "foo"], "There is no direction 'foo'. Directions: export, import."),
        (["batch", "show", "3"], "There is no batch 3"),
        (["batch", "create", "1", "--by", "Dana"], "There is no preview 1"),
        (["mapping", "export"], "No mapping yet"),
        (["mapping", "import", "nowhere.yaml"], "There is no file nowhere.yaml"),
        (["results", "--batch", "3"], "There is no batch 3"),
        (["sql", "SELEC 1"], "The query does not run: Parser Error"),
        (["sql", "CREATE TABLE t (a INTEGER)"], "read-only"),
        (["preview", "export"], "No mapping yet"),
        (["import-messages", "nowhere.csv"], "There is no file"),
    ],
)
def test_what_does_not_exist_is_2_in_one_sentence(run, arguments, sentence):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


def test_a_setting_that_does_not_fit_is_2_and_hides_its_value(run, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PUSH__CHUNK", "lots")
    code, _, err = run("status")
    assert code == 2
    assert "WORKBENCH_PUSH__CHUNK" in err
    assert "lots" not in err


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ACCESS__ROLES", "{'dana': 'analyst'}", 'double quotes, as in {"Dana Lee": "analyst"}'),
        ("ACCESS__FRAMED_BY", "dana.example", "in square brackets"),
        ("MAINSTAY", "dana", "as in WORKBENCH_MAINSTAY__BASE_URL"),
        ("SALESFORCE__API_VERSION", "v62.0", "as in 62.0"),
        ("SALESFORCE__API_VERSION", "61", "as in 62.0"),
        ("SALESFORCE__API_VERSION", "dana", "as in 62.0"),
    ],
)
def test_a_setting_that_cannot_be_read_says_how_it_is_written(run, monkeypatch, name, value, sentence):
    monkeypatch.setenv(f"WORKBENCH_{name}", value)
    code, out, err = run("status")
    assert (code, out) == (2, "")
    assert f"WORKBENCH_{name}: " in err
    assert sentence in err
    assert value not in err


def test_a_setting_of_the_env_file_that_cannot_be_read_is_named(run, tmp_path):
    (tmp_path / ".env").write_text("WORKBENCH_ACCESS__ROLES={dana}\n")
    code, _, err = run("status")
    assert code == 2
    assert "WORKBENCH_ACCESS__ROLES: " in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StaleBatch("Batch 1 is stale."), 1),
        (RemoteError("Salesforce said no."), 3),
        (StoreBusy("The store is busy."), 4),
        (StepFailed("match", "SELECT 1", "a reason"), 1),
        (ValueError("a bug"), 1),
    ],
)
def test_every_error_is_a_sentence_with_its_exit_code(run, monkeypatch, error, code):
    def fail(*_args, **_options):
        raise error

    run("status")
    monkeypatch.setattr("workbench.cli.flow.views.results", fail)
    got, out, err = run("results", "--json")
    assert (got, out) == (code, "")
    assert str(error) in err
    assert "Traceback" not in err


def test_technical_faults_are_logged_and_data_questions_are_not(run, monkeypatch, database):
    def fail(*_args, **_options):
        raise RemoteError("Salesforce answered with something else.")

    run("changes", "9")
    monkeypatch.setattr("workbench.cli.tools.views.run_sql", fail)
    run("status")
    run("sql", "SELECT 1")
    code, out, _ = run("logs", "--json")
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["event"] for row in rows] == ["RemoteError: Salesforce answered with something else."]
    assert rows[0]["level"] == "error"


def test_ctrl_c_says_what_is_kept(run, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.operations.readings.pull", interrupt)
    code, out, err = run("pull", "--json")
    assert (code, out) == (130, "")
    assert "What had landed is kept" in err


def test_ctrl_c_that_an_import_swallows_still_stops_the_sandbox(tmp_path):
    script = textwrap.dedent(
        """
        import builtins, os, signal
        from workbench import cli

        whole, pressed = builtins.__import__, []

        def swallowing(name, *rest, **options):
            if name == "workbench.simulators" and not pressed:
                pressed.append(name)
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                except KeyboardInterrupt:
                    pass
            return whole(name, *rest, **options)

        builtins.__import__ = swallowing
        cli.main(["sandbox", "--contacts", "20"])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "Stopped." in done.stderr) == (130, True), done.stderr


def test_mapping_import_is_all_or_nothing(run, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(sample_mapping().replace("mainstay: last_name, required", "mainstay: first_name, required", 1))
    code, out, err = run("mapping", "import", str(bad))
    assert (code, out) == (2, "")
    assert "line 13: Contact export writes first_name twice" in err
    code, out, _ = run("mapping", "history", "--json")
    assert out == ""
    good = tmp_path / "good.yaml"
    good.write_text(sample_mapping())
    code, out, err = run("mapping", "import", str(good), "--by", "Dana", "--json")
    assert code == 0
    first = json.loads(out)
    assert (first["revision"], first["is_new"], first["checked_against"]) == (1, True, None)
    assert "Fields were not checked" in err
    code, out, err = run("mapping", "import", str(good), "--json")
    assert json.loads(out)["is_new"] is False
    assert "Unchanged" in err


def test_mapping_export_gives_back_the_text_and_the_json(run, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(sample_mapping())
    run("mapping", "import", str(file))
    assert run("mapping", "export")[1] == sample_mapping()
    exported = json.loads(run("mapping", "export", "--revision", "1", "--json")[1])
    assert exported["mapping"]["objects"][0]["import"]["match"] == "all"
    file.write_text(sample_mapping().replace("match: all", "match: any"))
    assert "match all -> any" in run("mapping", "diff", str(file))[1]
    run("mapping", "import", str(file))
    lines = [json.loads(line) for line in run("mapping", "diff", "--json")[1].splitlines()]
    assert lines == [{"sobject": "Contact", "direction": "import", "what": "match", "before": "all", "after": "any"}]
    assert "mean the same" in run("mapping", "diff", "1", "1")[1]
    code, out, _ = run("mapping", "validate", "--json")
    assert (code, json.loads(out)["valid"]) == (0, True)
    file.write_text("version: 1\nobjects: 3\n")
    code, out, _ = run("mapping", "validate", str(file), "--json")
    assert (code, json.loads(out)["valid"]) == (2, False)


def test_sql_prints_a_table_or_ndjson(run):
    code, out, _ = run(
        "sql", "SELECT 1 AS a, 'x [y]' AS b, CAST('2026-01-02' AS DATE) AS day, [1, 2] AS list", "--json"
    )
    assert code == 0
    assert json.loads(out) == {"a": 1, "b": "x [y]", "day": "2026-01-02", "list": [1, 2]}
    code, out, _ = run("sql", "SELECT 'x [y]' AS b, TIMESTAMPTZ '2026-01-02 03:04:05Z' AS moment")
    assert "x [y]" in out
    assert "2026-01-02 03:04:05" in out
    assert json.loads(run("sql", "SELECT TIMESTAMPTZ '2026-01-02 03:04:05Z' AS moment", "--json")[1]) == {
        "moment": "2026-01-02T03:04:05.000Z"
    }
    _, out, err = run("sql", "SELECT * FROM range(101)")
    assert "100 of 101 rows" in err


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("COPY (SELECT 1) TO '{file}'", "is no SELECT but COPY"),
        ("EXPORT DATABASE '{file}'", "is no SELECT but EXPORT"),
        ("ATTACH '{file}' AS other", "is no SELECT but ATTACH"),
        ("SELECT 1; COPY (SELECT 1) TO '{file}'", "holds 2 statements"),
        ("SELECT 1; SELECT 2", "holds 2 statements"),
        ("", "is empty"),
        (" -- nothing", "is empty"),
    ],
)
def test_sql_runs_nothing_but_one_select(run, tmp_path, query, sentence):
    file = tmp_path / "other.duckdb"
    code, out, err = run("sql", query.format(file=file))
    assert (code, out) == (2, "")
    assert f"The query {sentence}" in err
    assert not file.exists()


@pytest.mark.parametrize(
    "query", ["FROM range(2);", "DESCRIBE view.change", "PIVOT (SELECT 'a' AS name, 1 AS n) ON name USING sum(n)"]
)
def test_sql_takes_every_way_to_ask(run, query):
    code, out, _ = run("sql", query, "--json")
    assert code == 0
    assert out


def test_words_between_colons_stay_words(run, capsys):
    _, out, _ = run("sql", "SELECT 'a :smile: b' AS text")
    assert "a :smile: b" in out
    say("No record :smile:.")
    assert "No record :smile:." in capsys.readouterr().err


def test_a_row_is_one_line_whatever_it_holds(run):
    _, out, _ = run("sql", "SELECT 'a' || chr(133) || chr(8232) || chr(8233) || chr(10) || chr(12) AS text", "--json")
    (line,) = out.splitlines()
    assert json.loads(line) == {"text": "a\x85\u2028\u2029\n\x0c"}


def test_the_database_may_stand_anywhere(database, tmp_path, capsys):
    other = tmp_path / "other.duckdb"
    for arguments in (
        ["--database", str(other), "status"],
        ["status", f"--database={other}"],
        ["status", "--database", str(other), "--json"],
    ):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        assert str(other) in capsys.readouterr().out.replace("\n", "")


def test_disconnect_takes_credentials_out_of_the_env_file(run, tmp_path, monkeypatch):
    env_file = tmp_path / ".env"
    env_file.write_text("# mine\nWORKBENCH_MAINSTAY__TOKEN=sesame\nexport WORKBENCH_SALESFORCE__PASSWORD=x\nOTHER=1\n")
    code, out, err = run("disconnect", "mainstay", "--json")
    assert code == 0
    assert json.loads(out) == {"removed": ["WORKBENCH_MAINSTAY__TOKEN"], "still_set": []}
    assert env_file.read_text() == "# mine\nexport WORKBENCH_SALESFORCE__PASSWORD=x\nOTHER=1\n"
    monkeypatch.setenv("WORKBENCH_MAINSTAY__TOKEN", "sesame")
    code, out, err = run("disconnect")
    assert env_file.read_text() == "# mine\nOTHER=1\n"
    assert "unset WORKBENCH_MAINSTAY__TOKEN" in err
    assert "sesame" not in out + err


def test_a_busy_store_is_4(run, database, monkeypatch):
    run("status")
    monkeypatch.setattr("workbench.store.database.Store.query", _busy)
    code, _, err = run("results")
    assert code == 4
    assert "in use by another process" in err


def _busy(*_args, **_options):
    raise StoreBusy("store.duckdb is in use by another process. Wait for it to finish, then try again.")


def test_importing_the_package_loads_nothing_heavy():
    script = "import sys, workbench; print([m for m in ('duckdb', 'pyarrow', 'polars', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_installed_command_runs_from_any_folder(database, tmp_path):
    command = Path(sys.executable).with_name("workbench")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip()
    Store(database)
    done = subprocess.run(
        [command, "sql", "SELECT 1 AS one", "--json", "--database", database],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert json.loads(done.stdout) == {"one": 1}


def test_a_command_does_not_wait_for_pandas(database):
    # DuckDB would import it for the bound `LIMIT` of `sql`, pyarrow for the moment that is told.
    Store(database)
    script = """
        import atexit, sys
        from workbench.cli.startup import run
        atexit.register(lambda: print("pandas" in sys.modules, file=sys.stderr))
        run()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), "sql", "SELECT now() AS moment", "--json", "--database", database],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "moment" in json.loads(done.stdout)
    assert done.stderr.strip() == "False"
