"""Checking the connections step by step."""

import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.flow.pulling import WANTED
from workbench import operations
from workbench.errors import RemoteError
from workbench.salesforce import SalesforceClient
from workbench.settings import SalesforceSettings, load_settings
from workbench.stages.pull.check import check, my_domain


def test_good_connections_pass_every_step(pulling):
    steps = check(pulling.settings, wanted=WANTED)
    assert [step.name for step in steps if not step.ok] == []
    assert {"Salesforce limits", "Salesforce Contact", "Mainstay organisation"} <= {step.name for step in steps}


def changed(settings, system, **values):
    part = getattr(settings, system)
    return settings.model_copy(update={system: part.model_copy(update=values)})


@pytest.mark.parametrize(
    ("system", "values", "failing", "said"),
    [
        ("mainstay", {"token": SecretStr("wrong")}, "Mainstay token", "make a new one"),
        ("mainstay", {"token": None}, "Mainstay settings", "no token"),
        ("mainstay", {"base_url": "http://127.0.0.1:9/"}, "Mainstay host", "not reached"),
        ("salesforce", {"access_token": SecretStr("00D!x"), "consumer_key": None}, "Salesforce token", "has expired"),
        ("salesforce", {"instance_url": "http://127.0.0.1:9", "consumer_key": None}, "Salesforce host", "not reached"),
        ("salesforce", {"instance_url": None}, "Salesforce settings", "INSTANCE_URL"),
    ],
)
def test_a_failing_step_says_what_to_do(pulling, system, values, failing, said):
    steps = check(changed(pulling.settings, system, **values))
    [failed] = [step for step in steps if not step.ok]
    assert failed.name == failing
    assert said in failed.sentence
    assert all(step.ok for step in steps if step.name.split()[0] != failing.split()[0])


@pytest.mark.parametrize(
    ("named", "host", "said"),
    [
        ("https://uni.my.salesforce.com", "uni.my.salesforce.com", ""),
        ("uni--box.sandbox.my.salesforce.com/", "UNI--box.sandbox.my.salesforce.com", ""),
        (None, "uni.my.salesforce.mil", ""),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", ""),
        ("https://na139.salesforce.com", "na139.salesforce.com", "switch My Domain on"),
        ("https://login.salesforce.com", "login.salesforce.com", "switch My Domain on"),
        ("https://my.salesforce.com.example.org", "my.salesforce.com.example.org", "switch My Domain on"),
        ("https://uni.my.salesforce.com", "other.my.salesforce.com", "set it to https://other.my.salesforce.com"),
    ],
)
def test_the_org_has_its_own_address_and_is_the_one_that_was_named(named, host, said):
    step = my_domain(SalesforceSettings(instance_url=named), host)
    assert step.ok == (not said)
    assert (said or host) in step.sentence


def test_a_login_that_leads_to_another_org_is_told(pulling, monkeypatch):
    monkeypatch.setattr(SalesforceClient, "connect", lambda _: "other.my.salesforce.com")
    [failed] = [step for step in check(pulling.settings) if not step.ok]
    assert failed.name == "Salesforce My Domain"


def test_fields_that_cannot_be_seen_are_named(pulling):
    steps = check(pulling.settings, wanted={"Contact": ["Email", "Nope__c"], "Nonsense__c": ["Id"]})
    failed = {step.name: step.sentence for step in steps if not step.ok}
    assert set(failed) == {"Salesforce Contact.Nope__c", "Salesforce Nonsense__c"}
    assert "Grant Read" in failed["Salesforce Contact.Nope__c"]


def test_a_field_that_an_import_may_not_edit_is_named(pulling):
    fields = {"Contact": ["Email", "IsEmailBounced"]}
    [failed] = [step for step in check(pulling.settings, wanted=fields, written=fields) if not step.ok]
    assert failed.name == "Salesforce Contact.IsEmailBounced"
    assert "grant Edit" in failed.sentence
    assert all(step.ok for step in check(pulling.settings, wanted=fields))


def test_a_field_hidden_from_this_user_is_named_with_the_grant_that_is_missing(pulling):
    """Field-level security hides a field from describe and query alike, as if it did not exist."""
    before = len(check(pulling.settings, wanted=WANTED))
    pulling.sandbox.salesforce_org.hide_field("Contact", "GPA__c")
    steps = check(pulling.settings, wanted=WANTED)
    [failed] = [step for step in steps if not step.ok]
    assert len(steps) == before
    assert failed.name == "Salesforce Contact.GPA__c"
    assert failed.sentence == (
        "Contact has no field GPA__c, or this user may not see it. "
        "Grant Read on it (field-level security) to this user in a permission set, or correct the mapping."
    )
    report = pulling(only="salesforce")  # the rest is pulled all the same
    assert [problem.split(":")[0] for problem in report.problems] == ["GPA__c"]


def test_a_used_up_day_and_a_closed_api_are_told(pulling, monkeypatch):
    monkeypatch.setattr(SalesforceClient, "limits", lambda _: {"DailyApiRequests": {"Max": 15000, "Remaining": 12}})
    [failed] = [step for step in check(pulling.settings) if not step.ok]
    assert failed.name == "Salesforce limits"
    assert "Only 12 of 15,000" in failed.sentence

    def closed(_client):
        raise RemoteError("refused", code="API_DISABLED_FOR_ORG", status=403)

    monkeypatch.setattr(SalesforceClient, "sobjects", closed)
    [failed] = [step for step in check(pulling.settings) if not step.ok]
    assert failed.name == "Salesforce API"
    assert "API Enabled" in failed.sentence


def test_an_object_that_may_not_be_written_is_named(pulling):
    [failed] = [step for step in check(pulling.settings, wanted={"RecordType": ["Name"]}) if not step.ok]
    assert failed.name == "Salesforce RecordType"
    assert "create or edit" in failed.sentence


def test_after_disconnect_nothing_is_asked_and_what_was_pulled_stays(pulling, tmp_path, monkeypatch):
    pulling(only="campaigns")
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    env = pulling.sandbox.settings_env()
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    assert all(step.ok for step in check(load_settings()))

    assert operations.disconnect().still_set == ()

    asked = len(pulling.sandbox.requests)
    assert [(step.name, step.ok) for step in check(load_settings())] == [
        ("Salesforce settings", False), ("Mainstay settings", False),
    ]  # fmt: skip
    assert len(pulling.sandbox.requests) == asked
    assert not {value for name, value in env.items() if "URL" not in name} & set(
        re.split(r"[=\n]", Path(".env").read_text())
    )
    assert pulling.value("SELECT count(*) FROM mainstay.campaign") > 0
