"""The Mainstay client against a small scripted server: paging guards, pacing, repeats, errors and the upsert's order."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from workbench.domain.fields import MainstayField
from workbench.errors import AuthenticationFailed, ConfigurationError, RemoteError, TransientError
from workbench.mainstay import (
    MainstayClient,
    OutcomeUnknown,
    Reply,
    contact_body,
    read_errors,
    upsert,
    wire,
)
from workbench.mainstay.upsert import contact_path
from workbench.settings import MainstaySettings
from workbench.simulators.sandbox import Server

TOKEN = "tok-123"


class Institution:
    """Answers by script: a function of the request, or answers used up one by one of which the last stays."""

    def __init__(self):
        self.answers = {}
        self.seen = []
        self.running = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.url = ""

    async def __call__(self, scope, receive, send):
        request = HttpRequest(scope, receive)
        body = await request.body()
        path = scope["path"].lstrip("/")
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0.005)
        self.seen.append((request.method, path, dict(request.query_params), dict(request.headers), body))
        script = self.answers[path]
        answer = script(request) if callable(script) else (script.pop(0) if len(script) > 1 else script[0])
        self.running -= 1
        if answer == "break":
            raise ConnectionError  # no answer at all: the connection closes
        response = answer if isinstance(answer, Response) else JSONResponse(answer)
        await response(scope, receive, send)


@pytest.fixture(scope="module")
def running():
    current = {}

    async def app(scope, receive, send):
        await current["app"](scope, receive, send)

    with Server(app) as server:
        yield current, server.url


@pytest.fixture
def institution(running):
    current, url = running
    institution = current["app"] = Institution()
    institution.url = url
    return institution


async def no_wait(_seconds):
    """Waiting is not what most of these tests are about."""


def client_of(institution, *, sleep=no_wait, **settings):
    given = {"base_url": institution.url, "token": SecretStr(TOKEN), "timeout_seconds": 3.0} | settings
    return MainstayClient(MainstaySettings(**given), sleep=sleep, jitter=lambda: 1.0)


def run(institution, work, **options):
    async def whole():
        async with client_of(institution, **options) as client:
            return await work(client)

    return asyncio.run(whole())


async def rows_of(client, path="contacts/", params=None):
    return [row["n"] async for page in client.pages(path, params) for row in page]


def numbered(institution, total, size, *, count=True):
    """A list like Django REST framework's: `page=N`, next as an absolute address."""

    def answer(request):
        page = int(request.query_params.get("page", "1"))
        rows = [{"n": n} for n in range((page - 1) * size, min(page * size, total))]
        if not rows and total:
            return JSONResponse({"detail": "Invalid page."}, 404)
        url = f"{institution.url}/contacts/?page={page + 1}&flag=x" if page * size < total else None
        return {"results": rows, "next": url, "previous": None, **({"count": total} if count else {})}

    return answer


