"""Pulls from both sandboxes into a real store: full, incremental, interrupted, and with everything going wrong."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from pydantic import SecretStr

from workbench.domain.fields import MainstayField, SalesforceField
from workbench.domain.mapping import parse_mapping, salesforce_paths
from workbench.errors import ConfigurationError, RemoteError, StoreBusy, TransientError
from workbench.mainstay import MainstayClient
from workbench.salesforce import Record, SalesforceClient, SalesforceWriter, SObject, bulk
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators.faults import PROFILES
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate
from workbench.stages.pull import import_messages, latest_pulls, pull, salesforce
from workbench.stages.pull.check import check
from workbench.stages.pull.formulas import FormulaSources
from workbench.stages.pull.mainstay import MESSAGES, contact_columns
from workbench.stages.pull.plan import plan_objects
from workbench.stages.pull.run import run_async
from workbench.stages.pull.spool import Spool
from workbench.store import Store
from workbench.store.landing import Column, Target
from workbench.store.spooled import prepare_csv, prepare_json

STARTER = Path(__file__).parents[2] / "data" / "mappings" / "starter.yaml"
WANTED = {
    item.sobject: ["Name", "HomePhone", *salesforce_paths(item)] for item in parse_mapping(STARTER.read_text()).objects
}
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def rows_of(prepared):
    """What a write would read of prepared rows."""
    return duckdb.sql(f"FROM {prepared.source.sql}").to_arrow_table().to_pylist()


class Clock:
    """Moves on by a second at each look; both sandboxes and the pull share it."""

    def __init__(self):
        self.now = START

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="module")
def world():
    return generate(300, 7)


@contextmanager
def sandbox_of(world, tmp_path, **options):
    clock = Clock()
    with Sandbox(world, page_size=50, clock=clock, **options) as sandbox:
        yield Pulling(sandbox, tmp_path / "store.duckdb", clock)


@pytest.fixture
def pulling(world, tmp_path):
    with sandbox_of(world, tmp_path) as found:
        yield found


class Pulling:
    """A sandbox, a store, and the pull between them."""

    def __init__(self, sandbox, database, clock):
        connection = sandbox.connection
        self.sandbox = sandbox
        self.clock = clock
        self.store = Store(str(database))
        self.settings = Settings(
            database=str(database),
            salesforce=SalesforceSettings(
                instance_url=connection["salesforce"]["instance_url"],
                access_token=SecretStr(connection["salesforce"]["access_token"]),
                consumer_key=connection["salesforce"]["client_id"],
                consumer_secret=SecretStr(connection["salesforce"]["client_secret"]),
            ),
            mainstay=MainstaySettings(
                base_url=connection["mainstay"]["base_url"], token=SecretStr(connection["mainstay"]["token"])
            ),
        )

    def __call__(self, wanted=WANTED, **options):
        return pull(self.store, self.settings, wanted=wanted, clock=self.clock, **options)

    def rows(self, sql):
        return self.store.rows(sql)

    def value(self, sql):
        [row] = self.rows(sql)
        [value] = row.values()
        return value

    def contents(self):
        """Every landing table without the pull that brought each row."""
        tables = self.rows(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('salesforce', 'mainstay')"
        )
        return {
            (t["table_schema"], t["table_name"]): sorted(
                self.rows(f'SELECT * EXCLUDE (_pull_id) FROM {t["table_schema"]}."{t["table_name"]}"'), key=str
            )
            for t in tables
        }

    def write_salesforce(self, operation, sobject, *records):
        with SalesforceClient(self.settings.salesforce) as client:
            [results] = SalesforceWriter(client).write(operation, sobject, records)
        assert all(item.success for item in results), results
        return [item.record_id for item in results]

    def put(self, contact_id, body):
        async def send():
            async with MainstayClient(self.settings.mainstay) as client:
                return await client.send("PUT", f"contacts/{contact_id}/", body)

        assert asyncio.run(send()).outcome == "success"

    def page_requests(self, part):
        return [item.path for item in self.sandbox.requests if item.method == "GET" and part in item.path]


# -- full ----------------------------------------------------------------------------------------------------------


def test_a_first_pull_lands_both_systems_whole(pulling, world):
    report = pulling()
    kept = world.salesforce["Contact"].filter(~pl.col("IsDeleted"))
    assert {(item.system, item.object): (item.mode, item.total) for item in report.objects} == {
        ("salesforce", "Contact"): ("full", kept.height),
        ("salesforce", "Account"): ("full", world.salesforce["Account"].filter(~pl.col("IsDeleted")).height),
        ("mainstay", "contact"): ("full", world.contacts.height),
        ("mainstay", "campaign"): ("full", world.campaigns.height),
        ("mainstay", "message"): ("full", world.messages.height),
    }
    assert report.problems == ()
    assert report.drift == ()
    assert report.api_usage is not None
    assert set(latest_pulls(pulling.store)) == {(item.system, item.object) for item in report.objects}
    assert pulling.rows("SELECT DISTINCT state FROM journal.pull") == [{"state": "complete"}]
    assert not Path(f"{pulling.store.path}.spool").exists()


def test_landed_values_have_their_types(pulling, world):
    pulling()
    types = {
        row["column_name"]: row["data_type"]
        for row in pulling.rows(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'Contact'"
        )
    }
    assert types["GPA__c"] == "DOUBLE"
    assert types["Enrollment_Date__c"] == "DATE"
    assert types["Sync_to_Mainstay__c"] == "BOOLEAN"
    assert types["SystemModstamp"] == "TIMESTAMP WITH TIME ZONE"
    assert types["Account.Parent.Name"] == types["AccountId"] == "VARCHAR"
    stored = world.salesforce["Contact"].filter(~pl.col("IsDeleted"))
    found = {row["Id"]: row for row in pulling.rows('SELECT * FROM salesforce."Contact"')}
    for record in stored.iter_rows(named=True):
        landed = found[record["Id"]]
        for name in ("FirstName", "MobilePhone", "GPA__c", "Enrollment_Date__c", "Advisor_Notes__c", "AccountId"):
            expected = record[name] or None if isinstance(record[name], str) else record[name]
            assert landed[name] == expected, name
        assert landed["Sync_to_Mainstay__c"] is not bool(record["Do_Not_Contact__c"])


def test_lookups_equal_the_landed_parents(pulling):
    pulling()
    differing = pulling.value(
        'SELECT count(*) FROM salesforce."Contact" AS c LEFT JOIN salesforce."Account" AS a ON a."Id" = c."AccountId" '
        'LEFT JOIN salesforce."Account" AS p ON p."Id" = a."ParentId" '
        'WHERE c."Account.Name" IS DISTINCT FROM a."Name" OR c."Account.Parent.Name" IS DISTINCT FROM p."Name"'
    )
    assert differing == 0
    assert pulling.value('SELECT count("Account.Parent.Name") FROM salesforce."Contact"') > 0


def test_mainstay_contacts_land_with_their_custom_values_as_text(pulling, world):
    pulling()
    landed = {row["id"]: row for row in pulling.rows("SELECT * FROM mainstay.contact")}
    assert len(landed) == world.contacts.height
    for contact in world.contacts.iter_rows(named=True):
        row = landed[contact["id"]]
        assert (row["crm_id"], row["phone"], row["archived"]) == (
            contact["crm_id"],
            contact["phone"],
            contact["archived"],
        )
        stored = contact["custom.GPA"]
        assert (row["custom.GPA"] is None) == (stored in {None, "null"})
        if row["custom.GPA"] is not None:
            assert float(row["custom.GPA"]) == float(json.loads(stored))
    hidden = world.contacts.filter(pl.col("test_user") | ~pl.col("permitted_user_status")).height
    assert (
        pulling.value("SELECT count(*) FROM mainstay.contact WHERE test_user OR NOT permitted_user_status")
        == hidden
        > 0
    )


def test_the_catalogues_land_too(pulling, world):
    pulling()
    assert pulling.value(
        "SELECT formula FROM salesforce.field WHERE sobject = 'Contact' AND name = 'Sync_to_Mainstay__c'"
    )
    assert pulling.value(
        "SELECT reference_to FROM salesforce.field WHERE sobject = 'Contact' AND name = 'AccountId'"
    ) == ["Account"]
    [campus] = pulling.rows("SELECT * FROM mainstay.field WHERE name = 'Campus'")
    assert campus["data_type"] == "Multi-Choice"
    assert campus["options"] == ["Downtown", "North", "South", "Online"]
    assert pulling.value("SELECT count(*) FROM mainstay.field WHERE is_custom") == len(world.custom_fields)


def test_an_empty_org_lands_as_empty_tables_of_the_right_shape(world, tmp_path):
    empty = replace(
        world,
        salesforce={name: frame.clear() for name, frame in world.salesforce.items()},
        contacts=world.contacts.clear(), messages=world.messages.clear(),
        campaigns=world.campaigns.clear(), recipients=world.recipients.clear(),
    )  # fmt: skip
    with sandbox_of(empty, tmp_path) as pulling:
        pulling()
        assert pulling.value('SELECT count("Account.Parent.Name") FROM salesforce."Contact"') == 0
        assert pulling.value('SELECT count("custom.GPA") FROM mainstay.contact') == 0
        assert pulling.value("SELECT count(created_at) FROM mainstay.message") == 0
        assert pulling.value("SELECT count(engagement) FROM mainstay.campaign") == 0
        assert {item.mode for item in pulling().objects if item.object != "campaign"} == {"incremental"}


def test_what_does_not_exist_is_a_problem_and_the_rest_is_pulled(pulling):
    report = pulling(
        {"Contact": ["Email", "Nope__c", "MailingAddress", "Account.Nope"], "Nonsense__c": ["Id"]}, only="salesforce"
    )
    assert len(report.problems) == 4
    assert "no field Nope__c" in report.problems[0]
    assert pulling.value('SELECT count("Email") FROM salesforce."Contact"') > 0


def test_parts_may_be_pulled_alone(pulling):
    assert [item.object for item in pulling(only="campaigns").objects] == ["campaign"]
    assert [item.object for item in pulling(only=("mainstay", "messages")).objects] == ["contact", "message"]
    with pytest.raises(ConfigurationError, match="There is no people to pull"):
        pulling(only="people")


def test_only_the_catalogues(pulling):
    report = pulling(only="fields")
    assert report.objects == ()
    assert pulling.value("SELECT count(*) FROM salesforce.field") > 0
    assert pulling.value("SELECT count(*) FROM mainstay.field") > 0


def test_drift_of_the_catalogues_is_reported(pulling):
    pulling()
    assert pulling().drift == ()
    pulling.store.write(
        "DELETE FROM mainstay.field WHERE name = 'GPA'",
        "UPDATE mainstay.field SET data_type = 'Text' WHERE name = 'Campus'",
        "UPDATE salesforce.field SET name = 'Gone__c' WHERE sobject = 'Contact' AND name = 'Campus__c'",
    )
    assert {str(item) for item in pulling().drift} == {
        "contact.custom.GPA is new",
        "contact.custom.Campus was Text and is Multi-Choice now",
        "Contact.Campus__c is new",
        "Contact.Gone__c has vanished",
    }


def test_progress_tells_how_far_it_is(pulling):
    told = []
    pulling(progress=lambda *step: told.append(step))
    assert ("Salesforce Contact", told[0][1], told[0][1]) == told[0]
    contacts = [step for step in told if step[0] == "Mainstay contacts"]
    assert [done for _, done, _ in contacts] == sorted(done for _, done, _ in contacts)
    assert contacts[-1][1] == contacts[-1][2]


def test_a_pull_runs_inside_a_running_loop_too(pulling):
    async def notebook():
        return pulling(only="campaigns")

    assert asyncio.run(notebook()).objects[0].total > 0


# -- incremental ---------------------------------------------------------------------------------------------------


def test_an_incremental_pull_ends_where_a_full_one_does(pulling):
    pulling()
    ids = [row["Id"] for row in pulling.rows('SELECT "Id" FROM salesforce."Contact" ORDER BY "Id" LIMIT 3')]
    contact = pulling.value("SELECT id FROM mainstay.contact WHERE crm_id IS NOT NULL ORDER BY id LIMIT 1")
    pulling.clock.now += timedelta(hours=1)
    pulling.write_salesforce("update", "Contact", Record("a", {"LastName": "Changed"}, ids[0]))
    [created] = pulling.write_salesforce(
        "create", "Contact", Record("b", {"LastName": "New", "Email": "new@example.edu"})
    )
    with SalesforceClient(pulling.settings.salesforce) as client:
        client.call(
            lambda api: api.restful(f"sobjects/Contact/{ids[1]}", method="DELETE"), what="a delete", is_read=False
        )
    pulling.put(contact, {"last_name": "Changed", "custom": {"High School": "Elsewhere"}})

    report = pulling()

    modes = {item.object: (item.mode, item.fetched) for item in report.objects}
    assert modes["Contact"][0] == modes["contact"][0] == "incremental"
    assert modes["Contact"][1] < 10  # the three, and what stands within the overlap
    assert pulling.value(f'SELECT "LastName" FROM salesforce."Contact" WHERE "Id" = \'{ids[0]}\'') == "Changed"
    assert pulling.rows(f'SELECT 1 FROM salesforce."Contact" WHERE "Id" = \'{ids[1]}\'') == []
    assert pulling.value(f'SELECT "Email" FROM salesforce."Contact" WHERE "Id" = \'{created}\'') == "new@example.edu"
    merged = pulling.contents()
    pulling(full=True)
    assert merged == pulling.contents()


def test_rows_that_did_not_change_keep_their_pull(pulling):
    first = pulling().pull_id
    second = pulling().pull_id
    assert pulling.rows("SELECT DISTINCT _pull_id FROM mainstay.contact") == [{"_pull_id": first}]
    assert latest_pulls(pulling.store)["mainstay", "contact"] == second
    totals = pulling.rows("SELECT p.object, count(DISTINCT p.row_count) AS n FROM journal.pull AS p GROUP BY p.object")
    assert {row["n"] for row in totals} == {1}


def test_a_changed_parent_brings_its_children(pulling):
    pulling()
    [child] = pulling.rows(
        'SELECT c."Id", a."ParentId" FROM salesforce."Contact" AS c JOIN salesforce."Account" AS a ON a."Id" = c."AccountId" '
        'WHERE a."ParentId" IS NOT NULL ORDER BY c."Id" LIMIT 1'
    )
    pulling.clock.now += timedelta(hours=1)
    pulling.write_salesforce("update", "Account", Record("a", {"Name": "Renamed System"}, child["ParentId"]))
    pulling()
    name = pulling.value(f'SELECT "Account.Parent.Name" FROM salesforce."Contact" WHERE "Id" = \'{child["Id"]}\'')
    assert name == "Renamed System"
    merged = pulling.contents()
    pulling(full=True)
    assert merged == pulling.contents()


def test_a_formula_over_a_parent_follows_it(pulling):
    """The formula shows the contact's e-mail; the application itself is never saved again."""
    wanted = {"Application__c": ["Applicant_Email__c"]}
    pulling(only="salesforce")
    contact = pulling.value('SELECT min("Id") FROM salesforce."Contact"')
    [application] = pulling.write_salesforce("create", "Application__c", Record("a", {"Contact__c": contact}))
    pulling(wanted, only="salesforce")
    pulling.clock.now += timedelta(hours=1)
    pulling.write_salesforce("update", "Contact", Record("b", {"Email": "moved@example.edu"}, contact))

    [report] = pulling(wanted, only="salesforce").objects

    assert report.mode == "incremental"
    rows = pulling.rows('SELECT "Id", "Applicant_Email__c" AS email FROM salesforce."Application__c"')
    assert rows == [{"Id": application, "email": "moved@example.edu"}]


