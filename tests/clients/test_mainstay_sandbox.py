"""The Mainstay sandbox over a real server: endpoints, pages, filters, writes, learners and staff."""

from datetime import UTC, datetime, timedelta

import httpx
import orjson
import polars as pl
import pytest
from ticking import Clock

from workbench.domain.fields import STANDARD_FIELDS, MainstayField
from workbench.simulators.mainstay import MainstayInstitution, mainstay_app
from workbench.simulators.sandbox import Sandbox, Server
from workbench.simulators.world import generate

FIELDS = (
    MainstayField("Campus", "Multi-Choice", is_custom=True, options=("Downtown", "North")),
    MainstayField("GPA", "Number", is_custom=True),
    MainstayField('CB/"Status"', "Text", is_custom=True),
)
START = datetime(2025, 9, 1, tzinfo=UTC)


def contacts(count=45):
    numbers = range(count)
    return pl.DataFrame(
        {
            "id": [f"ah{n:015x}" for n in numbers],
            "crm_id": [f"003{n:015d}" if n % 3 else None for n in numbers],
            "first_name": ['Zoë "Z" O\'Brien'] * count,
            "phone": [f"40455{n:05d}" if n != 7 else None for n in numbers],
            "messaging_status_sms": ["opted-out" if n == 5 else None if n == 7 else "opted-in" for n in numbers],
            "test_user": [n == 3 for n in numbers],
            "permitted_user_status": [n != 4 for n in numbers],
            "archived": [n == 6 for n in numbers],
            "last_modified_at": [START - timedelta(days=n) for n in numbers],
            "custom.Campus": ['"North"' if n % 2 else None for n in numbers],
            "custom.GPA": ["3.5" if n == 1 else "4" for n in numbers],
            'custom.CB/"Status"': ['"ok"'] * count,
        }
    )


@pytest.fixture
def institution():
    messages = pl.DataFrame(
        {
            "admithub_id": ["m1", "m2", "m3"],
            "admithub_contact_id": ["ah000000000000001", "ah000000000000001", "ah000000000000003"],
            "created_at": [START - timedelta(days=n) for n in (3, 1, 2)],
            "incoming": [True, False, False],
            "test_user": [False, False, True],
            "body": ["hi", None, "yo"],
        }
    )
    campaigns = pl.DataFrame(
        {
            "admithub_id": [f"c{n}" for n in range(25)],
            "status": ["completed"] * 24 + ["scheduled"],
            "hidden": [n == 0 for n in range(25)],
            "test": [n == 1 for n in range(25)],
            "sent_at": [START - timedelta(days=n) for n in range(24)] + [None],
            "scheduled_at": [START - timedelta(days=n) for n in range(24)] + [START + timedelta(days=9)],
            "script_id": ["s1", "s2"] * 12 + ["s1"],
        }
    )
    recipients = pl.DataFrame({"campaign_id": ["c2", "c3", "c0"], "contact_id": ["ah000000000000001"] * 3})
    return MainstayInstitution(
        contacts(), FIELDS, messages, campaigns, recipients, clock=Clock(START), bulk_seconds=0.02
    )


@pytest.fixture
def client(institution):
    with (
        Server(mainstay_app(institution)) as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": f"APIToken {institution.token}"}, trust_env=False
        ) as client,
    ):
        yield client


HIDDEN = {"include_test_contacts": "True", "include_nonpermitted_contacts": "1"}


def everything(client, path, params=None):
    rows, reply = [], client.get(path, params=params)
    while True:
        page = reply.json()
        rows += page["results"]
        if page["next"] is None:
            return rows
        reply = client.get(page["next"])


def test_the_token_is_asked_for(client):
    assert client.get("/auth_valid").json() == {"ok": True, "org_id": "exampleU"}
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer sandbox-mainstay-token"}):
        reply = client.get("/contacts/", headers=headers)
        assert (reply.status_code, reply.json()) == (401, {"detail": "Invalid token."})


def test_unknown_paths_and_methods(client):
    assert client.get("/nothing/").status_code == 404
    reply = client.delete("/contacts/ah000000000000001/")
    assert (reply.status_code, reply.json()["detail"]) == (405, 'Method "DELETE" not allowed.')


@pytest.mark.parametrize(
    "path", ["/auth_valid", "/default_fields", "/custom_fields", "/contacts", "/messages", "/campaigns"]
)
def test_both_forms_of_every_path(client, path):
    bare, slashed = client.get(path), client.get(path + "/")
    assert bare.status_code == slashed.status_code == 200
    assert {**bare.json(), "next": None} == {**slashed.json(), "next": None}