# -- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", [0, 1, 19, 20, 21, 40, 137])
@pytest.mark.parametrize("count", [True, False])
def test_every_row_comes_once_and_in_order(institution, total, count):
    institution.answers["contacts/"] = numbered(institution, total, 20, count=count)
    assert run(institution, rows_of) == list(range(total))
    assert len(institution.seen) == max(1, -(-total // 20))


def test_counted_pages_are_fetched_side_by_side_up_to_the_limit(institution):
    institution.answers["contacts/"] = numbered(institution, 400, 20)
    assert run(institution, rows_of, concurrency=4) == list(range(400))
    assert 2 <= institution.most_at_once <= 4


def test_a_list_that_grew_is_followed_to_its_end(institution):
    totals = iter([40, *[60] * 10])

    def answer(request):
        return numbered(institution, next(totals), 20)(request)

    institution.answers["contacts/"] = answer
    assert run(institution, rows_of, concurrency=1) == list(range(60))


def test_a_list_that_shrank_ends_where_it_ends(institution):
    full = numbered(institution, 100, 20)

    def answer(request):
        page = int(request.query_params.get("page", "1"))
        reply = numbered(institution, 60, 20)(request)
        return full(request) if page == 1 else reply

    institution.answers["contacts/"] = answer
    assert run(institution, rows_of) == list(range(60))


def test_a_list_resumes_at_a_page(institution):
    institution.answers["contacts/"] = numbered(institution, 100, 20)

    async def work(client):
        start = f"{institution.url}/contacts/?page=4&flag=x"
        return [(page.next_url, len(page.rows)) async for page in client.page_stream("contacts/", start=start)]

    found = run(institution, work)
    assert found == [(f"{institution.url}/contacts/?page=5&flag=x", 20), (None, 20)]


def test_a_repeated_next_page_stops(institution):
    institution.answers["contacts/"] = [
        {"results": [{"n": 1}], "next": f"{institution.url}/contacts/?cursor=a"},
        {"results": [{"n": 2}], "next": f"{institution.url}/contacts/?cursor=a"},
    ]
    with pytest.raises(RemoteError, match="twice"):
        run(institution, rows_of)


def test_a_skipped_page_is_noticed(institution):
    def answer(request):
        page = int(request.query_params.get("page", "1"))
        following = page + (2 if page == 2 else 1)
        return {"results": [{"n": page}], "count": 9, "next": f"{institution.url}/contacts/?page={following}"}

    institution.answers["contacts/"] = answer
    with pytest.raises(RemoteError, match="skipped a page"):
        run(institution, rows_of)


def test_pages_that_carry_more_than_a_number_are_followed_one_by_one(institution):
    def answer(request):
        page = int(request.query_params.get("page", "1"))
        url = f"{institution.url}/contacts/?page={page + 1}&seed={page}" if page < 5 else None
        return {"results": [{"n": page}], "count": 5, "next": url}

    institution.answers["contacts/"] = answer
    assert run(institution, rows_of) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "address", ["https://evil.example/contacts/?page=2", "http://127.0.0.1:9/contacts/?page=2", "//evil.example/x"]
)
def test_the_token_goes_to_the_configured_host_only(institution, address):
    institution.answers["contacts/"] = [{"results": [{"n": 1}], "next": address, "count": 2}]
    with pytest.raises(RemoteError, match="another host") as refused:
        run(institution, rows_of)
    assert TOKEN not in str(refused.value)
    assert len(institution.seen) == 1


def test_the_scheme_of_a_next_page_is_the_configured_one():
    base = wire.base_url("https://api.admithub.com")
    assert str(wire.own_address(base, "http://api.admithub.com/contacts/?page=2")) == (
        "https://api.admithub.com/contacts/?page=2"
    )


@pytest.mark.parametrize("answer", [{"contacts": []}, 5, {"results": ["x"]}])
def test_a_list_of_another_shape_is_refused(institution, answer):
    institution.answers["contacts/"] = [answer]
    with pytest.raises(RemoteError, match="list"):
        run(institution, rows_of)


def test_a_bare_list_is_a_whole_list(institution):
    institution.answers["contacts/"] = [[{"n": 1}, {"n": 2}]]
    assert run(institution, rows_of) == [1, 2]


def test_the_token_and_parameters_are_sent(institution):
    institution.answers["contacts/"] = [{"results": [], "next": None}]
    run(institution, lambda client: rows_of(client, params={"modified_since": "2024-08-26T00:00:00Z"}))
    [(_, _, params, headers, _)] = institution.seen
    assert params == {"modified_since": "2024-08-26T00:00:00Z"}
    assert headers["authorization"] == "APIToken tok-123"


# -- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Response("oops", 500),
        Response("<html>", 503),
        Response("", 429, {"Retry-After": "0"}),
        Response('{"half":', 200, media_type="application/json"),
        Response("<html>Please sign in</html>", 200, media_type="text/html"),
        Response('{"errors": [{"code": "dup', 422, media_type="application/json"),
        "break",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_may_be_repeated_is(institution, fault, method):
    institution.answers["contacts/1/"] = [fault, fault, {"id": "ah1"}]
    if method == "GET":
        assert run(institution, lambda client: client.get("contacts/1/")) == {"id": "ah1"}
    else:
        reply = run(institution, lambda client: client.send("PUT", "contacts/1/", {}))
        assert (reply.status, reply.attempts, reply.outcome) == (200, 3, "success")


@pytest.mark.parametrize(
    "fault",
    [
        Response("oops", 500),
        Response('{"half":', 201, media_type="application/json"),
        Response("<html>", 200),
        Response('{"errors": [{"code": "dup', 422, media_type="application/json"),
        "break",
    ],
)
def test_a_create_without_an_answer_is_unknown_and_never_repeated(institution, fault):
    institution.answers["contacts/"] = [fault]
    with pytest.raises(OutcomeUnknown):
        run(institution, lambda client: client.send("POST", "contacts/", {"first_name": "Bo"}))
    assert len(institution.seen) == 1


def test_a_create_refused_for_the_moment_is_repeated(institution):
    institution.answers["contacts/"] = [Response("", 429, {"Retry-After": "0"}), JSONResponse({"id": "ah1"}, 201)]
    assert run(institution, lambda client: client.send("POST", "contacts/", {})).status == 201


def test_a_create_that_could_not_connect_is_transient_and_certain():
    async def work():
        settings = MainstaySettings(base_url="http://127.0.0.1:9", token=SecretStr(TOKEN))
        async with MainstayClient(settings, sleep=no_wait) as client:
            await client.send("POST", "contacts/", {})

    with pytest.raises(TransientError) as failed:
        asyncio.run(work())
    assert not isinstance(failed.value, OutcomeUnknown)


def test_an_update_that_stays_without_an_answer_is_unknown(institution):
    institution.answers["contacts/1/"] = [Response("oops", 502)]
    with pytest.raises(OutcomeUnknown):
        run(institution, lambda client: client.send("PUT", "contacts/1/", {}))
    assert len(institution.seen) == 6


def test_retry_after_is_honoured(institution):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    institution.answers["auth_valid"] = [Response("", 429, {"Retry-After": "7"}), {"ok": True, "org_id": "exampleU"}]
    assert run(institution, lambda client: client.auth_valid(), sleep=sleep) == "exampleU"
    assert waited == [pytest.approx(7, abs=0.5)]


def test_the_last_refusal_of_one_request_holds_back_the_next_one(institution):
    """A request that is given up leaves behind what the server asked for: its successor waits."""
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async def work(client):
        with pytest.raises(TransientError):
            await client.get("contacts/1/")
        waited.clear()
        await client.auth_valid()

    institution.answers["contacts/1/"] = [Response("", 429, {"Retry-After": "7"})]
    institution.answers["auth_valid"] = [{"ok": True, "org_id": "exampleU"}]
    run(institution, work, sleep=sleep)
    assert waited == [pytest.approx(7, abs=0.5)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("99999", 300.0), ("-5", 0.0), ("soon", None), ("nan", None), ("", None)],
)
def test_retry_after_is_read_with_sense(text, seconds):
    assert wire.retry_after(httpx.Response(429, headers={"Retry-After": text})) == seconds


