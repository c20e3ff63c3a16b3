"""Faults on the wire: what each looks like to a client, what was processed, and that it ends."""

import time

import httpx
import pytest

from workbench.simulators.faults import PROFILES, Fault, Faults
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate


@pytest.fixture(scope="module")
def world():
    return generate(60, 5)


@pytest.fixture
def sandbox(world):
    with Sandbox(world, systems=("mainstay",), page_size=20) as sandbox:
        sandbox.faults["mainstay"].slow_seconds = 0.05
        yield sandbox


@pytest.fixture
def client(sandbox):
    connection = sandbox.connection["mainstay"]
    headers = {"Authorization": f"APIToken {connection['token']}"}
    with httpx.Client(base_url=connection["base_url"], headers=headers, trust_env=False) as client:
        yield client


def create(client, number=1):
    body = {"crm_id": f"003NEW{number}", "first_name": "Bo", "last_name": "Ray"}
    return client.post("contacts/", json=body)


def is_created(sandbox):
    return sandbox.institution.book.by_crm_id("003NEW1") is not None


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.THROTTLED, 429), (Fault.FAILED, 500), (Fault.UNAVAILABLE, 503), (Fault.LIMIT, 403)],
)
def test_refusals_process_nothing(client, sandbox, fault, status):
    sandbox.faults["mainstay"].plan(fault)
    reply = create(client)
    assert reply.status_code == status
    assert not is_created(sandbox)
    assert reply.headers.get("Retry-After") == ("1" if fault is Fault.THROTTLED else None)
    assert create(client).status_code == 201


def test_a_reset_before_processing(client, sandbox):
    sandbox.faults["mainstay"].plan(Fault.RESET_BEFORE)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        create(client)
    assert not is_created(sandbox)
    assert create(client).status_code == 201


def test_a_reset_after_processing(client, sandbox):
    sandbox.faults["mainstay"].plan(Fault.RESET_AFTER)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        create(client)
    assert is_created(sandbox)
    assert sandbox.requests_seen[-1].status == 201
    assert create(client).json()["errors"][0]["code"] == "duplicate-contact"


def test_an_answer_cut_in_the_middle(client, sandbox):
    sandbox.faults["mainstay"].plan(Fault.TRUNCATED)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        create(client)
    assert is_created(sandbox)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault.GATEWAY_TIMEOUT, 504, "text/html"),
        (Fault.WRONG_TYPE, 200, "text/html; charset=utf-8"),
        (Fault.MALFORMED, 201, "application/json"),
    ],
)
def test_answers_that_cannot_be_read(client, sandbox, fault, status, kind):
    sandbox.faults["mainstay"].plan(fault)
    reply = create(client)
    assert (reply.status_code, reply.headers["content-type"]) == (status, kind)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        reply.json()
    assert is_created(sandbox)


def test_a_late_answer_is_whole(client, sandbox):
    sandbox.faults["mainstay"].plan(Fault.SLOW)
    start = time.monotonic()
    assert create(client).status_code == 201
    assert time.monotonic() - start > 0.04


def test_a_list_without_end(client, sandbox):
    sandbox.faults["mainstay"].plan(Fault.LOOPING)
    page = client.get("contacts/?page=2").json()
    assert page["next"] == str(client.base_url.join("contacts/?page=2"))
    assert client.get("contacts/?page=2").json()["next"].endswith("page=3")


def test_planned_faults_wait_for_their_request(client, sandbox):
    told = client.post(
        "/_sandbox/faults", json={"next": ["failed", "failed"], "method": "POST", "path": "contacts"}
    ).json()
    assert told["planned"] == ["failed", "failed"]
    assert client.get("contacts/").status_code == 200
    assert [create(client).status_code for _ in range(3)] == [500, 500, 201]
    assert client.get("/_sandbox/faults").json()["counts"] == {"failed": 2}


def test_profiles_are_set_over_http(client):
    assert client.post("/_sandbox/faults", json={"profile": "flaky", "seed": 3}).json()["profile"] == "flaky"
    assert set(client.get("/_sandbox/faults").json()["profiles"]) == set(PROFILES)
    reply = client.post("/_sandbox/faults", json={"profile": "nope"})
    assert (reply.status_code, reply.json()["detail"][:24]) == (400, "no such fault profile: n")
    assert client.post("/_sandbox/faults", json={"next": ["nope"]}).status_code == 400
    assert client.post("/_sandbox/faults", json={"profile": None}).json()["profile"] == "none"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_request_succeeds_when_it_is_retried(client, sandbox, profile):
    faults = sandbox.faults["mainstay"]
    faults.retry_after_seconds = 0
    faults.use(profile, seed=1)
    for contact_id in sandbox.world.contacts["id"].head(50):
        for _ in range(8):
            try:
                reply = client.get(f"contacts/{contact_id}/?include_test_contacts=1&include_nonpermitted_contacts=1")
                if reply.status_code == 200 and reply.json()["id"] == contact_id:
                    break
            except (httpx.TransportError, ValueError):
                continue
        else:
            pytest.fail(f"{profile} never let a request through")
    struck = sum(faults.counts.values())
    assert (struck > 0) == (profile not in ("none", "expiring", "looping", "locked"))


def test_the_same_seed_strikes_alike(client, sandbox):
    def struck(seed):
        faults = sandbox.faults["mainstay"]
        faults.use("throttled", seed)
        faults.retry_after_seconds = 0
        return [client.get("messages/", params={"admithub_id": f"m{n}"}).status_code for n in range(60)]

    assert struck(1) == struck(1) != struck(2)


def test_impatient_clients_are_counted(client, sandbox):
    faults = sandbox.faults["mainstay"]
    faults.use("throttled", 1)
    for number in range(60):
        if client.get(f"messages/?admithub_id=m{number}").status_code == 429:
            client.get(f"messages/?admithub_id=m{number}")
            break
    assert faults.counts["impatient"] == 1


def test_unknown_profiles_are_refused():
    with pytest.raises(ValueError, match="there are none"):
        Faults("mainstay", "nope")
