"""What simple-salesforce does wrong, one by one: the client has to do it right. Source: wire reference, section 12."""

import asyncio
import socket
import threading

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.clients.test_salesforce_client import EXPIRED, TOKEN, client_of, org, running  # noqa: F401  fixtures
from workbench.errors import RemoteError, TransientError
from workbench.salesforce import Record, SalesforceClient, ingest
from workbench.salesforce.login import open_session
from workbench.settings import SalesforceSettings
from workbench.simulators.sandbox import Server

JOB = {"id": "750000000000001AAA", "state": "JobComplete", "operation": "query"}
RESULTS = f"jobs/query/{JOB['id']}/results"
RENEWABLE = {"consumer_key": "k", "consumer_secret": "s"}


def csv(text, **headers):
    return Response(text.encode(), 200, {name.replace("_", "-"): value for name, value in headers.items()}, "text/csv")


def with_job(org, *pages):  # noqa: F811
    org.answers |= {"jobs/query": [JOB], f"jobs/query/{JOB['id']}": [JOB], RESULTS: list(pages)}


def download(org, folder, **settings):  # noqa: F811
    with client_of(org, **settings) as client:
        return client.bulk_download("Contact", "SELECT Id FROM Contact", folder, poll_seconds=0.01), client


def test_a_host_that_stays_silent_is_given_up():
    """It knows no timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        held = []
        threading.Thread(target=lambda: held.append(silent.accept()), daemon=True).start()
        settings = SalesforceSettings(
            instance_url=f"http://127.0.0.1:{silent.getsockname()[1]}", access_token=TOKEN, timeout_seconds=0.2
        )
        with SalesforceClient(settings, sleep=lambda _: None) as client, pytest.raises(TransientError, match="in time"):
            client.limits()


def test_no_proxy_and_no_netrc_is_asked(org, monkeypatch):  # noqa: F811
    """It follows the environment, and the token with it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    org.answers["limits"] = [{"DailyApiRequests": {"Max": 10, "Remaining": 9}}]
    with client_of(org) as client:
        assert client.limits()["DailyApiRequests"]["Remaining"] == 9
    assert open_session(1.0).trust_env is False


@pytest.mark.parametrize("answer", [Response("<html>", 401), JSONResponse({"message": "no"}, 401)])
def test_an_expired_session_told_in_another_shape_is_renewed(org, answer):  # noqa: F811
    """It raises a KeyError on a 401 whose body is no list."""
    org.answers["limits"] = [answer, {"DailyApiRequests": {"Max": 10, "Remaining": 9}}]
    with client_of(org, **RENEWABLE) as client:
        assert client.limits()["DailyApiRequests"]["Max"] == 10
    assert len(org.logins) == 1


def test_a_bulk_query_renews_its_session_in_the_middle(org, tmp_path):  # noqa: F811
    """Its bulk calls never log in again."""
    with_job(org, csv('"Id"\n"1"\n', Sforce_Locator="MQ"), Response("", 401), csv('"Id"\n"2"\n'))
    found, _ = download(org, tmp_path, **RENEWABLE)
    assert [file.read_text() for file in found.files] == ['"Id"\n"1"\n', '"Id"\n"2"\n']
    assert len(org.logins) == 1


def test_a_page_goes_to_disk_while_it_comes(org, tmp_path):  # noqa: F811
    """Its query() holds whole pages in memory."""
    line = '"' + "x" * 1022 + '"\n'

    async def slowly():
        yield ('"Id"\n' + line * 4096).encode()
        for _ in range(500):
            if any(file.stat().st_size > 1 << 20 for file in tmp_path.glob("*.part")):
                break
            await asyncio.sleep(0.01)
        else:
            yield b'"nothing had reached the disk"\n'
        yield b'"last"\n'

    with_job(org, StreamingResponse(slowly(), media_type="text/csv"))
    found, _ = download(org, tmp_path)
    text = found.files[0].read_text()
    assert text.endswith('x"\n"last"\n')
    assert not list(tmp_path.glob("*.part"))


def test_a_renewed_session_may_live_at_another_host(org):  # noqa: F811
    """Its addresses keep the host of the first login."""

    async def moved(request):
        return JSONResponse({"DailyApiRequests": {"Max": 7, "Remaining": 7}})

    with Server(Starlette(routes=[Route("/services/data/{version}/limits/", moved)])) as other:
        org.answers["limits"] = [EXPIRED]
        with client_of(org, **RENEWABLE) as client:
            org.url = other.url  # where the login says the org is now
            assert client.limits()["DailyApiRequests"]["Max"] == 7


def test_pages_without_their_headers_are_the_last_ones(org, tmp_path):  # noqa: F811
    """It raises a KeyError without Sforce-NumberOfRecords; others loop for ever without Sforce-Locator."""
    with_job(org, csv('"Id"\n"1"\n'))
    found, _ = download(org, tmp_path)
    assert (len(found.files), found.rows) == (1, None)