def org_of(**formulas):
    """Contact with these formula fields, below Account with a formula of its own."""
    account = SObject(
        "Account", "Account", True, True, True,
        (
            SalesforceField("Name"),
            SalesforceField("Rank__c", calculated=True),
            SalesforceField("ParentId", type="reference", reference_to=("Account",), relationship_name="Parent"),
        ),
        {"Rank__c": "Parent.Name & 'TODAY()'"},
    )  # fmt: skip
    reference = SalesforceField("AccountId", type="reference", reference_to=("Account",), relationship_name="Account")
    fields = [SalesforceField(name, calculated=True) for name in formulas]
    contact = SObject("Contact", "Contact", True, True, True, (reference, SalesforceField("Email"), *fields), formulas)
    return {"Contact": contact, "Account": account}


@pytest.mark.parametrize(
    ("formula", "parents", "is_by_clock"),
    [
        ("NOT(Email)", set(), False),
        ("IF(Account.Name = 'Account.Parent.Name', 1, 0)", {("Account",)}, False),
        ("Other__c & ''", {("Account",), ("Account", "Parent")}, False),
        ("Account.Rank__c", {("Account",), ("Account", "Parent")}, False),
        ("YEAR(TODAY()) - 1", set(), True),
        ("$User.Name & Nope.Name /* Account.Name */", set(), False),
        ('"TODAY()" & Loop__c', set(), False),
    ],
)
def test_what_formulas_look_at(formula, parents, is_by_clock):
    org = org_of(Loop__c=formula, Other__c="Account.Parent.Name")
    sources = FormulaSources(org.__getitem__)
    sources.follow("Contact", "Loop__c")
    assert (sources.parents, sources.is_by_clock) == (parents, is_by_clock)


