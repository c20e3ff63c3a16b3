"""Which changes a pull brings, by which door, over several objects and lists at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from workbench import operations
from workbench.salesforce import Record, SalesforceClient
from workbench.stages.pull import salesforce

SEVERAL = {
    "Contact": ["Email", "Account.Name"],
    "Lead": ["LastName", "Company"],
    "Application__c": ["Contact__c", "Contact__r.Email"],
}
RENAMED = {"High School": "School"}


def ways(report):
    return {item.object: (item.mode, item.way) for item in report.objects}


def test_what_was_committed_late_is_not_missed(pulling):
    """Its stamp is of the save, minutes before the watermark; it could be seen only after the pull that set that."""
    pulling(only="salesforce")
    one, other = (row["Id"] for row in pulling.rows('SELECT "Id" FROM salesforce."Contact" ORDER BY "Id" LIMIT 2'))
    pulling.write_salesforce("update", "Contact", Record("a", {"LastName": "Seen"}, one))
    pulling(only="salesforce")
    now, org = pulling.clock.now, pulling.sandbox.salesforce_org
    pulling.clock.now = org._last_stamp = now - timedelta(minutes=8)
    org._last_stamp = org._last_stamp.replace(tzinfo=None)
    pulling.write_salesforce("update", "Contact", Record("b", {"LastName": "Late"}, other))
    pulling.clock.now = now + timedelta(hours=1)

    assert ways(pulling(only="salesforce"))["Contact"] == ("incremental", "rest")

    names = pulling.rows(f'SELECT "LastName" AS name FROM salesforce."Contact" WHERE "Id" IN (\'{one}\', \'{other}\')')
    assert {row["name"] for row in names} == {"Seen", "Late"}


@pytest.mark.parametrize("by_bulk", [False, True])
def test_several_objects_are_pulled_at_once_and_followed(pulling, monkeypatch, by_bulk):
    """Contact, Lead and a custom object with its contact behind a lookup: made, changed and deleted."""
    if by_bulk:
        monkeypatch.setattr(salesforce, "BULK_FROM", 1)
    org = pulling.sandbox.salesforce_org
    person = org.edit("Contact", None, {"LastName": "Person", "Email": "person@example.edu"})
    leads = [org.edit("Lead", None, {"LastName": f"Lead {n}", "Company": 'A, "B"\nC'}) for n in range(3)]
    applications = [org.edit("Application__c", None, {"Contact__c": person}) for _ in range(3)]

    first = pulling(SEVERAL, only="salesforce")

    assert set(SEVERAL) | {"Account"} == set(ways(first))
    assert set(ways(first).values()) == {("full", "bulk" if by_bulk else "rest")}
    assert pulling.value('SELECT count(*) FROM salesforce."Lead" WHERE "Company" = \'A, "B"\nC\'') == 3
    assert pulling.value('SELECT DISTINCT "Contact__r.Email" FROM salesforce."Application__c"') == "person@example.edu"

    pulling.clock.now += timedelta(hours=1)
    org.edit("Lead", leads[0], {"LastName": "Moved"})
    org.edit("Contact", person, {"Email": "moved@example.edu"})
    with SalesforceClient(pulling.settings.salesforce) as client:
        for path in (f"Lead/{leads[1]}", f"Application__c/{applications[1]}"):
            client.call(
                lambda api, path=path: api.restful(f"sobjects/{path}", method="DELETE"), what="x", is_read=False
            )

    second = pulling(SEVERAL, only="salesforce")

    assert set(ways(second).values()) == {("incremental", "rest")}
    assert pulling.value('SELECT DISTINCT "Contact__r.Email" FROM salesforce."Application__c"') == "moved@example.edu"
    left = pulling.rows('SELECT "Id" FROM salesforce."Application__c" ORDER BY "Id"')
    assert [row["Id"] for row in left] == sorted({*applications} - {applications[1]})
    merged = pulling.contents()
    pulling(SEVERAL, only="salesforce", full=True)
    assert pulling.contents() == merged


def test_bulk_begins_at_its_threshold(pulling, monkeypatch):
    total = pulling(only="salesforce").objects[0].total
    for threshold, way in ((total + 1, "rest"), (total, "bulk")):
        monkeypatch.setattr(salesforce, "BULK_FROM", threshold)
        assert ways(pulling(only="salesforce", full=True))["Contact"] == ("full", way)


def test_a_query_too_long_for_a_get_comes_by_bulk_and_whole(pulling, monkeypatch):
    pulling(only="salesforce")
    expected = pulling.contents()
    monkeypatch.setattr(salesforce, "fits_in_url", lambda soql: "FROM Contact" not in soql)
    found = ways(pulling(only="salesforce"))
    assert found["Contact"] == ("full", "bulk")
    assert found["Account"] == ("incremental", "rest")
    assert pulling.contents() == expected


def test_new_messages_and_contacts_come_to_those_that_are_there(pulling):
    first = {item.object: item for item in pulling(only=["mainstay", "messages"]).objects}
    contact = pulling.value("SELECT min(id) FROM mainstay.contact WHERE messaging_status_sms = 'opted-in'")
    pulling.clock.now += timedelta(hours=1)
    pulling.sandbox.institution.learner_texts(contact, "STOP")

    second = {item.object: item for item in pulling(only=["mainstay", "messages"]).objects}

    assert {item.mode for item in second.values()} == {"incremental"}
    assert second["message"].fetched < first["message"].fetched
    assert second["message"].total == first["message"].total + 1
    assert pulling.value(f"SELECT messaging_status_sms FROM mainstay.contact WHERE id = '{contact}'") == "opted-out"
    newest = pulling.rows("SELECT body, incoming FROM mainstay.message ORDER BY created_at DESC LIMIT 1")
    assert newest == [{"body": "STOP", "incoming": True}]


def test_refreshing_the_catalogues_tells_what_moved_and_lists_every_field(pulling):
    assert operations.refresh_fields(pulling.store, pulling.settings) == []
    institution = pulling.sandbox.institution
    pulling.sandbox.salesforce_org.hide_field("Contact", "GPA__c")
    custom = [replace(field, name=RENAMED.get(field.name, field.name)) for field in institution.custom_fields]
    institution.change_fields(custom, RENAMED)

    moved = {str(item) for item in operations.refresh_fields(pulling.store, pulling.settings)}

    assert {
        "Contact.GPA__c has vanished", "contact.custom.High School has vanished", "contact.custom.School is new",
    } <= moved  # fmt: skip
    fields = {row["name"]: row for row in pulling.rows("SELECT * FROM mainstay.field")}
    assert {"id", "crm_id", "phone", "last_modified_at", "School"} <= set(fields)
    assert (fields["School"]["is_custom"], fields["School"]["is_deprecated"], fields["School"]["data_type"]) == (
        True, False, "Text",
    )  # fmt: skip
    assert (fields["last_modified_at"]["is_custom"], fields["last_modified_at"]["is_writable"]) == (False, False)