def test_pages_follow_each_other(client):
    first = client.get("/contacts/", params=HIDDEN).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (45, 20, None)
    second = client.get(first["next"]).json()
    assert second["previous"].startswith(str(client.base_url))
    assert "include_test_contacts=True" in second["next"]
    assert "/contacts/?" in second["next"]
    rows = everything(client, "/contacts/", HIDDEN)
    assert [row["id"] for row in rows] == [f"ah{n:015x}" for n in range(45)]


@pytest.mark.parametrize("page", ["0", "4", "-1", "x"])
def test_pages_out_of_range(client, page):
    reply = client.get("/contacts/", params={"page": page})
    assert (reply.status_code, reply.json()) == (404, {"detail": "Invalid page."})


def test_hidden_contacts_need_their_flags(client):
    assert client.get("/contacts/").json()["count"] == 43
    assert client.get("/contacts/", params={"include_test_contacts": "true"}).json()["count"] == 44
    assert client.get("/contacts/ah000000000000003/").status_code == 404
    assert client.get("/contacts/ah000000000000003/", params={"include_test_contacts": "1"}).status_code == 200
    assert client.get("/contacts/ah000000000000006/").json()["archived"]
    assert client.put("/contacts/ah000000000000003/", json={"email": "a@example.edu"}).status_code == 200


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"texting_status": "opted-out"}, 1),
        ({"texting_status": "temp-pause"}, 0),
        ({"can_text": "false"}, 4),
        ({"can_text": "True"}, 41),
        ({"modified_since": "2025-08-30T00:00:00Z"}, 3),
        ({"modified_since": "2025-08-30T00:00:00"}, 3),
        ({"modified_since": "2025-08-30 00:00:00"}, 3),
        ({"modified_since": "2025-08-30T01:00:00 01:00"}, 3),
        ({"modified_before": "2025-08-30T00:00:00Z"}, 42),
        ({"modified_since": "2025-08-30T00:00:00+00:00", "modified_before": "2025-08-31T00:00:00Z"}, 1),
        ({"custom": "Campus|North"}, 22),
        ({"custom": "GPA|3.5"}, 1),
        ({"custom": ["Campus|North", "GPA|4"]}, 21),
        ({"custom": 'CB/"Status"|ok'}, 45),
    ],
)
def test_filters(client, params, count):
    assert client.get("/contacts/", params={**HIDDEN, **params}).json()["count"] == count


@pytest.mark.parametrize("params", [{"can_text": "maybe"}, {"modified_since": "now"}, {"custom": "Campus"}])
def test_filters_that_cannot_be_read(client, params):
    assert client.get("/contacts/", params=params).status_code == 400


def test_filters_see_what_was_written(client):
    client.put("/contacts/ah000000000000000/", json={"custom": {"GPA": "3.5"}})
    client.put("/contacts/ah000000000000001/", json={"custom": {"GPA": "2"}})
    found = client.get("/contacts/", params={**HIDDEN, "custom": "GPA|3.5"}).json()["results"]
    assert [row["id"] for row in found] == ["ah000000000000000"]
    changed = client.get("/contacts/", params={"modified_since": "2025-09-01T00:00:01Z"}).json()["results"]
    assert [row["last_modified_at"] for row in changed] == ["2025-09-01T00:00:01Z", "2025-09-01T00:00:02Z"]


def test_a_contact_has_every_field_in_order(client):
    contact = client.get("/contacts/ah000000000000001/").json()
    assert list(contact) == [*(field.name for field in STANDARD_FIELDS), "custom"]
    assert contact["custom"] == {"Campus": "North", "GPA": 3.5, 'CB/"Status"': "ok"}
    assert contact["admithub_id"] == contact["id"]
    assert (contact["texting_status"], contact["can_text"], contact["country_calling_code"]) == ("opted-in", True, "1")
    assert contact["created"] == "2024-08-01T00:00:00Z"
    listed = client.get("/contacts/", params=HIDDEN).json()["results"][1]
    assert listed == contact


def test_the_path_takes_id_crm_id_and_phone(client):
    by_id = client.get("/contacts/ah000000000000001/").json()
    assert client.get("/contacts/003000000000000001/").json() == by_id
    assert client.get("/contacts/%2B1%20(404)%20550-0001").json() == by_id
    assert client.get("/contacts/+1 (404) 550-0001/").json() == by_id
    reply = client.get("/contacts/404555/")
    assert (reply.status_code, reply.json()) == (404, {"errors": [{"code": "not-found", "message": "Not found."}]})