def test_an_object_by_the_clock_is_always_read_whole():
    [plan, *_] = plan_objects({"Contact": ["Age__c"]}, org_of(Age__c="NOW() - 1").__getitem__).objects
    assert plan.is_by_clock
    [plan, *_] = plan_objects({"Contact": ["Age__c"]}, org_of(Age__c="Account.Name").__getitem__).objects
    assert plan.parents == ("Account",)
    assert "Account.SystemModstamp >= 2026-11-24T12:00:00Z" in plan.soql(START)


def test_other_columns_ask_for_a_full_pull(pulling):
    pulling()
    report = pulling({"Contact": ["Email"]}, only="salesforce")
    assert [(item.object, item.mode) for item in report.objects] == [("Contact", "full")]
    assert "MobilePhone" not in pulling.rows('SELECT * FROM salesforce."Contact" LIMIT 1')[0]


def test_a_watermark_never_runs_ahead_of_the_reading(pulling):
    """A record stamped in the future does not hide what is saved before its time comes."""
    pulling.clock.now = datetime(2025, 1, 1, tzinfo=UTC)
    pulling()
    assert pulling.value('SELECT max("SystemModstamp") FROM salesforce."Contact"') > pulling.clock.now
    assert pulling.value("SELECT max(watermark) FROM journal.pull") <= pulling.clock.now


