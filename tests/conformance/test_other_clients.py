"""Clients that others wrote take the sandbox for the real thing: told an address, they run as they are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import generate

HERE = Path(__file__).parent
CONTACTS = 2_600  # more than one page of a query
INSTALL_SECONDS = 200

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world():
    return generate(CONTACTS, 3)


@pytest.fixture
def sandbox(world):
    with Sandbox(world, page_size=200) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def temporary(tmp_path_factory):
    return tmp_path_factory.mktemp("clients")


def ran(*command, cwd=None, seconds=INSTALL_SECONDS):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="session")
def jsforce(temporary):
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed, so jsforce cannot run")
    folder = temporary / "jsforce"
    folder.mkdir()
    ran("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "jsforce@3.10", cwd=folder)
    return folder


def python_with(folder, requirement):
    """The interpreter of an environment of its own: a client's needs shall not bend ours."""
    ran(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    ran(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)
    return python


@pytest.fixture(scope="session")
def aiosalesforce(temporary):
    return python_with(temporary / "aiosalesforce", "aiosalesforce==0.6.2")


@pytest.fixture(scope="session")
def tap_salesforce(temporary):
    return python_with(temporary / "tap_salesforce", "tap-salesforce==2.8.1")


def living(sandbox):
    """Contacts that are not deleted."""
    return sandbox.world.salesforce["Contact"].filter(~sandbox.world.salesforce["Contact"]["IsDeleted"]).height


def test_jsforce_works_a_day(sandbox, jsforce):
    seen = json.loads(
        ran("node", HERE / "jsforce_session.mjs", jsforce, json.dumps(sandbox.connection["salesforce"]), seconds=120)
    )
    total = living(sandbox)
    assert seen.pop("wrong_login").startswith("INVALID_LOGIN")
    assert seen.pop("parents") > 1000
    assert seen.pop("fields") > 60
    assert {"Contact", "Account", "Lead", "Application__c"} <= {*seen.pop("objects")}
    assert seen == {
        "organization": sandbox.salesforce_org.org_id,
        "identity": sandbox.connection["salesforce"]["username"],
        "limits": 1_000_000,
        "usage": True,
        "first_page": 2000,
        "total": total,
        "read": total,
        "fetched": total,
        "found": 3,
        "count": total,
        "bad_query": "INVALID_FIELD",
        "formula": True,
        "created": True,
        "email": "zoe@example.edu",
        "updated": True,
        "renamed": "李",
        "invalid": "REQUIRED_FIELD_MISSING",
        "destroyed": True,
        "gone": "ENTITY_IS_DELETED",
        "upserted": True,
        "upserted_again": False,
        "collection": [True, False, True],
        "collection_error": "REQUIRED_FIELD_MISSING",
        "collection_updated": True,
        "retrieved": ["Physics", "Physics"],
        "collection_deleted": True,
        "bulk_loaded": 450,
        "bulk_failed": ["REQUIRED_FIELD_MISSING"],
        "bulk_read": 450,
        "bulk_text": 'line 1\nline "2", 7',
    }
    asked = [item.path for item in sandbox.requests_seen if "/jobs/" in item.path]
    assert any(path.endswith("/jobs/query") for path in asked)
    assert any("/jobs/ingest/" in path for path in asked)


def test_aiosalesforce_works_a_day(sandbox, aiosalesforce):
    told = json.dumps(sandbox.connection["salesforce"])
    seen = json.loads(ran(aiosalesforce, HERE / "aiosalesforce_session.py", told, seconds=120))
    assert seen == {
        "wrong_login": "INVALID_LOGIN",
        "limits": 1_000_000,
        "read": living(sandbox),
        "bad_query": "INVALID_FIELD",
        "found": ["Ana", "Núñez", "a@example.edu"],
        "invalid": "REQUIRED_FIELD_MISSING",
        "upserted": True,
        "upserted_again": False,
        "gone": "ENTITY_IS_DELETED",
        "batch": [2, 400],
        "composite": ["Composite College"],
        "bulk": [300, 1, 0],
        "bulk_error": "REQUIRED_FIELD_MISSING",
    }


@pytest.mark.parametrize("api_type", ["REST", "BULK"])
def test_tap_salesforce_copies_contacts(sandbox, tap_salesforce, tmp_path, api_type):
    """Discover, then a sync of Contact: by pages of queryAll, and by a job of Bulk API 1.0."""
    known = sandbox.connection["salesforce"]
    config = {
        "refresh_token": known["refresh_token"],
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "start_date": "2015-01-01T00:00:00Z",
        "api_type": api_type,
        "select_fields_by_default": "true",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    tap = (tap_salesforce, HERE / "tap_salesforce_session.py", known["instance_url"], "--config", "config.json")
    catalog = json.loads(ran(*tap, "--discover", cwd=tmp_path))
    assert {"Contact", "Account", "Lead", "Application__c"} <= {stream["stream"] for stream in catalog["streams"]}
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["stream"] == "Contact"
                entry["metadata"]["replication-key"] = "SystemModstamp"
                entry["metadata"]["replication-method"] = "INCREMENTAL"
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    said = [json.loads(line) for line in ran(*tap, "--properties", "catalog.json", cwd=tmp_path).splitlines()]
    rows = {line["record"]["Id"]: line["record"] for line in said if line["type"] == "RECORD"}
    contacts = sandbox.world.salesforce["Contact"]
    assert set(rows) == set(contacts["Id"])  # deleted ones too: the tap asks for all
    assert sum(row["IsDeleted"] for row in rows.values()) == contacts["IsDeleted"].sum()
    for known_row in contacts.sample(200, seed=1).iter_rows(named=True):
        row = rows[known_row["Id"]]
        for name in ("LastName", "Email", "MobilePhone", "Advisor_Notes__c", "GPA__c", "Do_Not_Contact__c"):
            assert row[name] == known_row[name], name
    bookmark = said[-1]["value"]["bookmarks"]["Contact"]["SystemModstamp"]
    assert bookmark[:19] == f"{contacts['SystemModstamp'].max():%Y-%m-%dT%H:%M:%S}"
    asked = [item.path for item in sandbox.requests_seen if "/async/" in item.path]
    assert bool(asked) is (api_type == "BULK")
