"""The whole story by command line, by Python and as the demo, against both sandbox systems."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

import workbench as wb
from workbench import cli, operations
from workbench.operations import sample_mapping
from workbench.simulators import world
from workbench.simulators.sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("workbench")
ACTIONS = {"update", "link", "create", "none", "excluded", "conflict", "blocked"}
CHANGE_KEYS = {
    "change",
    "sobject",
    "salesforce_id",
    "mainstay_id",
    "action",
    "reason",
    "requests",
    "predicted",
    "fields",
}
RESULT_KEYS = {
    "name",
    "batch",
    "change",
    "direction",
    "status",
    "codes",
    "fail_message",
    "endpoint",
    "request_body",
    "response_status",
    "sobject",
    "record_id",
    "mainstay_id",
    "attempts",
    "predicted_codes",
    "at",
}


@pytest.fixture(scope="module")
def systems():
    with Sandbox(world.generate(240, 5)) as sandbox:
        yield sandbox, sandbox.saved()


@pytest.fixture
def sandbox(systems):
    sandbox, fresh = systems
    yield sandbox
    sandbox.restore(fresh)
    sandbox.institution.log.requests.clear()
    sandbox.salesforce_org.log.clear()


def settle_in(sandbox, folder, monkeypatch):
    """Whatever runs from now on runs in this folder, with the settings of the sandbox."""
    monkeypatch.chdir(folder)
    for name, value in sandbox.settings_env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WORKBENCH_DATABASE", str(folder / "store.duckdb"))
    (folder / "mapping.yaml").write_text(sample_mapping())


@pytest.fixture(scope="module")
def pulled(systems, tmp_path_factory):
    """A store with the sample mapping, pulled once; its file."""
    folder = tmp_path_factory.mktemp("pulled")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle_in(systems[0], folder, monkeypatch)
        for arguments in (["mapping", "import", "mapping.yaml", "--by", "Dana"], ["pull"]):
            with pytest.raises(SystemExit, match="0"):
                cli.main(arguments)
    return folder / "store.duckdb"


@pytest.fixture
def shell_after_a_pull(pulled, shell, tmp_path):
    shutil.copy(pulled, tmp_path)
    return shell


@pytest.fixture
def shell(sandbox, tmp_path, monkeypatch, capsys):
    """shell("pull", "--json") -> (exit code, JSON lines of stdout, stderr); without --json the text of stdout."""
    settle_in(sandbox, tmp_path, monkeypatch)

    def run(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main(arguments)
        said = capsys.readouterr()
        data = [json.loads(line) for line in said.out.splitlines()] if "--json" in arguments else said.out
        return ending.value.code, data, said.err

    return run


def one(answer):
    code, (data,), err = answer
    assert code == 0, err
    return data


def last(answer):
    """A push prints a line per chunk, then its report."""
    code, (*chunks, report), err = answer
    assert {chunk["event"] for chunk in chunks} <= {"chunk"}
    assert (code, report.pop("event")) == (0, "report"), err
    return report


def writes(sandbox):
    return [seen for seen in sandbox.requests_seen if "X-Workbench-Change" in seen.headers]


def test_from_nothing_to_scored_results(shell, sandbox):
    assert one(shell("mapping", "import", "mapping.yaml", "--by", "Dana", "--json"))["checked_against"] == "live"
    pulled = one(shell("pull", "--json"))
    assert {"system", "object", "pull_id", "rows", "mode"} <= set(pulled["pulls"][0])
    rows = {(row["system"], row["object"]): row["rows"] for row in pulled["pulls"]}
    assert rows["salesforce", "Contact"] == 240
    assert pulled["drift"] == []

    preview = one(shell("preview", "export", "--json"))
    assert (preview["preview"], preview["direction"], set(preview["counts"])) == (1, "export", ACTIONS)
    for system, name in (("salesforce", "Contact"), ("mainstay", "contact")):
        found = [row["row_count"] for row in preview["buckets"] if (row["system"], row["object"]) == (system, name)]
        assert sum(found) == rows[system, name]

    code, changes, _ = shell("changes", "1", "--json")
    assert code == 0
    assert all(set(change) == CHANGE_KEYS for change in changes)
    assert len(changes) == 240
    for change in changes:
        assert set(change["predicted"]) == {"status", "codes", "certainty"}
        for request in change["requests"]:
            assert set(request) == {"system", "method", "path", "body"}
            assert isinstance(request["body"], dict)
        for field in change["fields"]:
            assert set(field) == {"field", "before", "after"}
    creates = shell("changes", "1", "--action", "create", "--json")[1]
    assert len(creates) == preview["counts"]["create"]
    assert {change["action"] for change in creates} == {"create"}
    coded = shell("changes", "1", "--code", "invalid-attribute-data", "--json")[1]
    assert coded
    assert all(any(c.startswith("invalid-attribute-data: ") for c in x["predicted"]["codes"]) for x in coded)
    assert shell("changes", "1", "--sql", "rule = 'phone' AND action = 'link'", "--json")[1]
    assert "The first 5" in shell("changes", "1", "--limit", "5")[2]
    code, _, err = shell("changes", "1", "--sql", "nonsense = 1", "--json")
    assert (code, "nonsense" in err) == (2, True)

    code, refused, _ = shell("refused", "1", "--json")
    for name in ("invalid-phone", "invalid-email"):
        met = [change for change in changes if name in change["predicted"]["codes"]]
        assert met
        assert sum(row["row_count"] for row in refused if row["code"] == name) == len(met)
    assert "invalid-phone" in shell("refused", "1")[1]
    assert shell("refused", "9")[0] == 2

    batch = one(shell("batch", "create", "1", "--all", "--by", "Dana", "--json"))
    assert (batch["batch"], batch["preview"], batch["state"]) == (1, 1, "submitted")
    assert batch["rows"] == sum(batch["predicted"].values())
    code, _, err = shell("batch", "approve", "1", "--by", " dana ", "--json")
    assert code == 1
    assert "somebody else" in err
    approved = one(shell("batch", "approve", "1", "--by", "Sam", "--reason", "fine", "--json"))
    assert (approved["state"], approved["is_four_eyes"]) == ("approved", True)

    planned = last(shell("push", "1", "--dry-run", "--json"))["planned"]
    assert len(planned) == batch["rows"]
    assert writes(sandbox) == []
    code, (*_, pushed), _ = shell("push", "1", "--canary", "5", "--json")
    assert code == 1  # predicted failures were sent, knowingly
    assert pushed["state"] == "done"
    assert {name: count for name, count in pushed["counts"].items() if count} == batch["predicted"]
    assert pushed["requests_per_change"] == 1.0
    assert {row["hit_rate"] for row in pushed["scores"]} == {1.0}
    assert len(writes(sandbox)) == batch["rows"]

    results = shell("results", "--batch", "1", "--json")[1]
    assert all(set(result) == RESULT_KEYS for result in results)
    assert {result["change"] for result in results} == {seen.headers["X-Workbench-Change"] for seen in writes(sandbox)}
    assert {result["direction"] for result in results} == {"SF to Mainstay"}
    assert [result["codes"] for result in results] == [result["predicted_codes"] for result in results]
    assert results[-1]["name"] == "SR-0000001"
    fails = shell("results", "--status", "fail", "--json")[1]
    assert len(fails) == pushed["counts"]["fail"]
    assert all(result["fail_message"] for result in fails)
    assert shell("push", "1")[0] == 1  # done is done

    shell("pull")
    again = one(shell("preview", "export", "--json"))
    assert again["counts"]["create"] == again["counts"]["link"] == 0
    left = shell("changes", str(again["preview"]), "--json")[1]
    # What was refused may succeed now: a later change of the same push freed the phone it asked for.
    refused = {change["salesforce_id"] for change in changes if change["action"] == "blocked"}
    for change in left:
        if change["action"] in {"update", "blocked"}:
            assert change["predicted"]["codes"] or change["salesforce_id"] in refused


def test_import_goes_the_other_way(shell_after_a_pull):
    shell = shell_after_a_pull
    preview = one(shell("preview", "import", "--json"))
    shell("batch", "create", "1", "--by", "Dana")
    shell("batch", "approve", "1", "--by", "Sam")
    pushed = last(shell("push", "1", "--json"))
    assert pushed["counts"]["success"] == sum(preview["counts"][name] for name in ("update", "link", "create"))
    results = shell("results", "--json")[1]
    assert {result["direction"] for result in results} == {"Mainstay to SF"}
    assert all(result["record_id"].startswith("003") for result in results)
    shell("pull")
    again = one(shell("preview", "import", "--json"))
    assert (again["counts"]["create"], again["counts"]["link"], again["counts"]["update"]) == (0, 0, 0)
    listed = shell("batch", "list", "--json")[1]
    assert [(row["batch"], row["state"], row["success"]) for row in listed] == [
        (1, "done", pushed["counts"]["success"])
    ]
    shown = one(shell("batch", "show", "1", "--json"))
    assert [event["to_state"] for event in shown["events"]] == ["draft", "submitted", "approved", "pushing", "done"]


def test_a_batch_goes_stale_when_a_pull_moves_on(shell_after_a_pull, sandbox):
    shell = shell_after_a_pull
    shell("preview", "export")
    assert (
        one(shell("batch", "create", "1", "--action", "link", "--draft", "--by", "Dana", "--json"))["state"] == "draft"
    )
    assert one(shell("batch", "submit", "1", "--by", "Dana", "--json"))["state"] == "submitted"
    shell("pull")
    code, _, err = shell("batch", "approve", "1", "--by", "Sam")
    assert code == 1
    assert "stale" in err
    assert one(shell("batch", "show", "1", "--json"))["state"] == "stale"
    assert writes(sandbox) == []
    shell("preview", "export")
    shell("batch", "create", "2", "--code", "invalid-email", "--by", "Dana")
    assert one(shell("batch", "reject", "2", "--by", "Sam", "--reason", "no", "--json"))["state"] == "rejected"
    shell("batch", "create", "2", "--by", "Dana")
    assert one(shell("batch", "cancel", "3", "--by", "Dana", "--json"))["state"] == "cancelled"


def test_the_connections_and_the_catalogue(shell, sandbox, monkeypatch):
    code, steps, _ = shell("check", "--json")
    assert code == 0
    assert all(step["ok"] for step in steps)
    assert shell("fields", "refresh", "--json")[1]
    fields = {row["name"]: row for row in shell("fields", "--json")[1]}
    assert fields["GPA"]["is_custom"]
    assert not fields["id"]["is_writable"]
    assert "Sync_to_Mainstay__c" in shell("fields", "--sobject", "Contact")[1]
    bad = sample_mapping().replace("GPA__c", "GPB__c").replace("mainstay: custom.Portal", "mainstay: created")
    Path("bad.yaml").write_text(bad)
    code, out, err = shell("mapping", "import", "bad.yaml")
    assert (code, out) == (2, "")
    assert "GPB__c" in err
    assert "cannot be overwritten" in err
    monkeypatch.setenv("WORKBENCH_MAINSTAY__TOKEN", "wrong")
    code, steps, _ = shell("check", "--json")
    assert code == 3
    assert [step["step"] for step in steps if not step["ok"]] == ["Mainstay token"]
    assert shell("pull", "--only", "mainstay", "--json")[0] == 3
    logged = shell("logs", "--json")[1]
    assert logged[0]["event"].startswith("AuthenticationFailed")
    assert "wrong" not in json.dumps(logged)


def test_a_mapping_newer_than_the_pull_asks_for_a_pull(shell):
    shell("pull")
    assert "Next: workbench pull" in shell("mapping", "import", "mapping.yaml")[2]
    code, _, err = shell("preview", "export")
    assert code == 2
    assert "workbench pull, then preview again" in err
    shell("pull")
    assert shell("preview", "export")[0] == 0


def test_one_record_at_a_time(shell_after_a_pull):
    shell = shell_after_a_pull
    shell("preview", "export")
    record = shell("changes", "1", "--limit", "1", "--json")[1][0]["salesforce_id"]
    assert sum(one(shell("preview", "export", "--contact", record, "--json"))["counts"].values()) == 1
    told = one(shell("explain", record, "--preview", "1", "--json"))
    assert (told["preview_id"], told["salesforce"]["Id"]) == (1, record)
    assert {"Match by CRM ID", "Decision"} <= {step["name"] for step in told["steps"]}
    assert "Decision" in shell("explain", record)[1]
    assert shell("explain", "nobody")[0] == 2
    assert sum(one(shell("preview", "export", "--only-changed", "--json"))["counts"].values()) == 0
    assert shell("preview", "export", "--contact", "nobody")[0] == 2
    assert shell("preview", "export", "--object", "Lead")[0] == 2


def test_messages_of_an_export_file(shell, tmp_path):
    (tmp_path / "conversations.csv").write_text(
        "crm_id,mainstay_id,first_name,last_name,channel,campaign_id,campaign_name,timestamp,incoming,outgoing\n"
        "003,ah1,Ana,Lopez,twilio,c1,Fall nudge,2024-08-20T09:30:00Z,,Register by Friday.\n"
        "003,ah1,Ana,Lopez,twilio,,,2024-08-20T09:31:00Z,Thanks,\n"
    )
    assert one(shell("import-messages", "conversations.csv", "--json")) == {"messages": 2}
    rows = shell("sql", "SELECT kind, reason, body, is_incoming FROM view.message ORDER BY sent_at", "--json")[1]
    assert rows == [
        {"kind": "Campaign", "reason": "Campaign: Fall nudge", "body": "Register by Friday.", "is_incoming": False},
        {"kind": "Incoming", "reason": None, "body": "Thanks", "is_incoming": True},
    ]


def test_the_same_verbs_in_python(shell, tmp_path):
    shell("mapping", "import", "mapping.yaml")
    bench = wb.connect()
    assert "Nothing pulled yet" in bench._repr_html_()
    assert len(wb.pull()) >= 4
    preview = wb.preview("export")
    assert set(preview.counts) == ACTIONS
    assert sum(preview.counts.values()) == len(preview.changes) == preview.changes.pl().height == 240
    assert list(preview.changes.where("action = 'link'").df()["rule"].unique()) == ["phone"]
    assert "<table>" in preview._repr_html_()
    assert "20 of 240 rows" in preview.changes._repr_html_()
    assert preview.changes._repr_html_() == preview.changes.where("true")._repr_html_()
    batch = preview.batch(action="link", by="Dana")
    assert (batch.state, batch.rows) == ("submitted", preview.counts["link"])
    wb.push(wb.approve(batch, by="Sam"))
    assert batch.state == "done"
    assert {row["hit_rate"] for row in batch.scores()} == {1.0}
    assert "hit_rate" in batch._repr_html_()
    assert len(wb.results(batch)) == batch.rows
    assert len(wb.results(status="unknown")) == 0
    assert next(iter(wb.sql("SELECT 1 AS one"))) == {"one": 1}
    assert str(tmp_path) in bench._repr_html_()


def test_people_get_sentences_and_tables(shell):
    shell("mapping", "import", "mapping.yaml", "--by", "Dana")
    assert "Contact" in shell("pull")[1]
    code, out, err = shell("preview", "export")
    assert "Nothing was sent." in out
    assert "only_in_mainstay" in out
    assert "Next: workbench changes 1" in err
    assert "custom.Campus" in shell("changes", "1", "--limit", "240")[1]
    assert "No change fits." in shell("changes", "1", "--action", "conflict", "--code", "not-found")[2]
    code, out, err = shell("batch", "create", "1", "--by", "Dana", "--draft")
    assert "Batch 1 of preview 1: draft" in out
    assert "predicted to fail" in err
    assert "workbench batch submit 1" in err
    shell("batch", "submit", "1", "--by", "Dana")
    change = shell("changes", "1", "--action", "create", "--limit", "1", "--json")[1][0]["change"]
    assert "left out by the approver" in shell("batch", "approve", "1", "--by", "Sam", "--except", change)[2]
    assert "submitted" in shell("batch", "show", "1")[1]
    status = shell("status")[1]
    assert "Open batches" in status
    assert "revision 1 by Dana" in status
    assert "(token)" in status
    code, out, err = shell("push", "1", "--dry-run")
    assert "Nothing was sent" in err
    assert "PUT" in out
    code, out, err = shell("push", "1", "--by", "Sam")
    assert code == 0
    assert "Batch 1 is done" in out
    assert "100.0%" in out
    assert "done" in shell("batch", "list", "--open")[1] + shell("batch", "list")[1]
    assert "SR-0" in shell("results", "--limit", "3")[1]
    assert "The newest 3" in shell("results", "--limit", "3")[2]
    assert "No result fits." in shell("results", "--status", "unknown")[2]
    assert "ok  Mainstay token" in shell("check")[1]
    assert "1 revision" in shell("mapping", "history")[1]
    assert "valid" in shell("mapping", "validate")[2]
    assert "Guardian Phone" in shell("fields", "refresh")[1]
    assert shell("import-messages", "nowhere.csv")[0] == 2


def test_ctrl_c_in_a_query_counts_as_ctrl_c(shell, monkeypatch):
    def interrupted(*_args, **_options):
        try:
            raise RuntimeError("Query interrupted")
        except RuntimeError:
            raise ValueError("cannot rollback") from None

    monkeypatch.setattr("workbench.operations.readings.pull", interrupted)
    code, _, err = shell("pull")
    assert (code, "What had landed is kept" in err) == (130, True)


@pytest.fixture
def signals():
    """The signal handlers as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_demo_stops_where_a_library_swallows_the_interrupt(tmp_path, monkeypatch, capsys, signals):
    def pull_deaf_to_interrupts(*arguments, **options):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return operations.pull_systems(*arguments, **options)

    monkeypatch.setattr("workbench.operations.demo.pull_systems", pull_deaf_to_interrupts)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        cli.main(["demo", "--contacts", "20", "--no-open"])
    printed = capsys.readouterr()
    assert ending.value.code == 130
    assert "Stopped" in printed.err
    assert "Export" not in printed.out
    assert list(tmp_path.iterdir()) == []