# -- interrupted ---------------------------------------------------------------------------------------------------


def stop_at(stage, rows):
    def progress(name, done, _total):
        if name == stage and done >= rows:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_pull_goes_on_where_it_stopped(pulling, world):
    with pytest.raises(KeyboardInterrupt):
        pulling(only="mainstay", progress=stop_at("Mainstay contacts", 150))
    assert pulling.rows("SELECT state FROM journal.pull") == [{"state": "interrupted"}]
    assert latest_pulls(pulling.store) == {}
    before = len(pulling.page_requests("/contacts/?"))

    [report] = pulling(only="mainstay").objects

    assert report.is_resumed
    assert report.total == world.contacts.height
    pages = [re.search(r"[?&]page=([0-9]+)", path) for path in pulling.page_requests("/contacts/?")[before:]]
    assert min(int(page[1]) for page in pages) == 4


def test_an_interrupted_pull_leaves_what_was_there(pulling):
    pulling()
    before = pulling.contents()
    with pytest.raises(KeyboardInterrupt):
        pulling(full=True, progress=stop_at("Salesforce Contact", 1))
    assert pulling.contents() == before
    assert set(latest_pulls(pulling.store).values()) == {1}


def test_a_salesforce_query_resumes_and_starts_over_when_its_place_is_lost(pulling, monkeypatch):
    many = SalesforceClient.query_pages

    def small_pages(client, soql, **options):
        """The same pages, cut small, so that one can be the last that was landed."""
        for page in many(client, soql, **options):
            yield replace(page, next_path="/services/data/v62.0/query/01gnowhere-2000")
            return

    monkeypatch.setattr(SalesforceClient, "query_pages", small_pages)
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", progress=stop_at("Salesforce Contact", 1))
    monkeypatch.undo()
    report = pulling(only="salesforce")
    [contact] = [item for item in report.objects if item.object == "Contact"]
    assert contact.total == pulling.value('SELECT count(DISTINCT "Id") FROM salesforce."Contact"')
    assert not contact.is_resumed


