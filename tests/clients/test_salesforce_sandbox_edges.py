"""The corners of the Salesforce sandbox: odd values, odd queries, odd requests."""

from __future__ import annotations

from datetime import UTC, date, datetime

import jwt
import polars as pl
import pytest
from clients.test_salesforce_sandbox_support import START, account_id, code_of, contact_id, served
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from workbench.simulators.salesforce.date_words import day_range
from workbench.simulators.salesforce.field_shapes import field_shape, formula
from workbench.simulators.salesforce.formulas import FormulaError, Term, formula_sql
from workbench.simulators.salesforce.ids import long_id, made_id, parsed_id
from workbench.simulators.salesforce.refusals import Refusal


@pytest.fixture
def org():
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def still():
    """For tests that only read; its clock stands on 24 November 2026."""
    with served(clock=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC)) as running:
        yield running


# --- ids ---


@given(st.text("ABCxyz019", min_size=15, max_size=15))
def test_an_id_survives_being_lengthened(short):
    assert parsed_id(short) == parsed_id(long_id(short)) == long_id(short)
    assert parsed_id(long_id(short)[:15] + long_id(short)[15:].lower()) == long_id(short)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_made_ids_differ(first, second):
    assert (made_id("003", first) == made_id("003", second)) == (first == second)


def test_what_is_no_id():
    assert parsed_id("003D000000QOMn0AAA") is None  # a wrong suffix
    assert parsed_id("003") is None
    assert parsed_id(7) is None


# --- SOQL ---


@pytest.mark.parametrize(
    ("word", "first", "after"),
    [
        ("today", date(2026, 11, 24), date(2026, 11, 25)),
        ("YESTERDAY", date(2026, 11, 23), date(2026, 11, 24)),
        ("THIS_WEEK", date(2026, 11, 22), date(2026, 11, 29)),
        ("LAST_MONTH", date(2026, 10, 1), date(2026, 11, 1)),
        ("NEXT_MONTH", date(2026, 12, 1), date(2027, 1, 1)),
        ("LAST_YEAR", date(2025, 1, 1), date(2026, 1, 1)),
        ("LAST_N_DAYS:7", date(2026, 11, 17), date(2026, 11, 25)),
        ("N_DAYS_AGO:2", date(2026, 11, 22), date(2026, 11, 23)),
        ("LAST_N_MONTHS:2", date(2026, 9, 1), date(2026, 11, 1)),
        ("LAST_N_WEEKS:2", date(2026, 11, 8), date(2026, 11, 22)),
        ("N_WEEKS_AGO:1", date(2026, 11, 15), date(2026, 11, 22)),
        ("THIS_QUARTER", date(2026, 10, 1), date(2027, 1, 1)),
        ("LAST_QUARTER", date(2026, 7, 1), date(2026, 10, 1)),
        ("LAST_N_QUARTERS:4", date(2025, 10, 1), date(2026, 10, 1)),
        ("N_MONTHS_AGO:11", date(2025, 12, 1), date(2026, 1, 1)),
        ("NEXT_N_YEARS:2", date(2027, 1, 1), date(2029, 1, 1)),
    ],
)
def test_words_for_days(word, first, after):
    assert day_range(word, date(2026, 11, 24)) == (first, after)


