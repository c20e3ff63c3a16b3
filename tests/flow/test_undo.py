"""Undo: a pushed batch is put back by an ordinary preview, and what cannot go back is said in words."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest

from workbench import cli
from workbench.domain.fields import Direction
from workbench.domain.mapping import salesforce_paths
from workbench.engine.preview import make_preview
from workbench.errors import ApprovalRefused, NotFound
from workbench.operations import sample_mapping
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.approve import Slice, approve_batch, create_batch
from workbench.stages.pull import pull
from workbench.stages.push import push_batch
from workbench.stages.undo import latest_undo, undo_batch, words
from workbench.store import Store
from workbench.store.mappings import current_mapping, save_mapping

WORLD = generate(240, 5)


@pytest.fixture(scope="module")
def running():
    with Sandbox(WORLD) as sandbox:
        yield sandbox, sandbox.saved()


@pytest.fixture
def sandbox(running):
    sandbox, fresh = running
    yield sandbox
    sandbox.restore(fresh)
    sandbox.institution.log.requests.clear()
    sandbox.salesforce_org.log.clear()


class Desk:
    """One store with its settings, and the verbs of the flow."""

    def __init__(self, sandbox, path, *, is_new=True):
        connection = sandbox.connection
        self.sandbox = sandbox
        self.settings = Settings(
            _env_file=None,
            mainstay=MainstaySettings(**connection["mainstay"]),
            salesforce=SalesforceSettings(
                instance_url=connection["salesforce"]["instance_url"],
                access_token=connection["salesforce"]["access_token"],
            ),
        )
        self.store = Store(str(path / "store.duckdb"))
        if is_new:
            save_mapping(self.store, sample_mapping(), author="Dana")
        self.revision = current_mapping(self.store)

    def pull(self):
        pull(self.store, self.settings, wanted={"Contact": salesforce_paths(self.revision.mapping.objects[0])})

    def preview(self, direction):
        return make_preview(self.store, direction=direction, revision=self.revision).preview_id

    def send(self, preview_id, **chosen):
        batch = create_batch(self.store, preview_id, by="Ana", chosen=Slice(**chosen)).batch
        approve_batch(self.store, self.settings, batch, by="Bo")
        return batch, push_batch(self.store, self.settings, batch)

    def undo(self, batch):
        return undo_batch(self.store, self.settings, batch)

    def rows(self, sql, **params):
        return self.store.rows(sql, params)

    def contacts(self):
        """What Mainstay holds, without what every write moves."""
        hidden = {"last_modified_at", "previous_phone", "can_text", "texting_status"}  # what follows from the others
        table = self.rows("SELECT * FROM mainstay.contact ORDER BY id")
        return {
            row["id"]: {key: v for key, v in row.items() if key not in hidden and not key.startswith("_")}
            for row in table
        }

    def records(self):
        hidden = {"LastModifiedDate", "SystemModstamp"}
        table = self.rows('SELECT * FROM salesforce."Contact" WHERE NOT "IsDeleted" ORDER BY "Id"')
        return {
            row["Id"]: {key: v for key, v in row.items() if key not in hidden and not key.startswith("_")}
            for row in table
        }


@pytest.fixture(scope="module")
def pulled(running, tmp_path_factory):
    """A store with the sample mapping, pulled once; its file."""
    sandbox, _ = running
    folder = tmp_path_factory.mktemp("pulled")
    Desk(sandbox, folder).pull()
    return folder / "store.duckdb"


@pytest.fixture
def desk(sandbox, pulled, tmp_path):
    shutil.copy(pulled, tmp_path)
    return Desk(sandbox, tmp_path, is_new=False)


def differing(before, after):
    return {
        (key, name): (value, after[key][name])
        for key, row in before.items()
        for name, value in row.items()
        if after[key][name] != value
    }


def test_an_export_is_put_back_as_it_was(desk):
    before = desk.contacts()
    batch, _ = desk.send(desk.preview(Direction.EXPORT))
    desk.pull()
    pushed = desk.contacts()
    assert differing(before, pushed)

    report = desk.undo(batch)
    assert (report.batch, report.direction) == (batch, "export")
    assert report.restored > 0
    undoing, sent = desk.send(report.preview)
    assert sent.counts["success"] == report.restored
    assert sent.counts["fail"] == sent.counts["partial"] == sent.counts["unknown"] == 0
    desk.pull()
    undone = desk.contacts()

    left = differing(before, undone)
    assert left
    named = {name for row in report.cannot for name in row["fields"]}
    acquired = {name for _, name in left} - named
    assert acquired <= {"crm_id", "messaging_status_sms"}
    # Every value that could go back stands as before; no contact that was not written moved.
    assert len(left) < len(differing(before, pushed))
    whys = {row["why"] for row in report.cannot}
    assert {words.CREATED_CONTACT, words.ACQUIRED} <= whys
    assert desk.rows("SELECT count(*) AS n FROM journal.outcome WHERE batch_id = $b", b=undoing)[0]["n"] > 0


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main(arguments)
    assert ending.value.code == 0
    return capsys.readouterr().out


def test_every_ended_change_has_its_row_and_its_reason(desk, monkeypatch, capsys):
    batch, sent = desk.send(desk.preview(Direction.EXPORT))
    desk.pull()
    report = desk.undo(batch)
    rows = desk.rows("SELECT * FROM preview.change WHERE preview_id = $p ORDER BY seq", p=report.preview)
    assert len(rows) == report.changes == sum(sent.counts.values())
    assert {row["rule"] for row in rows} == {"undo"}
    assert all(row["reason"] for row in rows)
    assert {row["action"] for row in rows} == {"update", "none"}
    requests = desk.rows("SELECT * FROM preview.request WHERE preview_id = $p", p=report.preview)
    assert len(requests) == report.restored == sum(row["action"] == "update" for row in rows)
    pins = desk.rows("SELECT system, object FROM preview.pin WHERE preview_id = $p", p=report.preview)
    assert {(pin["system"], pin["object"]) for pin in pins} == {("salesforce", "Contact"), ("mainstay", "contact")}
    blanked = [row for row in requests if "UNSET" in row["body"]]
    guarded = [row for row in rows if "blank-value" in row["guards"]]
    assert len(blanked) == len(guarded) > 0
    again = desk.undo(batch)
    assert (again.restored, again.cannot) == (report.restored, report.cannot)
    monkeypatch.setenv("WORKBENCH_DATABASE", str(desk.store.path))
    told = command(capsys, "undo", str(batch), "--json")
    assert {name: json.loads(told)[name] for name in ("changes", "restored", "partly", "cannot")} == {
        "changes": report.changes,
        "restored": report.restored,
        "partly": report.partly,
        "cannot": list(report.cannot),
    }
    left_out = [row for row in rows if row["action"] == "none"]
    assert [(row["salesforce_id"], row["mainstay_id"], row["reason"]) for row in json.loads(told)["left_out"]] == [
        (row["salesforce_id"], row["mainstay_id"], row["reason"]) for row in left_out
    ]
    needless = [row["reason"] for row in left_out if row["reason"] in (words.ALREADY, words.REFUSED)]
    assert {row["why"]: row["changes"] for row in report.needless} == Counter(needless)
    assert report.needless
    assert [row["changes"] for row in report.cannot if row["why"] == words.CREATED_CONTACT] == [
        sum(words.CREATED_CONTACT in row["reason"] for row in left_out)
    ]
    printed = command(capsys, "undo", str(batch))
    assert "What cannot be undone" in printed
    assert "What needs no undoing" in printed
    assert all(row["why"] in printed for row in report.needless)
    asked = create_batch(desk.store, report.preview, by="Ana")
    assert asked.rows == report.restored
    assert asked.left_out == Counter(row["reason"] for row in left_out)


def test_an_import_is_put_back_as_it_was(desk):
    before = desk.records()
    batch, _ = desk.send(desk.preview(Direction.IMPORT))
    desk.pull()
    pushed = desk.records()
    report = desk.undo(batch)
    assert report.restored > 0
    _, sent = desk.send(report.preview)
    assert sent.counts["success"] == report.restored
    desk.pull()
    undone = desk.records()
    changed = differing(before, pushed)
    assert changed
    # Phones go back as ten digits and addresses in small letters: values are kept as both systems compare them.
    left = {name for (_, name), (old, new) in differing(before, undone).items() if compared(old) != compared(new)}
    refused = [row for row in report.cannot if "INVALID_EMAIL_ADDRESS" in row["why"]]
    assert left <= {name for row in refused for name in row["fields"]} == {"Email"}
    assert report.partly > 0
    assert {words.CREATED_RECORD} <= {row["why"] for row in report.cannot}
    assert set(undone) == set(pushed)


def compared(value):
    text = str(value).lower()
    digits = "".join(sign for sign in text if sign.isdigit())
    return digits[-10:] if len(digits) >= 10 and "@" not in text else text


def test_a_value_that_somebody_changed_since_stays_theirs(desk):
    batch, _ = desk.send(desk.preview(Direction.EXPORT), actions=("update",))
    written = desk.rows(
        """SELECT c.mainstay_id, c.change_id FROM preview.change AS c JOIN journal.outcome AS o USING (change_id)
           WHERE o.batch_id = $b AND o.status = 'success' AND contains(c.fields, '"field":"email"')""",
        b=batch,
    )[0]  # fmt: skip
    held = desk.sandbox.institution.book.by_id(written["mainstay_id"])
    desk.sandbox.institution.book.save(
        {**held, "email": "own@example.edu", "last_modified_at": "2027-01-01T00:00:00.000Z"}
    )
    desk.pull()
    report = desk.undo(batch)
    moved = next(row for row in report.cannot if row["why"] == words.MOVED)
    assert (moved["changes"], moved["fields"], moved["examples"]) == (1, ["email"], [written["change_id"]])
    requests = desk.rows(
        """SELECT r.body FROM preview.request AS r JOIN preview.change AS c USING (preview_id, change_id)
           WHERE c.preview_id = $p AND c.mainstay_id = $m""",
        p=report.preview, m=written["mainstay_id"],
    )  # fmt: skip
    assert all("email" not in json.loads(row["body"]) for row in requests)


def test_an_undo_can_be_undone(desk):
    batch, _ = desk.send(desk.preview(Direction.EXPORT), actions=("update",))
    desk.pull()
    pushed = desk.contacts()
    first = desk.undo(batch)
    undoing, _ = desk.send(first.preview)
    desk.pull()
    nothing = desk.undo(batch)
    assert nothing.restored == 0
    second = desk.undo(undoing)
    desk.send(second.preview)
    desk.pull()
    # A phone that was taken away again cannot come back, and it takes its channel along.
    follows = {"phone", "country_calling_code", "messaging_status_sms"}
    assert {name for _, name in differing(pushed, desk.contacts())} <= follows
    assert all(set(row["fields"]) <= {"phone"} for row in second.cannot)


def test_it_stands_on_a_pull_after_the_push(desk):
    batch, _ = desk.send(desk.preview(Direction.EXPORT), actions=("link",))
    with pytest.raises(ApprovalRefused, match="Run workbench pull"):
        desk.undo(batch)


def test_a_batch_that_is_not_at_its_end_is_not_undone(desk):
    batch = create_batch(desk.store, desk.preview(Direction.EXPORT), by="Ana").batch
    with pytest.raises(ApprovalRefused, match="is submitted"):
        desk.undo(batch)
    with pytest.raises(NotFound):
        desk.undo(99)


def test_what_an_undo_said_is_kept_while_it_holds(sandbox, tmp_path):
    desk = Desk(sandbox, tmp_path)
    desk.pull()
    batch, _ = desk.send(desk.preview(Direction.EXPORT), actions=["update"])
    assert latest_undo(desk.store, batch) is None
    desk.pull()
    said = desk.undo(batch)

    assert latest_undo(Store(desk.store.dsn), batch) == said

    asked = create_batch(desk.store, said.preview, by="Ana").batch
    assert latest_undo(desk.store, batch).asked == asked
    desk.pull()  # what stands now has been read anew, but the batch that was asked for is still open
    assert latest_undo(desk.store, batch).asked == asked
    desk.store.write(("UPDATE journal.batch SET state = 'rejected' WHERE batch_id = $id", {"id": asked}))
    assert latest_undo(desk.store, batch) is None
