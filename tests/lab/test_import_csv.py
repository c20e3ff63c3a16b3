"""Two exported files become a pull: read as people save them, guessed, landed, previewed and matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench as wb
from workbench import cli
from workbench.domain.salesforce_ids import full_id
from workbench.errors import ConfigurationError
from workbench.lab.columns import custom_name, guess_columns
from workbench.lab.csv_file import read_csv_file
from workbench.lab.intake import draft, land
from workbench.settings import MainstaySettings, SalesforceSettings, Settings
from workbench.simulators import world
from workbench.simulators.sandbox import Sandbox
from workbench.store import Store

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples" / "csv"
FILES = SAMPLES / "salesforce_report.csv", SAMPLES / "mainstay_contacts.csv"
ID = "003Hs000000G89oIAC"


def written(path, *lines, encoding="utf-8"):
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


@pytest.fixture
def files(tmp_path):
    """files(salesforce lines, mainstay lines) -> the two paths."""

    def make(salesforce, mainstay=("Mainstay ID,First Name,Phone,Email", "ah1,Ana,4045550101,ana@example.com")):
        return written(tmp_path / "s.csv", *salesforce), written(tmp_path / "m.csv", *mainstay)

    return make


def fields(path, system):
    return {guess.header: (guess.field, guess.type, guess.why) for guess in guess_columns(read_csv_file(path), system)}


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("cp1252", "\t")])
def test_any_usual_file_is_read(tmp_path, encoding, delimiter):
    lines = [f"Contact ID{delimiter}Last Name", f"{ID}{delimiter}Müller", f"{delimiter}", "", "Report of 2026", "Owner"]
    found = read_csv_file(written(tmp_path / "a.csv", *lines, encoding=encoding))
    assert found.header == ("Contact ID", "Last Name")
    assert found.columns == ((ID,), ("Müller",))
    assert found.skipped == 3


def test_line_breaks_and_quotes_inside_cells_stay(tmp_path):
    found = read_csv_file(written(tmp_path / "a.csv", "id,notes", 'ah1,"two\nlines, and ""quotes"""'))
    assert found.column("notes") == ('two\nlines, and "quotes"',)


@pytest.mark.parametrize("text", ["", "\n", "a,b,a\n1,2,3"])
def test_files_that_cannot_be_read_say_why(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"header|several columns"):
        read_csv_file(written(tmp_path / "a.csv", text))
    with pytest.raises(ConfigurationError, match="no file"):
        read_csv_file(tmp_path / "missing.csv")


def hostile(tmp_path, raw):
    path = tmp_path / "a.csv"
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return path