def test_what_is_no_word_for_days():
    assert day_range("SOMEDAY", date(2026, 11, 24)) is None
    assert day_range("SOMEDAYS:3", date(2026, 11, 24)) is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("SystemModstamp = THIS_MONTH", ["O'Brien", "Zhang", "Çelik", "Adams"]),
        ("SystemModstamp = LAST_N_DAYS:20", ["Çelik", "Adams"]),
        ("SystemModstamp != LAST_N_DAYS:20", ["O'Brien", "Zhang"]),
        ("SystemModstamp < N_DAYS_AGO:20", ["O'Brien", "Zhang"]),
        ("SystemModstamp <= N_DAYS_AGO:20", ["O'Brien", "Zhang", "Çelik"]),
        ("SystemModstamp > N_DAYS_AGO:20", ["Adams"]),
        ("SystemModstamp >= N_DAYS_AGO:20", ["Çelik", "Adams"]),
        ("Birthdate = 2000-01-02 OR Birthdate = null", ["Zhang"]),
        ("Birthdate > TODAY", []),
        ("GPA__c = +4.0 OR GPA__c = .2e1", ["Çelik", "Adams"]),
        ("GPA__c NOT IN (4.0, 2)", ["O'Brien", "Zhang"]),
        ("AccountId NOT IN (SELECT Id FROM Account WHERE Name LIKE 'lone%')", ["O'Brien", "Çelik", "Adams"]),
        ("LastName > 'o'", ["O'Brien", "Zhang", "Çelik"]),
        ("Name = 'ana o\\'brien'", ["O'Brien"]),
        ("(((Id != null)) AND (NOT (Do_Not_Contact__c = true)))", ["O'Brien", "Çelik", "Adams"]),
    ],
)
def test_where(still, where, expected):
    assert still.names(where) == expected


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Contact WHERE Do_Not_Contact__c = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE GPA__c = '3'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE AccountId = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2026-13-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Id > '003D000000QOMn0'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE GPA__c LIKE '3%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE MailingAddress = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT Id, id FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id ~ 'x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Id =", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact HAVING x", "MALFORMED_QUERY"),
        ("SELECT Id x FROM Contact", "MALFORMED_QUERY"),
        ("SELECT COUNT(), Id FROM Contact", "MALFORMED_QUERY"),
        ("SELECT COUNT() FROM Contact GROUP BY Campus__c LIMIT", "MALFORMED_QUERY"),
        ("SELECT Campus__c, LastName FROM Contact GROUP BY Campus__c", "MALFORMED_QUERY"),
        ("SELECT Campus__c, COUNT() FROM Contact GROUP BY Campus__c", "MALFORMED_QUERY"),
        ("SELECT toLabel(Campus__c) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT FIELDS(SOME) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE AccountId IN (SELECT Id, Name FROM Account)", "MALFORMED_QUERY"),
        ("FROM Contact", "MALFORMED_QUERY"),
        ("SELECT 'x' FROM Contact", "MALFORMED_QUERY"),
        (f"SELECT Id FROM Contact WHERE LastName = '{'x' * 4001}'", "INVALID_FIELD"),
    ],
)
def test_refused_queries(still, soql, code):
    assert code_of(still.get("query", params={"q": soql})) == (400, code)


def test_a_statement_has_a_length(org):
    job = {"operation": "query", "query": f"SELECT Id FROM Contact WHERE LastName IN ({'x' * 100_000})"}
    assert code_of(org.send("POST", "jobs/query", job)) == (400, "MALFORMED_QUERY")


def test_more_ways_to_ask(still):
    assert len(still.query("SELECT FIELDS(ALL) FROM Contact LIMIT 1")["records"][0]) == 75
    assert "GPA__c" in still.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1")["records"][0]
    assert "Email" in still.query("SELECT FIELDS(STANDARD) FROM Contact")["records"][0]
    aliased = still.query("SELECT c.Id, c.Account.Name FROM Contact c WHERE c.LastName = 'Zhang'")["records"]
    assert aliased[0]["Account"]["Name"] == "Lone College"
    assert still.query("SELECT COUNT() FROM Contact LIMIT 2")["totalSize"] == 2
    [found] = still.query(
        "SELECT COUNT(Id) n, COUNT_DISTINCT(AccountId) d, MIN(SystemModstamp) a, SUM(GPA__c) s, AVG(GPA__c) FROM Contact"
    )["records"]
    assert (found["n"], found["d"], found["s"]) == (4, 2, 9.5)
    assert found["a"] == "2026-11-02T00:00:00.000+0000"
    assert found["expr0"] == pytest.approx(9.5 / 3)
    open_count = still.get("query", params={"q": "SELECT COUNT() FROM Contact", "columns": "true"}).json()
    assert open_count["columnMetadata"] == []
    nested = "SELECT Account.Name, Account.Parent.Name FROM Contact LIMIT 1"
    [account] = still.get("query", params={"q": nested, "columns": "true"}).json()["columnMetadata"]
    assert [column["columnName"] for column in account["joinColumns"]] == ["Name", "Parent"]