@contextmanager
def running(*arguments, cwd):
    """A `workbench` process; killed at the end if it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_")}
    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_prints_its_connection_first_and_stops_cleanly(tmp_path, stop):
    with running("sandbox", "--contacts", "30", "--seed", "2", "--json", cwd=tmp_path) as process:
        connection = json.loads(process.stdout.readline())
        assert set(connection["salesforce"]) == {
            "instance_url",
            "access_token",
            "login_url",
            "username",
            "password",
            "security_token",
            "client_id",
            "client_secret",
            "refresh_token",
        }
        assert re.fullmatch(r"00D\w+!\S+", connection["salesforce"]["access_token"])
        answer = httpx.get(
            f"{connection['mainstay']['base_url']}auth_valid",
            headers={"Authorization": f"APIToken {connection['mainstay']['token']}"},
            trust_env=False,
        )
        assert answer.json()["ok"] is True
        process.send_signal(stop)
        _, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Stopped" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_demo_tells_the_story(tmp_path):
    started = time.monotonic()
    with running(
        "demo", "--contacts", "400", "--no-open", "--database", str(tmp_path / "d.duckdb"), cwd=tmp_path
    ) as it:
        out, err = it.communicate(timeout=120)
    assert it.returncode == 0, err
    assert time.monotonic() - started < 60
    assert out.index("Export: Salesforce to Mainstay") < out.index("Import: Mainstay to Salesforce")
    assert "Requested by Dana (analyst), approved by Sam (approver)" in out
    for part in ("hit rate", "per change", "Export once more", "Time"):
        assert part in out
    rates = re.findall(r"([\d.]+)%", out)
    assert rates
    assert set(rates) == {"100.0"}
    assert "Traceback" not in err
    with running("demo", "--contacts", "20", "--no-open", "--database", str(tmp_path / "d.duckdb"), cwd=tmp_path) as it:
        _, err = it.communicate(timeout=60)
    assert it.returncode == 2
    assert "a store of its own" in err


@pytest.mark.slow
def test_the_demo_stops_cleanly_in_the_middle(tmp_path):
    with running("demo", "--contacts", "3000", "--no-open", cwd=tmp_path) as process:
        assert process.stdout.readline() == "\n"
        process.stdout.readline()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped" in err
    assert "Traceback" not in err