def test_an_object_that_was_read_to_its_end_is_not_read_again(pulling):
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", progress=stop_at("Salesforce Account", 1))
    before = len(pulling.page_requests("FROM+Contact"))
    report = pulling(only="salesforce")
    assert next(item for item in report.objects if item.object == "Contact").is_resumed
    assert len(pulling.page_requests("FROM+Contact")) == before > 0
    assert pulling.value('SELECT count(*) FROM salesforce."Contact"') == report.objects[0].total


@pytest.mark.slow
def test_a_killed_pull_is_resumed(pulling, world, tmp_path):
    script = tmp_path / "child.py"
    script.write_text(
        "import os, signal, sys\n"
        "from workbench.settings import Settings\n"
        "from workbench.stages.pull import pull\n"
        "from workbench.store import Store\n"
        "def progress(stage, done, total):\n"
        "    if stage == 'Mainstay messages' and done >= 100:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "settings = Settings()\n"
        "pull(Store(settings.database), settings, wanted={'Contact': ['Email']}, progress=progress)\n"
    )
    env = {**os.environ, **pulling.sandbox.settings_env(), "WORKBENCH_DATABASE": str(pulling.store.path)}
    child = subprocess.run(
        [sys.executable, str(script)], env=env, cwd=Path(__file__).parents[2], check=False, timeout=60
    )
    assert child.returncode == -signal.SIGKILL
    states = {row["object"]: row["state"] for row in pulling.rows("SELECT object, state FROM journal.pull")}
    assert states == {"Contact": "complete", "contact": "complete", "campaign": "complete", "message": "running"}

    pulling.clock.now = datetime.now(UTC)
    report = pulling({"Contact": ["Email"]})

    messages = next(item for item in report.objects if item.object == "message")
    assert messages.is_resumed
    assert messages.total == world.messages.height
    assert pulling.rows("SELECT count(*) AS n FROM journal.pull WHERE state = 'running'") == [{"n": 0}]
    assert pulling.value("SELECT count(DISTINCT admithub_id) FROM mainstay.message") == world.messages.height


def test_half_a_page_on_disk_is_cut_off(tmp_path):
    spool = Spool(tmp_path / "store.duckdb")
    with spool.held():
        file = spool.open("mainstay.contact", {"plan": 1}, lambda: START)
        file.append(b'{"id":1}\n', 1, "page-2", ["custom.A"])
        file.close()
        with file.path.open("ab") as torn:
            torn.write(b'{"id": 2')
        again = spool.open("mainstay.contact", {"plan": 1}, lambda: START + timedelta(hours=1))
        assert (again.is_resumed, again.next, again.rows, again.extra) == (True, "page-2", 1, {"custom.A"})
        assert again.path.read_bytes() == b'{"id":1}\n'
        assert not spool.open("mainstay.contact", {"plan": 2}, lambda: START).is_resumed


@pytest.mark.parametrize("spoil", ["old", "broken", "shorter"])
def test_a_spool_that_cannot_be_trusted_is_begun_anew(tmp_path, spoil):
    spool = Spool(tmp_path / "store.duckdb")
    with spool.held():
        file = spool.open("x", {}, lambda: START)
        file.append(b'{"id":1}\n', 1, "page-2")
        file.close()
        if spoil == "broken":
            (spool.folder / "x.state").write_bytes(b"{")
        if spoil == "shorter":
            file.path.write_bytes(b"")
        now = START + timedelta(hours=7) if spoil == "old" else START
        assert not spool.open("x", {}, lambda: now).is_resumed


def test_two_pulls_at_once_are_refused(pulling):
    with Spool(pulling.store.path).held(), pytest.raises(StoreBusy, match="Another pull"):
        pulling()


# -- bulk ----------------------------------------------------------------------------------------------------------


def test_a_large_object_comes_by_bulk_as_it_does_by_rest(pulling, monkeypatch):
    pulling(only="salesforce")
    by_rest = pulling.contents()
    monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    report = pulling(only="salesforce", full=True)
    assert {item.way for item in report.objects} == {"bulk"}
    assert pulling.contents() == by_rest


@pytest.mark.parametrize(("code", "is_read"), [("API_DISABLED_FOR_ORG", True), ("INVALID_FIELD", False)])
def test_an_org_without_a_bulk_door_is_read_by_pages(pulling, monkeypatch, code, is_read):
    def shut(*_args, **_options):
        raise RemoteError("refused", code=code, status=403)

    monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    monkeypatch.setattr(SalesforceClient, "bulk_download", shut)
    if is_read:
        assert {item.way for item in pulling(only="salesforce").objects} == {"rest"}
    else:
        with pytest.raises(RemoteError, match="refused"):
            pulling(only="salesforce")