def test_odd_locators(still):
    assert code_of(still.get("query/nonsense")) == (400, "INVALID_QUERY_LOCATOR")
    with served(
        {"Contact": pl.DataFrame({"Id": [contact_id(n) for n in range(201)], "LastName": ["x"] * 201})}
    ) as many:
        hint = {"Sforce-Query-Options": "batchSize=1"}
        page = many.get("query", params={"q": "SELECT Id FROM Contact"}, headers=hint).json()
        assert len(page["records"]) == 200
        beyond = page["nextRecordsUrl"].replace("-200", "-999")
        assert code_of(many.http.get(beyond)) == (400, "INVALID_QUERY_LOCATOR")
        for _ in range(50):
            many.get("query", params={"q": "SELECT Id FROM Contact"}, headers=hint)
        assert code_of(many.http.get(page["nextRecordsUrl"])) == (400, "INVALID_QUERY_LOCATOR")


# --- formulas ---


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("TEXT(GPA__c) & '!' & BLANKVALUE(FirstName, 'none')", "string", "3.5!Ana"),
        ("(GPA__c + 1) * 2 / 3 - 1", "double", 2.0),
        ("-GPA__c", "double", -3.5),
        ("IF(OR(LEN(LastName) > 20, BEGINS(LastName, 'O')), LOWER(LastName), NULL)", "string", "o'brien"),
        ("AND(CONTAINS(Email, '@'), NOT(ISBLANK(Email)), Email <> \"x\")", "boolean", True),
        ("IF(TRUE, LEFT(TRIM(LastName), 2), 'x')", "string", "O'"),
        ("VALUE('12') == 12 || FALSE", "boolean", True),
        ("TODAY() > Birthdate", "boolean", True),
        ("FirstName & BR() & LastName", "string", "Ana_BR_ENCODED_O'Brien"),
    ],
)
def test_formulas(org, text, kind, expected):
    org.org.add_field("Contact", formula("Made__c", kind, text, length=1300 if kind == "string" else 0))
    assert org.query("SELECT Made__c FROM Contact ORDER BY Id LIMIT 1")["records"][0]["Made__c"] == expected


def test_formulas_see_a_percentage_as_a_fraction(org):
    org.org.add_field("Contact", field_shape("Rate__c", "percent"))
    org.org.add_field("Contact", formula("Half__c", "percent", "Rate__c / 2"))
    org.org.add_field("Contact", formula("Is_Low__c", "boolean", "Half__c < 0.5 && Rate__c > 0.5"))
    org.org.edit("Contact", None, {"LastName": "Sixty", "Rate__c": 60.0})
    (found,) = org.query("SELECT Rate__c, Half__c, Is_Low__c FROM Contact WHERE LastName = 'Sixty'")["records"]
    assert (found["Rate__c"], found["Half__c"], found["Is_Low__c"]) == (60.0, 30.0, True)


@pytest.mark.parametrize("text", ["VLOOKUP(x)", "LastName LastName", "IF(", "(1", "~", "1 + )"])
def test_formulas_beyond_the_sandbox(text):
    with pytest.raises(FormulaError):
        formula_sql(text, lambda _: Term(exp.column("LastName"), "text"))


# --- values ---


def contact(**fields):
    return {"LastName": "x", **fields}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Do_Not_Contact__c": "perhaps"}, "JSON_PARSER_ERROR"),
        ({"Do_Not_Contact__c": 1}, "JSON_PARSER_ERROR"),
        ({"FirstName": 5}, "JSON_PARSER_ERROR"),
        ({"FirstName": {"a": 1}}, "JSON_PARSER_ERROR"),
        ({"GPA__c": True}, "JSON_PARSER_ERROR"),
        ({"GPA__c": 10**17}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"Birthdate": "2000-02-30"}, "JSON_PARSER_ERROR"),
        ({"Birthdate": "2000-01-01T00:00:00Z"}, "JSON_PARSER_ERROR"),
        ({"EmailBouncedDate": "2000-01-01 00:00:00"}, "JSON_PARSER_ERROR"),
        ({"EmailBouncedDate": "2000-01-01T00:00:00"}, "JSON_PARSER_ERROR"),
        ({"AccountId": contact_id(1)}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"Account": {"Nope__c": "x"}}, "INVALID_FIELD"),
        ({"ReportsToId": contact_id(5)}, "ENTITY_IS_DELETED"),
    ],
)
def test_refused_values(still, fields, code):
    assert code_of(still.send("POST", "sobjects/Contact", contact(**fields))) == (400, code)