def test_a_page_that_names_itself_stops(org, tmp_path):  # noqa: F811
    with_job(org, csv('"Id"\n"1"\n', Sforce_Locator="MQ"))
    with pytest.raises(RemoteError, match="same page"):
        download(org, tmp_path)


def test_text_keeps_its_bytes_whatever_the_header_says(org, tmp_path):  # noqa: F811
    """Without a charset it reads Latin-1; splitlines takes U+2028 for an end of line."""
    text = '"Id"\n"Zoë 李\u2028\u0085\nx"\n'
    with_job(org, csv(text, content_type="text/csv"))
    found, _ = download(org, tmp_path)
    assert found.files[0].read_bytes() == text.encode()


def test_a_page_that_is_no_csv_is_asked_for_again(org, tmp_path):  # noqa: F811
    with_job(org, Response("<html>", 200, media_type="text/html"), csv('"Id"\n"1"\n'))
    found, _ = download(org, tmp_path)
    assert found.files[0].read_text() == '"Id"\n"1"\n'


def test_the_job_is_removed_and_an_empty_answer_is_one(org, tmp_path):  # noqa: F811
    """It leaves its jobs, and its delete_job fails on the normal 204."""
    with_job(org, csv('"Id"\n'))
    org.answers[f"jobs/query/{JOB['id']}"] = [JOB, Response(status_code=204)]
    found, _ = download(org, tmp_path)
    assert found.files
    assert ("DELETE", f"jobs/query/{JOB['id']}") in [(method, path) for method, path, *_ in org.seen]


def test_an_interrupted_download_goes_on_with_its_job(org, tmp_path):  # noqa: F811
    with_job(org, csv('"Id"\n"1"\n', Sforce_Locator="MQ", Sforce_NumberOfRecords="1"), JSONResponse([{}], 400))
    with pytest.raises(RemoteError):
        download(org, tmp_path)
    org.answers[RESULTS] = [csv('"Id"\n"2"\n', Sforce_Locator="null", Sforce_NumberOfRecords="1")]
    before = len(org.seen)
    found, _ = download(org, tmp_path)
    assert found.rows == 2
    asked = [(method, path, query.get("locator")) for method, path, query, *_ in org.seen[before:]]
    assert ("GET", RESULTS, "MQ") in asked
    assert not any(method == "POST" for method, *_ in asked)


def test_the_budget_is_read_from_bulk_pages_too(org, tmp_path):  # noqa: F811
    with_job(org, csv('"Id"\n', Sforce_Limit_Info="api-usage=18/15000; per-app-api-usage=17/250(appName=x)"))
    _, client = download(org, tmp_path)
    assert client.api_usage == (18, 15000)


def test_an_empty_list_is_no_surprise(org):  # noqa: F811
    """Its restful() makes None of an empty list."""
    org.answers["composite/sobjects/Contact"] = [[]]
    with client_of(org) as client:
        assert client.retrieve("Contact", ["003000000000001AAA"], ["Name"]) == {}


def test_the_wait_that_was_asked_for_is_waited(org):  # noqa: F811
    waits = []
    org.answers["limits"] = [Response("[]", 503, {"Retry-After": "42"}), {"DailyApiRequests": {}}]
    settings = SalesforceSettings(instance_url=org.url, access_token=TOKEN)
    with SalesforceClient(settings, sleep=waits.append) as client:
        client.limits()
    assert waits == [42.0]


# -- results of ingest jobs ----------------------------------------------------------------------------------------


def results(org, **lists):  # noqa: F811
    for which in ("successfulResults", "failedResults", "unprocessedrecords"):
        org.answers[f"jobs/ingest/{JOB['id']}/{which}"] = [lists.get(which, csv(""))]
    org.answers[f"jobs/ingest/{JOB['id']}"] = [JOB]


def test_results_keep_every_line_break_and_letter(org):  # noqa: F811
    """It splits lines at U+2028, NEL and VT, loses line breaks inside of values and reads Latin-1 without a charset."""
    note = 'Zoë 李\u2028\u0085\x0b\nsecond, "quoted"'
    records = [Record("a", {"LastName": "Same", "Note__c": note}), Record("b", {"LastName": "Same", "Note__c": "x"})]
    quoted = note.replace('"', '""')
    results(
        org,
        successfulResults=csv(f'"sf__Id","sf__Created","LastName","Note__c"\n"003B","true","Same","{quoted}"\n'),
        failedResults=csv(
            '"sf__Id","sf__Error","LastName","Note__c"\n"","STRING_TOO_LONG:no:LastName --","Same","x"\n'
        ),
    )
    with client_of(org) as client:
        found = ingest.wait_for(client, JOB["id"], "create", records)
    assert found.settled["a"].record_id == "003B"
    assert found.settled["b"].errors[0]["fields"] == ["LastName"]  # a failed row is told, though the job is complete
    assert (found.unsettled, found.unprocessed) == ([], [])