def test_retry_after_may_be_a_date():
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    response = httpx.Response(429, headers={"Retry-After": format_datetime(now + timedelta(seconds=12), usegmt=True)})
    assert wire.retry_after(response, lambda: now) == 12.0


def test_requests_are_paced():
    waited = []

    async def sleep(seconds):
        waited.append(round(seconds, 3))

    async def work():
        pace = wire.Pace(10.0, lambda: 100.0, sleep)
        for _ in range(4):
            await pace.turn()

    asyncio.run(work())
    assert waited == [0.1, 0.2, 0.3]


def test_a_refused_token_says_where_to_make_one(institution):
    institution.answers["auth_valid"] = [JSONResponse({"detail": "Invalid token."}, 401)]
    with pytest.raises(AuthenticationFailed, match="Settings > Mainstay API") as refused:
        run(institution, lambda client: client.auth_valid())
    assert TOKEN not in str(refused.value)
    assert len(institution.seen) == 1


def test_without_a_token_nothing_is_asked(institution):
    with pytest.raises(ConfigurationError, match="there is no token"):
        run(institution, lambda client: client.auth_valid(), token=None)
    assert institution.seen == []


@pytest.mark.parametrize("token", ["tok\nX-Evil: 1", "tök", "two words"])
def test_a_token_with_strange_characters_is_never_sent_nor_shown(institution, token):
    with pytest.raises(ConfigurationError) as refused:
        run(institution, lambda client: client.auth_valid(), token=SecretStr(token))
    assert token not in str(refused.value)
    assert institution.seen == []


@pytest.mark.parametrize("url", ["api.admithub.com", "http://api.admithub.com", "ftp://x", ""])
def test_an_address_that_cannot_be_used_is_refused(url):
    with pytest.raises(ConfigurationError, match="WORKBENCH_MAINSTAY__BASE_URL"):
        wire.base_url(url)