@pytest.mark.parametrize(
    ("raw", "header", "columns"),
    [
        ("id\tname\nah1\tÄnn".encode("utf-16"), ("id", "name"), (("ah1",), ("Änn",))),
        ("sep=;\r\nid;name\r\nah1;Ann\r\n", ("id", "name"), (("ah1",), ("Ann",))),
        ('"name, first; or last";id\nAnn;ah1', ("name, first; or last", "id"), (("Ann",), ("ah1",))),
        ("id,name,,\nah1,Ann,,\nah2,Bo,,", ("id", "name"), (("ah1", "ah2"), ("Ann", "Bo"))),
        ("id,name,\nah1,Ann,x", ("id", "name", "Column 3"), (("ah1",), ("Ann",), ("x",))),
        ("id,name,note\nah1,Ann\nah2,Bo,x", ("id", "name", "note"), (("ah1", "ah2"), ("Ann", "Bo"), (None, "x"))),
        ("id,Phone,GPA\nah1,4045550123.0,3.0", ("id", "Phone", "GPA"), (("ah1",), ("4045550123",), ("3.0",))),
        ('id,code,phone\nah1,"=""0042""",\'+14045550123', ("id", "code", "phone"), (("ah1",), ("0042",), ("+14045550123",))),
        ('id,note\nah1,"one\ntwo"\n"Report, of 2026"\n', ("id", "note"), (("ah1",), ("one\ntwo",))),
    ],
    ids=["utf-16", "sep line", "quoted header", "empty columns", "nameless column", "short line", "floats", "wrapped", "newline"],
)  # fmt: skip
def test_files_as_spreadsheets_leave_them(tmp_path, raw, header, columns):
    found = read_csv_file(hostile(tmp_path, raw))
    assert (found.header, found.columns) == (header, columns)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"PK\x03\x04rest", "Excel workbook"),
        ("id,name\nah1,Lee, Ann", r"line 2: 3 values for 2 columns"),
        ('id,name\nah1,"Ann\nah2,Bo\n', "quotation mark is not closed"),
        ("id,name,name\nah1,a,b", "several columns named name"),
        (b"id,name\nah1,\x81\x8d", "neither UTF-8 nor Windows"),
    ],
)
def test_files_that_would_lose_something_say_where(tmp_path, raw, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        read_csv_file(hostile(tmp_path, raw))


def test_phones_as_numbers_are_known_and_lost_digits_are_told(tmp_path, files):
    store = Store(str(tmp_path / "store.duckdb"))
    drafted = draft(
        *files(
            ["Contact ID,First Name,Handy,Mobile", f"{ID[:15]},Ana,4045550101.0,4.04555E+09"],
            ["Mainstay ID,First Name,Number,CRM ID", f"ah1,Ana,4045550101.0,{ID[:15]}"],
        )
    )
    assert {guess.header: guess.field for guess in drafted.mainstay_columns}["Number"] == "phone"
    landed = land(store, drafted)
    assert any("4.04555E+09" in notice and "Mobile" in notice for notice in landed.notices)
    assert store.rows("SELECT phone, crm_id FROM mainstay.contact") == [{"phone": "4045550101", "crm_id": ID}]


def test_columns_are_known_by_header_then_by_values_then_as_custom_fields(tmp_path):
    path = written(
        tmp_path / "a.csv",
        "Contact ID,Handy,Post,Student_ID__c,GPA (weighted),Is active?,Started,Zip,Ref",
        f"{ID},(404) 555-0101,ana@example.com,0042,3.5,1,9/1/2025,02139,1234567",
        f"{ID},404-555-0102,bo@example.com,0043,,0,10/15/2025,02140,7654321",
    )
    assert fields(path, "salesforce") == {
        "Contact ID": ("Id", "id", "header"),
        "Handy": ("MobilePhone", "phone", "values"),
        "Post": ("Email", "email", "values"),
        "Student_ID__c": ("Student_ID__c", "string", "custom field"),
        "GPA (weighted)": ("GPA_weighted__c", "double", "custom field"),
        "Is active?": ("Is_active__c", "boolean", "custom field"),
        "Started": ("Started__c", "date", "custom field"),
        "Zip": ("MailingPostalCode", "string", "header"),
        "Ref": ("Ref__c", "string", "custom field"),
    }


def test_mainstay_columns_too(tmp_path):
    path = written(
        tmp_path / "a.csv",
        "Mainstay ID,Salesforce,Cell,Portal,Commuter,Age",
        f"ah1,{ID},4045550101,https://example.edu/a,yes,19",
    )
    assert fields(path, "mainstay") == {
        "Mainstay ID": ("id", "string", "header"),
        "Salesforce": ("crm_id", "string", "values"),
        "Cell": ("phone", "phone", "header"),
        "Portal": ("custom.Portal", "URL", "custom field"),
        "Commuter": ("custom.Commuter", "True/False", "custom field"),
        "Age": ("custom.Age", "Number", "custom field"),
    }


def test_a_person_settles_columns(tmp_path):
    path = written(tmp_path / "a.csv", "Key,Mobile,Second phone", f"{ID},4045550101,4045550102")
    settled = {"Key": "Id", "Second phone": "MobilePhone", "Mobile": "-"}
    found = {guess.header: guess.field for guess in guess_columns(read_csv_file(path), "salesforce", settled)}
    assert found == {"Key": "Id", "Mobile": None, "Second phone": "MobilePhone"}
    with pytest.raises(ConfigurationError, match="no column Nope"):
        guess_columns(read_csv_file(path), "salesforce", {"Nope": "Id"})
    with pytest.raises(ConfigurationError, match="same field"):
        guess_columns(read_csv_file(path), "salesforce", {"Key": "Id", "Mobile": "Id"})


def test_without_ids_nothing_begins(files):
    with pytest.raises(ConfigurationError, match="Contact ID"):
        draft(*files(["First Name,Last Name", "Ana,Lopez"]))


def test_ids_of_fifteen_characters_get_their_checksum():
    assert full_id("003Hs000000G89o") == ID == full_id(ID)
    assert full_id("a report") is None
    assert custom_name("Student_ID__c") == "Student_ID__c"


def test_what_lands_is_typed_described_and_visible(tmp_path, files):
    store = Store(str(tmp_path / "store.duckdb"))
    drafted = draft(
        *files(
            [
                "Contact ID,First Name,Last Name,Mobile,Email,Account Name,Started,Active",
                f"{ID[:15]},Ana,Lopez,4045550101,ana@example.com,North College,25/12/2025,1",
                "not-an-id,Bo,Twin,,,,01/02/2025,0",
            ]
        )
    )
    landed = land(store, drafted)
    assert (landed.records, landed.contacts) == (1, 1)
    assert any("without a usable id" in notice for notice in landed.notices)
    (row,) = store.rows('SELECT * FROM salesforce."Contact"')
    assert (row["Id"], row["Account.Name"], str(row["Started__c"]), row["Active__c"]) == (
        ID,
        "North College",
        "2025-12-25",
        True,
    )
    assert store.rows("SELECT object, mode, state, row_count FROM view.pull ORDER BY object") == [
        {"object": "Contact", "mode": "import", "state": "complete", "row_count": 1},
        {"object": "contact", "mode": "import", "state": "complete", "row_count": 1},
    ]
    assert {row["sobject"] for row in store.rows("SELECT sobject FROM salesforce.field")} == {"Contact", "Account"}


def test_files_without_one_usable_record_leave_the_store_alone(tmp_path, files):
    store = Store(str(tmp_path / "store.duckdb"))
    with pytest.raises(ConfigurationError, match="no record with an id"):
        land(store, draft(*files(["Contact ID,First Name", "nobody,Ana"])))
    assert {row["state"] for row in store.rows("SELECT state FROM view.pull")} == {"interrupted"}


def test_files_that_share_nothing_are_told(files):
    with pytest.raises(ConfigurationError, match="share no field"):
        draft(*files(["Contact ID,Shoe size", f"{ID},38"], ["Mainstay ID,Height", "ah1,170"]))


def test_the_samples_preview_as_the_systems_they_came_from(tmp_path):
    """Pulled through the API with the drafted mapping, the same people get the same previews."""
    by_file = wb.connect(tmp_path / "file.duckdb", settings=Settings())
    drafted = by_file.import_csv(*FILES)
    assert "custom.High School" in drafted._repr_html_()
    assert len(drafted.confirm(by="Dana")) == 2
    (tmp_path / "drafted.yaml").write_text(drafted.mapping)
    with Sandbox(world.generate(300, 11)) as running:
        seen = running.connection
        live = Settings(
            mainstay=MainstaySettings(**seen["mainstay"]),
            salesforce=SalesforceSettings(
                instance_url=seen["salesforce"]["instance_url"], access_token=seen["salesforce"]["access_token"]
            ),
        )
        by_api = wb.connect(tmp_path / "api.duckdb", settings=live)
        by_api.import_mapping(tmp_path / "drafted.yaml", by="Dana")
        by_api.pull()
    for direction in ("export", "import"):
        sides = [
            {(row["salesforce_id"], row["mainstay_id"]): row["action"] for row in bench.preview(direction).changes}
            for bench in (by_file, by_api)
        ]
        differing = {pair for pair in sides[0].keys() | sides[1].keys() if sides[0].get(pair) != sides[1].get(pair)}
        # A report tells minutes: records of one minute that share a phone may be decided in another order.
        allowed = 4 if direction == "export" else 0
        assert len(differing) <= allowed, (direction, differing)


def test_by_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKBENCH_DATABASE", str(tmp_path / "store.duckdb"))
    monkeypatch.chdir(tmp_path)
    arguments = ["import-csv", "--salesforce", str(FILES[0]), "--mainstay", str(FILES[1]), "--json"]
    with pytest.raises(SystemExit) as ending:
        cli.main(arguments)
    assert ending.value.code == 2
    assert "--yes" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ending:
        cli.main([*arguments, "--yes", "--salesforce-column", "High School=-"])
    assert ending.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["records"], told["contacts"]) == (300, 300)
    assert [preview["direction"] for preview in told["previews"]] == ["export", "import"]
    assert all(sum(preview["counts"].values()) == 300 for preview in told["previews"])
    assert {row["field"] for row in told["columns"]["salesforce"] if row["column"] == "High School"} == {None}
    assert told["matching"][0]["rule"] == "crm_id"
