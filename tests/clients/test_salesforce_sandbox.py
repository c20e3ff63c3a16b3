"""The Salesforce sandbox answers as the reference says: logins, queries, records, collections, refusals."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import polars as pl
import pytest
from clients.test_salesforce_sandbox_support import account_id, code_of, contact_id, served, small_records
from simple_salesforce import exceptions as refusals

from workbench.simulators.salesforce.ids import long_id


@pytest.fixture
def org():
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def still():
    """For tests that only read."""
    with served() as running:
        yield running


# --- doors and logins ---


def test_versions_are_open_to_everyone(still):
    found = httpx.get(f"{still.url}/services/data", trust_env=False).json()
    assert {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"} == found[-1]
    assert found[0]["version"] == "31.0"


def test_a_wrong_token_meets_a_list_with_401(still):
    answer = still.get("limits", headers={"Authorization": "Bearer 00D!no"})
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_every_rest_answer_counts_and_tells_the_usage(org):
    first, second = org.get("limits"), org.get("sobjects/Nope/describe")
    assert first.headers["sforce-limit-info"] == "api-usage=1/1000000"
    assert second.headers["sforce-limit-info"] == "api-usage=2/1000000"
    assert first.headers["content-type"] == "application/json;charset=UTF-8"
    assert first.json()["DailyApiRequests"] == {"Max": 1000000, "Remaining": 999999}


def test_soap_login_works_below_version_65_only(still):
    known = still.org.credentials
    told = {"username": known.username, "password": known.password, "security_token": known.security_token}
    assert still.client(**told).query("SELECT COUNT() FROM Contact")["totalSize"] == 4
    with pytest.raises(refusals.SalesforceAuthenticationFailed) as newer:
        still.client(**told, version="65.0")
    assert newer.value.code == "INVALID_OPERATION"


def test_soap_login_refuses_a_wrong_token(still):
    known = still.org.credentials
    with pytest.raises(refusals.SalesforceAuthenticationFailed) as wrong:
        still.client(username=known.username, password=known.password, security_token="no")
    assert wrong.value.code == "INVALID_LOGIN"
    assert "Invalid username, password, security token; or user locked out." in str(wrong.value)


def test_the_client_logs_in_again_after_a_401(org):
    known = org.org.credentials
    client = org.client(username=known.username, password=known.password, security_token=known.security_token)
    org.org.expire_sessions()
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 4
    assert org.org.sessions.login_count == 2


def test_userinfo_names_user_and_organisation(still):
    found = still.http.get("/services/oauth2/userinfo").json()
    assert found["organization_id"].startswith("00D")
    assert found["preferred_username"] == still.org.credentials.username
    identity = still.http.get(urlsplit(found["sub"]).path).json()
    assert identity["username"] == still.org.credentials.username
    assert identity["organization_id"] == found["organization_id"]


def test_unknown_paths_methods_and_bodies(still):
    assert code_of(still.get("nope")) == (404, "NOT_FOUND")
    assert code_of(still.send("PUT", "query")) == (405, "METHOD_NOT_ALLOWED")
    broken = still.http.post(f"{still.data}/sobjects/Contact", content=b'{"LastName": ')
    assert code_of(broken) == (400, "JSON_PARSER_ERROR")
    assert still.http.get("/services/data/v20.0/limits").status_code == 410
    assert (
        still.get("query", params={"q": f"SELECT Id FROM Contact WHERE LastName = '{'x' * 17000}'"}).status_code == 414
    )


def test_the_daily_allowance_ends():
    with served(daily_requests=1) as running:
        assert running.get("limits").status_code == 200
        assert code_of(running.get("limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


# --- describe ---


def test_describe_is_the_recorded_one_with_the_sandbox_fields(still):
    found = still.client(version="59.0").Contact.describe()
    fields = {field["name"]: field for field in found["fields"]}
    assert found["keyPrefix"] == "003"
    assert found["urls"]["describe"] == "/services/data/v59.0/sobjects/Contact/describe"
    assert found["urls"]["uiDetailTemplate"] == f"{still.url}/{{ID}}"
    assert (fields["LastName"]["nillable"], fields["LastName"]["length"]) == (False, 80)
    student = fields["Student_ID__c"]
    assert (student["externalId"], student["unique"], student["length"]) == (True, True, 20)
    sync = fields["Sync_to_Mainstay__c"]
    assert (sync["calculated"], sync["calculatedFormula"], sync["updateable"]) == (
        True,
        "NOT(Do_Not_Contact__c)",
        False,
    )
    assert set(fields["Email"]) == set(student)
    assert {("Application__c", "Contact__c"), ("Contact", "ReportsToId")} <= {
        (child["childSObject"], child["field"]) for child in found["childRelationships"]
    }


def test_everything_listed_can_be_described(still):
    listed = still.get("sobjects").json()
    assert (listed["encoding"], listed["maxBatchSize"]) == ("UTF-8", 200)
    for sobject in listed["sobjects"]:
        assert still.get(f"sobjects/{sobject['name'].lower()}/describe").json()["name"] == sobject["name"]


# --- queries ---


def test_selected_fields_come_nested_and_in_canonical_case(still):
    soql = "select id, name, account.name, account.parent.name, email from contact order by Id"
    answer = still.query(soql)
    ana, bob, _, dee = answer["records"]
    assert (answer["totalSize"], answer["done"], "nextRecordsUrl" in answer) == (4, True, False)
    assert ana == {
        "attributes": {"type": "Contact", "url": f"{still.data}/sobjects/Contact/{contact_id(1)}"},
        "Id": contact_id(1),
        "Name": "Ana O'Brien",
        "Account": {
            "attributes": {"type": "Account", "url": f"{still.data}/sobjects/Account/{account_id(2)}"},
            "Name": "Example College",
            "Parent": {
                "attributes": {"type": "Account", "url": f"{still.data}/sobjects/Account/{account_id(1)}"},
                "Name": "Example System",
            },
        },
        "Email": "ana@example.edu",
    }
    assert bob["Account"]["Parent"] is None
    assert dee["Account"] is None


def test_values_on_the_wire(still):
    soql = "SELECT SystemModstamp, Birthdate, GPA__c, FirstName, Sync_to_Mainstay__c, MailingAddress FROM Contact ORDER BY Id"
    ana, bob, third, _ = still.query(soql)["records"]
    assert ana["SystemModstamp"] == "2026-11-02T00:00:00.000+0000"
    assert (ana["Birthdate"], ana["GPA__c"], ana["MailingAddress"]) == ("2000-01-01", 3.5, None)
    assert third["FirstName"] is None
    assert (ana["Sync_to_Mainstay__c"], bob["Sync_to_Mainstay__c"]) == (True, False)


def test_an_address_is_one_object(org):
    org.org.edit("Contact", contact_id(1), {"MailingCity": "Atlanta", "MailingLatitude": 33.7})
    found = org.query(f"SELECT MailingAddress FROM Contact WHERE Id = '{contact_id(1)}'")["records"][0][
        "MailingAddress"
    ]
    assert (found["city"], found["latitude"], found["postalCode"]) == ("Atlanta", 33.7, None)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("LastName = 'o\\'brien'", ["O'Brien"]),
        ("Email != 'ana@example.edu'", ["Zhang", "Çelik", "Adams"]),
        ("NOT Email = 'ana@example.edu'", ["Zhang", "Çelik", "Adams"]),
        ("Email = null", ["Zhang"]),
        ("FirstName = ''", ["Çelik"]),
        ("Email != NULL AND (GPA__c > 3 OR LastName = 'çelik')", ["O'Brien", "Çelik", "Adams"]),
        ("Email LIKE '%@EXAMPLE.edu' AND NOT (GPA__c <= 2.0)", ["O'Brien", "Adams"]),
        ("Email LIKE 'c\\_e%'", ["Çelik"]),
        ("Email LIKE '__e@%'", ["Adams"]),
        ("LastName IN ('ZHANG', 'adams')", ["Zhang", "Adams"]),
        ("Email NOT IN ('dee@example.edu')", ["O'Brien", "Zhang", "Çelik"]),
        ("Do_Not_Contact__c = true", ["Zhang"]),
        ("Sync_to_Mainstay__c = FALSE", ["Zhang"]),
        ("Account.Parent.Name = 'example system'", ["O'Brien", "Çelik"]),
        ("Account.Name = null", ["Adams"]),
        ("SystemModstamp >= 2026-11-04T00:00:00Z", ["Çelik", "Adams"]),
        ("SystemModstamp > 2026-11-04T02:00:00+02:00", ["Adams"]),
        ("Birthdate < 2000-01-02", ["O'Brien"]),
        ("CreatedDate = LAST_N_DAYS:1", []),
        ("AccountId IN (SELECT Id FROM Account WHERE ParentId != null)", ["O'Brien", "Çelik"]),
        (f"Id = '{contact_id(2)[:15]}'", ["Zhang"]),
        (f"AccountId IN ('{account_id(3)}', null)", ["Zhang", "Adams"]),
    ],
)
def test_where(still, where, expected):
    assert still.names(where) == expected


def test_order_puts_blanks_first_and_ignores_case(still):
    def ordered(by):
        return [record["Email"] for record in still.query(f"SELECT Email FROM Contact ORDER BY {by}")["records"]]

    assert ordered("Email") == [None, "ana@example.edu", "c_elik@example.edu", "dee@example.edu"]
    assert ordered("Email DESC") == [None, "dee@example.edu", "c_elik@example.edu", "ana@example.edu"]
    assert ordered("Email ASC NULLS LAST")[-1] is None
    assert ordered("Email LIMIT 2 OFFSET 1") == ["ana@example.edu", "c_elik@example.edu"]


def test_counts(still):
    assert still.query("SELECT COUNT() FROM Contact WHERE AccountId != null") == {
        "totalSize": 3, "done": True, "records": [],
    }  # fmt: skip
    grouped = still.query("SELECT Account.Name college, COUNT(Id), MAX(GPA__c) best FROM Contact GROUP BY Account.Name")
    by_college = {record["college"]: (record["expr0"], record["best"]) for record in grouped["records"]}
    assert by_college == {"Example College": (2, 3.5), "Lone College": (1, None), None: (1, 4.0)}


def test_query_all_sees_the_recycle_bin(still):
    found = still.query("SELECT LastName, IsDeleted FROM Contact WHERE IsDeleted = true", door="queryAll")
    assert [record["LastName"] for record in found["records"]] == ["Gone"]


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        (
            "SELECT Nope FROM Contact",
            "INVALID_FIELD",
            "ERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Contact'",
        ),
        ("SELECT Id FROM Contact WHERE Nope.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        (
            "SELECT Id FROM Contact WHERE SystemModstamp > '2026-11-01T00:00:00Z'",
            "INVALID_FIELD",
            "should not be enclosed",
        ),
        ("SELECT Id FROM Contact WHERE SystemModstamp > 2026-11-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT FROM Contact", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Contact WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        (
            "SELECT Id FROM Contact WHERE GPA__c = 1 AND GPA__c = 2 OR GPA__c = 3",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Contact WHERE Id = 'nope'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nope"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset"),
        ("SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Contact", "INVALID_FIELD", "more than 5 levels"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "unexpected token: '('"),
        ("", "MALFORMED_QUERY", "query string"),
    ],
)
def test_refused_queries(still, soql, code, says):
    answer = still.get("query", params={"q": soql})
    assert code_of(answer) == (400, code)
    assert says in answer.json()[0]["message"]


def test_pages_of_many_records():
    many = pl.DataFrame(
        {"Id": [long_id(f"003B{n:011d}") for n in range(4500)], "LastName": [f"Person {n}" for n in range(4500)]}
    )
    with served({"Contact": many}) as running:
        page = running.query("SELECT LastName FROM Contact ORDER BY Id")
        assert (len(page["records"]), page["totalSize"], page["done"]) == (2000, 4500, False)
        assert page["nextRecordsUrl"].startswith(f"{running.data}/query/01g")
        assert page["nextRecordsUrl"].endswith("-2000")
        smaller = running.http.get(page["nextRecordsUrl"], headers={"Sforce-Query-Options": "batchSize=200"}).json()
        assert len(smaller["records"]) == 200
        last = running.http.get(page["nextRecordsUrl"].replace("-2000", "-4000")).json()
        assert (len(last["records"]), last["totalSize"], last["done"]) == (500, 4500, True)
        assert "nextRecordsUrl" not in last
        everyone = running.client().query_all("SELECT Id FROM Contact")["records"]
        assert len({record["Id"] for record in everyone}) == 4500
        assert code_of(running.get("query/01gA00000000000AAA-2000")) == (400, "INVALID_QUERY_LOCATOR")


# --- single records ---


def test_create_read_update_delete(org):
    client = org.client()
    made = client.Contact.create({"LastName": "New", "Email": "New.One@Example.edu", "FirstName": ""})
    record_id = made["id"]
    assert (made["success"], made["errors"], record_id[:3], len(record_id)) == (True, [], "003", 18)
    first = client.Contact.get(record_id)
    assert (first["Email"], first["FirstName"], first["Name"]) == ("new.one@example.edu", None, "New")
    assert (first["Do_Not_Contact__c"], first["Sync_to_Mainstay__c"]) == (False, True)
    assert client.Contact.update(record_id[:15], {"Do_Not_Contact__c": True, "GPA__c": 3}) == 204
    second = client.Contact.get(record_id)
    assert (second["Sync_to_Mainstay__c"], second["GPA__c"]) == (False, 3.0)
    assert second["SystemModstamp"] > first["SystemModstamp"]
    assert second["CreatedDate"] == first["CreatedDate"]
    assert client.Contact.delete(record_id) == 204
    assert code_of(org.send("DELETE", f"sobjects/Contact/{record_id}")) == (404, "ENTITY_IS_DELETED")
    assert code_of(org.get(f"sobjects/Contact/{contact_id(99)}")) == (404, "NOT_FOUND")
    assert code_of(org.get("sobjects/Contact/nope")) == (404, "NOT_FOUND")


def test_formula_changes_do_not_move_the_stamp_of_others(org):
    before = org.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id")["records"]
    org.org.edit("Account", account_id(1), {"Name": "Renamed System"})
    after = org.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id")["records"]
    assert before == after
    assert org.names("Account.Parent.Name = 'Renamed System'") == ["O'Brien", "Çelik"]


@pytest.mark.parametrize(
    ("body", "code", "message", "fields"),
    [
        ({"FirstName": "x"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ({"LastName": "x", "X__c": 1}, "INVALID_FIELD", "No such column 'X__c' on sobject of type Contact", None),
        ({"LastName": "x", "Email": "nope"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nope", ["Email"]),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG",
         f"Last Name: data value too large: {'x' * 81} (max length=80)", ["LastName"]),
        ({"LastName": "x", "CleanStatus": "Odd"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Clean Status: bad value for restricted picklist field: Odd", ["CleanStatus"]),
        ({"LastName": "x", "Student_ID__c": "s1"}, "DUPLICATE_VALUE",
         f"duplicate value found: Student_ID__c duplicates value on record with id: {contact_id(1)[:15]}",
         ["Student_ID__c"]),
        ({"LastName": "x", "AccountId": account_id(77)}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id",
         ["AccountId"]),
        ({"LastName": "x", "AccountId": "nope"}, "MALFORMED_ID", "Account ID: id value of incorrect type: nope",
         ["AccountId"]),
        ({"LastName": "x", "Name": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
         ("Unable to create/update fields: Name. Please check the security settings of this field and verify that it is "
         "read/write for your profile or permission set."), ["Name"]),
        ({"LastName": "x", "Id": contact_id(1)}, "INVALID_FIELD",
         "The Id field should not be specified in the sobject data.", None),
        ({"LastName": "x", "GPA__c": "high"}, "JSON_PARSER_ERROR",
         ("Cannot deserialize instance of double from VALUE_STRING value high or request may be missing a required "
         "field"), None),
    ],
)  # fmt: skip
def test_refused_creates(still, body, code, message, fields):
    answer = still.send("POST", "sobjects/Contact", body)
    expected = {"message": message, "errorCode": code}
    assert answer.status_code == 400
    assert answer.json() == [expected if fields is None else {**expected, "fields": fields}]
    assert still.query("SELECT COUNT() FROM Contact")["totalSize"] == 4


def test_refused_updates(org):
    path = f"sobjects/Contact/{contact_id(1)}"
    assert code_of(org.send("PATCH", path, {"LastName": None})) == (400, "REQUIRED_FIELD_MISSING")
    assert code_of(org.send("PATCH", path, {"Sync_to_Mainstay__c": True})) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert code_of(org.send("PATCH", path, {"Student_ID__c": "S2"})) == (400, "DUPLICATE_VALUE")
    assert org.send("PATCH", path, {"Student_ID__c": "S1", "Campus__c": "Anything"}).status_code == 204
    several = org.send("PATCH", path, {"Email": "no", "FirstName": "x" * 41}).json()
    assert {error["errorCode"] for error in several} == {"INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"}


def test_null_and_empty_text_clear_and_an_absent_key_keeps(org):
    path = f"sobjects/Contact/{contact_id(1)}"
    org.send("PATCH", path, {"FirstName": "", "GPA__c": None})
    found = org.get(path).json()
    assert (found["FirstName"], found["GPA__c"], found["Email"]) == (None, None, "ana@example.edu")


# --- collections ---


def contact(**fields):
    return {"attributes": {"type": "Contact"}, **fields}


def test_collections_answer_in_order_with_status_200(org):
    answer = org.send(
        "PATCH", "composite/sobjects",
        {"records": [contact(id=contact_id(1), FirstName="Anna"), contact(Id=contact_id(2), Email="bad"),
                     contact(id=contact_id(88), FirstName="x"), contact(FirstName="y"), contact(id="zz", FirstName="z")]},
    )  # fmt: skip
    assert answer.status_code == 200
    first, *rest = answer.json()
    assert first == {"id": contact_id(1), "success": True, "errors": []}
    assert rest[0] == {
        "success": False,
        "errors": [
            {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: bad", "fields": ["Email"]}
        ],
    }
    codes = [result["errors"][0]["statusCode"] for result in rest]
    assert codes == ["INVALID_EMAIL_ADDRESS", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT", "MALFORMED_ID"]
    assert org.get("limits").headers["sforce-limit-info"].startswith("api-usage=2/")


def test_all_or_none_takes_everything_back(org):
    records = [contact(LastName="Kept"), {"attributes": {"type": "Account"}, "Name": "Kept"}, contact(FirstName="No")]
    answer = org.send("POST", "composite/sobjects", {"allOrNone": True, "records": records}).json()
    codes = [result["errors"][0]["statusCode"] for result in answer]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2 + ["REQUIRED_FIELD_MISSING"]
    assert org.names("LastName = 'Kept'") == []
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == 3


def test_a_later_record_of_a_call_sees_the_earlier_ones(org):
    records = [contact(LastName="One", Student_ID__c="T1"), contact(LastName="Two", Student_ID__c="T1")]
    first, second = org.send("POST", "composite/sobjects", {"records": records}).json()
    assert first["success"]
    assert second["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert first["id"][:15] in second["errors"][0]["message"]


def test_limits_of_collections(still):
    too_many = {"records": [contact(LastName="x")] * 201}
    answer = still.send("POST", "composite/sobjects", too_many)
    assert code_of(answer) == (400, "EXCEEDED_ID_LIMIT")
    message = "record limit reached. cannot submit more than 200 records into this call"
    assert answer.json()[0]["message"] == message
    mixed = [contact(LastName="x"), {"attributes": {"type": "Account"}, "Name": "x"}] * 6
    assert still.send("POST", "composite/sobjects", {"records": mixed}).status_code == 400


def test_collections_retrieve_and_delete(org):
    asked = {"ids": [contact_id(1), contact_id(77), contact_id(2)[:15]], "fields": ["LastName"]}
    found = org.send("POST", "composite/sobjects/Contact", asked).json()
    assert [record and record["LastName"] for record in found] == ["O'Brien", None, "Zhang"]
    params = {"ids": f"{contact_id(1)},{contact_id(5)},{contact_id(77)}", "allOrNone": "false"}
    first, second, third = org.http.delete(f"{org.data}/composite/sobjects", params=params).json()
    assert first["success"]
    assert second["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert third["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert org.names("Id != null") == ["Zhang", "Çelik", "Adams"]


# --- the organisation itself ---


def test_the_log_ties_a_change_to_its_request(org):
    body = {"records": [contact(LastName="One"), contact(FirstName="Two")]}
    org.send("POST", "composite/sobjects", body, headers={"X-Workbench-Change": "c-7"})
    seen = org.org.log.requests[-1]
    assert (seen.system, seen.method, seen.status, seen.change_id) == ("salesforce", "POST", 200, "c-7")
    assert seen.body == body
    assert seen.record_ids[0].startswith("003")
    assert seen.record_ids[1] is None


def test_stamps_rise_with_every_save_of_a_standing_clock():
    moment = small_records()["Contact"]["SystemModstamp"][0]
    with served(clock=lambda: moment) as running:
        stamps = []
        for number in range(3):
            running.org.edit("Contact", contact_id(1), {"FirstName": f"A{number}"})
            [record] = running.query(f"SELECT SystemModstamp FROM Contact WHERE Id = '{contact_id(1)}'")["records"]
            stamps.append(record["SystemModstamp"])
    assert stamps == sorted(set(stamps))


def test_a_moment_can_be_returned_to(org):
    before = org.org.saved()
    org.org.edit("Contact", None, {"LastName": "Passing"})
    org.org.restore(before)
    assert org.names("LastName = 'Passing'") == []


def test_records_bring_their_own_custom_fields_and_objects():
    own = {
        "Contact": pl.DataFrame({"Id": [contact_id(1)], "LastName": ["X"], "Shoe_Size__c": [9.5]}),
        "Club__c": pl.DataFrame({"Id": ["a77000000000001"], "Name": ["Chess"]}),
    }
    with served(own) as running:
        assert running.query("SELECT Shoe_Size__c FROM Contact")["records"][0]["Shoe_Size__c"] == 9.5
        assert running.query("SELECT Id FROM Club__c")["records"][0]["Id"] == long_id("a77000000000001")
    with pytest.raises(ValueError, match="no standard field Shoe_Size"):
        served({"Contact": pl.DataFrame({"Id": [contact_id(1)], "Shoe_Size": [9]})}).__enter__()