def test_a_host_that_is_not_mainstay_is_recognised(institution):
    institution.answers["auth_valid"] = [Response("<html>Welcome</html>", 200, media_type="text/html")]
    with pytest.raises(TransientError, match="Something other than Mainstay's API"):
        run(institution, lambda client: client.auth_valid())
    assert len(institution.seen) == 4
    institution.answers["contacts/1/"] = [Response("<html>Not found</html>", 404, media_type="text/html")]
    with pytest.raises(RemoteError, match="Something other"):
        run(institution, lambda client: client.send("PUT", "contacts/1/", {}))


def test_a_redirect_is_not_followed(institution):
    institution.answers["auth_valid"] = [Response("", 302, {"Location": "https://evil.example/"})]
    with pytest.raises(RemoteError, match="not followed"):
        run(institution, lambda client: client.auth_valid())


# -- documents -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "custom",
    [
        {"custom_fields": ["Campus", "GPA"]},
        ["Campus", {"name": "GPA"}],
        {"custom_fields": [{"name": "Campus"}, {"name": "GPA"}]},
    ],
)
def test_custom_fields_are_read_from_names_and_objects(institution, custom):
    institution.answers |= {
        "default_fields/": [JSONResponse({"detail": "Not found."}, 404)],
        "custom_fields/": [custom],
    }
    fields = run(institution, lambda client: client.fields())
    assert [item for item in fields if item.is_custom] == [
        MainstayField("Campus", "Text", is_custom=True),
        MainstayField("GPA", "Text", is_custom=True),
    ]
    assert {"crm_id", "previous_phone"} <= {item.name for item in fields}


def test_described_custom_fields_keep_their_types_and_options(institution):
    institution.answers["default_fields/"] = [
        {"default_fields": [{"name": "email", "data_type": "string", "deprecated": True}, {"name": "shoe_size"}]}
    ]
    described = [{"name": "Campus", "data_type": "Multi-Choice", "options": ["North", "South"]}]
    institution.answers["custom_fields/"] = [{"custom_fields": ["GPA", "Campus"], "fields": described}]
    by_name = {item.name: item for item in run(institution, lambda client: client.fields())}
    assert by_name["Campus"].options == ("North", "South")
    assert by_name["email"] == MainstayField("email", "email", is_deprecated=True)
    assert not by_name["shoe_size"].is_writable


def test_a_contact_is_found_or_not(institution):
    institution.answers["contacts/003/"] = [{"id": "ah1", "crm_id": "003"}]
    institution.answers["contacts/a/b/"] = [
        JSONResponse({"errors": [{"code": "not-found", "message": "Not found."}]}, 404)
    ]
    assert run(institution, lambda client: client.find_contact("003"))["id"] == "ah1"
    assert run(institution, lambda client: client.find_contact("a/b")) is None
    assert institution.seen[0][2] == {"include_test_contacts": "true", "include_nonpermitted_contacts": "true"}


@pytest.mark.parametrize(
    ("status", "body", "codes"),
    [
        (404, {"detail": "Not found."}, ["not-found"]),
        (409, {"errors": [{"code": "duplicate-contact", "message": "x"}]}, ["duplicate-contact"]),
        (409, {"error": {"code": "duplicate-contact", "message": "x"}}, ["duplicate-contact"]),
        (400, {"code": "invalid-phone", "message": "x"}, ["invalid-phone"]),
        (400, [{"code": "invalid-phone"}, {"code": "invalid-email"}], ["invalid-phone", "invalid-email"]),
        (400, "plain words", ["http-400"]),
        (400, None, ["http-400"]),
        (
            200,
            {"id": "ah1", "errors": [{"code": "invalid-email", "message": "x", "field": "email"}]},
            ["invalid-email"],
        ),
        (200, {"id": "ah1", "errors": []}, []),
        (200, {"id": "ah1"}, []),
    ],
)
def test_errors_are_read_from_every_shape(status, body, codes):
    assert [item["code"] for item in read_errors(body, status)] == codes


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text() | st.sampled_from(["errors", "error", "detail", "code"]), x),
    ),
    st.sampled_from([200, 201, 400, 404, 500]),
)
def test_no_answer_breaks_the_error_reader(body, status):
    items = read_errors(body, status)
    assert all(isinstance(item["code"], str) and isinstance(item["message"], str) for item in items)
    assert items or status < 400