def test_bulk_files_keep_lines_unicode_and_blanks(tmp_path):
    file = tmp_path / "page.csv"
    file.write_text(
        '"Id","CreatedDate","Note","GPA","Extra"\n'
        '"1","2026-11-23T09:22:20.000Z","line 1\nline 2, ""quoted"" \u2028 李 \u0085 =cmd()","3.5","x"\n'
        '"2","","","",""\n',
        encoding="utf-8",
    )
    columns = (Column("GPA", "DOUBLE"), Column("Id"), Column("Note"), Column("CreatedDate", "TIMESTAMPTZ"))
    target = Target("salesforce", "Contact", "Id", columns, stamp="CreatedDate")
    prepared = prepare_csv([file, file], target, 3, tmp_path / "spool")
    assert (prepared.rows, prepared.repeated) == (2, 2)
    rows = sorted(rows_of(prepared), key=lambda row: row["Id"])
    assert rows[0]["Note"] == 'line 1\nline 2, "quoted" \u2028 李 \u0085 =cmd()'
    assert rows[0]["GPA"] == 3.5
    assert (rows[1]["Note"], rows[1]["GPA"], rows[1]["CreatedDate"], rows[1]["_pull_id"]) == (None, None, None, 3)
    lacking = Target("salesforce", "Contact", "Id", (*columns, Column("Phone")))
    with pytest.raises(RemoteError, match="Phone"):
        prepare_csv([file], lacking, 3, tmp_path / "spool")


def test_good_bulk_files_are_written_once_and_odd_ones_become_good_first(tmp_path):
    good, odd = tmp_path / "good.csv", tmp_path / "odd.csv"
    good.write_text('"Id","GPA","Stamp"\n"1","3.5","2026-11-23T09:22:20.000Z"\n')
    odd.write_text('"Id","GPA","Stamp"\n"2","high","2026-11-24T09:22:20.000+0000"\n')
    columns = (Column("Id"), Column("GPA", "DOUBLE"), Column("Stamp", "TIMESTAMPTZ"))
    target = Target("salesforce", "Contact", "Id", columns, stamp="Stamp")
    as_it_is = prepare_csv([good], target, 1, tmp_path / "spool")
    assert not list((tmp_path / "spool").glob("*.parquet"))
    assert (as_it_is.rows, as_it_is.latest) == (1, datetime(2026, 11, 23, 9, 22, 20, tzinfo=UTC))
    made_good = prepare_csv([good, odd], target, 1, tmp_path / "spool")
    assert made_good.notices == ("salesforce Contact: 1 values of GPA are no DOUBLE and were left blank",)
    assert made_good.latest == datetime(2026, 11, 24, 9, 22, 20, tzinfo=UTC)
    one, other = rows_of(made_good)
    assert [one] == rows_of(as_it_is)  # the hash too
    assert (other["GPA"], other["Stamp"]) == (None, made_good.latest)


# -- odd data ------------------------------------------------------------------------------------------------------


def test_values_that_do_not_fit_are_left_blank_and_told(tmp_path):
    file = tmp_path / "x.ndjson"
    file.write_text('{"id":"1","created":"soon"}\n{"id":"2","created":"2024-01-01T00:00:00Z","n":1}\n')
    columns = (Column("id"), Column("created", "TIMESTAMPTZ"), Column("n", "BIGINT"), Column("labels", "VARCHAR[]"))
    prepared = prepare_json([file], Target("mainstay", "contact", "id", columns), 1, tmp_path)
    assert prepared.notices == ("mainstay contact: 1 values of created are no TIMESTAMPTZ and were left blank",)
    assert prepared.rows == 2


def test_of_a_record_listed_twice_the_latest_counts(tmp_path):
    file = tmp_path / "x.ndjson"
    file.write_text('{"id":"1","at_":"2024-01-02"}\n{"id":"1","at_":"2024-01-03"}\n{"id":"2","at_":null}\n')
    target = Target("mainstay", "contact", "id", (Column("id"), Column("at_", "DATE")), stamp="at_")
    prepared = prepare_json([file], target, 1, tmp_path)
    rows = {row["id"]: str(row["at_"]) for row in rows_of(prepared)}
    assert rows == {"1": "2024-01-03", "2": "None"}
    assert (prepared.rows, prepared.repeated) == (2, 1)


def test_hostile_field_names_become_columns(world, tmp_path):
    names = ['Odd "quoted" name', "it's; DROP TABLE x", "a.b/c", "日本", "{braces}: 'x'"]
    fields = tuple(MainstayField(name, "Text", is_custom=True) for name in names)
    contacts = world.contacts.with_columns(
        pl.lit(json.dumps(f"v:{name}\u2028\n\"'")).alias(f"custom.{name}") for name in names
    )
    odd = replace(world, contacts=contacts, custom_fields=(*world.custom_fields, *fields))
    with sandbox_of(odd, tmp_path) as pulling:
        pulling(only="mainstay")
        row = pulling.rows("SELECT * FROM mainstay.contact LIMIT 1")[0]
        assert {name: row[f"custom.{name}"] for name in names} == {name: f"v:{name}\u2028\n\"'" for name in names}
        assert pulling(only="mainstay").objects[0].mode == "incremental"