def test_accepted_values(org):
    given = contact(
        Do_Not_Contact__c="TRUE",
        GPA__c="3.25",
        EmailBouncedDate="2026-01-01T10:00:00+02:00",
        AccountId=account_id(2)[:15],
    )
    made = org.send("POST", "sobjects/Contact", given).json()["id"]
    found = org.get(
        f"sobjects/Contact/{made}", params={"fields": "Do_Not_Contact__c,GPA__c,EmailBouncedDate,AccountId"}
    ).json()
    assert (found["Do_Not_Contact__c"], found["GPA__c"], found["AccountId"]) == (True, 3.25, account_id(2))
    assert found["EmailBouncedDate"] == "2026-01-01T08:00:00.000+0000"
    org.send("PATCH", f"sobjects/Contact/{made}", {"Do_Not_Contact__c": None})
    assert org.names("Do_Not_Contact__c = true") == ["Zhang"]


def test_an_int_is_an_int_and_a_lead_has_a_default(org):
    lead = {"LastName": "x", "Company": "y", "NumberOfEmployees": 3.5}
    assert code_of(org.send("POST", "sobjects/Lead", lead)) == (400, "JSON_PARSER_ERROR")
    made = org.send("POST", "sobjects/Lead", {**lead, "NumberOfEmployees": "4"}).json()["id"]
    found = org.get(f"sobjects/Lead/{made}").json()
    assert (found["NumberOfEmployees"], found["Status"]) == (4, "Open - Not Contacted")


def test_a_unique_value_is_free_again_after_a_change(org):
    path = "composite/sobjects"
    records = [
        {"attributes": {"type": "Contact"}, "id": contact_id(1), "Student_ID__c": "S100"},
        {"attributes": {"type": "Contact"}, "id": contact_id(2), "Student_ID__c": "S1"},
    ]
    assert all(result["success"] for result in org.send("PATCH", path, {"records": records}).json())


# --- requests ---


def test_odd_requests(still):
    assert code_of(still.send("POST", "sobjects/User", {"LastName": "x"})) == (405, "METHOD_NOT_ALLOWED")
    assert code_of(still.send("POST", "sobjects/Contact", [])) == (400, "JSON_PARSER_ERROR")
    assert code_of(still.send("POST", "composite/sobjects", {"records": ["x"]})) == (400, "JSON_PARSER_ERROR")
    assert code_of(still.send("POST", "composite/sobjects", {"records": [{"LastName": "x"}]})) == (400, "INVALID_INPUT")
    unknown = {"records": [{"attributes": {"type": "Nope"}}]}
    assert code_of(still.send("POST", "composite/sobjects", unknown)) == (400, "INVALID_TYPE")
    mixed = {"records": [{"attributes": {"type": "Account"}}]}
    assert code_of(still.send("PATCH", "composite/sobjects/Contact/Student_ID__c", mixed)) == (400, "INVALID_TYPE")
    assert code_of(still.send("PATCH", "composite/sobjects/Contact/Campus__c", mixed)) == (404, "NOT_FOUND")
    assert code_of(still.send("POST", "composite", {"compositeRequest": "x"})) == (400, "JSON_PARSER_ERROR")
    assert code_of(still.send("POST", "composite/sobjects/Contact", {"ids": ["x"], "fields": ["Id"]})) == (
        400,
        "MALFORMED_ID",
    )
    assert code_of(still.get("limits", headers={"X-Long": "x" * 17_000})) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
    assert still.http.head(f"{still.data}/limits").status_code == 200
    assert still.get("").json()["sobjects"] == f"{still.data}/sobjects"
    assert still.get("sobjects/contact").json()["objectDescribe"]["name"] == "Contact"
    assert (
        still.get(
            "sobjects/Organization/updated", params={"start": START.isoformat(), "end": "2026-11-02T00:00:00Z"}
        ).json()["ids"]
        == []
    )