def reply(status, *codes, method="PUT"):
    errors = tuple({"code": code, "message": ""} for code in codes)
    return Reply(method, "contacts/1/", status, {"id": "ah1"} if status < 300 else {}, errors, 1.0)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(200), "success"),
        (reply(200, "invalid-email"), "partial"),
        (reply(200, "invalid-phone"), "partial"),
        (reply(400, "invalid-phone", method="POST"), "fail"),
        (reply(200, "invalid-phone", method="POST"), "fail"),
        (reply(409, "duplicate-contact"), "fail"),
        (reply(200, "invalid-attribute-data: GPA", "contact-out-of-sync"), "partial"),
        (reply(422, "something-new"), "fail"),
        (reply(500), "fail"),
    ],
)
def test_an_outcome_is_judged_by_code_and_method(answer, outcome):
    assert answer.outcome == outcome


# -- rows and bodies -----------------------------------------------------------------------------------------------


def test_a_body_is_nested_and_never_null():
    assert contact_body({"email": None, "custom.A": None}) == {}
    assert contact_body({"phone": "", "custom.A": "UNSET"}) == {"phone": "", "custom": {"A": "UNSET"}}


# -- the upsert's order --------------------------------------------------------------------------------------------

NOT_FOUND = reply(404, "not-found")
BODY = {"crm_id": "003A", "phone": "(404) 555-0199", "first_name": "Bo", "last_name": "Ray"}


def walk(body, answers, start="crm"):
    """The requests made when these answers come, and what the upsert returned."""
    made = []
    steps = upsert(body, start=start)
    waiting = iter(answers)
    try:
        request = next(steps)
        while True:
            made.append((request.method, request.path))
            request = steps.send(next(waiting))
    except StopIteration as end:
        return made, end.value


CRM, PHONE, CREATE = ("PUT", "contacts/003A/"), ("PUT", "contacts/4045550199/"), ("POST", "contacts/")


def test_the_order_is_crm_id_then_phone_then_create():
    created = reply(201, method="POST")
    assert walk(BODY, [NOT_FOUND, NOT_FOUND, created]) == ([CRM, PHONE, CREATE], created)


@pytest.mark.parametrize(
    "answer", [reply(200), reply(200, "invalid-email"), reply(409, "duplicate-contact"), reply(404, "http-404")]
)
def test_only_not_found_leads_on(answer):
    assert walk(BODY, [answer]) == ([CRM], answer)


@pytest.mark.parametrize(("start", "made"), [("phone", [PHONE, CREATE]), ("create", [CREATE])])
def test_the_order_may_be_entered_later(start, made):
    assert walk(BODY, [NOT_FOUND] * 3, start)[0] == made


@pytest.mark.parametrize("phone", [None, "", "123", "UNSET"])
def test_without_a_usable_phone_no_request_by_phone(phone):
    body = {**BODY, "phone": phone} if phone is not None else {k: v for k, v in BODY.items() if k != "phone"}
    assert walk(body, [NOT_FOUND, NOT_FOUND])[0] == [CRM, CREATE]


@pytest.mark.parametrize("name", ["first_name", "last_name"])
@pytest.mark.parametrize("value", [None, " ", "UNSET"])
def test_without_both_names_no_create(name, value):
    assert walk({**BODY, name: value}, [NOT_FOUND, NOT_FOUND]) == ([CRM, PHONE], NOT_FOUND)


def test_nothing_to_go_by_makes_no_request():
    assert walk({"email": "a@example.edu"}, []) == ([], None)


def test_a_create_that_was_fallen_back_to_deletes_nothing():
    body = {**BODY, "email": "UNSET", "custom": {"A": "UNSET", "B": "x"}}
    steps = upsert(body, start="phone")
    assert next(steps).body == body
    assert steps.send(NOT_FOUND).body == {**BODY, "custom": {"B": "x"}}


@given(st.text(min_size=1))
def test_an_identifier_is_one_path_segment(text):
    path = contact_path(text)
    assert path.startswith("contacts/")
    assert path.endswith("/")
    assert path.count("/") == 2
    assert not set(path) & set("?# ")


def test_send_reports_what_was_answered(institution):
    errors = [{"code": "invalid-email", "message": "Row # 1: invalid email", "field": "email"}]
    institution.answers["contacts/003/"] = [{"id": "ah1", "errors": errors}]
    answer = run(institution, lambda client: client.send("PUT", "contacts/003/", {"email": "nope"}, "change-7"))
    assert (answer.codes, answer.outcome, answer.contact["id"]) == (["invalid-email"], "partial", "ah1")
    [(_, _, _, headers, body)] = institution.seen
    assert headers["x-workbench-change"] == "change-7"
    assert json.loads(body) == {"email": "nope"}
