"""What becomes of sync results: files, the clearing of old ones, resend by command, pauses, the bundle for support."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from batch_rows import change, mapping, preview, pull

from workbench import cli, operations, views
from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused, ConfigurationError
from workbench.operations.diagnosis import mask
from workbench.settings import MainstaySettings, PushSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch, show_batch
from workbench.stages.push import pause_batch, push_batch
from workbench.store import Store
from workbench.store.retention import clear_results, count_clearable

WORLD = generate(20, 3)
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with Sandbox(WORLD, systems=("mainstay",)) as sandbox:
        yield sandbox, sandbox.saved()


@pytest.fixture
def sandbox(running):
    sandbox, fresh = running
    yield sandbox
    sandbox.restore(fresh)


@pytest.fixture
def settings(sandbox):
    return Settings(
        _env_file=None, mainstay=MainstaySettings(**sandbox.connection["mainstay"]), push=PushSettings(chunk=2)
    )


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "store.duckdb"))
    pull(made, 1)
    mapping(made)
    return made


@pytest.fixture
def shell(store, sandbox, monkeypatch, capsys):
    for name, value in sandbox.settings_env().items():
        if name.startswith("WORKBENCH_MAINSTAY"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("WORKBENCH_DATABASE", str(store.path))
    monkeypatch.chdir(store.path.parent)

    def run(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main(arguments)
        said = capsys.readouterr()
        return ending.value.code, said.out, said.err

    return run


def ended(store, *messages, batch=1, state="done", finished=NOW - timedelta(days=100), number=0):
    """A batch with one result per message, as if it had been pushed."""
    store.write(
        (
            """INSERT INTO journal.batch VALUES ($b, 1, 'export', $state, '{}', '', 'm1', $n, 'Ana', 'Bo', true, NULL,
               now(), now())""",
            {"b": batch, "state": state, "n": len(messages)},
        ),
        *(
            (
                """INSERT INTO journal.outcome VALUES ($number, $b, $change, 'export', 'fail', ['x'], $message,
                   'PUT http://h/contacts/1/', '{"a":1}', 400, 'Contact', '003', NULL, 1, 'success', [], 'push', $t)""",
                {
                    "number": number + place,
                    "b": batch,
                    "change": f"P1-{number + place}",
                    "message": message,
                    "t": finished,
                },
            )
            for place, message in enumerate(messages, 1)
        ),
        *(
            (
                """INSERT INTO journal.attempt VALUES ($b, $change, 1, 'r', 'mainstay', 'PUT', 'http://h', '{}', 400,
                   '{}', ['x'], 1.0, $t)""",
                {"b": batch, "change": f"P1-{number + place}", "t": finished},
            )
            for place, _ in enumerate(messages, 1)
        ),
    )


FORMULAS = ["=1+1", "+49", "-3", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\uff1d1", 'plain, with "quotes"\nand a line']


def test_no_cell_of_a_csv_becomes_a_formula(store, shell):
    preview(store, [])
    ended(store, *FORMULAS)
    code, _, err = shell("results", "--csv", "out.csv")
    assert code == 0, err
    with (store.path.parent / "out.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    told = {row["fail_message"] for row in rows}
    assert told == {*(f"'{text}" for text in FORMULAS[:-1]), FORMULAS[-1]}
    assert [row["response_status"] for row in rows] == ["400"] * len(FORMULAS)
    assert list(rows[0]) == list(next(views.results(store)))


def test_results_are_filtered_by_code_direction_and_record(store, shell):
    ended(store, "one", "two")
    store.write("UPDATE journal.outcome SET codes = ['y'], record_id = '003XX0000000009AAA' WHERE result_number = 2")
    for arguments, names in (
        (("--code", "y"), ["SR-0000002"]),
        (("--code", "invalid-phone"), []),
        (("--direction", "export"), ["SR-0000002", "SR-0000001"]),
        (("--direction", "import"), []),
        (("--record", "003XX0000000009"), ["SR-0000002"]),
    ):
        code, out, _ = shell("results", "--json", *arguments)
        assert (code, [json.loads(line)["name"] for line in out.splitlines()]) == (0, names), arguments


def test_parquet_keeps_types(store, shell):
    preview(store, [])
    ended(store, "=1", "b")
    code, out, _ = shell("results", "--parquet", "out.parquet", "--status", "fail", "--json")
    assert (code, json.loads(out)) == (0, {"files": [{"file": "out.parquet", "rows": 2}]})
    table = pq.read_table(store.path.parent / "out.parquet")
    assert table["fail_message"].to_pylist() == ["b", "=1"]
    assert table["codes"].to_pylist() == [["x"], ["x"]]


def test_old_results_are_archived_and_then_purged(store):
    preview(store, [])
    ended(store, "old", "older")
    ended(store, "young", batch=2, number=10, finished=NOW - timedelta(days=1))
    ended(store, "held", batch=3, number=20, state="paused")
    ended(store, "stale", batch=4, number=30, state="stale")
    before = operations.moment_before("90d", NOW)
    assert count_clearable(store, before) == 2
    done = clear_results(store, before, NOW)
    assert (done.results, done.attempts) == (2, 2)
    assert [file.name for file in done.files] == [
        "store.results.20270101T000000Z.parquet", "store.attempts.20270101T000000Z.parquet",
    ]  # fmt: skip
    assert pq.read_table(done.files[0])["name"].to_pylist() == ["SR-0000001", "SR-0000002"]
    assert [row["name"] for row in views.results(store)] == ["SR-0000031", "SR-0000021", "SR-0000011"]
    assert store.rows("SELECT count(*) AS n FROM journal.attempt")[0]["n"] == 3
    pull(store, 2)  # the stale batch's preview can never be sent again now
    assert count_clearable(store, before) == 1
    assert clear_results(store, NOW - timedelta(days=900), NOW).files == ()


def test_nothing_is_purged_where_the_archive_cannot_be_written(store):
    preview(store, [])
    ended(store, "old")
    store.path.with_name("store.results.20270101T000000Z.parquet").write_text("here already")
    with pytest.raises(ConfigurationError, match="nothing was cleared"):
        clear_results(store, NOW, NOW)
    assert len(list(views.results(store))) == 1


def test_clearing_asks_for_typed_words_or_yes(store, shell, monkeypatch):
    preview(store, [])
    ended(store, "old", finished=datetime(2020, 1, 1, tzinfo=UTC))
    code, _, err = shell("results", "clear", "--older-than", "90d")
    assert (code, "say --yes" in err) == (2, True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_a, **_k: "yes")
    assert shell("results", "clear", "--older-than", "90d")[0] == 2
    assert len(list(views.results(store))) == 1
    monkeypatch.setattr("typer.prompt", lambda *_a, **_k: "clear 1")
    assert shell("results", "clear", "--older-than", "90d")[0] == 0
    assert not list(views.results(store))
    code, out, _ = shell("results", "clear", "--older-than", "90d", "--yes", "--json")
    assert (code, json.loads(out)) == (0, {"results": 0, "attempts": 0, "archives": []})
    code, _, err = shell("results", "clear", "--older-than", "soon", "--yes")
    assert (code, "no age like" in err) == (2, True)


def sent(store, settings, changes):
    preview(store, changes)
    batch = create_batch(store, 1, by="Ana", chosen=Slice(all=True)).batch
    approve_batch(store, settings, batch, by="Bo")
    return batch


def creates(count):
    return [
        change(
            n, action="create", salesforce_id=f"003YY{n:010d}AAA",
            requests=[("mainstay", "POST", "contacts/",
                       {"crm_id": f"003YY{n:010d}AAA", "first_name": "Bo", "last_name": "Ray", "email": "nope"})],
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def test_resend_by_command(store, settings, shell):
    batch = sent(store, settings, creates(1))
    code, out, _ = shell("push", str(batch), "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["chunk", "report"]
    assert lines[-1]["state"] == "done"
    told = ["--set", "email=bo@example.edu", "--set", "last_name=Lee", "--json"]
    code, out, _ = shell("resend", "SR-0000001", "--simulate", *told)
    found = json.loads(out)
    assert (code, found["batch"], found["requests"][0]["body"]["email"]) == (0, None, "bo@example.edu")
    assert len(views.batches(store)) == 1
    code, out, err = shell("resend", "SR-0000001", "--by", "Ana", *told)
    made = json.loads(out)
    assert (code, show_batch(store, made["batch"]).state) == (0, BatchState.SUBMITTED), err
    assert "Next: workbench batch approve" in shell("resend", "1", "--by", "Ana")[2]
    code, _, err = shell("resend", "SR-0000001", "--set", "email")
    assert (code, "no field=value" in err) == (2, True)


def test_a_running_push_pauses_after_its_chunk(store, settings):
    batch = sent(store, settings, creates(6))
    asked = []

    def ask(_event):
        if not asked:
            asked.append(pause_batch(store, batch, by="Dana", reason="lunch"))

    report = push_batch(store, settings, batch, canary=2, on_event=ask)
    assert asked == [False]
    assert (report.state, report.pending) == (BatchState.PAUSED, 4)
    assert report.reason == "Dana paused it: lunch; push again to go on"
    assert push_batch(store, settings, batch).state is BatchState.DONE
    with pytest.raises(ApprovalRefused, match="no push is at work"):
        pause_batch(store, batch, by="Dana")


def test_a_batch_whose_push_died_is_paused_at_once(store, settings):
    batch = sent(store, settings, creates(1))
    died = "UPDATE journal.batch SET state = 'pushing', claim = 'x|nowhere|1|0', changed_at = $t WHERE batch_id = $b"
    store.write((died, {"b": batch, "t": datetime.now(UTC) - timedelta(hours=2)}))
    assert pause_batch(store, batch, by="Dana")
    assert show_batch(store, batch).state is BatchState.PAUSED


def test_the_bundle_holds_no_secret_and_nobody(store, settings, shell, sandbox):
    sent(store, settings, creates(1))
    push_batch(store, settings, 1)
    store.write(
        """INSERT INTO journal.app_log VALUES (now(), 'error', 'x', 'Ana Diaz <ana@example.edu> called 404-555-0101',
           '{"rows": 3, "event": "ana@example.edu", "about": "''Ana Diaz'' 003YY0000000001AAA"}')"""
    )
    code, out, _ = shell("diagnose", "bundle.zip", "--json")
    assert code == 0
    with zipfile.ZipFile(store.path.parent / "bundle.zip") as bundle:
        assert bundle.namelist() == json.loads(out)["parts"]
        parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    whole = "\n".join(parts.values())
    for secret in (sandbox.connection["mainstay"]["token"], "ana@example.edu", "404-555-0101", "003YY0000000001AAA",
                   sandbox.connection["mainstay"]["base_url"], str(store.path), "Ray"):  # fmt: skip
        assert secret not in whole
    assert json.loads(parts["settings.json"])["mainstay"]["token"] == "set, hidden"
    counts = json.loads(parts["counts.json"])
    assert counts["tables"]["journal.outcome"] == 1
    assert json.loads(parts["app_log.json"])[0]["detail"]["rows"] == 3
    assert "duckdb" in json.loads(parts["versions.json"])["packages"]


def test_masks():
    assert mask("failed after 3 tries in 12.5 s") == "failed after 3 tries in 12.5 s"
    assert mask("token 00D000000000001!AQ.xyz") == "token <token>"
    assert mask("Could not convert string 'Ana' in /home/ana/data") == "Could not convert string <text> in <path>"


def test_a_request_to_one_contact_by_its_own_id_never_becomes_a_create(store, settings, sandbox):
    body = {"first_name": "Bo", "last_name": "Ray", "phone": "4045550177"}
    batch = sent(
        store, settings,
        [change(1, mainstay_id="ah0gone", salesforce_id="003ZZ0000000001AAA",
                requests=[("mainstay", "PUT", "contacts/ah0gone/", body)])],
    )  # fmt: skip
    assert push_batch(store, settings, batch).counts["fail"] == 1
    row = next(views.results(store))
    assert (row["codes"], row["attempts"], row["endpoint"].split()[0]) == (["not-found"], 1, "PUT")
    assert sandbox.institution.book.by_phone("4045550177") is None
