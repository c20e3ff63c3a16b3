"""Pulls from both sandboxes into a real store: full and incremental."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.flow.pulling import START, sandbox_of
from workbench import views
from workbench.domain.fields import SalesforceField
from workbench.errors import ConfigurationError
from workbench.salesforce import Record, SalesforceClient, SObject
from workbench.stages.pull import latest_pulls
from workbench.stages.pull.formulas import FormulaSources
from workbench.stages.pull.plan import plan_objects
from workbench.stages.pull.run import run_async


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
    kept = {(row["object"], row["field"], row["kind"]) for row in views.field_drift(pulling.store)}
    assert kept == {
        ("contact", "custom.GPA", "new"),
        ("contact", "custom.Campus", "retyped"),
        ("Contact", "Campus__c", "new"),
        ("Contact", "Gone__c", "vanished"),
    }
    pulling()
    assert views.field_drift(pulling.store) == []


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


def test_run_async_returns_and_raises():
    async def work():
        return 7

    async def inside():
        return run_async(work())

    assert run_async(work()) == asyncio.run(inside()) == 7