def test_keys_and_their_owners(org):
    assert code_of(org.get("sobjects/Contact/Student_ID__c/none")) == (404, "NOT_FOUND")
    assert org.send("DELETE", "sobjects/Contact/Student_ID__c/S1").status_code == 204
    assert code_of(org.send("DELETE", "sobjects/Contact/Student_ID__c/S1")) == (404, "NOT_FOUND")
    org.org.edit("Contact", contact_id(2), {"Email": "dee@example.edu"})
    assert org.send("DELETE", "sobjects/Contact/Email/dee@example.edu").status_code == 300
    assert org.get(f"sobjects/Contact/Id/{contact_id(2)}").json()["LastName"] == "Zhang"
    old = org.http.patch("/services/data/v45.0/sobjects/Contact/Student_ID__c/S2", json={"FirstName": "Z"})
    assert (old.status_code, old.content) == (204, b"")
    records = [{"attributes": {"type": "Contact"}, "Email": "dee@example.edu", "FirstName": "x"},
               {"attributes": {"type": "Contact"}, "Email": 7, "FirstName": "x"}]  # fmt: skip
    several, mistyped = org.send("PATCH", "composite/sobjects/Contact/Email", {"records": records}).json()
    assert several["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"
    assert mistyped["errors"][0]["statusCode"] == "JSON_PARSER_ERROR"
    by_id = {"records": [{"attributes": {"type": "Contact"}, "Id": "zz", "FirstName": "x"}]}
    assert (
        org.send("PATCH", "composite/sobjects/Contact/Id", by_id).json()[0]["errors"][0]["statusCode"] == "MALFORMED_ID"
    )
    params = {"ids": f"{contact_id(1)},{contact_id(3)},zzz", "allOrNone": "true"}
    answer = org.http.delete(f"{org.data}/composite/sobjects", params=params).json()
    assert not any(result["success"] for result in answer)
    assert org.names("Id != null") == ["Zhang", "Çelik", "Adams"]


def test_windows_too_far_back(still):
    params = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-20T00:00:00Z"}
    assert code_of(still.get("sobjects/Contact/updated", params=params)) == (400, "INVALID_REPLICATION_DATE")
    fields = still.http.get(
        f"{still.data}/composite/sobjects/Contact", params={"ids": contact_id(1), "fields": "Id,LastName"}
    )
    assert fields.json()[0]["LastName"] == "O'Brien"


def test_soap_knows_login_only(still):
    answer = still.http.post("/services/Soap/u/59.0", content=b"<query/>")
    assert answer.status_code == 500
    assert "INVALID_OPERATION" in answer.text
    retired = still.http.post("/services/Soap/u/30.0", content=b"<login>")
    assert retired.status_code == 500
    assert "UNSUPPORTED_API_VERSION" in retired.text
    form = {"grant_type": "client_credentials"}
    headers = {"Authorization": "Basic ???"}
    assert still.http.post("/services/oauth2/token", data=form, headers=headers).json()["error"] == "invalid_client_id"


def test_the_password_grant(still):
    known = still.org.credentials
    form = {"grant_type": "password", "client_id": known.client_id, "client_secret": known.client_secret,
            "username": known.username, "password": known.password}  # fmt: skip
    assert "access_token" in still.http.post("/services/oauth2/token", data=form).json()
    form["password"] = "no"
    assert still.http.post("/services/oauth2/token", data=form).json()["error"] == "invalid_grant"


def test_an_assertion_without_an_end_is_refused(still):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": jwt.encode({}, "x" * 32, "HS256")}
    answer = still.http.post("/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_tokens_stay_out_of_the_log(still):
    still.http.get(f"/id/x/y?oauth_token={still.org.access_token}")
    assert still.org.log.requests[-1].path == "/id/x/y?oauth_token=***"


def test_the_log_can_be_emptied(org):
    org.get("limits")
    assert org.org.log.requests[-1].body is None
    org.org.log.clear()
    assert org.org.log.requests == []


# --- records as given ---


def test_records_are_loaded_as_they_are():
    own = pl.DataFrame(
        {
            "Id": [contact_id(1)[:15]],
            "LastName": ["x"],
            "Email": ["Not An Email"],
            "IsDeleted": ["false"],
            "LastModifiedDate": ["2026-01-02T03:04:05Z"],
            "OwnerId": ["005Hs0000000001"],
            "Count__c": [3],
            "Seen_On__c": [date(2026, 1, 1)],
            "Seen_At__c": [datetime(2026, 1, 1, tzinfo=UTC)],
            "Story__c": ["x" * 300],
            "Is_Good__c": [True],
        }
    )
    with served({"Contact": own, "Thing__c": pl.DataFrame({"Id": []}, schema={"Id": pl.String})}) as running:
        soql = (
            "SELECT Id, Email, SystemModstamp, CreatedDate, Owner.Name, Count__c, Seen_On__c, Seen_At__c FROM Contact"
        )
        [found] = running.query(soql)["records"]
        assert (found["Id"], found["Email"], found["Count__c"]) == (contact_id(1), "not an email", 3)
        assert found["SystemModstamp"] == found["CreatedDate"] == "2026-01-02T03:04:05.000+0000"
        assert (found["Seen_On__c"], found["Seen_At__c"]) == ("2026-01-01", "2026-01-01T00:00:00.000+0000")
        assert found["Owner"]["Name"] == "Sandbox Colleague 1"
        fields = {field["name"]: field["type"] for field in running.get("sobjects/Contact/describe").json()["fields"]}
        assert (fields["Story__c"], fields["Is_Good__c"], fields["Count__c"]) == ("textarea", "boolean", "int")
        made = running.send("POST", "sobjects/Thing__c", {}).json()["id"]
        assert running.get(f"sobjects/Thing__c/{made}").json()["Name"] == made


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ({"Contact": pl.DataFrame({"LastName": ["x"]})}, "no Id column"),
        ({"Contact": pl.DataFrame({"Id": [contact_id(1)] * 2})}, "each its own"),
        ({"Opportunity": pl.DataFrame({"Id": ["006"]})}, "no standard object Opportunity"),
    ],
)
def test_records_that_cannot_be_loaded(records, problem):
    with pytest.raises(ValueError, match=problem), served(records):
        pass