def test_put_answers_the_contact_and_its_errors(client, institution):
    reply = client.put(
        "/contacts/003000000000000001/",
        json={"phone": "(404) 555-0199", "email": "nope", "enrollment_id": "UNSET", "custom": {"GPA": "soon"}},
    )
    body = reply.json()
    assert reply.status_code == 200
    assert (body["phone"], body["previous_phone"]) == ("4045550199", "4045500001")
    assert [error["code"] for error in body["errors"]] == ["invalid-email", "invalid-attribute-data: GPA"]
    assert body["last_modified_at"] == "2025-09-01T00:00:01Z"
    assert client.get("/contacts/4045550199/").json()["id"] == "ah000000000000001"
    assert client.get("/contacts/4045500001/").status_code == 404
    assert institution.book.by_phone("4045550199")["email"] is None


def test_an_unchanged_contact_keeps_its_stamp(client):
    before = client.get("/contacts/003000000000000001/").json()
    after = client.put("/contacts/003000000000000001/", json={"phone": "+1 404 550 0001"}).json()
    assert after == {**before, "errors": []}


def test_put_refusals(client):
    assert client.put("/contacts/nobody/", json={"email": "a@example.edu"}).status_code == 404
    reply = client.put("/contacts/003000000000000001/", json={"phone": "4045500002"})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (409, "duplicate-contact")
    for body in (b"[]", b"{", b'{"email":null}', b'{"custom":[]}'):
        reply = client.put("/contacts/003000000000000001/", content=body)
        assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "invalid-request")


def test_a_phone_match_acquires_the_crm_id(client):
    body = client.put("/contacts/4045500000/", json={"crm_id": "003A"}).json()
    assert body["crm_id"] == "003A"
    assert client.get("/contacts/003A/").json()["phone"] == "4045500000"


def test_post_creates(client):
    new = {
        "crm_id": "003NEW",
        "first_name": "Bo",
        "last_name": "Ray",
        "phone": "404-555-0777",
        "custom": {"Campus": "x"},
    }
    reply = client.post("/contacts/", json=new)
    contact = reply.json()
    assert reply.status_code == 201
    assert contact["id"].startswith("ah")
    assert len(contact["id"]) == 17
    assert contact["created"] == contact["last_modified_at"] == "2025-09-01T00:00:01Z"
    assert [error["code"] for error in contact.pop("errors")] == ["invalid-attribute-data: Campus"]
    assert client.get("/contacts/003NEW/").json() == contact
    assert everything(client, "/contacts/")[-1] == contact
    assert client.post("/contacts/", json=new).status_code == 409
    assert client.post("/contacts/", json={"first_name": "Bo"}).status_code == 400


def test_an_intro_is_recorded_and_only_for_creates(client, institution):
    new = {"first_name": "Bo", "last_name": "Ray", "phone": "4045550777", "send_intro_campaign": True}
    contact = client.post("/contacts/", json=new).json()
    assert institution.intros == [contact["id"]]
    assert contact["contacted"]
    sent = client.get("/messages/", params={"admithub_contact_id": contact["id"]}).json()["results"]
    assert [message["campaign_name"] for message in sent] == ["Introductory"]
    client.put(f"/contacts/{contact['id']}/", json={"send_intro_campaign": True})
    assert client.get("/_sandbox/intros").json() == [contact["id"]]


def test_fields(client):
    assert client.get("/custom_fields/").json() == {
        "custom_fields": ["Campus", "GPA", 'CB/"Status"'],
        "fields": [
            {"name": "Campus", "data_type": "Multi-Choice", "options": ["Downtown", "North"]},
            {"name": "GPA", "data_type": "Number", "options": []},
            {"name": 'CB/"Status"', "data_type": "Text", "options": []},
        ],
    }
    standard = client.get("/default_fields/").json()["default_fields"]
    assert standard[1] == {"name": "admithub_id", "data_type": "string", "deprecated": True}
    assert client.get("/custom_values/", params={"field": "GPA"}).json() == {"values": [3.5, 4]}
    client.put("/contacts/ah000000000000001/", json={"custom": {"GPA": 2}})
    assert client.get("/custom_values/", params={"field": "GPA"}).json() == {"values": [2, 4]}
    reply = client.get("/custom_values/", params={"field": "Nope"})
    assert (reply.status_code, reply.json()) == (400, {"detail": "Missing or invalid field"})