def test_fields_that_differ_by_case_alone_are_one_column_and_told():
    fields = [MainstayField(name, "Text", is_custom=True) for name in ("Campus", "CAMPUS")]
    columns, problems = contact_columns(fields, ["custom.campus", "custom.New"])
    assert [column.name for column in columns] == ["custom.Campus", "custom.New"]
    assert len(problems) == 2


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "bulk"),
    [*((name, False) for name in sorted({*PROFILES} - {"none"})), ("lossy", True), ("garbled", True), ("storm", True)],
)
def test_a_pull_through_faults_ends_the_same(world, tmp_path, monkeypatch, faults, bulk):
    if bulk:
        monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    with sandbox_of(world, tmp_path / "calm") as calm:
        calm()
        expected = calm.contents()
    passing = RemoteError if faults == "looping" else TransientError
    with sandbox_of(world, tmp_path / "faulty", faults=faults, fault_seed=3) as pulling:
        for _ in range(6):  # a fault may outlive the retries; the next pull goes on from there
            with suppress(passing):
                pulling(full=True)
                break
        assert pulling.contents() == expected
        assert pulling.sandbox.faults["mainstay"].counts["impatient"] == 0


def test_a_list_without_end_is_stopped(world, tmp_path):
    with sandbox_of(world, tmp_path) as pulling:
        pulling.sandbox.faults["mainstay"].plan("looping", method="GET", path="/contacts/")
        with pytest.raises(RemoteError, match=r"twice|skipped"):
            pulling(only="mainstay")
        assert latest_pulls(pulling.store) == {}


# -- a file of messages --------------------------------------------------------------------------------------------

EXPORT = (
    "crm_id,mainstay_id,first_name,last_name,channel,campaign_id,campaign_name,timestamp,incoming,outgoing\n"
    '003A,ah1,Ana,Lopez,twilio,c1,Fall nudge,2024-08-20 09:30:00,,"Register by Friday,\nplease."\n'
    "003A,ah1,Ana,Lopez,twilio,,,2024-08-20T09:31:00Z,Thanks 李,\n"
    "003A,ah1,Ana,Lopez,web,,,2024-08-20 09:32:00 UTC,,Hi\n"
)


def test_an_export_is_read_once_however_often(tmp_path):
    store = Store(str(tmp_path / "store.duckdb"))
    file = tmp_path / "export.csv"
    file.write_text(EXPORT, encoding="utf-8")
    first = import_messages(store, file)
    second = import_messages(store, file)
    assert [item.objects[0].total for item in (first, second)] == [3, 3]
    rows = store.rows("SELECT * FROM mainstay.message ORDER BY created_at")
    assert [row["incoming"] for row in rows] == [False, True, False]
    assert rows[0]["body"] == "Register by Friday,\nplease."
    assert rows[0]["source"] == "campaign"
    assert rows[1]["created_at"] == datetime(2024, 8, 20, 9, 31, tzinfo=UTC)
    assert latest_pulls(store)["mainstay", "message"] == 2


