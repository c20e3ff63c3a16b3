"""Bulk files, odd values and files of messages on their way into the store."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from tests.flow.pulling import rows_of, sandbox_of
from workbench.domain.fields import MainstayField
from workbench.errors import ConfigurationError, RemoteError
from workbench.salesforce import SalesforceClient
from workbench.stages.pull import import_messages, latest_pulls, salesforce
from workbench.stages.pull.mainstay import MESSAGES, contact_columns
from workbench.store import Store
from workbench.store.landing import Column, Target
from workbench.store.spooled import prepare_csv, prepare_json


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
    one, other = sorted(rows_of(made_good), key=lambda row: row["Id"])  # files are read side by side
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
