"""The dashboard as a child process: it answers, sees this store's settings, and stops with us."""

from __future__ import annotations

import socket

import httpx
import pytest
from pydantic import SecretStr

from workbench.errors import ConfigurationError
from workbench.operations import as_environment, running_dashboard
from workbench.settings import MainstaySettings, Settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Settings(
        database="store.duckdb", mainstay=MainstaySettings(token=SecretStr("sesame"), base_url="http://127.0.0.1:1/")
    )


def test_a_child_gets_every_setting(settings, tmp_path, monkeypatch):
    found = as_environment(settings)
    assert found["WORKBENCH_DATABASE"] == str(tmp_path / "store.duckdb")
    assert found["WORKBENCH_MAINSTAY__TOKEN"] == "sesame"
    assert "WORKBENCH_SALESFORCE__ACCESS_TOKEN" not in found
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    again = Settings()
    assert again.mainstay == settings.mainstay
    assert again.push == settings.push
    assert as_environment(again) == found


def test_a_missing_dashboard_is_a_sentence(settings, tmp_path):
    with (
        pytest.raises(ConfigurationError, match="not installed here"),
        running_dashboard(settings, app=tmp_path / "no"),
    ):
        pass


def test_a_taken_port_is_a_sentence(settings, tmp_path):
    app = tmp_path / "app.py"
    app.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="is taken"), running_dashboard(settings, app=app, port=port):
            pass


@pytest.mark.slow
def test_it_answers_and_stops(settings, tmp_path):
    app = tmp_path / "app.py"
    app.write_text("import streamlit as st\nst.write('here')\n")
    with running_dashboard(settings, app=app) as running:
        assert httpx.get(f"{running.url}/_stcore/health", trust_env=False).text == "ok"
    assert running.process.poll() is not None
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url, trust_env=False)


@pytest.mark.slow
def test_one_that_cannot_start_says_why(settings, tmp_path, monkeypatch):
    app = tmp_path / "app.py"
    app.write_text("")
    monkeypatch.setattr("workbench.operations.dashboard._options", lambda _port: ["--server.port=notanumber"])
    with pytest.raises(ConfigurationError, match="stopped while starting"), running_dashboard(settings, app=app):
        pass