def test_exported_messages_survive_a_pull_and_count_once(pulling, world, tmp_path):
    pulling(only="messages")
    known = pulling.rows(
        "SELECT * FROM mainstay.message WHERE incoming AND body IS NOT NULL ORDER BY admithub_id LIMIT 1"
    )[0]
    file = tmp_path / "export.csv"
    moment = known["created_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    file.write_text(
        EXPORT
        + f'{known["contact_crm_id"] or ""},{known["admithub_contact_id"]},A,B,web,,,{moment},"{known["body"]}",\n'
    )
    import_messages(pulling.store, file)
    assert pulling.value("SELECT count(*) FROM mainstay.message") == world.messages.height + 3
    pulling(only="messages")
    pulling(only="messages", full=True)
    assert pulling.value("SELECT count(*) FROM mainstay.message") == world.messages.height + 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name,text\nAna,hi\n", "column mainstay_id is missing"),
        (b"\xff\xfe\x00bad", "no UTF-8"),
        (EXPORT.replace("2024-08-20 09:30:00", "yesterday").encode(), "cannot be read"),
    ],
)
def test_a_file_that_is_no_export_says_why(tmp_path, content, reason):
    file = tmp_path / "export.csv"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason):
        import_messages(Store(str(tmp_path / "store.duckdb")), file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nothing\.csv"):
        import_messages(Store(str(tmp_path / "store.duckdb")), tmp_path / "nothing.csv")
    assert MESSAGES.key == "admithub_id"


# -- checking the connections --------------------------------------------------------------------------------------


def test_good_connections_pass_every_step(pulling):
    steps = check(pulling.settings, wanted=WANTED)
    assert [step.name for step in steps if not step.ok] == []
    assert {"Salesforce limits", "Salesforce Contact", "Mainstay organisation"} <= {step.name for step in steps}


def changed(settings, system, **values):
    part = getattr(settings, system)
    return settings.model_copy(update={system: part.model_copy(update=values)})


@pytest.mark.parametrize(
    ("system", "values", "failing", "said"),
    [
        ("mainstay", {"token": SecretStr("wrong")}, "Mainstay token", "make a new one"),
        ("mainstay", {"token": None}, "Mainstay settings", "no token"),
        ("mainstay", {"base_url": "http://127.0.0.1:9/"}, "Mainstay host", "not reached"),
        ("salesforce", {"access_token": SecretStr("00D!x"), "consumer_key": None}, "Salesforce token", "has expired"),
        ("salesforce", {"instance_url": "http://127.0.0.1:9", "consumer_key": None}, "Salesforce host", "not reached"),
        ("salesforce", {"instance_url": None}, "Salesforce settings", "INSTANCE_URL"),
    ],
)
def test_a_failing_step_says_what_to_do(pulling, system, values, failing, said):
    steps = check(changed(pulling.settings, system, **values))
    [failed] = [step for step in steps if not step.ok]
    assert failed.name == failing
    assert said in failed.sentence
    assert all(step.ok for step in steps if step.name.split()[0] != failing.split()[0])


def test_fields_that_cannot_be_seen_are_named(pulling):
    steps = check(pulling.settings, wanted={"Contact": ["Email", "Nope__c"], "Nonsense__c": ["Id"]})
    failed = {step.name: step.sentence for step in steps if not step.ok}
    assert set(failed) == {"Salesforce Contact.Nope__c", "Salesforce Nonsense__c"}
    assert "Grant Read" in failed["Salesforce Contact.Nope__c"]


def test_a_field_that_an_import_may_not_edit_is_named(pulling):
    fields = {"Contact": ["Email", "IsEmailBounced"]}
    [failed] = [step for step in check(pulling.settings, wanted=fields, written=fields) if not step.ok]
    assert failed.name == "Salesforce Contact.IsEmailBounced"
    assert "grant Edit" in failed.sentence
    assert all(step.ok for step in check(pulling.settings, wanted=fields))


def test_a_field_hidden_from_this_user_is_named_with_the_grant_that_is_missing(pulling):
    """Field-level security hides a field from describe and query alike, as if it did not exist."""
    before = len(check(pulling.settings, wanted=WANTED))
    pulling.sandbox.salesforce_org.hide_field("Contact", "GPA__c")
    steps = check(pulling.settings, wanted=WANTED)
    [failed] = [step for step in steps if not step.ok]
    assert len(steps) == before
    assert failed.name == "Salesforce Contact.GPA__c"
    assert failed.sentence == (
        "Contact has no field GPA__c, or this user may not see it. "
        "Grant Read on it (field-level security) to this user in a permission set, or correct the mapping."
    )
    report = pulling(only="salesforce")  # the rest is pulled all the same
    assert [problem.split(":")[0] for problem in report.problems] == ["GPA__c"]


def test_run_async_returns_and_raises():
    async def work():
        return 7

    async def inside():
        return run_async(work())

    assert run_async(work()) == asyncio.run(inside()) == 7


def test_a_used_up_day_and_a_closed_api_are_told(pulling, monkeypatch):
    monkeypatch.setattr(SalesforceClient, "limits", lambda _: {"DailyApiRequests": {"Max": 15000, "Remaining": 12}})
    [failed] = [step for step in check(pulling.settings) if not step.ok]
    assert failed.name == "Salesforce limits"
    assert "Only 12 of 15,000" in failed.sentence

    def closed(_client):
        raise RemoteError("refused", code="API_DISABLED_FOR_ORG", status=403)

    monkeypatch.setattr(SalesforceClient, "sobjects", closed)
    [failed] = [step for step in check(pulling.settings) if not step.ok]
    assert failed.name == "Salesforce API"
    assert "API Enabled" in failed.sentence


def test_an_object_that_may_not_be_written_is_named(pulling):
    [failed] = [step for step in check(pulling.settings, wanted={"RecordType": ["Name"]}) if not step.ok]
    assert failed.name == "Salesforce RecordType"
    assert "create or edit" in failed.sentence


def test_a_reading_that_the_day_cannot_pay_for_is_not_begun(pulling, monkeypatch):
    monkeypatch.setattr(SalesforceClient, "api_usage", property(lambda _: (15_000, 15_000)))
    with pytest.raises(RemoteError, match=r"takes 1 API requests; the org has used 15,000 of its 15,000"):
        pulling(only="salesforce")


def test_an_interrupted_bulk_query_goes_on_with_its_pages(pulling, monkeypatch):
    monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    monkeypatch.setattr(bulk, "PAGE_ROWS", 50)
    calm = pulling(only="salesforce", full=True)
    expected = pulling.contents()
    begun, whole = [], bulk.BulkQuery._fetch_page

    def interrupted(query):
        begun.append(1)
        if len(begun) == 4:
            raise KeyboardInterrupt
        whole(query)

    monkeypatch.setattr(bulk.BulkQuery, "_fetch_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pulling(only="salesforce", full=True)
    asked = len(pulling.page_requests("/results"))
    report = pulling(only="salesforce", full=True)
    assert [item.is_resumed for item in report.objects] == [True, *[False] * (len(calm.objects) - 1)]
    assert "locator=" in pulling.page_requests("/results")[asked]
    assert pulling.contents() == expected