def test_what_a_person_edits(org):
    with pytest.raises(ValueError, match="INVALID_EMAIL_ADDRESS"):
        org.org.edit("Contact", contact_id(1), {"Email": "nope"})
    org.org.add_field("Contact", field_shape("Later__c", "boolean"))
    assert org.query("SELECT Later__c FROM Contact LIMIT 1")["records"][0]["Later__c"] is False
    assert org.org.records("Contact").height == 5
    assert Refusal("X", "y").of_row() == "X:y:--"


def test_an_error_inside_takes_everything_back(org):
    def edit_and_fail():
        with org.org.undoable():
            org.org.edit("Contact", contact_id(1), {"FirstName": "Gone"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        edit_and_fail()
    assert org.names("FirstName = 'Gone'") == []


def test_collections_inside_an_all_or_none_composite(org):
    records = [{"attributes": {"type": "Account"}, "Name": "Kept"}, {"attributes": {"type": "Contact"}}]
    requests = [
        {"method": "POST", "url": f"{org.data}/composite/sobjects", "referenceId": "a",
         "body": {"allOrNone": True, "records": records}},
    ]  # fmt: skip
    answer = org.send("POST", "composite", {"allOrNone": True, "compositeRequest": requests}).json()
    assert answer["compositeResponse"][0]["httpStatusCode"] == 200
    assert org.query("SELECT COUNT() FROM Account WHERE Name = 'Kept'")["totalSize"] == 0
