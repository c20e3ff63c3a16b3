"""The runner: both systems over one world, their connection, their faults, and a moment to return to."""

import socket
from pathlib import Path

import httpx
import pytest
import yaml

from workbench.settings import Settings
from workbench.simulators.faults import Fault
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import from_folder, generate

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DATA = "/services/data/v62.0"


@pytest.fixture(scope="module")
def world():
    return generate(200, 3)


@pytest.fixture
def sandbox(world):
    with Sandbox(world) as sandbox:
        yield sandbox


@pytest.fixture
def salesforce(sandbox):
    with salesforce_client(sandbox) as client:
        yield client


@pytest.fixture
def mainstay(sandbox):
    found = sandbox.connection["mainstay"]
    headers = {"Authorization": f"APIToken {found['token']}"}
    with httpx.Client(base_url=found["base_url"], headers=headers, trust_env=False) as client:
        yield client


def salesforce_client(sandbox):
    found = sandbox.connection["salesforce"]
    headers = {"Authorization": f"Bearer {found['access_token']}"}
    return httpx.Client(base_url=found["instance_url"], headers=headers, trust_env=False)


def soql(client, query):
    return client.get(f"{DATA}/query", params={"q": query})


def test_the_connection_has_the_published_shape(sandbox):
    connection = sandbox.connection
    assert set(connection["salesforce"]) == {
        "instance_url", "access_token", "login_url", "username", "password", "security_token", "client_id",
        "client_secret",
        "refresh_token",
    }  # fmt: skip
    assert set(connection["mainstay"]) == {"base_url", "token"}
    organisation, _, rest = connection["salesforce"]["access_token"].partition("!")
    assert organisation.startswith("00D")
    assert len(organisation) == 15
    assert rest


def test_the_environment_becomes_settings(sandbox, monkeypatch):
    for name, value in sandbox.settings_env().items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert settings.mainstay.base_url == sandbox.connection["mainstay"]["base_url"]
    assert settings.salesforce.access_token.get_secret_value() == sandbox.connection["salesforce"]["access_token"]


def test_both_sides_hold_the_world(salesforce, mainstay, world):
    assert soql(salesforce, "SELECT COUNT() FROM Contact").json()["totalSize"] == 200
    asked = {"include_test_contacts": "1", "include_nonpermitted_contacts": "1"}
    assert mainstay.get("contacts/", params=asked).json()["count"] == 200
    [record_id] = world.records_in("update")
    found = soql(salesforce, f"SELECT Account.Parent.Name, Sync_to_Mainstay__c FROM Contact WHERE Id = '{record_id}'")
    assert found.json()["records"][0]["Sync_to_Mainstay__c"] is True
    assert mainstay.get(f"contacts/{record_id}/").json()["custom"]["GPA"] == 1.5


def test_every_stored_field_can_be_queried(salesforce, world):
    names = ", ".join(world.salesforce["Contact"].columns)
    assert soql(salesforce, f"SELECT {names}, Owner.Username FROM Contact LIMIT 1").status_code == 200
    names = ", ".join(world.salesforce["Account"].columns)
    assert soql(salesforce, f"SELECT {names} FROM Account LIMIT 1").status_code == 200


def test_requests_of_both_are_seen_in_order(sandbox, salesforce, mainstay):
    mainstay.get("auth_valid")
    salesforce.patch(
        f"{DATA}/sobjects/Contact/003000000000000", json={"LastName": "x"}, headers={"X-Workbench-Change": "5"}
    )
    mainstay.put("contacts/nobody/", json={}, headers={"X-Workbench-Change": "6"})
    seen = [(request.system, request.method, request.headers) for request in sandbox.requests_seen]
    assert seen == [
        ("mainstay", "GET", {}),
        ("salesforce", "PATCH", {"X-Workbench-Change": "5"}),
        ("mainstay", "PUT", {"X-Workbench-Change": "6"}),
    ]
    assert [request.body for request in sandbox.requests] == [None, {"LastName": "x"}, {}]


def test_a_moment_of_both_can_be_returned_to(sandbox, salesforce, mainstay, world):
    saved = sandbox.saved()
    [record_id] = world.records_in("update")
    assert salesforce.patch(f"{DATA}/sobjects/Contact/{record_id}", json={"LastName": "Changed"}).status_code == 204
    mainstay.put(f"contacts/{record_id}/", json={"last_name": "Changed"})
    sandbox.restore(saved)
    assert soql(salesforce, "SELECT COUNT() FROM Contact WHERE LastName = 'Changed'").json()["totalSize"] == 0
    assert mainstay.get(f"contacts/{record_id}/").json()["last_name"] != "Changed"