def ids(reply):
    return [row["admithub_id"] for row in reply.json()["results"]]


def test_messages(client):
    assert ids(client.get("/messages/")) == ["m2", "m1"]
    assert ids(client.get("/messages/", params={"include_test_user": "1"})) == ["m2", "m3", "m1"]
    assert ids(client.get("/messages/", params={"test_user": "true"})) == ["m3"]
    assert ids(client.get("/messages/", params={"admithub_id": "m1"})) == ["m1"]
    assert ids(client.get("/messages/", params={"contact_crm_id": "003000000000000001"})) == ["m2", "m1"]
    assert ids(client.get("/messages/", params={"contact_crm_id": "nobody"})) == []
    day = (START - timedelta(days=1)).isoformat()
    assert ids(client.get("/messages/", params={"since": day})) == ["m2"]
    assert ids(client.get("/messages/", params={"before": day})) == ["m1"]
    client.put("/contacts/ah000000000000001/", json={"crm_id": "003OTHER"})
    message = client.get("/messages/", params={"contact_crm_id": "003OTHER"}).json()["results"][0]
    assert message["contact_crm_id"] == "003OTHER"
    assert message["created_at"] == "2025-08-31T00:00:00Z"


def test_campaigns(client):
    assert client.get("/campaigns/").json()["count"] == 23
    assert client.get("/campaigns/", params={"show_hidden": "true", "show_test": "true"}).json()["count"] == 25
    assert ids(client.get("/campaigns/", params={"status": "scheduled"})) == ["c24"]
    assert ids(client.get("/campaigns/", params={"crm_id": "003000000000000001"})) == ["c2", "c3"]
    assert (
        ids(client.get("/campaigns/", params={"admithub_contact_id": "ah000000000000001", "show_hidden": "1"}))[0]
        == "c0"
    )
    assert client.get("/campaigns/", params={"script": "s1", "before": "2025-09-01T00:00:00Z"}).json()["count"] == 11
    assert client.get("/campaigns/", params={"scheduler": "u9"}).json()["count"] == 0
    assert len(everything(client, "/campaigns/")) == 23


def test_writes_are_seen_with_their_change(client, institution):
    client.put("/contacts/nobody/", json={"email": "a"}, headers={"X-Workbench-Change": "12"})
    client.get("/contacts/?page=1")
    write, read = institution.log.requests
    assert (write.method, write.path, write.change_id, write.status) == ("PUT", "/contacts/nobody/", "12", 404)
    assert write.body == {"email": "a"}
    assert (read.path, read.change_id, read.body) == ("/contacts/?page=1", None, None)
    assert client.get("/_sandbox/requests").json()[0]["change_id"] == "12"
    assert len(institution.log.requests) == 2


def text(client, message, **about):
    return client.post("/_sandbox/learner", json={"contact_id": "ah000000000000001", "text": message, **about})


def test_learners(client):
    assert text(client, "STOP").json()["texting_status"] == "opted-out"
    refused = client.put("/contacts/ah000000000000001/", json={"messaging_status_sms": "opted-in"}).json()
    assert refused["errors"][0]["code"] == "invalid-messaging-status"
    assert text(client, "start").json()["messaging_status_sms"] == "opted-in"
    assert text(client, "#pause").json()["texting_status"] == "temp-pause"
    assert text(client, "#changename  Zee ").json()["preferred_name"] == "Zee"
    after = text(client, "hello").json()
    assert after["messaging_status_sms"] == "paused"
    assert after["last_incoming_message_at"] == after["last_modified_at"]
    assert text(client, "#pause", channel="web_bot").json()["messaging_status_web_bot"] is None
    said = client.get("/messages/", params={"admithub_contact_id": "ah000000000000001"}).json()["results"]
    assert said[0]["body"] == "#pause"
    assert said[0]["channel"] == "web"
    by_phone = client.post("/_sandbox/learner", json={"phone": "4045500002", "text": "STOP"}).json()
    assert by_phone["id"] == "ah000000000000002"
    assert text(client, "STOP", contact_id="nobody").status_code == 404
    assert client.post("/_sandbox/learner", json={"phone": "4045559999", "text": "STOP"}).status_code == 404


def staff(client, **changes):
    return client.post("/_sandbox/staff", json={"contact_id": "ah000000000000001", "changes": changes})


