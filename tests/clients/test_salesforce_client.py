"""The Salesforce client against a small scripted server: logins, expiry, pages, faults and collections."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workbench.domain.fields import SalesforceField
from workbench.errors import AuthenticationFailed, ConfigurationError, RemoteError, TransientError
from workbench.salesforce import OutcomeUnknown, Record, SalesforceClient, SalesforceWriter, SObject, resolve_path
from workbench.salesforce.client import fits_in_url, flatten, selected_columns
from workbench.salesforce.describe import read_describe
from workbench.salesforce.login import Login, login_kinds, open_session
from workbench.salesforce.writer import chunks
from workbench.settings import SalesforceSettings
from workbench.simulators.sandbox import Server

TOKEN = "00Dxx0000000001!first"
EXPIRED = JSONResponse([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
LOGIN = """<soapenv:Envelope xmlns:soapenv="x"><soapenv:Body><loginResponse><result><sessionId>{token}</sessionId>
<serverUrl>{url}/services/Soap/u/62.0/00D</serverUrl></result></loginResponse></soapenv:Body></soapenv:Envelope>"""
REFUSED = """<soapenv:Envelope xmlns:soapenv="x" xmlns:sf="y"><soapenv:Body><soapenv:Fault>
<detail><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>
<sf:exceptionMessage>Invalid username, password, security token; or user locked out.</sf:exceptionMessage>
</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"""


class Org:
    """Answers by script: `answers` are used up one by one per path, then the last one stays."""

    def __init__(self):
        self.tokens = {TOKEN}
        self.logins = []
        self.seen = []
        self.answers = {}
        self.lock = threading.Lock()
        self.url = ""

    def app(self):
        return Starlette(
            routes=[
                Route("/services/oauth2/token", self.oauth, methods=["POST"]),
                Route("/services/Soap/u/{version}", self.soap, methods=["POST"]),
                Route("/services/data/{version}/{path:path}", self.rest, methods=["GET", "POST", "PATCH", "DELETE"]),
            ]
        )

    async def oauth(self, request: Request) -> Response:
        form = dict(await request.form())
        self.logins.append(form)
        if form.get("client_secret") == "wrong":
            return JSONResponse({"error": "invalid_client"}, 400)
        token = f"00Dxx0000000001!oauth{len(self.logins)}"
        self.tokens.add(token)
        return JSONResponse({"access_token": token, "instance_url": self.url, "token_type": "Bearer"})

    async def soap(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.logins.append({"soap": request.path_params["version"], "body": body})
        if "goodtoken" not in body:
            return Response(REFUSED, 500, media_type="text/xml")
        token = f"00Dxx0000000001!soap{len(self.logins)}"
        self.tokens.add(token)
        return Response(LOGIN.format(token=token, url=self.url), 200, media_type="text/xml")

    async def rest(self, request: Request) -> Response:
        path = request.path_params["path"].rstrip("/")
        body = await request.body()
        with self.lock:
            self.seen.append((request.method, path, dict(request.query_params), dict(request.headers), body))
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                return EXPIRED
            script = self.answers[path]
            answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer) and not isinstance(answer, Response):
            answer = answer(json.loads(body or b"null"))
        if isinstance(answer, Response):
            return answer
        return JSONResponse(answer, headers={"Sforce-Limit-Info": "api-usage=18/15000"})


@pytest.fixture(scope="module")
def running():
    """One server for all tests; each test puts its own org behind it."""
    current = {}

    async def app(scope, receive, send):
        await current["app"](scope, receive, send)

    with Server(app) as server:
        yield current, server.url


@pytest.fixture
def org(running):
    current, url = running
    org = Org()
    org.url = url
    current["app"] = org.app()
    return org


def client_of(org, **settings):
    given = {"instance_url": org.url, "access_token": SecretStr(TOKEN), "timeout_seconds": 5.0} | settings
    return SalesforceClient(SalesforceSettings(**given), sleep=lambda _: None)


def error(code, message="", status=400):
    return JSONResponse([{"errorCode": code, "message": message}], status)


def page(rows, next_path=None, total=None):
    answer = {"totalSize": len(rows) if total is None else total, "done": next_path is None, "records": rows}
    return answer if next_path is None else {**answer, "nextRecordsUrl": next_path}


# -- logging in ----------------------------------------------------------------------------------------------------


def test_a_given_token_is_used_without_logging_in(org):
    org.answers["limits"] = [{"DailyApiRequests": {"Max": 15000, "Remaining": 14982}}]
    with client_of(org) as client:
        assert client.limits()["DailyApiRequests"]["Remaining"] == 14982
        assert client.api_usage == (18, 15000)
    assert org.logins == []


def test_client_credentials_go_to_the_orgs_own_host(org):
    org.answers["limits"] = [{}]
    settings = {"access_token": None, "consumer_key": "key", "consumer_secret": SecretStr("secret")}
    org.answers["sobjects"] = [{"sobjects": [{"name": "Contact"}]}]
    with client_of(org, **settings) as client:
        assert client.sobjects() == [{"name": "Contact"}]
    assert org.logins == [{"grant_type": "client_credentials", "client_id": "key", "client_secret": "secret"}]


def test_a_refused_client_says_what_to_check_and_keeps_the_secret(org):
    settings = {"access_token": None, "consumer_key": "key", "consumer_secret": SecretStr("wrong")}
    with client_of(org, **settings) as client, pytest.raises(AuthenticationFailed) as refused:
        client.connect()
    assert "invalid_client" in str(refused.value)
    assert "Check the consumer secret" in str(refused.value)
    assert "wrong" not in str(refused.value)


def test_jwt_is_signed_for_the_shared_login_host(org, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "key.pem"
    file.write_bytes(pem)
    settings = {"access_token": None, "consumer_key": "key", "username": "ana@example.edu", "private_key_file": file}
    with client_of(org, login_url=org.url, **settings) as client:
        assert client.connect() == org.url.removeprefix("http://")
    claims = jwt.decode(
        org.logins[0]["assertion"], key.public_key(), algorithms=["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("key", "ana@example.edu")
    assert 0 < claims["exp"] - datetime.now(UTC).timestamp() < 180


def test_an_unusable_private_key_is_a_matter_of_settings(org, tmp_path):
    file = tmp_path / "key.pem"
    file.write_text("no key")
    settings = {"access_token": None, "consumer_key": "key", "username": "ana@example.edu", "private_key_file": file}
    with client_of(org, **settings) as client, pytest.raises(ConfigurationError, match="no RSA private key"):
        client.connect()


def test_the_password_login_asks_for_a_version_that_still_has_it(org):
    settings = {
        "access_token": None,
        "instance_url": None,
        "login_url": org.url,
        "username": "ana@example.edu",
        "password": SecretStr("pw&"),
        "security_token": SecretStr("goodtoken"),
        "api_version": "66.0",
    }
    with client_of(org, **settings) as client:
        assert client.connect() == org.url.removeprefix("http://")
    assert org.logins[0]["soap"] == "64.0"
    assert "<n1:password>pw&amp;goodtoken</n1:password>" in org.logins[0]["body"]


def test_a_wrong_password_is_refused_in_words(org):
    settings = {
        "access_token": None, "login_url": org.url, "username": "ana@example.edu",
        "password": SecretStr("hush"), "security_token": SecretStr("bad"),
    }  # fmt: skip
    with client_of(org, **settings) as client, pytest.raises(AuthenticationFailed) as refused:
        client.connect()
    assert "INVALID_LOGIN" in str(refused.value)
    assert "security token" in str(refused.value)
    assert "hush" not in str(refused.value)


def test_without_credentials_the_settings_are_named():
    with SalesforceClient(SalesforceSettings()) as client, pytest.raises(ConfigurationError) as problem:
        client.connect()
    assert "WORKBENCH_SALESFORCE__INSTANCE_URL" in str(problem.value)


def test_plain_http_is_for_loopback_only():
    with pytest.raises(ConfigurationError, match="only reached over https"):
        open_session(1.0).get("http://mainstay.example.com/services/data")


# -- sessions that expire ------------------------------------------------------------------------------------------


def test_an_expired_session_is_renewed_once_and_the_call_repeated(org):
    org.tokens.clear()
    org.answers["limits"] = [{"DailyApiRequests": {}}]
    with client_of(org, consumer_key="key", consumer_secret=SecretStr("secret")) as client:
        assert client.limits() == {"DailyApiRequests": {}}
    assert len(org.logins) == 1
    assert len(org.seen) == 2


def test_an_expired_session_that_stays_expired_gives_up(org):
    class Deaf(set):
        def add(self, _token):
            """Accept nothing, whoever logs in."""

    org.tokens = Deaf()
    with (
        client_of(org, consumer_key="key", consumer_secret=SecretStr("secret")) as client,
        pytest.raises(AuthenticationFailed, match="made a moment ago"),
    ):
        client.limits()
    assert len(org.logins) == 1


def test_a_lone_token_that_expired_cannot_be_renewed(org):
    org.tokens.clear()
    with client_of(org) as client, pytest.raises(AuthenticationFailed, match="has expired") as failed:
        client.limits()
    assert TOKEN not in str(failed.value)


def test_a_write_is_repeated_after_a_renewal_with_its_header(org):
    org.tokens.clear()
    org.answers["composite/sobjects"] = [[{"id": "003000000000001AAA", "success": True, "errors": []}]]
    with client_of(org, consumer_key="key", consumer_secret=SecretStr("secret")) as client:
        [results] = SalesforceWriter(client).create("Contact", [Record("a", {"LastName": "Poe"}, change_id="c-1")])
    assert results[0].success
    assert [headers.get("x-workbench-change") for _, _, _, headers, _ in org.seen] == ["c-1", "c-1"]


# -- reading -------------------------------------------------------------------------------------------------------


def test_pages_are_followed_and_flattened(org):
    account = {"attributes": {}, "Name": "College", "Parent": {"attributes": {}, "Name": "System"}}
    org.answers["query"] = [
        page([{"attributes": {}, "Id": "1", "Account": account}], "/services/data/v62.0/query/01g-2000", 3)
    ]
    org.answers["query/01g-2000"] = [
        page([{"Id": "2", "Account": None}, {"Id": "3", "Account": {"attributes": {}, "Parent": None}}], None, 3)
    ]
    with client_of(org) as client:
        pages = list(client.query("SELECT Id, Account.Parent.Name FROM Contact"))
    assert pages == [
        [{"Id": "1", "Account.Parent.Name": "System"}],
        [{"Id": "2", "Account.Parent.Name": None}, {"Id": "3", "Account.Parent.Name": None}],
    ]


def test_a_query_resumes_at_a_page(org):
    org.answers["query/01g-4000"] = [page([{"Id": "9"}], None, 9)]
    with client_of(org) as client:
        found = list(client.query_pages("SELECT Id FROM Contact", start="/services/data/v62.0/query/01g-4000"))
    assert [(item.rows, item.total, item.next_path) for item in found] == [([{"Id": "9"}], 9, None)]


@pytest.mark.parametrize("place", [".evil.example/x", "//evil.example/services/data/v62.0/query/1", "/services/other"])
def test_the_token_does_not_follow_a_strange_next_page(org, place):
    org.answers["query"] = [page([{"Id": "1"}], place, 2)]
    with client_of(org) as client, pytest.raises(RemoteError, match="not followed"):
        list(client.query("SELECT Id FROM Contact"))
    assert len(org.seen) == 1


def test_a_repeated_next_page_stops_the_query(org):
    again = "/services/data/v62.0/query/01g-2000"
    org.answers["query"] = [page([{"Id": "1"}], again, 4)]
    org.answers["query/01g-2000"] = [page([{"Id": "2"}], again, 4)]
    with client_of(org) as client, pytest.raises(RemoteError, match="same next page twice"):
        list(client.query("SELECT Id FROM Contact"))


def test_count_and_deleted(org):
    org.answers["query"] = [page([], total=42)]
    org.answers["queryAll"] = [page([{"Id": "1", "IsDeleted": True}])]
    with client_of(org) as client:
        assert client.query_count("SELECT COUNT() FROM Contact") == 42
        assert list(client.query("SELECT Id, IsDeleted FROM Contact", include_deleted=True)) == [
            [{"Id": "1", "IsDeleted": True}]
        ]


@pytest.mark.parametrize(
    "fault",
    [
        error("UNKNOWN_EXCEPTION", "oops", 500),
        Response("<html>down</html>", 503),
        error("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403),
        error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 400),
        Response('[{"half', 200, media_type="application/json"),
        Response('[{"errorCode": "INVALID_F', 400, media_type="application/json"),
    ],
)
def test_a_read_is_repeated_through_passing_faults(org, fault):
    org.answers["limits"] = [fault, fault, {"DailyApiRequests": {}}]
    with client_of(org) as client:
        assert client.limits() == {"DailyApiRequests": {}}


def test_retries_run_out(org):
    org.answers["limits"] = [error("UNKNOWN_EXCEPTION", "oops", 500)]
    with client_of(org) as client, pytest.raises(TransientError, match="UNKNOWN_EXCEPTION"):
        client.limits()
    assert len(org.seen) == 5


def test_a_used_up_day_is_not_repeated(org):
    org.answers["limits"] = [error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)]
    with client_of(org) as client, pytest.raises(RemoteError, match="last 24 hours") as used_up:
        client.limits()
    assert not isinstance(used_up.value, TransientError)
    assert len(org.seen) == 1


def test_a_refusal_carries_its_code(org):
    org.answers["query"] = [error("INVALID_FIELD", "No such column 'Nope' on entity 'Contact'")]
    with client_of(org) as client, pytest.raises(RemoteError) as refused:
        list(client.query("SELECT Nope FROM Contact"))
    assert (refused.value.code, refused.value.status) == ("INVALID_FIELD", 400)


def test_an_unreachable_host_is_transient():
    settings = SalesforceSettings(instance_url="http://127.0.0.1:9", access_token=SecretStr(TOKEN))
    with SalesforceClient(settings, sleep=lambda _: None) as client, pytest.raises(TransientError, match="not reached"):
        client.limits()


def test_records_are_retrieved_by_id(org):
    org.answers["composite/sobjects/Contact"] = [
        lambda body: [{"Id": key, "Email": None} if key != "003000000000002AAA" else None for key in body["ids"]]
    ]
    with client_of(org) as client:
        found = client.retrieve("Contact", ["003000000000001AAA", "003000000000002AAA"], ["Email"])
    assert found == {"003000000000001AAA": {"Id": "003000000000001AAA", "Email": None}}


# -- describe ------------------------------------------------------------------------------------------------------

DESCRIBE = {
    "name": "Contact",
    "label": "Contact",
    "queryable": True,
    "fields": [
        {"name": "Id", "type": "id", "length": 18, "nillable": False},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Account"},
        {"name": "OwnerId", "type": "reference", "referenceTo": ["Group", "User"], "relationshipName": "Owner"},
        {"name": "Sync__c", "type": "boolean", "calculated": True, "calculatedFormula": "NOT(No__c)"},
        {
            "name": "Campus__c", "type": "picklist", "createable": True, "updateable": True, "custom": True,
            "picklistValues": [{"value": "North", "active": True}, {"value": "Old", "active": False}],
        },
    ],
}  # fmt: skip


def test_describe_becomes_a_catalogue(org):
    org.answers["sobjects/Contact/describe"] = [DESCRIBE]
    with client_of(org) as client:
        contact = client.describe("Contact")
    assert contact.field("campus__C") == SalesforceField(
        "Campus__c", "Campus__c", "picklist", custom=True, picklist_values=("North",)
    )
    assert contact.formulas == {"Sync__c": "NOT(No__c)"}
    assert not contact.field("Id").updateable


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ({}, ""),
        ({"type": "boolean", "defaultValue": False}, "false"),
        ({"type": "boolean", "defaultValue": True}, "true"),
        ({"type": "double", "defaultValue": 3.5}, "3.5"),
        ({"type": "picklist", "defaultValue": "Open"}, "Open"),
        ({"type": "picklist", "picklistValues": [{"value": "A"}, {"value": "B", "defaultValue": True}]}, "B"),
        ({"type": "picklist", "picklistValues": [{"value": "B", "defaultValue": True, "active": False}]}, ""),
        ({"defaultValueFormula": "TODAY()", "defaultValue": None}, None),
    ],
)
def test_a_default_value_is_literal_or_not_known(about, value):
    (field,) = read_describe({"name": "Contact", "fields": [{"name": "Any__c", **about}]}).fields
    assert field.default_value == value


@pytest.mark.parametrize("name", ["../limits", "Contact/../x", "", "https://evil.example"])
def test_a_name_that_is_none_is_never_asked_for(org, name):
    with client_of(org) as client, pytest.raises(RemoteError, match="no name"):
        client.describe(name)
    assert org.seen == []


def objects():
    def sobject(name, *fields):
        return SObject(name, name, True, True, True, fields)

    reference = {"type": "reference"}
    parent = SalesforceField("ParentId", reference_to=("Account",), relationship_name="Parent", **reference)
    owner = SalesforceField("OwnerId", reference_to=("Group", "User"), relationship_name="Owner", **reference)
    account = SalesforceField("AccountId", reference_to=("Account",), relationship_name="Account", **reference)
    email = SalesforceField("Email", type="email")
    return {
        "Contact": sobject("Contact", account, owner, SalesforceField("LastName")),
        "Account": sobject("Account", SalesforceField("Name"), parent),
        "Group": sobject("Group", SalesforceField("Name")),
        "User": sobject("User", SalesforceField("Name"), email),
    }


def test_paths_lead_through_parents_in_the_orgs_spelling():
    found = resolve_path("account.parent.NAME", "Contact", objects().__getitem__)
    assert found.field.name == "Account.Parent.Name"
    assert [(child, reference.name, parent) for child, reference, parent in found.steps] == [
        ("Contact", "AccountId", "Account"),
        ("Account", "ParentId", "Account"),
    ]


def test_of_several_parents_the_one_with_the_field_counts():
    assert resolve_path("Owner.Email", "Contact", objects().__getitem__).field.type == "email"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Nope", "Contact has no field Nope"),
        ("School.Name", "Contact has no relationship School"),
        ("Account.Nope", "Account has no field Nope"),
        ("Account.Parent.Parent.Parent.Parent.Parent.Name", "follows 5"),
    ],
)
def test_a_path_that_leads_nowhere_says_where(path, reason):
    with pytest.raises(ConfigurationError, match=reason):
        resolve_path(path, "Contact", objects().__getitem__)


# -- writing -------------------------------------------------------------------------------------------------------


def ident(number):
    return f"003{number:012d}AAA"


def test_results_belong_to_the_callers_keys(org):
    org.answers["composite/sobjects"] = [
        lambda body: [
            {"id": item["id"], "success": True, "errors": []}
            if item["LastName"] != "bad"
            else {
                "success": False,
                "errors": [{"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["LastName"]}],
            }
            for item in body["records"]
        ]
    ]
    records = [Record(f"k{n}", {"LastName": "bad" if n % 3 == 0 else "ok"}, ident(n), f"c{n}") for n in range(450)]
    with client_of(org) as client:
        answers = list(SalesforceWriter(client).update("Contact", records))
    assert [len(chunk) for chunk in answers] == [200, 200, 50]
    results = {item.key: item for chunk in answers for item in chunk}
    assert results["k3"].codes == ["STRING_TOO_LONG"]
    assert results["k3"].record_id == ident(3)
    assert not results["k3"].is_transient
    assert results["k4"].success
    headers = [headers["x-workbench-change"].split(",") for _, _, _, headers, _ in org.seen]
    assert [len(ids) for ids in headers] == [200, 200, 50]
    assert json.loads(org.seen[0][4])["records"][1] == {
        "attributes": {"type": "Contact"}, "id": ident(1), "LastName": "ok",
    }  # fmt: skip


def test_long_change_ids_make_smaller_requests():
    records = [Record(str(n), {}, change_id="x" * 100) for n in range(150)]
    assert [len(chunk) for chunk in chunks(records)] == [69, 69, 12]


def test_a_locked_record_is_transient(org):
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}
    org.answers["composite/sobjects"] = [[{"success": False, "errors": [lock]}]]
    with client_of(org) as client:
        [[result]] = SalesforceWriter(client).create("Contact", [Record("a", {"LastName": "Poe"})])
    assert result.is_transient
    assert not result.success


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [{"id": ident(1), "success": True, "errors": []}, {"id": ident(2), "success": True, "errors": []}],
        [{"id": ident(9), "success": True, "errors": []}],
        {"nonsense": 1},
        Response('[{"half', 200, media_type="application/json"),
        error("UNKNOWN_EXCEPTION", "oops", 500),
    ],
)
def test_an_answer_that_cannot_be_matched_is_unknown_and_not_repeated(org, answer):
    org.answers["composite/sobjects"] = [answer]
    with client_of(org) as client, pytest.raises(OutcomeUnknown) as unknown:
        list(SalesforceWriter(client).update("Contact", [Record("a", {"LastName": "Poe"}, ident(1))]))
    assert unknown.value.keys == ("a",)
    assert len(org.seen) == 1


def test_a_refusal_of_a_write_that_broke_off_wrote_nothing_and_may_be_sent_again(org):
    org.answers["composite/sobjects"] = [Response('[{"errorCode": "INV', 400, media_type="application/json")]
    with client_of(org) as client, pytest.raises(TransientError) as failed:
        list(SalesforceWriter(client).update("Contact", [Record("a", {"LastName": "Poe"}, ident(1))]))
    assert not isinstance(failed.value, OutcomeUnknown)


def test_a_write_that_never_left_is_transient_but_not_unknown():
    settings = SalesforceSettings(instance_url="http://127.0.0.1:9", access_token=SecretStr(TOKEN))
    with SalesforceClient(settings) as client, pytest.raises(TransientError) as failed:
        list(SalesforceWriter(client).create("Contact", [Record("a", {"LastName": "Poe"})]))
    assert not isinstance(failed.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("operation", "record"),
    [
        ("update", Record("a", {}, "https://evil.example/x")),
        ("update", Record("a", {}, None)),
        ("create", Record("a", {}, ident(1))),
    ],
)
def test_records_with_wrong_ids_never_leave(org, operation, record):
    with client_of(org) as client, pytest.raises(ConfigurationError):
        list(SalesforceWriter(client).write(operation, "Contact", [record]))
    assert org.seen == []


def test_two_records_with_one_key_never_leave(org):
    twice = [Record("a", {}), Record("a", {})]
    with client_of(org) as client, pytest.raises(ConfigurationError, match="same key"):
        list(SalesforceWriter(client).create("Contact", twice))


# -- small parts ---------------------------------------------------------------------------------------------------


def test_columns_are_read_from_plain_selects_only():
    assert selected_columns("SELECT Id,Account.Name\nFROM Contact") == ["Id", "Account.Name"]
    assert selected_columns("SELECT COUNT() FROM Contact") is None


def test_flatten_keeps_compounds_and_follows_the_orgs_spelling():
    record = {"attributes": {}, "Id": "1", "MailingAddress": {"city": "Atlanta"}}
    assert flatten(record) == {"Id": "1", "MailingAddress": {"city": "Atlanta"}}
    assert flatten({"Email": "a@b.c"}, ["email"]) == {"email": "a@b.c"}


def test_long_queries_do_not_fit_a_get():
    assert fits_in_url("SELECT Id FROM Contact")
    assert not fits_in_url(f"SELECT {', '.join(f'Some_Long_Field_Name_{n}__c' for n in range(600))} FROM Contact")


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({"access_token": SecretStr("x")}, []),
        ({"access_token": SecretStr("x"), "instance_url": "https://a.my.salesforce.com"}, ["token"]),
        ({"consumer_key": "k", "consumer_secret": SecretStr("s")}, []),
        ({"consumer_key": "k", "consumer_secret": SecretStr("s"), "domain": "college.my"}, ["client credentials"]),
        ({"username": "u", "password": SecretStr("p")}, ["password"]),
        ({"username": "u", "consumer_key": "k", "private_key_file": Path("key.pem")}, ["jwt"]),
    ],
)
def test_the_ways_in_follow_from_the_settings(settings, kinds):
    assert login_kinds(SalesforceSettings(**settings)) == kinds


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"access_token": SecretStr("x")}, "INSTANCE_URL"),
        ({"consumer_key": "k", "consumer_secret": SecretStr("s")}, "My Domain"),
    ],
)
def test_half_of_a_login_names_the_other_half(settings, named):
    with SalesforceClient(SalesforceSettings(**settings)) as client, pytest.raises(ConfigurationError, match=named):
        client.connect()


def test_an_unreadable_private_key_is_named(org, tmp_path):
    settings = {"access_token": None, "consumer_key": "k", "username": "u", "private_key_file": tmp_path / "none.pem"}
    with client_of(org, **settings) as client, pytest.raises(ConfigurationError, match="cannot be read"):
        client.connect()


def test_a_login_prints_without_its_token():
    assert TOKEN not in repr(Login(TOKEN, "host"))


def test_a_bulk_query_downloads_its_pages(org, tmp_path):
    def results(locator, text):
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": "1"}
        return Response(text, 200, headers, media_type="text/csv;charset=UTF-8")

    job = {"id": "750000000000001AAA", "state": "JobComplete", "operation": "query"}
    org.answers |= {
        "jobs/query": [job],
        f"jobs/query/{job['id']}": [job],
        f"jobs/query/{job['id']}/results": [results("MQ", '"Id"\n"1"\n'), results("null", '"Id"\n"2"\n')],
    }
    (tmp_path / "left.csv").write_text("from a killed pull")
    with client_of(org) as client:
        found = client.bulk_download("Contact", "SELECT Id FROM Contact", tmp_path, poll_seconds=0.01)
    assert [file.read_text() for file in found.files] == ['"Id"\n"1"\n', '"Id"\n"2"\n']
    assert found.rows == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000000.csv", "000001.csv", "job.json"]


def test_a_bulk_query_that_fails_says_so(org, tmp_path):
    job = {"id": "750000000000001AAA", "state": "Failed", "operation": "query"}
    org.answers |= {"jobs/query": [job], f"jobs/query/{job['id']}": [job]}
    with (
        client_of(org) as client,
        pytest.raises(RemoteError, match="could not finish a bulk query"),
    ):
        client.bulk_download("Contact", "SELECT Id FROM Contact", tmp_path, poll_seconds=0.01)