def test_an_expired_session_waits_for_a_login(sandbox, salesforce):
    sandbox.faults["salesforce"].plan(Fault.EXPIRED)
    reply = soql(salesforce, "SELECT Id FROM Contact LIMIT 1")
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    found = sandbox.connection["salesforce"]
    login = {
        "grant_type": "client_credentials",
        "client_id": found["client_id"],
        "client_secret": found["client_secret"],
    }
    token = salesforce.post("/services/oauth2/token", data=login).json()["access_token"]
    reply = salesforce.get(f"{DATA}/limits", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 200


def test_locked_rows_write_nothing(sandbox, salesforce, world):
    record_id = world.records_in("update")[0]
    records = [{"attributes": {"type": "Contact"}, "id": record_id, "LastName": "Locked"}]
    sandbox.faults["salesforce"].plan(Fault.LOCKED, Fault.LOCKED, method="PATCH")
    many = salesforce.patch(f"{DATA}/composite/sobjects", json={"records": records})
    assert (many.status_code, many.json()[0]["errors"][0]["statusCode"]) == (200, "UNABLE_TO_LOCK_ROW")
    one = salesforce.patch(f"{DATA}/sobjects/Contact/{record_id}", json={"LastName": "Locked"})
    assert (one.status_code, one.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert soql(salesforce, "SELECT COUNT() FROM Contact WHERE LastName = 'Locked'").json()["totalSize"] == 0
    assert salesforce.patch(f"{DATA}/composite/sobjects", json={"records": records}).json()[0]["success"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.LIMIT, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Fault.USED_UP, 403, "REQUEST_LIMIT_EXCEEDED"),
        (Fault.FAILED, 500, "UNKNOWN_EXCEPTION"),
    ],
)
def test_salesforce_refusals(sandbox, salesforce, fault, status, code):
    sandbox.faults["salesforce"].plan(fault)
    reply = salesforce.get(f"{DATA}/limits")
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (status, code)


def test_a_query_without_end():
    with Sandbox(generate(450, 1)) as sandbox, salesforce_client(sandbox) as client:
        page = {"Sforce-Query-Options": "batchSize=200"}
        first = client.get(f"{DATA}/query", params={"q": "SELECT Id FROM Contact"}, headers=page).json()
        sandbox.faults["salesforce"].plan(Fault.LOOPING)
        second = client.get(first["nextRecordsUrl"], headers=page).json()
        assert second["nextRecordsUrl"] == first["nextRecordsUrl"]
        again = client.get(first["nextRecordsUrl"], headers=page).json()
        assert again["nextRecordsUrl"] != first["nextRecordsUrl"]


def test_the_last_page_cannot_loop(sandbox, salesforce):
    sandbox.faults["salesforce"].use("looping", seed=1)
    for _ in range(10):
        assert soql(salesforce, "SELECT Id FROM Contact").json()["done"]
    assert not +sandbox.faults["salesforce"].counts


def test_histories_of_every_length_come_over_the_wire(mainstay, world):
    found = {}
    for contact_id in world.contacts_in("history-lengths"):
        asked = {"admithub_contact_id": contact_id}
        messages, campaigns = (mainstay.get(path, params=asked).json()["count"] for path in ("messages/", "campaigns/"))
        found[messages] = campaigns
    assert found == {0: 0, 1: 1, 20: 20, 21: 21, 500: 5}


def test_profiles_reach_both_systems(world):
    with Sandbox(world, faults="flaky", fault_seed=2) as sandbox:
        assert {faults.profile for faults in sandbox.faults.values()} == {"flaky"}
        with salesforce_client(sandbox) as client:
            assert client.get("/_sandbox/faults").json()["profile"] == "flaky"


def test_ports_can_be_given(world):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Sandbox(world, port_mainstay=port, systems=("mainstay",)) as sandbox:
        assert sandbox.connection["mainstay"]["base_url"] == f"http://127.0.0.1:{port}/"
        with pytest.raises(OSError, match="in use"), Sandbox(world, port_mainstay=port, systems=("mainstay",)):
            pass
    with Sandbox(world, port_mainstay=port, systems=("mainstay",)):
        pass


def test_febrl_runs_as_two_systems():
    with Sandbox(from_folder(SAMPLES / "febrl")) as sandbox, salesforce_client(sandbox) as client:
        found = soql(client, "SELECT COUNT() FROM Contact WHERE Student_ID__c = '5304218'").json()
        assert found["totalSize"] == 1
        born = soql(client, "SELECT Birthdate FROM Contact WHERE Student_ID__c = '5304218'").json()
        assert born["records"][0]["Birthdate"] == "1915-11-11"
    assert len(sandbox.institution.book) == 5000


def test_eda_runs_as_an_org():
    with Sandbox(from_folder(SAMPLES / "eda")) as sandbox, salesforce_client(sandbox) as client:
        found = soql(client, "SELECT Name, Account.Name FROM Contact WHERE LastName = 'Coldwater'").json()
        assert found["records"][0]["Name"] == "Quentin Coldwater"
        assert found["records"][0]["Account"]["Name"]
        assert soql(client, "SELECT COUNT() FROM hed__Term__c").json()["totalSize"] == 13


def test_the_mapping_beside_febrl_names_fields_that_are_there():
    world = from_folder(SAMPLES / "febrl")
    document = yaml.safe_load((SAMPLES / "febrl" / "mapping.yaml").read_text())
    customs = {field.path for field in world.custom_fields}
    for direction in ("export", "import"):
        for pair in document["objects"][0][direction]["fields"]:
            assert pair["mainstay"] in customs | {"first_name", "last_name", "phone"}
            assert pair["salesforce"] in {*world.salesforce["Contact"].columns, "MobilePhone"}