def test_staff(client):
    changed = staff(client, phone="4045550555", labels=["vip"], custom={"GPA": 1}).json()
    assert (changed["phone"], changed["previous_phone"], changed["labels"]) == ("4045550555", "4045500001", ["vip"])
    assert changed["custom"]["GPA"] == 1
    assert changed["custom"]["Campus"] == "North"
    kept = client.put("/contacts/ah000000000000001/", json={"phone": "4045500001"}).json()
    assert kept["errors"][0]["code"] == "contact-out-of-sync"
    back = staff(client, phone="4045500001").json()
    assert (back["phone"], back["previous_phone"]) == ("4045500001", None)
    assert staff(client, phone="4045500002").status_code == 400
    gained = client.post(
        "/_sandbox/staff", json={"contact_id": "ah000000000000007", "changes": {"phone": "4045550700"}}
    ).json()
    assert gained["messaging_status_sms"] == "opted-in"


def test_fields_can_be_renamed_removed_and_added(client):
    client.put("/contacts/ah000000000000002/", json={"custom": {"GPA": 2}})
    asked = {"rename": {"GPA": "Grade"}, "remove": ["Campus"], "add": [{"name": "Team", "data_type": "Text"}]}
    assert client.post("/_sandbox/fields", json=asked).json() == {"custom_fields": ["Grade", 'CB/"Status"', "Team"]}
    assert client.get("/contacts/ah000000000000001/").json()["custom"] == {
        "Grade": 3.5,
        'CB/"Status"': "ok",
        "Team": None,
    }
    assert client.get("/contacts/ah000000000000002/").json()["custom"]["Grade"] == 2
    reply = client.put("/contacts/ah000000000000001/", json={"custom": {"GPA": 3, "Team": "red"}}).json()
    assert [error["code"] for error in reply["errors"]] == ["invalid-attribute-data: GPA"]
    assert reply["custom"]["Team"] == "red"


def test_a_moment_can_be_returned_to(client):
    assert client.post("/_sandbox/restore").status_code == 400
    client.put("/contacts/ah000000000000001/", json={"phone": "4045550888"})
    saved = client.get("/_sandbox/state").text
    client.post("/_sandbox/save")
    client.put("/contacts/ah000000000000002/", json={"phone": "4045500001"})
    client.post("/contacts/", json={"crm_id": "003N", "first_name": "a", "last_name": "b"})
    text(client, "STOP")
    assert client.get("/_sandbox/state").text != saved
    client.post("/_sandbox/restore")
    assert client.get("/_sandbox/state").text == saved
    assert client.get("/contacts/4045500001/").status_code == 404
    assert client.get("/contacts/4045500002/").json()["id"] == "ah000000000000002"
    assert client.get("/contacts/003N/").status_code == 404
    assert client.get("/messages/").json()["count"] == 2


def test_the_state_dump_holds_hidden_contacts(client):
    lines = client.get("/_sandbox/state", headers={"Authorization": ""}).text.splitlines()
    assert len(lines) == 45
    assert orjson.loads(lines[3])["test_user"]


def test_shared_keys_are_refused():
    twice = pl.concat([contacts(2), contacts(2)])
    with pytest.raises(ValueError, match="keeps id unique"):
        MainstayInstitution(twice, FIELDS)


def test_an_empty_institution(client):
    with Server(mainstay_app(MainstayInstitution(pl.DataFrame()))) as server:
        reply = httpx.get(f"{server.url}/contacts/", headers={"Authorization": "APIToken sandbox-mainstay-token"})
    assert reply.json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_the_runner_serves_a_world():
    world = generate(120, 4)
    with Sandbox(world, systems=("mainstay",)) as sandbox:
        connection = sandbox.connection["mainstay"]
        headers = {"Authorization": f"APIToken {connection['token']}", "X-Workbench-Change": "9"}
        with httpx.Client(base_url=connection["base_url"], headers=headers, trust_env=False) as client:
            assert client.get("contacts/", params=HIDDEN).json()["count"] == 120
            contact_id = world.contacts_in("history-lengths")[-1]
            assert client.get("messages/", params={"admithub_contact_id": contact_id}).json()["count"] == 500
        assert sandbox.requests_seen[0] == (
            "mainstay", "GET", "/contacts/?include_test_contacts=True&include_nonpermitted_contacts=1",
            {"X-Workbench-Change": "9"}, 200,
        )  # fmt: skip
        assert sandbox.settings_env()["WORKBENCH_MAINSTAY__BASE_URL"] == connection["base_url"]
        with pytest.raises(RuntimeError, match="without Salesforce"):
            _ = sandbox.salesforce_org
    with pytest.raises(httpx.ConnectError):
        httpx.get(connection["base_url"])
